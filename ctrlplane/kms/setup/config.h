/* The configuration of conclave-kms: section "kms" and its checks. The command line reads it too, to find the store. */
#ifndef CP_KMS_SETUP_CONFIG_H
#define CP_KMS_SETUP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "configs/loader/common.h"
#include "ctrlplane/base/address.h"
#include "ctrlplane/mikey/codes.h"

#define CP_KMS_LISTENERS_MAX 8

/* Section "kms". */
struct cp_kms_options {
	char *id;
	struct conf_strings listen;
	char *certificate;
	char *private_key;
	char *store;
	char *master_key;
	int64_t threads;
	int64_t connections_max;
	int64_t request_timeout_ms;
	int64_t validity_ms, validity_max_ms;
	int64_t skew_ms;
	int64_t replay_room;
	int min_set; /* enum cp_mikey_set */
	char *flags_set, *flags_clear;
	int64_t tpk_lifetime_ms;
	int64_t identity_rate, server_rate, source_rate;
	int64_t source_connections;
	int64_t audit_keep_ms;
};

/* Where to listen, of "http://127.0.0.1:8643". */
struct cp_kms_address {
	bool is_tls;
	struct cp_address where;
};

/* Owner: main. */
struct cp_kms_settings {
	struct conf_node node;
	struct conf_log log;
	struct cp_kms_options kms;
	struct conf_section sections[CONF_SECTIONS_MAX];

	/* made of the above */
	struct cp_kms_address addresses[CP_KMS_LISTENERS_MAX];
	size_t address_count;
	char id[CP_MIKEY_ID_MAX + 1]; /* canonical */
	uint16_t flags_set, flags_clear;
};

/* The sections with their tables, for the loader and for what documents them. */
void cp_kms_settings_init(struct cp_kms_settings *settings);

/* Read and check; path NULL: defaults. 0, -EINVAL or -errno; errors say what and where. */
int cp_kms_settings_load(struct cp_kms_settings *settings, const char *path,
			 struct conf_errors *errors);
void cp_kms_settings_free(struct cp_kms_settings *settings);

#endif
