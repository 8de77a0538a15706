/* Options and checks of the conference factories. */
#include "ctrlplane/app/setup/factory.h"

#include <stddef.h>
#include <string.h>

#define OPTION(field) .offset = offsetof(struct cp_config_factory, field)

static const char *const securities[] = {"sdes", "either", "none", "mikey-ticket", "default", NULL};
static const char *const identities[] = {"required", "none", NULL};

static const struct conf_option factory_options[] = {
	{.path = "id",
	 .kind = CONF_STRING,
	 OPTION(id),
	 .is_required = true,
	 .help = "user part of the factory URI: who calls it gets a conference of his own"},
	{.path = "prefix",
	 .kind = CONF_STRING,
	 OPTION(prefix),
	 .fallback = "adhoc-",
	 .help = "how the names of its conferences begin; eight random digits follow"},
	{.path = "creators",
	 .kind = CONF_STRINGS,
	 OPTION(creators),
	 .fallback = "[]",
	 .help = "URIs of those who may make conferences; empty: everybody with an identity"},
	{.path = "security",
	 .kind = CONF_ENUM,
	 OPTION(security),
	 .fallback = "default",
	 .choices = securities,
	 .help = "of its conferences, as in 'conferences'"},
	{.path = "identity",
	 .kind = CONF_ENUM,
	 OPTION(identity),
	 .fallback = "required",
	 .choices = identities,
	 .help = "how it and its conferences know who calls, as in 'conferences'"},
	{.path = "open",
	 .kind = CONF_BOOL,
	 OPTION(open),
	 .fallback = "false",
	 .help = "anybody may join who has an identity and the URI; else the creator and whom he "
		 "invites"},
	{.path = "anonymous",
	 .kind = CONF_BOOL,
	 OPTION(anonymous),
	 .fallback = "false",
	 .help = "participants without an identity may join; needs open"},
	{.path = "entry_muted",
	 .kind = CONF_BOOL,
	 OPTION(entry_muted),
	 .fallback = "false",
	 .help = "participants join muted"},
	{.path = "ends_with_creator",
	 .kind = CONF_BOOL,
	 OPTION(ends_with_creator),
	 .fallback = "true",
	 .help = "a conference is over when its creator has left; else when the last one has"},
	{.path = "chat",
	 .kind = CONF_BOOL,
	 OPTION(chat),
	 .fallback = "false",
	 .help = "its conferences have a chat room (MSRP)"},
	{.path = "chat_history",
	 .kind = CONF_INT,
	 OPTION(chat_history),
	 .fallback = "0",
	 .min = 0,
	 .max = CP_CONF_CHAT_HISTORY_MAX,
	 .help = "the last messages of their chats that who comes gets; 0: none"},
	{.path = "max_participants",
	 .kind = CONF_INT,
	 OPTION(max_participants),
	 .fallback = "0",
	 .min = 0,
	 .max = 1000000,
	 .help = "participants of one conference; 0: as many as the node takes"},
	{.path = "max_each",
	 .kind = CONF_INT,
	 OPTION(max_each),
	 .fallback = "5",
	 .min = 1,
	 .max = 10000,
	 .help = "conferences of one creator at a time"},
	{.path = NULL},
};

const struct conf_option cp_factory_options[] = {
	{.path = "",
	 .kind = CONF_OBJECTS,
	 .offset = 0,
	 .fields = factory_options,
	 .object_size = sizeof(struct cp_config_factory),
	 .help = "URIs that make a conference of each call to them"},
	{.path = NULL},
};

const struct cp_config_factory *
cp_config_factory(const struct conf_objects *factories, const char *user)
{
	const struct cp_config_factory *all = factories->items;

	for (size_t i = 0; i < factories->count; i++)
		if (all[i].id && strcmp(all[i].id, user) == 0)
			return &all[i];
	return NULL;
}

static void
check_one(const struct cp_config_factory *f, bool has_kms, int line, const char *path,
	  struct conf_errors *errors)
{
	const size_t digits = 8;
	char why[160];

	if (f->security == CP_CONF_MIKEY && !has_kms)
		conf_error(errors, path, line,
			   "factory '%s' wants MIKEY-TICKET, which needs a KMS; set 'mikey.kms'",
			   f->id);
	if (strlen(f->prefix) + digits >= CP_CONF_USER_MAX ||
	    cp_conf_check(&(struct cp_conf_settings){.user = f->prefix}, 0, why, sizeof(why)) != 0)
		conf_error(errors, path, line,
			   "factory '%s': '%s' cannot begin the name of a conference", f->id,
			   f->prefix);
	if (f->anonymous && !f->open)
		conf_error(errors, path, line,
			   "factory '%s' lets anonymous in but not everybody; set 'open: true'",
			   f->id);
	for (size_t n = 0; n < f->creators.count; n++) {
		char canonical[CP_IDENTITY_MAX];

		if (cp_identity(canonical, cp_slice_text(f->creators.items[n])) != 0)
			conf_error(errors, path, f->creators.lines[n],
				   "'%s' is no sip:, sips: or global tel: URI",
				   f->creators.items[n]);
	}
}

void
cp_config_check_factories(const struct conf_objects *factories, bool has_kms,
			  bool (*taken)(const void *arg, const char *user), const void *arg,
			  const char *path, struct conf_errors *errors)
{
	const struct cp_config_factory *all = factories->items;

	for (size_t i = 0; i < factories->count; i++) {
		if (!all[i].id)
			continue;
		if (taken(arg, all[i].id) || cp_config_factory(factories, all[i].id) != &all[i])
			conf_error(errors, path, factories->lines[i],
				   "factory '%s': there is a conference or a factory of that name",
				   all[i].id);
		check_one(&all[i], has_kms, factories->lines[i], path, errors);
	}
}

bool
cp_config_may_create(const struct cp_config_factory *f, const char *person)
{
	for (size_t i = 0; i < f->creators.count; i++) {
		char canonical[CP_IDENTITY_MAX];

		if (cp_identity(canonical, cp_slice_text(f->creators.items[i])) == 0 &&
		    cp_identity_is_same(canonical, person))
			return true;
	}
	return f->creators.count == 0 && *person;
}
