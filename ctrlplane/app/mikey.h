/* MIKEY-TICKET of the whole program: the account at the KMS, the caches against replay, the client. */
#ifndef CP_APP_MIKEY_H
#define CP_APP_MIKEY_H

#include <stdbool.h>

#include "ctrlplane/app/setup/mikey.h"
#include "ctrlplane/app/rate.h"
#include "ctrlplane/conf/identity.h"
#include "ctrlplane/kms_client/kms_client.h"
#include "ctrlplane/mikey/transfer.h"

struct cp_app_mikey {
	bool is_on; /* there is a KMS to ask */
	const struct cp_config_mikey *config;
	struct cp_kms_client *client;
	struct cp_mikey_env env;
	struct cp_mikey_replay *replay, *tickets;
	struct cp_rate rate;
};

/* 0, or -errno. Without a KMS in the configuration nothing is opened. */
int cp_app_mikey_open(struct cp_app_mikey *m, const struct cp_config_mikey *config);
void cp_app_mikey_close(struct cp_app_mikey *m);

/* The account as which a conference resolves and asks for tickets: user is its URI, borrowed. */
struct cp_mikey_account cp_app_mikey_account(const struct cp_app_mikey *m, const char *user);

/* A conference's URI in tickets: sip:NAME@host of the configuration. False: too long. */
bool cp_app_mikey_user(char uri[CP_IDENTITY_MAX], const struct cp_app_mikey *m, const char *name);

#endif
