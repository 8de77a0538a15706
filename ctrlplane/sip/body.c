/* Bodies of requests: application/sdp, alone or in a multipart (RFC 5621); the rest is refused unless optional. */
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
is_sdp(const msg_content_type_t *type)
{
	return type && type->c_type && strcasecmp(type->c_type, "application/sdp") == 0;
}

static int
multipart(struct cp_slice *sdp, su_home_t *home, const sip_t *request)
{
	msg_multipart_t *part =
		msg_multipart_parse(home, (const msg_content_type_t *)request->sip_content_type,
				    (msg_payload_t *)request->sip_payload);

	if (!part)
		return 400;
	for (; part; part = part->mp_next) {
		if (is_sdp(part->mp_content_type) && part->mp_payload && sdp->len == 0)
			*sdp = cp_slice(part->mp_payload->pl_data, part->mp_payload->pl_len);
		else if (!is_optional(part->mp_content_disposition))
			return 415;
	}
	return 0;
}

int
cp_sip_body(struct cp_slice *sdp, su_home_t *home, const sip_t *request)
{
	const sip_payload_t *payload = request->sip_payload;
	const sip_content_type_t *type = request->sip_content_type;

	*sdp = cp_slice(NULL, 0);
	if (!payload || payload->pl_len == 0)
		return 0;
	for (const sip_content_encoding_t *e = request->sip_content_encoding; e; e = e->k_next)
		for (size_t i = 0; e->k_items && e->k_items[i]; i++)
			if (strcasecmp(e->k_items[i], "identity") != 0)
				return 415;
	if (!type || !type->c_type)
		return 400; /* RFC 3261 20.15: a body has a type */
	if (is_sdp(type)) {
		*sdp = cp_slice(payload->pl_data, payload->pl_len);
		return 0;
	}
	if (strncasecmp(type->c_type, "multipart/", 10) == 0)
		return multipart(sdp, home, request);
	return is_optional(request->sip_content_disposition) ? 0 : 415;
}
