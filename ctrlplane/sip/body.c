/* Bodies of requests: SDP and lists of recipients, alone or in a multipart (RFC 5621, 5366 4); the rest is refused unless optional. */
#include "ctrlplane/sip/sip_state.h"

#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_mime.h>
#include <sofia-sip/msg_mime_protos.h>

static bool
is_optional(const msg_content_disposition_t *d)
{
	return d &&
	       (d->cd_optional || (d->cd_handling && strcasecmp(d->cd_handling, "optional") == 0));
}

static bool
is_type(const msg_content_type_t *type, const char *name)
{
	return type && type->c_type && strcasecmp(type->c_type, name) == 0;
}

/* A Content-ID without its brackets. */
static struct cp_slice
content_id(const char *text)
{
	struct cp_slice id = cp_slice_trim(cp_slice_text(text));

	if (id.len > 1 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>')
		id = cp_slice(id.ptr + 1, id.len - 2);
	return id;
}

/* One body, alone or part of several. 0, or the status to refuse with. */
static int
take(struct cp_sip_parts *parts, const msg_content_type_t *type,
     const msg_content_disposition_t *disposition, struct cp_slice octets, const char *id)
{
	if (is_type(type, "application/sdp") && octets.ptr && parts->sdp.len == 0) {
		parts->sdp = octets;
		return 0;
	}
	if (is_type(type, "application/resource-lists+xml") && octets.ptr && parts->list.len == 0) {
		parts->list = octets;
		parts->list_id = content_id(id);
		parts->is_list_optional = is_optional(disposition);
		return 0;
	}
	return is_optional(disposition) ? 0 : 415;
}

static int
multipart(struct cp_sip_parts *parts, su_home_t *home, const sip_t *request)
{
	msg_multipart_t *part =
		msg_multipart_parse(home, (const msg_content_type_t *)request->sip_content_type,
				    (msg_payload_t *)request->sip_payload);
	int status = part ? 0 : 400;

	for (; part && !status; part = part->mp_next) {
		const msg_payload_t *p = part->mp_payload;

		status = take(parts, part->mp_content_type, part->mp_content_disposition,
			      p ? cp_slice(p->pl_data, p->pl_len) : cp_slice(NULL, 0),
			      part->mp_content_id ? part->mp_content_id->g_string : NULL);
	}
	return status;
}

const char *
cp_sip_header_text(const sip_t *request, const char *name, unsigned int *count)
{
	const char *text = NULL;

	*count = 0;
	for (const sip_unknown_t *u = request->sip_unknown; u; u = u->un_next) {
		if (!u->un_name || !u->un_value || strcasecmp(u->un_name, name) != 0)
			continue;
		if ((*count)++ == 0)
			text = u->un_value;
	}
	return text;
}

int
cp_sip_parts(struct cp_sip_parts *parts, su_home_t *home, const sip_t *request)
{
	const sip_payload_t *payload = request->sip_payload;
	const sip_content_type_t *type = request->sip_content_type;
	unsigned int ids;

	*parts = (struct cp_sip_parts){.is_list_optional = false};
	if (!payload || payload->pl_len == 0)
		return 0;
	for (const sip_content_encoding_t *e = request->sip_content_encoding; e; e = e->k_next)
		for (size_t i = 0; e->k_items && e->k_items[i]; i++)
			if (strcasecmp(e->k_items[i], "identity") != 0)
				return 415;
	if (!type || !type->c_type)
		return 400; /* RFC 3261 20.15: a body has a type */
	if (strncasecmp(type->c_type, "multipart/", 10) == 0)
		return multipart(parts, home, request);
	return take(parts, (const msg_content_type_t *)type,
		    (const msg_content_disposition_t *)request->sip_content_disposition,
		    cp_slice(payload->pl_data, payload->pl_len),
		    cp_sip_header_text(request, "Content-ID", &ids));
}

int
cp_sip_body(struct cp_slice *sdp, su_home_t *home, const sip_t *request)
{
	struct cp_sip_parts parts;
	int status = cp_sip_parts(&parts, home, request);

	*sdp = parts.sdp;
	if (!status && parts.list.len && !parts.is_list_optional)
		status = 415;
	return status;
}
