/*
 * Bodies of requests: SDP, lists of recipients, MIKEY messages, alone or in a multipart (RFC 5621, 5366 4); what is not known there is
 * refused unless it is optional.
 */
#include "ctrlplane/sip/sip_state.h"

#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_mime.h>
#include <sofia-sip/msg_mime_protos.h>

#define DEPTH_MAX 4 /* multiparts in multiparts */

/* What a request may carry. */
struct wanted {
	struct cp_sip_part *parts;
	size_t count;
	su_home_t *home;
	unsigned int taken; /* of all bodies */
};

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

static bool
is_plain(const msg_content_encoding_t *encoding)
{
	for (; encoding; encoding = encoding->k_next)
		for (size_t i = 0; encoding->k_items && encoding->k_items[i]; i++)
			if (strcasecmp(encoding->k_items[i], "identity") != 0)
				return false;
	return true;
}

/* A body that is no multipart. Is it one that is wanted, and the first of its kind? */
static bool
take(struct wanted *w, const msg_content_type_t *type, const msg_content_disposition_t *disposition,
     struct cp_slice octets, const char *id)
{
	for (size_t i = 0; i < w->count; i++) {
		struct cp_sip_part *part = &w->parts[i];

		if (!is_type(type, part->type) || !octets.ptr || part->octets.len > 0)
			continue;
		part->octets = octets;
		part->id = content_id(id);
		part->is_optional = is_optional(disposition);
		w->taken++;
		return true;
	}
	return false;
}

static bool
is_multipart(const msg_content_type_t *type)
{
	return type && type->c_type && strncasecmp(type->c_type, "multipart/", 10) == 0;
}

/*
 * Of an alternative the parts that we know, one at least; of all others every part that is not optional. 0, or the status to
 * refuse with.
 */
static int
multipart(struct wanted *w, const msg_content_type_t *type, msg_payload_t *payload,
	  unsigned int depth)
{
	bool is_choice = is_type(type, "multipart/alternative");
	unsigned int before = w->taken;
	msg_multipart_t *part = NULL;

	if (depth > DEPTH_MAX)
		return 415;
	if (payload)
		part = msg_multipart_parse(w->home, type, payload);
	if (!part)
		return 400;
	for (; part; part = part->mp_next) {
		const msg_payload_t *p = part->mp_payload;
		int status = 415;

		if (!is_plain(part->mp_content_encoding))
			status = 415;
		else if (is_multipart(part->mp_content_type))
			status = multipart(w, part->mp_content_type, part->mp_payload, depth + 1);
		else if (take(w, part->mp_content_type, part->mp_content_disposition,
			      p ? cp_slice(p->pl_data, p->pl_len) : cp_slice(NULL, 0),
			      part->mp_content_id ? part->mp_content_id->g_string : NULL))
			status = 0;
		if (status && !is_choice && !is_optional(part->mp_content_disposition))
			return status;
	}
	return is_choice && w->taken == before ? 415 : 0;
}

bool
cp_sip_is_wrong(const sip_t *request, const struct msg_hclass_s *header)
{
	for (const sip_error_t *e = request->sip_error; e; e = e->er_next)
		if (e->er_common->h_class == header)
			return true;
	return false;
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
cp_sip_read_parts(struct cp_sip_part *parts, size_t count, su_home_t *home, const sip_t *request)
{
	const sip_payload_t *payload = request->sip_payload;
	const msg_content_type_t *type = (const msg_content_type_t *)request->sip_content_type;
	const msg_content_disposition_t *disposition =
		(const msg_content_disposition_t *)request->sip_content_disposition;
	struct wanted wanted = {.parts = parts, .count = count, .home = home};
	unsigned int ids;
	int status = 415;

	if (!payload || payload->pl_len == 0)
		return 0;
	if (!type || !type->c_type)
		return 400; /* RFC 3261 20.15: a body has a type */
	if (!is_plain((const msg_content_encoding_t *)request->sip_content_encoding))
		status = 415;
	else if (is_multipart(type))
		status = multipart(&wanted, type, (msg_payload_t *)payload, 1);
	else if (take(&wanted, type, disposition, cp_slice(payload->pl_data, payload->pl_len),
		      cp_sip_header_text(request, "Content-ID", &ids)))
		status = 0;
	return status == 415 && is_optional(disposition) ? 0 : status;
}

int
cp_sip_parts(struct cp_sip_parts *parts, su_home_t *home, const sip_t *request)
{
	struct cp_sip_part wanted[] = {{.type = "application/sdp"},
				       {.type = "application/resource-lists+xml"}};
	int status = cp_sip_read_parts(wanted, 2, home, request);

	*parts = (struct cp_sip_parts){.sdp = wanted[0].octets,
				       .list = wanted[1].octets,
				       .list_id = wanted[1].id,
				       .is_list_optional = wanted[1].is_optional};
	return status;
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
