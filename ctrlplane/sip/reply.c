/* What all our responses share: Contact with isfocus (RFC 4579 5.1), Warning, Retry-After, what we accept. */
#include "ctrlplane/sip/sip_state.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/url.h>

/* The address of ours that a peer reaches us by, where we listen on any: what the kernel would send to it from. */
static bool
reached_by(char host[64], const struct cp_sip_listen *l)
{
	msg_t *msg = nua_current_request(l->nua);
	const su_addrinfo_t *from = msg ? msg_addrinfo(msg) : NULL;
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	char text[INET6_ADDRSTRLEN + 16];
	bool is_known = false;
	int fd;

	if (!from || !from->ai_addr)
		return false;
	fd = socket(from->ai_addr->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (connect(fd, from->ai_addr, (socklen_t)from->ai_addrlen) == 0 &&
	    getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&own, len, text, sizeof(text), NULL, 0,
			NI_NUMERICHOST) == 0) {
		snprintf(host, 64, own.ss_family == AF_INET6 ? "[%s]" : "%s", text);
		is_known = true;
	}
	close(fd);
	return is_known;
}

static const char *
transport_of(const sip_t *request)
{
	const char *protocol = request->sip_via ? request->sip_via->v_protocol : NULL;

	if (protocol && strcasecmp(protocol, "SIP/2.0/TCP") == 0)
		return ";transport=tcp";
	if (protocol && strcasecmp(protocol, "SIP/2.0/TLS") == 0)
		return ";transport=tls";
	return "";
}

void
cp_sip_contact(char contact[CP_SIP_CONTACT_MAX], const struct cp_sip_listen *l, const char *user,
	       const sip_t *request)
{
	char reached[64], escaped[CP_SIP_USER_MAX * 3 + 1] = "";
	const char *host = l->host;

	if (!*host)
		host = reached_by(reached, l) ? reached : "localhost";
	if (*user)
		url_escape(escaped, user, "");
	snprintf(contact, CP_SIP_CONTACT_MAX, "<sip:%.*s%s%s:%s%s>%s", (int)sizeof(escaped) - 1,
		 escaped, *user ? "@" : "", host, l->port, transport_of(request),
		 *user ? ";isfocus" : "");
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
		    TAG_IF(refusal->status == 415 || refusal->status == 488,
			   SIPTAG_ACCEPT_STR(CP_SIP_ACCEPT)),
		    TAG_IF(refusal->status == 415, SIPTAG_ACCEPT_ENCODING_STR("identity")),
		    TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		    TAG_IF(payload, SIPTAG_PAYLOAD(payload)), TAG_END());
	su_free(nua_handle_home(nh), payload);
}
