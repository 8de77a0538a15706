/* The configuration of conclave-cp: sections by the tables of config.c, and what the parts of the program get of them. */
#ifndef CP_APP_SETUP_H
#define CP_APP_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "configs/loader/common.h"
#include "ctrlplane/app/setup/factory.h"
#include "ctrlplane/app/setup/announcements.h"
#include "ctrlplane/app/setup/mikey.h"
#include "ctrlplane/app/setup/chat.h"
#include "ctrlplane/app/setup/floor.h"
#include "ctrlplane/app/setup/notify.h"
#include "ctrlplane/app/setup/streams.h"
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/sdp/sdp.h"
#include "ctrlplane/sip/sip.h"

/* Section "sip". */
struct cp_config_sip {
	struct conf_strings listen;
	char *tls_dir;
	char *realm;
	struct conf_strings trusted_peers;
	char *outbound_proxy;
	struct conf_objects accounts;	 /* struct cp_config_account */
	struct conf_objects credentials; /* struct cp_config_credential */
	int64_t nonce_lifetime_ms;
	int64_t session_expires_ms;
	int64_t min_se_ms;
	int64_t t1_ms;
	int64_t message_max;
	int64_t calls_max;
	int64_t pending_max;
};

struct cp_config_account {
	char *user;
	char *password;
	char *ha1_md5;
	char *ha1_sha256;
	char *uri;
};

struct cp_config_credential {
	char *realm;
	char *user;
	char *password;
};

/* Section "http". */
struct cp_config_http {
	char *socket;
	char *listen;
	char *token_file;
	char *tokens;
};

#define CP_CONFIG_REDIRECTS_MAX 8
#define CP_CONFIG_SECURITY_DEFAULT (CP_CONF_MIKEY + 1) /* of a conference: as the section says */

enum cp_config_identity {
	CP_CONFIG_IDENTITY_REQUIRED = 0,
	CP_CONFIG_IDENTITY_NONE,
};

enum cp_config_answerer {
	CP_CONFIG_ANSWERER_ASSERTED = 0,
	CP_CONFIG_ANSWERER_BELIEVED,
};

/* An entry of "conferences". */
struct cp_config_conference {
	char *id;
	char *title;
	int security; /* enum cp_conf_security */
	int notify;   /* enum cp_conf_notify */
	int identity; /* enum cp_config_identity */
	bool anonymous;
	bool entry_muted;
	bool hold_muted;
	struct conf_strings authorised, moderators, listeners;
	char *subject;
	char *creator;
	char *pin;
	int editors; /* enum cp_conf_editors */
	bool lobby;
	bool announcements;
	bool ends_with_creator;
	bool ends_when_empty;
	char *start_at, *end_at;  /* RFC 3339; NULL: at once, never */
	int64_t early_ms;	  /* before the start */
	int64_t start_ms, end_ms; /* made of the above; 0: none */
	bool chat;
	struct cp_conf_person *people; /* moderators and listeners; made of the above */
	size_t people_count;
	int64_t max_participants;
	int64_t loudest;
	int64_t small;
	int64_t chat_history;
	struct conf_strings floor_texts;
	struct cp_conf_floors floors; /* made of them */
};

/* Section "store". */
struct cp_config_store {
	char *path;
	int64_t keep_ms;
};

/* Section "security". */
struct cp_config_security {
	int fallback; /* enum cp_conf_security */
	struct conf_strings suites;
	bool ranks_suites;
	bool plain_srtcp;
};

/* Section "call". */
struct cp_config_call {
	struct conf_strings codecs;
	int64_t ptime_ms;
	bool rtcp_mux;
	int64_t lost_after_ms;
	bool keep_dead;
	int64_t adopted_for_ms;
	int64_t ring_for_ms;
	int64_t bye_for_ms;
	int64_t list_max;
	int64_t redirects;
	int64_t busy_high, busy_low, late_high; /* percent */
	int answerer;				/* enum cp_config_answerer */
	int64_t jitter_min_ms;
	int64_t jitter_max_ms;
	int64_t conferences_max;
	int64_t participants_max;
};

/* Owner: main. Passwords are wiped once the accounts are made. */
struct cp_config {
	struct conf_node node;
	struct conf_log log;
	struct cp_config_sip sip;
	struct cp_config_http http;
	struct conf_objects conferences; /* struct cp_config_conference */
	struct conf_objects factories;	 /* struct cp_config_factory */
	struct cp_config_security security;
	struct cp_config_call call;
	struct cp_config_mikey mikey;
	struct cp_config_notify notify;
	struct cp_config_floor floor;
	struct cp_config_chat chat;
	struct cp_config_streams streams;
	struct cp_config_store store;
	struct cp_config_announcements announcements;
	struct conf_section sections[CONF_SECTIONS_MAX];

	/* made of the above */
	struct cp_sip_options sip_options;
	struct cp_sip_account *accounts;
	char (*account_uris)[CP_IDENTITY_MAX];
	struct cp_sip_credential credentials[CP_SIP_CREDENTIALS_MAX];
	struct cp_peer *peers;
	struct cp_sdp_policy sdp_policy; /* security is the conference's */
	char media_socket[108];
	char api_socket[108];
};

/* The sections with their tables, for the loader and for what documents them. */
void cp_config_init(struct cp_config *config);

/* Read and check; path NULL: defaults. 0 or -EINVAL, -errno; errors say what and where. */
int cp_config_load(struct cp_config *config, const char *path, struct conf_errors *errors);
void cp_config_free(struct cp_config *config);

/* The entry of a conference, NULL when it is not from the configuration. */
const struct cp_config_conference *cp_config_conference(const struct cp_config *config,
							const char *user);

/* What cp_conf_create wants of an entry. Borrows. */
struct cp_conf_settings cp_config_settings(const struct cp_config_conference *entry);

#endif
