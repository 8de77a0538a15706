/* Resource lists by libxml2's SAX interface: no tree, no document type, no entities of one, nothing fetched. RFC 4826 3, 5364 4 to 6. */
#include "ctrlplane/sip/resource_list.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#define NS_LISTS "urn:ietf:params:xml:ns:resource-lists"
/* The RFCs' own examples write the second name with a capital C. */
#define NS_COPY "urn:ietf:params:xml:ns:copycontrol"

struct decoding {
	xmlParserCtxtPtr parser;
	struct cp_sip_list list;
	size_t room, max, depth;
	bool has_root;
	int error;
};

static void
give_up(struct decoding *d, int error)
{
	if (!d->error)
		d->error = error;
	xmlStopParser(d->parser);
}

/* Attribute values are not NUL-terminated. */
static struct cp_slice
value_of(const xmlChar **attribute)
{
	return cp_slice((const char *)attribute[3], (size_t)(attribute[4] - attribute[3]));
}

static bool
is_true(struct cp_slice value)
{
	return cp_slice_is(value, "true") || cp_slice_is(value, "1");
}

static void
take_attribute(struct cp_sip_recipient *r, const xmlChar **attribute, bool *has_uri)
{
	const char *name = (const char *)attribute[0];
	const char *ns = (const char *)attribute[2];
	struct cp_slice value = value_of(attribute);

	if (!ns && strcmp(name, "uri") == 0) {
		*has_uri = cp_slice_copy(r->uri, sizeof(r->uri), cp_slice_trim(value)) == 0;
	} else if (ns && strcasecmp(ns, NS_COPY) == 0 && strcmp(name, "copyControl") == 0) {
		r->copy = cp_slice_is(value, "to")   ? CP_SIP_COPY_TO
			  : cp_slice_is(value, "cc") ? CP_SIP_COPY_CC
						     : CP_SIP_COPY_BCC;
	} else if (ns && strcasecmp(ns, NS_COPY) == 0 && strcmp(name, "anonymize") == 0) {
		r->is_anonymous = is_true(value);
	}
}

/* One of the list, or NULL. */
static struct cp_sip_recipient *
find(const struct cp_sip_list *list, const char *identity)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].identity, identity) == 0)
			return &list->items[i];
	return NULL;
}

static void
add(struct decoding *d, const struct cp_sip_recipient *r)
{
	struct cp_sip_recipient *twin = find(&d->list, r->identity);

	if (twin) { /* the highest precedence counts */
		twin->copy = r->copy < twin->copy ? r->copy : twin->copy;
		twin->is_anonymous |= r->is_anonymous;
		return;
	}
	if (d->list.count == d->max) {
		give_up(d, -E2BIG);
		return;
	}
	if (d->list.count == d->room) {
		size_t room = d->room ? 2 * d->room : 8;
		struct cp_sip_recipient *items =
			realloc(d->list.items, room * sizeof(d->list.items[0]));

		if (!items) {
			give_up(d, -ENOMEM);
			return;
		}
		d->list.items = items;
		d->room = room;
	}
	d->list.items[d->list.count++] = *r;
}

/* rule zero: nine parameters, because libxml2 calls it. */
static void
on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *ns, int ns_count,
	 const xmlChar **namespaces, int attribute_count, int defaulted, const xmlChar **attributes)
{
	struct decoding *d = arg;
	bool is_ours = ns && strcmp((const char *)ns, NS_LISTS) == 0;
	struct cp_sip_recipient r = {.copy = CP_SIP_COPY_BCC};
	bool has_uri = false;

	if (++d->depth > CP_SIP_LIST_DEPTH_MAX) {
		give_up(d, -E2BIG);
		return;
	}
	if (d->depth == 1) {
		d->has_root = is_ours && strcmp((const char *)name, "resource-lists") == 0;
		if (!d->has_root)
			give_up(d, -EINVAL);
		return;
	}
	if (!is_ours || strcmp((const char *)name, "entry") != 0)
		return;
	for (int i = 0; i < attribute_count; i++)
		take_attribute(&r, attributes + 5 * i, &has_uri);
	if (!has_uri || cp_identity(r.identity, cp_slice_text(r.uri)) != 0)
		give_up(d, -EINVAL);
	else
		add(d, &r);
}

static void
on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *ns)
{
	struct decoding *d = arg;

	d->depth--;
}

static void
on_document_type(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	give_up(arg, -EPERM);
}

/* The five of XML itself only. */
static xmlEntityPtr
on_entity(void *arg, const xmlChar *name)
{
	return xmlGetPredefinedEntity(name);
}

static void
on_error(void *arg, const char *format, ...)
{
}

static xmlSAXHandler handler = {
	.initialized = XML_SAX2_MAGIC,
	.internalSubset = on_document_type,
	.externalSubset = on_document_type,
	.getEntity = on_entity,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.warning = on_error,
	.error = on_error,
	.fatalError = on_error,
};

int
cp_sip_list_decode(struct cp_sip_list *out, struct cp_slice xml, size_t max)
{
	struct decoding d = {.max = max};
	bool is_whole;

	if (xml.len > CP_SIP_LIST_OCTETS_MAX)
		return -E2BIG;
	if (xml.len == 0)
		return -EINVAL;
	d.parser = xmlCreatePushParserCtxt(&handler, &d, NULL, 0, NULL);
	if (!d.parser)
		return -ENOMEM;
	/* NOENT: &amp; as itself; entities of a document type there are none */
	xmlCtxtUseOptions(d.parser, XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_NOERROR |
					    XML_PARSE_NOWARNING);
	is_whole = xmlParseChunk(d.parser, xml.ptr, (int)xml.len, 1) == 0 && d.parser->wellFormed;
	if (!d.error && (!is_whole || !d.has_root || d.list.count == 0))
		d.error = -EINVAL;
	xmlFreeParserCtxt(d.parser);
	if (d.error)
		cp_sip_list_free(&d.list);
	else
		*out = d.list;
	return d.error;
}

void
cp_sip_list_free(struct cp_sip_list *list)
{
	free(list->items);
	*list = (struct cp_sip_list){NULL, 0};
}

/* Text that is written piece by piece; len goes on counting what does not fit. */
struct text {
	char *at;
	size_t size, len;
};

static void
put(struct text *t, const char *piece, size_t len)
{
	if (t->len + len < t->size)
		memcpy(t->at + t->len, piece, len);
	t->len += len;
}

static void
puts_to(struct text *t, const char *piece)
{
	put(t, piece, strlen(piece));
}

static void
put_escaped(struct text *t, const char *value)
{
	for (; *value; value++) {
		if (*value == '&')
			puts_to(t, "&amp;");
		else if (*value == '<')
			puts_to(t, "&lt;");
		else if (*value == '"')
			puts_to(t, "&quot;");
		else
			put(t, value, 1);
	}
}

static size_t
put_copies(struct text *t, const struct cp_sip_list *list, enum cp_sip_copy copy, const char *name)
{
	size_t shown = 0, hidden = 0;
	char count[48];

	for (size_t i = 0; i < list->count; i++) {
		const struct cp_sip_recipient *r = &list->items[i];

		if (r->copy != copy)
			continue;
		hidden += r->is_anonymous;
		if (r->is_anonymous)
			continue;
		shown++;
		puts_to(t, "<entry uri=\"");
		put_escaped(t, r->identity);
		puts_to(t, "\" cp:copyControl=\"");
		puts_to(t, name);
		puts_to(t, "\"/>");
	}
	if (hidden) {
		snprintf(count, sizeof(count), "\" cp:count=\"%zu\"/>", hidden);
		puts_to(t, "<entry uri=\"sip:anonymous@anonymous.invalid\" cp:copyControl=\"");
		puts_to(t, name);
		puts_to(t, count);
	}
	return shown + hidden;
}

int
cp_sip_list_encode_history(char *out, size_t size, const struct cp_sip_list *list)
{
	struct text t = {out, size, 0};
	size_t count;

	puts_to(&t,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<resource-lists xmlns=\"" NS_LISTS
		"\" xmlns:cp=\"" NS_COPY "\"><list>");
	count = put_copies(&t, list, CP_SIP_COPY_TO, "to");
	count += put_copies(&t, list, CP_SIP_COPY_CC, "cc");
	puts_to(&t, "</list></resource-lists>\r\n");
	if (count == 0)
		return 0;
	if (t.len >= size)
		return -ENOSPC;
	out[t.len] = '\0';
	return (int)t.len;
}
