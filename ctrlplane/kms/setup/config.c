/* Section "kms": its table of options and what the loader cannot check alone. */
#include "ctrlplane/kms/setup/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrlplane/conf/identity.h"

#define OPTION(member) .offset = offsetof(struct cp_kms_options, member)
#define DAY_MS ((int64_t)86400000)

static const char *const sets[] = {"128", "256", NULL};

static const struct conf_option kms_options[] = {
	{.path = "id",
	 .kind = CONF_STRING,
	 OPTION(id),
	 .fallback = "sip:kms.localhost",
	 .help = "who this KMS is: the IDRkms of its users"},
	{.path = "listen",
	 .kind = CONF_STRINGS,
	 OPTION(listen),
	 .fallback = "[\"http://127.0.0.1:8643\"]",
	 .help = "addresses, as https://192.0.2.1:8644 or http://[::1]:8643; http: on loopback "
		 "only"},
	{.path = "tls.certificate",
	 .kind = CONF_STRING,
	 OPTION(certificate),
	 .help = "PEM file with the certificate and its chain, for https:"},
	{.path = "tls.key",
	 .kind = CONF_STRING,
	 OPTION(private_key),
	 .help = "PEM file with the certificate's private key"},
	{.path = "store",
	 .kind = CONF_STRING,
	 OPTION(store),
	 .fallback = "/var/lib/conclave/kms.db",
	 .help = "SQLite file of users, keys and the audit log"},
	{.path = "master_key",
	 .kind = CONF_STRING,
	 OPTION(master_key),
	 .fallback = "/etc/conclave/kms.key",
	 .help = "file of the key that seals the keys in the store; conclave kms init makes it"},
	{.path = "threads",
	 .kind = CONF_INT,
	 OPTION(threads),
	 .fallback = "0",
	 .min = 0,
	 .max = 64,
	 .help = "threads that answer on each address; 0: one a CPU, up to 8"},
	{.path = "connections_max",
	 .kind = CONF_INT,
	 OPTION(connections_max),
	 .fallback = "1000",
	 .min = 1,
	 .max = 100000,
	 .help = "connections at a time, on each address"},
	{.path = "request_timeout",
	 .kind = CONF_DURATION,
	 OPTION(request_timeout_ms),
	 .fallback = "20s",
	 .min = 1000,
	 .max = 3600000,
	 .help = "how long a client may take for a request that it has begun"},
	{.path = "validity",
	 .kind = CONF_DURATION,
	 OPTION(validity_ms),
	 .fallback = "1h",
	 .min = 60000,
	 .max = DAY_MS,
	 .help = "how long a ticket is valid when the request does not say"},
	{.path = "validity_max",
	 .kind = CONF_DURATION,
	 OPTION(validity_max_ms),
	 .fallback = "1d",
	 .min = 60000,
	 .max = DAY_MS,
	 .help = "how long a ticket is valid at most; more is cut"},
	{.path = "skew",
	 .kind = CONF_DURATION,
	 OPTION(skew_ms),
	 .fallback = "5m",
	 .min = 1000,
	 .max = 3600000,
	 .help = "how far the clock of a user may be from ours"},
	{.path = "replay_room",
	 .kind = CONF_INT,
	 OPTION(replay_room),
	 .fallback = "1000000",
	 .min = 1000,
	 .max = 100000000,
	 .help = "messages remembered for twice the skew, against replay; more are refused"},
	{.path = "min_set",
	 .kind = CONF_ENUM,
	 OPTION(min_set),
	 .fallback = "128",
	 .choices = sets,
	 .help = "weakest set of algorithms that is accepted: 128 or 256"},
	{.path = "flags_set",
	 .kind = CONF_STRING,
	 OPTION(flags_set),
	 .fallback = "",
	 .help = "flags that every ticket gets, as letters of RFC 6043 6.10, e.g. J"},
	{.path = "flags_clear",
	 .kind = CONF_STRING,
	 OPTION(flags_clear),
	 .fallback = "",
	 .help = "flags that no ticket gets"},
	{.path = "tpk_lifetime",
	 .kind = CONF_DURATION,
	 OPTION(tpk_lifetime_ms),
	 .fallback = "30d",
	 .min = 0,
	 .max = 3650 * DAY_MS,
	 .help = "new ticket protection keys after so long; 0: by conclave kms tpk rotate only"},
	{.path = "limits.identity",
	 .kind = CONF_INT,
	 OPTION(identity_rate),
	 .fallback = "200",
	 .min = 0,
	 .max = 1000000,
	 .help = "exchanges a second of one user; 0: any"},
	{.path = "limits.server",
	 .kind = CONF_INT,
	 OPTION(server_rate),
	 .fallback = "10000",
	 .min = 0,
	 .max = 1000000,
	 .help = "the same of a user that may act for others by wildcard; 0: any"},
	{.path = "limits.source",
	 .kind = CONF_INT,
	 OPTION(source_rate),
	 .fallback = "10000",
	 .min = 0,
	 .max = 1000000,
	 .help = "requests a second from one IPv4 address or IPv6 /64; 0: any"},
	{.path = "limits.connections",
	 .kind = CONF_INT,
	 OPTION(source_connections),
	 .fallback = "250",
	 .min = 0,
	 .max = 100000,
	 .help = "connections at a time from one address; 0: any"},
	{.path = "audit_keep",
	 .kind = CONF_DURATION,
	 OPTION(audit_keep_ms),
	 .fallback = "90d",
	 .min = 60000,
	 .max = 3650 * DAY_MS,
	 .help = "how long entries of the audit log are kept"},
	{.path = NULL},
};

void
cp_kms_settings_init(struct cp_kms_settings *s)
{
	const struct conf_section own[] = {
		{.name = "node", .options = conf_node_options, .into = &s->node},
		{.name = "log", .options = conf_log_options, .into = &s->log},
		{.name = "kms", .options = kms_options, .into = &s->kms},
		{.name = NULL},
	};

	memset(s, 0, sizeof(*s));
	conf_sections(s->sections, own);
}

/* With a '/' behind the port, or without. */
static bool
read_address(struct cp_address *out, const char *text)
{
	size_t len = strlen(text);
	char bare[80];

	if (len == 0 || len >= sizeof(bare))
		return false;
	snprintf(bare, sizeof(bare), "%.*s", (int)(len - (text[len - 1] == '/')), text);
	return cp_address_read(out, bare);
}

/* What the checks need. */
struct check {
	struct cp_kms_settings *settings;
	const struct conf_section *section;
	const char *path;
	struct conf_errors *errors;
};

static int
line_of(const struct check *k, const char *option)
{
	return conf_line(k->section, option);
}

static void
check_address(const struct check *k, const char *text, int line)
{
	struct cp_kms_address address = {.is_tls = strncmp(text, "https://", 8) == 0};

	if ((!address.is_tls && strncmp(text, "http://", 7) != 0) ||
	    !read_address(&address.where, text + (address.is_tls ? 8 : 7)))
		conf_error(
			k->errors, k->path, line,
			"'%s' is no address of a KMS; write for example http://127.0.0.1:8643 or "
			"https://[2001:db8::1]:8644",
			text);
	else if (!address.is_tls &&
		 !cp_address_is_loopback((const struct sockaddr *)&address.where.at))
		conf_error(k->errors, k->path, line,
			   "'%s' is not on loopback, so it must be https: with 'kms.tls'", text);
	else if (address.is_tls &&
		 (k->settings->kms.certificate == NULL || k->settings->kms.private_key == NULL))
		conf_error(k->errors, k->path, line,
			   "'%s' needs a certificate; set 'kms.tls.certificate' and 'kms.tls.key'",
			   text);
	else if (k->settings->address_count == CP_KMS_LISTENERS_MAX)
		conf_error(k->errors, k->path, line, "more than %d addresses",
			   CP_KMS_LISTENERS_MAX);
	else
		k->settings->addresses[k->settings->address_count++] = address;
}

static uint16_t
check_flags(const struct check *k, const char *option, const char *text)
{
	uint16_t flags = 0;

	for (; *text != '\0'; text++) {
		if (*text >= 'D' && *text <= 'O' && *text != 'K' && *text != 'D') {
			flags |= (uint16_t)(CP_MIKEY_FLAG_D >> (*text - 'D'));
			continue;
		}
		conf_error(k->errors, k->path, line_of(k, option),
			   "'kms.%s' has '%c'; flags are the letters E to O without K", option,
			   *text);
	}
	return flags;
}

static void
check_policy(const struct check *k)
{
	struct cp_kms_settings *s = k->settings;

	s->flags_set = check_flags(k, "flags_set", s->kms.flags_set);
	s->flags_clear = check_flags(k, "flags_clear", s->kms.flags_clear);
	if ((s->flags_set & s->flags_clear) != 0)
		conf_error(k->errors, k->path, line_of(k, "flags_set"),
			   "a flag is in 'kms.flags_set' and in 'kms.flags_clear'");
	if (s->kms.validity_ms > s->kms.validity_max_ms)
		conf_error(k->errors, k->path, line_of(k, "validity"),
			   "'kms.validity' is above 'kms.validity_max'");
}

int
cp_kms_settings_load(struct cp_kms_settings *s, const char *path, struct conf_errors *errors)
{
	struct check check = {.settings = s, .path = path ? path : "defaults", .errors = errors};
	int error;

	cp_kms_settings_init(s);
	check.section = &s->sections[2];
	error = conf_load(path, s->sections, errors);
	if (error != 0 && error != -EINVAL)
		return error;
	if (cp_identity(s->id, cp_slice_text(s->kms.id)) != 0)
		conf_error(errors, check.path, line_of(&check, "id"),
			   "'kms.id' is no usable URI; write for example sip:kms.example");
	for (size_t i = 0; i < s->kms.listen.count; i++)
		check_address(&check, s->kms.listen.items[i], s->kms.listen.lines[i]);
	if (s->kms.listen.count == 0)
		conf_error(errors, check.path, line_of(&check, "listen"),
			   "'kms.listen' is empty; name one address at least");
	check_policy(&check);
	return errors->count != 0 ? -EINVAL : 0;
}

void
cp_kms_settings_free(struct cp_kms_settings *s)
{
	conf_free(s->sections);
}
