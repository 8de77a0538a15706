/* Section "factories": URIs that make a conference of each call to them (RFC 4579 5.4). */
#ifndef CP_APP_SETUP_FACTORY_H
#define CP_APP_SETUP_FACTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "configs/loader/loader.h"
#include "ctrlplane/conf/conf.h"

/* An entry of "factories". */
struct cp_config_factory {
	char *id;     /* user part of the factory URI */
	char *prefix; /* of the conferences' user parts */
	struct conf_strings creators;
	int security; /* enum cp_conf_security */
	int identity; /* enum cp_config_identity */
	bool open;
	bool anonymous;
	bool entry_muted;
	bool ends_with_creator;
	bool chat;
	int64_t max_participants;
	int64_t max_each;
	int64_t chat_history;
};

extern const struct conf_option cp_factory_options[];

/* The factory of that user part, NULL: there is none. */
const struct cp_config_factory *cp_config_factory(const struct conf_objects *factories,
						  const char *user);

/* taken: is there a conference of that name already? */
void cp_config_check_factories(const struct conf_objects *factories, bool has_kms,
			       bool (*taken)(const void *arg, const char *user), const void *arg,
			       const char *path, struct conf_errors *errors);

/* May that person make conferences here? canonical. */
bool cp_config_may_create(const struct cp_config_factory *factory, const char *person);

#endif
