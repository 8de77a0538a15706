/* How connections are protected: what a listener and its streams share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/stream/stream_state.h"

static bool
is_complete(const struct cp_stream_tls *tls)
{
	if (tls->mode == CP_STREAM_PLAIN)
		return true;
	if (!tls->context || (tls->identity && strlen(tls->identity) > CP_TLS_IDENTITY_MAX))
		return false;
	return tls->mode == CP_STREAM_CERTIFICATE || tls->role == CP_TLS_SERVER ||
	       (tls->identity && tls->psk);
}

int
cp_shield_create(struct cp_shield **out, const struct cp_stream_tls *tls)
{
	struct cp_shield *shield;

	if (!is_complete(tls))
		return -EINVAL;
	shield = calloc(1, sizeof(*shield));
	if (!shield)
		return -ENOMEM;
	shield->holders = 1;
	shield->mode = tls->mode;
	shield->role = tls->role;
	shield->version = tls->version;
	shield->yields_ms = tls->yields_ms;
	shield->context = cp_tls_context_get(tls->context);
	shield->psk = cp_secret_get(tls->psk);
	shield->owner = tls->owner;
	shield->has_fingerprint = tls->fingerprint != NULL;
	if (tls->fingerprint)
		memcpy(shield->fingerprint, tls->fingerprint, sizeof(shield->fingerprint));
	if (tls->identity)
		memcpy(shield->identity, tls->identity, strlen(tls->identity) + 1);
	*out = shield;
	return 0;
}

struct cp_shield *
cp_shield_get(struct cp_shield *shield)
{
	shield->holders++;
	return shield;
}

void
cp_shield_put(struct cp_shield *shield)
{
	if (!shield || --shield->holders > 0)
		return;
	cp_secret_put(shield->psk);
	cp_tls_context_put(shield->context);
	free(shield);
}
