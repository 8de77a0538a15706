/* A challenge answered (RFC 7616): the best of those that we can, for any request of a participant. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>

#include "bench/load/call_state.h"
#include "bench/load/digest.h"

/* A parameter of a challenge without its quotes. */
static const char *
parameter(char *out, size_t size, const sip_www_authenticate_t *au, const char *name)
{
	const char *value = msg_params_find(au->au_params, name);

	if (!value)
		return NULL;
	snprintf(out, size, "%s", value[0] == '"' ? value + 1 : value);
	if (value[0] == '"' && out[0])
		out[strcspn(out, "\"")] = '\0';
	return out;
}

bool
ue_call_credentials(char out[UE_CREDENTIALS_MAX], bool *is_proxy, const struct ue_call *c,
		    const sip_t *sip, const char *method, const char *uri)
{
	const struct ue_options *o = c->shared->options;
	char user[128], cnonce[17];
	const char *method_uri[2] = {method, uri}, *user_password[2] = {user, o->password};
	uint8_t random[8];
	int strength = 0;

	*is_proxy = sip->sip_proxy_authenticate != NULL;
	if (!o->user || getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	ue_number_put(user, sizeof(user), o->user, c->number);
	for (unsigned i = 0; i < 8; i++)
		snprintf(cnonce + 2 * i, 3, "%02x", random[i]);
	for (const sip_www_authenticate_t *au = *is_proxy ? sip->sip_proxy_authenticate
							  : sip->sip_www_authenticate;
	     au; au = au->au_next) {
		char realm[128], nonce[256], opaque[128], algorithm[32], qop[32];
		char text[UE_CREDENTIALS_MAX];
		struct ue_challenge ch = {
			.realm = parameter(realm, sizeof(realm), au, "realm"),
			.nonce = parameter(nonce, sizeof(nonce), au, "nonce"),
			.opaque = parameter(opaque, sizeof(opaque), au, "opaque"),
			.algorithm = parameter(algorithm, sizeof(algorithm), au, "algorithm"),
			.qop = parameter(qop, sizeof(qop), au, "qop"),
		};

		if (ue_digest_strength(&ch) > strength &&
		    ue_digest_answer(text, sizeof(text), &ch, method_uri, user_password, cnonce) ==
			    0) {
			strength = ue_digest_strength(&ch);
			memcpy(out, text, sizeof(text));
		}
	}
	return strength > 0;
}
