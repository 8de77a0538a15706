/* Section "mikey": which KMS to ask, and as whom. */
#ifndef CP_APP_SETUP_MIKEY_H
#define CP_APP_SETUP_MIKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "configs/loader/loader.h"
#include "ctrlplane/conf/identity.h"
#include "ctrlplane/keys/psk.h"

struct cp_config_mikey {
	struct conf_strings kms;
	char *kms_identity;
	char *identity;
	char *psk_file;
	char *ca_file;
	int min_set; /* enum cp_mikey_set */
	bool takes_mode3;
	int64_t skew_ms;
	int64_t timeout_ms;
	int64_t rounds;
	int64_t asks_max;
	int64_t rate;

	/* made of the above */
	char host[CP_IDENTITY_MAX]; /* of identity: conferences are sip:NAME@host */
	struct cp_psk_file psk;
};

extern const struct conf_option cp_mikey_options[];

/* Checks and reads the keys. */
void cp_config_check_mikey(struct cp_config_mikey *m, const struct conf_section *section,
			   const char *path, struct conf_errors *errors);
void cp_config_free_mikey(struct cp_config_mikey *m);

#endif
