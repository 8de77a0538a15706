/* Options of section "mikey", their checks, and the pre-shared keys that they name. */
#include "ctrlplane/app/setup/mikey.h"

#include <stdio.h>
#include <string.h>

#include "ctrlplane/kms_client/kms_client.h"

#define OPTION(field) .offset = offsetof(struct cp_config_mikey, field)

static const char *const sets[] = {"128", "256", NULL};

const struct conf_option cp_mikey_options[] = {
	{.path = "kms",
	 .kind = CONF_STRINGS,
	 OPTION(kms),
	 .fallback = "[]",
	 .help = "URLs of the KMS, the next one is asked where one is down; http: on loopback "
		 "only; "
		 "empty: no MIKEY-TICKET"},
	{.path = "kms_identity",
	 .kind = CONF_STRING,
	 OPTION(kms_identity),
	 .fallback = "sip:kms.localhost",
	 .help = "who the KMS is, in tickets and messages"},
	{.path = "identity",
	 .kind = CONF_STRING,
	 OPTION(identity),
	 .fallback = "sip:focus.example",
	 .help = "host identity, which names our key at the KMS; conferences are sip:NAME@ that "
		 "host, and the KMS "
		 "must let us act for sip:*@ it"},
	{.path = "psk_file",
	 .kind = CONF_STRING,
	 OPTION(psk_file),
	 .help = "file with our pre-shared keys, as the KMS writes it; readable by its owner only"},
	{.path = "ca_file",
	 .kind = CONF_STRING,
	 OPTION(ca_file),
	 .help = "certificates (PEM) that vouch for the KMS; absent: the system's"},
	{.path = "min_set",
	 .kind = CONF_ENUM,
	 OPTION(min_set),
	 .fallback = "128",
	 .choices = sets,
	 .help = "weakest set of algorithms that is taken; session keys over 128 bits need 256 "
		 "anyway"},
	{.path = "own_tickets",
	 .kind = CONF_BOOL,
	 OPTION(takes_mode3),
	 .fallback = "false",
	 .help = "take tickets that the caller made itself (mode 3 of RFC 6043)"},
	{.path = "skew",
	 .kind = CONF_DURATION,
	 OPTION(skew_ms),
	 .fallback = "5m",
	 .min = 1000,
	 .max = 3600000,
	 .help = "how far clocks may be apart"},
	{.path = "timeout",
	 .kind = CONF_DURATION,
	 OPTION(timeout_ms),
	 .fallback = "2s",
	 .min = 50,
	 .max = 10000,
	 .help = "how long a KMS may take to answer"},
	{.path = "rounds",
	 .kind = CONF_INT,
	 OPTION(rounds),
	 .fallback = "2",
	 .min = 1,
	 .max = 5,
	 .help = "times through the list of KMSs before a call gets 503"},
	{.path = "asks_max",
	 .kind = CONF_INT,
	 OPTION(asks_max),
	 .fallback = "1000",
	 .min = 1,
	 .max = 100000,
	 .help = "questions to the KMS at a time; beyond it 503"},
	{.path = "rate",
	 .kind = CONF_INT,
	 OPTION(rate),
	 .fallback = "100",
	 .min = 0,
	 .max = 100000,
	 .help = "tickets a second that one source address may have resolved; beyond it 503; 0: no "
		 "limit"},
	{.path = NULL},
};

void
cp_config_check_mikey(struct cp_config_mikey *m, const struct conf_section *section,
		      const char *path, struct conf_errors *errors)
{
	char canonical[CP_IDENTITY_MAX], why[256] = "";
	const char *wrong;

	for (size_t i = 0; i < m->kms.count; i++) {
		wrong = cp_kms_client_check_url(m->kms.items[i]);
		if (wrong)
			conf_error(errors, path, m->kms.lines[i], "'%s' %s", m->kms.items[i],
				   wrong);
	}
	if (cp_identity(canonical, cp_slice_text(m->kms_identity)) != 0)
		conf_error(errors, path, conf_line(section, "kms_identity"), "'%s' is no sip: URI",
			   m->kms_identity);
	if (cp_identity(canonical, cp_slice_text(m->identity)) != 0 ||
	    strncmp(canonical, "sip:", 4) != 0 || strchr(canonical, '@'))
		conf_error(errors, path, conf_line(section, "identity"),
			   "'%s' is no sip: URI of a host alone; write for example "
			   "sip:focus.example",
			   m->identity);
	else
		snprintf(m->host, sizeof(m->host), "%s", canonical + 4);
	if (m->kms.count == 0)
		return;
	if (!m->psk_file)
		conf_error(errors, path, conf_line(section, "kms"),
			   "a KMS wants to know who asks; set 'mikey.psk_file'");
	else if (cp_psk_file_read(&m->psk, m->psk_file, why, sizeof(why)) != 0)
		conf_error(errors, path, conf_line(section, "psk_file"), "%s", why);
}

void
cp_config_free_mikey(struct cp_config_mikey *m)
{
	cp_psk_file_fini(&m->psk);
}
