/* Our own INVITE out of a dialog: RFC 4579 5.5, dial-out by the focus; with the list of who is invited too (RFC 5366 5). */
#include "ctrlplane/sip/sip_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/url.h>

#define HOPS 70

int
cp_sip_contact_on(char contact[CP_SIP_CONTACT_MAX], char host_port[CP_SIP_HOST_PORT_MAX],
		  const struct cp_sip_route *route, const char *user)
{
	const struct cp_sip_listen *l = route->listen;
	const char *host = *l->host ? l->host : *route->local ? route->local : "localhost";

	if (strlen(user) >= CP_SIP_USER_MAX)
		return -EINVAL;
	snprintf(host_port, CP_SIP_HOST_PORT_MAX, "%s:%s%s", host, l->port,
		 cp_sip_transport_param(route->transport));
	cp_sip_contact_at(contact, user, host_port);
	return 0;
}

/* SDP alone, or with the list behind it. */
struct body {
	char type[96];
	sip_payload_t *payload;
};

static int
write_body(struct body *b, su_home_t *home, const struct cp_sip_dial *dial)
{
	unsigned char random[12];
	char boundary[32] = "";
	char *text;

	if (dial->history.len == 0) {
		snprintf(b->type, sizeof(b->type), "application/sdp");
		b->payload = sip_payload_create(home, dial->sdp.ptr, (isize_t)dial->sdp.len);
		return b->payload ? 0 : -ENOMEM;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(boundary + 2 * i, 3, "%02x", random[i]);
	snprintf(b->type, sizeof(b->type), "multipart/mixed;boundary=%s", boundary);
	text = su_sprintf(home,
			  "--%s\r\nContent-Type: application/sdp\r\n\r\n%.*s\r\n"
			  "--%s\r\nContent-Type: application/resource-lists+xml\r\n"
			  "Content-Disposition: recipient-list-history;handling=optional\r\n\r\n"
			  "%.*s\r\n--%s--\r\n",
			  boundary, (int)dial->sdp.len, dial->sdp.ptr, boundary,
			  (int)dial->history.len, dial->history.ptr, boundary);
	if (!text)
		return -ENOMEM;
	b->payload = sip_payload_create(home, text, (isize_t)strlen(text));
	explicit_bzero(text, strlen(text)); /* keys */
	su_free(home, text);
	return b->payload ? 0 : -ENOMEM;
}

/* Headers that others asked for: values were decoded by us, so there is no line break in them. */
static void
write_headers(char *out, size_t size, const struct cp_sip_dial *dial)
{
	size_t n = 0;

	out[0] = '\0';
	if (dial->replaces && *dial->replaces)
		n += (size_t)snprintf(out + n, size - n, "Replaces: %s\r\nRequire: replaces\r\n",
				      dial->replaces);
	if (dial->join && *dial->join)
		n += (size_t)snprintf(out + n, size - n, "Join: %s\r\nRequire: join\r\n",
				      dial->join);
	if (dial->referred_by && *dial->referred_by)
		snprintf(out + n, size - n, "Referred-By: <%s>\r\n", dial->referred_by);
}

static nua_handle_t *
make_handle(const struct cp_sip_listen *l, const struct cp_sip_dial *dial)
{
	char to[CP_SIP_CONTACT_MAX], from[CP_SIP_CONTACT_MAX];

	snprintf(to, sizeof(to), "<%s>", dial->to);
	snprintf(from, sizeof(from), "<%s>", dial->from);
	return nua_handle(l->nua, NULL, SIPTAG_TO_STR(to), SIPTAG_FROM_STR(from), TAG_END());
}

static void
send_invite(struct cp_sip_call *call, const struct cp_sip_dial *dial, const struct body *body)
{
	const char *proxy = call->listen->sip->options->outbound_proxy;
	char headers[2 * CP_SIP_HEADER_MAX + CP_SIP_URI_MAX + 128], hops[16];
	char route[CP_SIP_CONTACT_MAX];

	write_headers(headers, sizeof(headers), dial);
	snprintf(hops, sizeof(hops), "%u", dial->hops ? dial->hops : HOPS);
	snprintf(route, sizeof(route), "<%s;lr>", proxy ? proxy : "");
	nua_invite(call->nh, SIPTAG_CONTACT_STR(call->contact), NUTAG_SESSION_TIMER(0),
		   TAG_IF(dial->target, NUTAG_URL(dial->target)),
		   TAG_IF(proxy, NUTAG_INITIAL_ROUTE_STR(route)), SIPTAG_MAX_FORWARDS_STR(hops),
		   TAG_IF(*headers, SIPTAG_HEADER_STR(headers)),
		   SIPTAG_CONTENT_TYPE_STR(body->type), SIPTAG_PAYLOAD(body->payload), TAG_END());
}

int
cp_sip_dial(struct cp_sip_call **out, struct cp_sip *s, const struct cp_sip_dial *dial)
{
	struct cp_sip_route route;
	struct cp_sip_call *call;
	struct body body;
	nua_handle_t *nh;
	int rc;

	if (s->is_stopping || s->call_count >= s->options->calls_max || s->listen_count == 0)
		return -EAGAIN;
	rc = cp_sip_route(&route, s, dial->target ? dial->target : dial->to);
	if (rc)
		return rc;
	nh = make_handle(route.listen, dial);
	call = nh ? cp_sip_call_create(route.listen, nh) : NULL;
	if (!call) {
		if (nh)
			nua_handle_destroy(nh);
		return -ENOMEM;
	}
	rc = cp_sip_contact_on(call->contact, call->host_port, &route, dial->user);
	if (!rc)
		rc = write_body(&body, nua_handle_home(nh), dial);
	if (rc) {
		call->is_detached = true;
		cp_sip_call_over(call, "not dialled");
		return rc;
	}
	call->owner = dial->owner;
	call->is_outgoing = call->is_reoffering = true;
	send_invite(call, dial, &body);
	su_free(nua_handle_home(nh), body.payload);
	*out = call;
	return 0;
}

/* By q, those of the same in their order (RFC 3261 20.10); a header in such a URI would be a header of ours. */
static void
add_target(struct cp_sip_targets *t, const char *uri, unsigned int q)
{
	size_t at = 0;

	while (at < t->count && t->q[at] >= q)
		at++;
	if (at == CP_SIP_TARGETS_MAX)
		return;
	if (t->count < CP_SIP_TARGETS_MAX)
		t->count++;
	for (size_t i = t->count - 1; i > at; i--) {
		memcpy(t->uris[i], t->uris[i - 1], sizeof(t->uris[i]));
		t->q[i] = t->q[i - 1];
	}
	snprintf(t->uris[at], sizeof(t->uris[at]), "%s", uri);
	t->q[at] = q;
}

void
cp_sip_learn_targets(struct cp_sip_call *call, const sip_t *response)
{
	su_home_t *home = nua_handle_home(call->nh);

	if (!call->targets)
		call->targets = calloc(1, sizeof(*call->targets));
	for (const sip_contact_t *m = response->sip_contact; m && call->targets; m = m->m_next) {
		char *text = url_as_string(home, m->m_url);
		struct cp_sip_refer_to to;

		if (text && cp_sip_refer_uri_decode(&to, cp_slice_text(text)) == 0 &&
		    to.method == CP_SIP_REFER_INVITE && !*to.content_id)
			add_target(call->targets, to.uri, sip_q_value(m->m_q));
		su_free(home, text);
	}
}

const char *
cp_sip_call_target(const struct cp_sip_call *call, size_t i)
{
	return call->targets && i < call->targets->count ? call->targets->uris[i] : NULL;
}
