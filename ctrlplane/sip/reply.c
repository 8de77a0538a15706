/* What all our responses share: Contact with isfocus (RFC 4579 5.1), Warning, Retry-After, what we accept. */
#include "ctrlplane/sip/sip_state.h"

#include <stdio.h>
#include <strings.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/url.h>

/* The address of ours that a peer reaches us by, where we listen on any: what the kernel would send to it from. */
static bool
reached_by(char host[64], const struct cp_sip_listen *l)
{
	msg_t *msg = nua_current_request(l->nua);
	const su_addrinfo_t *from = msg ? msg_addrinfo(msg) : NULL;

	return from && from->ai_addr &&
	       cp_sip_address_towards(host, from->ai_addr, (socklen_t)from->ai_addrlen);
}

static const char *
transport_of(const sip_t *request)
{
	const char *protocol = request->sip_via ? request->sip_via->v_protocol : NULL;
	bool is_tcp = protocol && strcasecmp(protocol, "SIP/2.0/TCP") == 0;
	bool is_tls = protocol && strcasecmp(protocol, "SIP/2.0/TLS") == 0;

	return cp_sip_transport_param(is_tls ? CP_SIP_TLS : is_tcp ? CP_SIP_TCP : CP_SIP_UDP);
}

void
cp_sip_contact_at(char contact[CP_SIP_CONTACT_MAX], const char *user, const char *host_port)
{
	char escaped[CP_SIP_USER_MAX * 3 + 1] = "";

	if (*user)
		url_escape(escaped, user, "");
	snprintf(contact, CP_SIP_CONTACT_MAX, "<sip:%.*s%s%s>%s", (int)sizeof(escaped) - 1, escaped,
		 *user ? "@" : "", host_port, *user ? ";isfocus" : "");
}

void
cp_sip_host_port(char host_port[CP_SIP_HOST_PORT_MAX], const struct cp_sip_listen *l,
		 const sip_t *request)
{
	char reached[64];
	const char *host = l->host;

	if (!*host)
		host = reached_by(reached, l) ? reached : "localhost";
	snprintf(host_port, CP_SIP_HOST_PORT_MAX, "%s:%s%s", host, l->port, transport_of(request));
}

void
cp_sip_contact(char contact[CP_SIP_CONTACT_MAX], const struct cp_sip_listen *l, const char *user,
	       const sip_t *request)
{
	char host_port[CP_SIP_HOST_PORT_MAX];

	cp_sip_host_port(host_port, l, request);
	cp_sip_contact_at(contact, user, host_port);
}

void
cp_sip_reply_refusal(struct cp_sip_listen *l, nua_handle_t *nh, msg_t *with,
		     const struct cp_sip_refusal *refusal)
{
	const char *phrase = refusal->phrase ? refusal->phrase : sip_status_phrase(refusal->status);
	char warning[512], retry[16];
	sip_payload_t *payload = NULL;

	snprintf(warning, sizeof(warning), "%03d %s:%s \"%.380s\"", refusal->warning_code,
		 *l->host ? l->host : "localhost", l->port,
		 refusal->warning_text ? refusal->warning_text : "");
	for (char *c = strchr(warning, '"') + 1; *c && c[1]; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = '\'';
	snprintf(retry, sizeof(retry), "%u", refusal->retry_after_s);
	if (refusal->sdp.len > 0)
		payload = sip_payload_create(nua_handle_home(nh), refusal->sdp.ptr,
					     (isize_t)refusal->sdp.len);
	nua_respond(nh, refusal->status, phrase ? phrase : "Refused",
		    TAG_IF(with, NUTAG_WITH(with)),
		    TAG_IF(refusal->warning_code, SIPTAG_WARNING_STR(warning)),
		    TAG_IF(refusal->retry_after_s, SIPTAG_RETRY_AFTER_STR(retry)),
		    TAG_IF(refusal->unsupported, SIPTAG_UNSUPPORTED_STR(refusal->unsupported)),
		    TAG_IF(refusal->status == 415 || refusal->status == 488,
			   SIPTAG_ACCEPT_STR(CP_SIP_ACCEPT)),
		    TAG_IF(refusal->status == 415, SIPTAG_ACCEPT_ENCODING_STR("identity")),
		    TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		    TAG_IF(payload, SIPTAG_PAYLOAD(payload)), TAG_END());
	su_free(nua_handle_home(nh), payload);
}
