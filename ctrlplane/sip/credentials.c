/* Our own INVITEs and who asks them for a password (RFC 3261 22.2, 22.3): each credential is tried once a call, for its realm only. */
#include "ctrlplane/sip/sip_state.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>

#define TEXT_MAX 512

/* Is it a challenge that the stack can answer, in this realm? */
static bool
asks_for(const msg_auth_t *challenge, const char *realm)
{
	const char *found;
	size_t len = strlen(realm);

	if (!challenge->au_scheme || strcasecmp(challenge->au_scheme, "Digest") != 0)
		return false;
	found = msg_params_find(challenge->au_params, "realm=");
	return found && found[0] == '"' && strncmp(found + 1, realm, len) == 0 &&
	       strcmp(found + 1 + len, "\"") == 0;
}

static bool
is_asked_for(const sip_t *response, const char *realm)
{
	const msg_auth_t *lists[] = {response->sip_www_authenticate,
				     response->sip_proxy_authenticate};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const msg_auth_t *au = lists[i]; au; au = au->au_next)
			if (asks_for(au, realm))
				return true;
	return false;
}

bool
cp_sip_answer_challenge(struct cp_sip_call *call, const sip_t *response)
{
	const struct cp_sip_options *o = call->listen->sip->options;
	char text[TEXT_MAX];

	for (size_t i = 0; i < o->credential_count; i++) {
		const struct cp_sip_credential *c = &o->credentials[i];
		int len;

		if (call->credentials_tried & (1u << i) || !is_asked_for(response, c->realm))
			continue;
		call->credentials_tried |= 1u << i;
		len = snprintf(text, sizeof(text), "Digest:\"%s\":%s:%s", c->realm, c->user,
			       c->password);
		if (len > 0 && (size_t)len < sizeof(text))
			nua_authenticate(call->nh, NUTAG_AUTH(text), TAG_END());
		explicit_bzero(text, sizeof(text));
		return len > 0 && (size_t)len < TEXT_MAX;
	}
	return false;
}
