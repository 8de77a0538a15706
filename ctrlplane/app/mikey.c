/* What all calls under MIKEY-TICKET share. */
#include "ctrlplane/app/mikey.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MESSAGES_MAX (1 << 16) /* remembered for twice the skew */
#define TICKETS_MAX (1 << 17)  /* used ones, remembered until they expire */

int
cp_app_mikey_open(struct cp_app_mikey *m, const struct cp_config_mikey *config)
{
	struct cp_kms_client_options options = {
		.urls = (const char *const *)config->kms.items,
		.url_count = config->kms.count,
		.ca_file = config->ca_file,
		.timeout_ms = config->timeout_ms,
		.rounds = (unsigned int)config->rounds,
		.asks_max = (unsigned int)config->asks_max,
	};
	int rc;

	m->config = config;
	m->env = cp_mikey_env_system();
	if (config->kms.count == 0)
		return 0;
	rc = cp_mikey_replay_create(&m->replay, MESSAGES_MAX);
	if (!rc)
		rc = cp_mikey_replay_create(&m->tickets, TICKETS_MAX);
	if (!rc)
		rc = cp_kms_client_create(&m->client, &options);
	m->is_on = rc == 0;
	return rc;
}

void
cp_app_mikey_close(struct cp_app_mikey *m)
{
	cp_kms_client_destroy(m->client);
	if (m->replay)
		cp_mikey_replay_destroy(m->replay);
	if (m->tickets)
		cp_mikey_replay_destroy(m->tickets);
	memset(m, 0, sizeof(*m));
}

struct cp_mikey_account
cp_app_mikey_account(const struct cp_app_mikey *m, const char *user)
{
	const struct cp_config_mikey *c = m->config;
	struct cp_mikey_account account = {
		.user = cp_mikey_id_uri(user),
		.kms = cp_mikey_id_uri(c->kms_identity),
		.psk_id = cp_mikey_id_bytes(*c->psk.psk_id ? c->psk.psk_id : c->identity),
		.psk = {c->psk.psk[CP_MIKEY_SET_128], c->psk.psk[CP_MIKEY_SET_256]},
		.set = c->psk.psk[CP_MIKEY_SET_256] ? CP_MIKEY_SET_256 : CP_MIKEY_SET_128,
		.limits = cp_mikey_limits_default(),
	};

	account.limits.skew_s = (uint32_t)(c->skew_ms / 1000);
	account.limits.min_set = (enum cp_mikey_set)c->min_set;
	return account;
}

bool
cp_app_mikey_user(char uri[CP_IDENTITY_MAX], const struct cp_app_mikey *m, const char *name)
{
	char plain[CP_IDENTITY_MAX];
	int len = snprintf(plain, sizeof(plain), "sip:%s@%s", name, m->config->host);

	return len > 0 && (size_t)len < sizeof(plain) &&
	       cp_identity(uri, cp_slice_text(plain)) == 0;
}
