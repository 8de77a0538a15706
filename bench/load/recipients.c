/* multipart/mixed of an offer and a resource list (RFC 5366 section 4; the list: RFC 4826, with RFC 5364's copy control). */
#include "bench/load/recipients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUNDARY "conclave-ue-parts"
#define ENTRY_OCTETS 64 /* at most, for each octet of the list: an entry of one octet */

const char ue_recipients_type[] = "multipart/mixed;boundary=\"" BOUNDARY "\"";

/* Text of an attribute. */
static void
attribute_put(FILE *f, const char *text, size_t len)
{
	for (; len > 0; len--, text++) {
		if (*text == '&')
			fputs("&amp;", f);
		else if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '"')
			fputs("&quot;", f);
		else
			fputc(*text, f);
	}
}

static void
list_put(FILE *f, const char *list)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
	      "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" "
	      "xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\"><list>\r\n",
	      f);
	while (*list) {
		size_t len = strcspn(list, ",");

		if (len > 0) {
			fputs("<entry uri=\"", f);
			attribute_put(f, list, len);
			fputs("\" cp:copyControl=\"to\"/>\r\n", f);
		}
		list += len + (list[len] == ',');
	}
	fputs("</list></resource-lists>\r\n", f);
}

char *
ue_recipients_body(const char *list, const char *sdp)
{
	size_t size = 1024 + strlen(sdp) + ENTRY_OCTETS * (strlen(list) + 1);
	char *body = calloc(1, size); /* it does not grow: no copy of the keys stays behind */
	FILE *f = body ? fmemopen(body, size, "w") : NULL;
	int err = f ? 0 : -1;

	if (f) {
		setvbuf(f, NULL, _IONBF, 0);
		fprintf(f,
			"--" BOUNDARY "\r\nContent-Type: application/sdp\r\n\r\n%s\r\n--" BOUNDARY
			"\r\nContent-Type: application/resource-lists+xml\r\n"
			"Content-Disposition: recipient-list\r\n\r\n",
			sdp);
		list_put(f, list);
		fputs("--" BOUNDARY "--\r\n", f);
		err = ferror(f);
		err |= fclose(f);
	}
	if (!err)
		return body;
	if (body)
		explicit_bzero(body, size);
	free(body);
	return NULL;
}
