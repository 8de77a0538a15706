/* Cross-checks of the configuration and what the parts of the program get of it. */
#include "ctrlplane/app/setup/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <strings.h>

#include "ctrlplane/mgmt/mgmt.h"
#include "ctrlplane/mgmt/time.h"
#include "dataplane/api/suite.h"

#define PEM_MAX (1 << 20) /* octets of a file that are looked at */

/* What the checks need. */
struct check {
	struct cp_config *config;
	const char *path;
	struct conf_errors *errors;
};

static const struct {
	const char *name;
	enum dp_codec_id id;
} codecs[] = {{"PCMU", DP_CODEC_PCMU}, {"PCMA", DP_CODEC_PCMA}, {"L16", DP_CODEC_L16}};

/* Where an option of a section stood; 0: it is at its default. */
static int
line_of(const struct check *k, const char *section, const char *option)
{
	for (const struct conf_section *s = k->config->sections; s->name; s++)
		if (strcmp(s->name, section) == 0)
			return conf_line(s, option);
	return 0;
}

static bool
is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdefABCDEF") == len;
}

static void
lower(char *to, const char *from)
{
	for (; *from; from++)
		*to++ = (char)(*from >= 'A' && *from <= 'F' ? *from | 0x20 : *from);
	*to = '\0';
}

static void
check_account(const struct check *k, size_t i)
{
	struct cp_config *c = k->config;
	struct cp_config_account *from = (struct cp_config_account *)c->sip.accounts.items + i;
	struct cp_sip_account *to = &c->accounts[i];
	int line = c->sip.accounts.lines[i];
	char uri[CP_IDENTITY_MAX];

	to->user = from->user;
	to->uri = c->account_uris[i];
	if (!from->user)
		return;
	if (!from->uri)
		snprintf(uri, sizeof(uri), "sip:%s@%s", from->user, c->sip.realm);
	if (cp_identity(c->account_uris[i], cp_slice_text(from->uri ? from->uri : uri)) != 0)
		conf_error(k->errors, k->path, line,
			   "account '%s' has no usable URI; set 'uri' to a sip: URI", from->user);
	if (from->password) {
		cp_digest_ha1(CP_DIGEST_MD5, from->user, c->sip.realm, from->password, to->ha1_md5);
		cp_digest_ha1(CP_DIGEST_SHA256, from->user, c->sip.realm, from->password,
			      to->ha1_sha256);
		explicit_bzero(from->password, strlen(from->password));
		return;
	}
	if (!from->ha1_md5 || !is_hex(from->ha1_md5, 32) || !from->ha1_sha256 ||
	    !is_hex(from->ha1_sha256, 64)) {
		conf_error(k->errors, k->path, line,
			   "account '%s' has no password; set 'password', or 'ha1_md5' (32 digits) "
			   "and 'ha1_sha256' (64)",
			   from->user);
		return;
	}
	lower(to->ha1_md5, from->ha1_md5);
	lower(to->ha1_sha256, from->ha1_sha256);
}

/* What of PEM a file holds; NULL: it is not to be read. The caller frees it. */
static char *
read_pem(const char *folder, const char *name)
{
	char path[4096], *text = calloc(1, PEM_MAX + 1);
	FILE *file = NULL;

	if (text && snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path))
		file = fopen(path, "r");
	if (!file) {
		free(text);
		return NULL;
	}
	text[fread(text, 1, PEM_MAX, file)] = '\0';
	fclose(file);
	return text;
}

static void
check_pem(const struct check *k, const char *name, const char *const wanted[])
{
	const char *folder = k->config->sip.tls_dir;
	char *text = read_pem(folder, name);
	int line = line_of(k, "sip", "tls_dir");

	if (!text)
		conf_error(k->errors, k->path, line, "'sip.tls_dir': %s/%s cannot be read: %s",
			   folder, name, strerror(errno));
	for (; text && *wanted; wanted++)
		if (!strstr(text, *wanted))
			conf_error(k->errors, k->path, line,
				   "'sip.tls_dir': %s/%s holds no %s (PEM)", folder, name,
				   strstr(*wanted, "KEY") ? "private key" : "certificate");
	if (text)
		explicit_bzero(text, PEM_MAX);
	free(text);
}

/* What TLS starts with. That key and certificate belong together it says itself. */
static void
check_tls(const struct check *k)
{
	static const char *const agent[] = {"-----BEGIN CERTIFICATE", "PRIVATE KEY-----", NULL};
	static const char *const ca[] = {"-----BEGIN CERTIFICATE", NULL};

	check_pem(k, "agent.pem", agent);
	check_pem(k, "cafile.pem", ca);
}

static bool
is_proxy(const char *uri)
{
	return (strncasecmp(uri, "sip:", 4) == 0 || strncasecmp(uri, "sips:", 5) == 0) &&
	       !strpbrk(uri, "<>\" ?@") && uri[4 + (uri[3] != ':')] != '\0';
}

/* The stack takes them in one text, in which these separate. */
static void
check_credential(const struct check *k, size_t i)
{
	const struct conf_objects *list = &k->config->sip.credentials;
	const struct cp_config_credential *c = (struct cp_config_credential *)list->items + i;

	if (i >= CP_SIP_CREDENTIALS_MAX) {
		conf_error(k->errors, k->path, list->lines[i], "'sip.credentials' takes %d at most",
			   CP_SIP_CREDENTIALS_MAX);
		return;
	}
	k->config->credentials[i] = (struct cp_sip_credential){c->realm, c->user, c->password};
	if (c->realm && c->user && c->password &&
	    (strpbrk(c->realm, "\"\\") || strpbrk(c->user, "\":\\") || strchr(c->password, ':') ||
	     strlen(c->realm) + strlen(c->user) + strlen(c->password) > 480))
		conf_error(
			k->errors, k->path, list->lines[i],
			"the credential for realm '%.64s' is too long, or has a quote or a colon "
			"where the stack takes none",
			c->realm);
}

static int
check_sip(const struct check *k)
{
	bool has_tls = false;

	struct cp_config *c = k->config;
	struct cp_config_sip *s = &c->sip;

	c->accounts = calloc(s->accounts.count + 1, sizeof(*c->accounts));
	c->account_uris = calloc(s->accounts.count + 1, sizeof(*c->account_uris));
	c->peers = calloc(s->trusted_peers.count + 1, sizeof(*c->peers));
	if (!c->accounts || !c->account_uris || !c->peers)
		return -ENOMEM;
	for (size_t i = 0; i < s->accounts.count; i++)
		check_account(k, i);
	for (size_t i = 0; i < s->credentials.count; i++)
		check_credential(k, i);
	for (size_t i = 0; i < s->trusted_peers.count; i++)
		if (cp_peer_decode(&c->peers[i], s->trusted_peers.items[i]) != 0)
			conf_error(k->errors, k->path, s->trusted_peers.lines[i],
				   "'%s' is no address or prefix; write for example 192.0.2.1 or "
				   "2001:db8::/32",
				   s->trusted_peers.items[i]);
	if (s->outbound_proxy && !is_proxy(s->outbound_proxy))
		conf_error(k->errors, k->path, 0,
			   "'sip.outbound_proxy': '%s' is no SIP URI; write for example "
			   "sip:192.0.2.1:5060 or sip:192.0.2.1;transport=tcp",
			   s->outbound_proxy);
	for (size_t i = 0; i < s->listen.count; i++) {
		bool is_tls = strncasecmp(s->listen.items[i], "sips:", 5) == 0;

		if (!is_tls && strncasecmp(s->listen.items[i], "sip:", 4) != 0)
			conf_error(k->errors, k->path, s->listen.lines[i],
				   "'%s' is no address for SIP; write for example "
				   "sip:192.0.2.1:5060 or sips:[::1]:5061",
				   s->listen.items[i]);
		if (is_tls && !s->tls_dir)
			conf_error(k->errors, k->path, s->listen.lines[i],
				   "TLS needs a certificate; set 'sip.tls_dir' to a folder with "
				   "agent.pem");
		has_tls |= is_tls;
	}
	if (has_tls && s->tls_dir)
		check_tls(k);
	return 0;
}

static void
make_sip_options(struct cp_config *c)
{
	struct cp_config_sip *s = &c->sip;

	c->sip_options = (struct cp_sip_options){
		.listen = (const char *const *)s->listen.items,
		.listen_count = s->listen.count,
		.tls_dir = s->tls_dir,
		.user_agent = "Conclave/" CONCLAVE_VERSION,
		.realm = s->realm,
		.accounts = c->accounts,
		.account_count = s->accounts.count,
		.credentials = c->credentials,
		.credential_count = s->credentials.count,
		.peers = c->peers,
		.peer_count = s->trusted_peers.count,
		.nonce_lifetime_ms = (uint64_t)s->nonce_lifetime_ms,
		.session_expires_s = (unsigned int)(s->session_expires_ms / 1000),
		.min_se_s = (unsigned int)(s->min_se_ms / 1000),
		.t1_ms = (unsigned int)s->t1_ms,
		.message_max = (unsigned int)s->message_max,
		.calls_max = (unsigned int)s->calls_max,
		.pending_max = (unsigned int)s->pending_max,
		.outbound_proxy = s->outbound_proxy,
	};
}

static void
check_suites(const struct check *k)
{
	const struct conf_strings *names = &k->config->security.suites;
	struct cp_sdp_policy *p = &k->config->sdp_policy;

	p->suite_count = 0;
	for (size_t i = 0; i < names->count; i++) {
		int suite = DP_SUITE_NONE + 1;

		while (suite < DP_SUITE_COUNT &&
		       strcmp(dp_suite_info(suite)->name, names->items[i]) != 0)
			suite++;
		if (suite == DP_SUITE_COUNT)
			conf_error(
				k->errors, k->path, names->lines[i],
				"suite '%s' is not known; see 'security.suites' in reference.yaml",
				names->items[i]);
		else if (p->suite_count < CP_SDP_SUITES_MAX)
			p->suites[p->suite_count++] = (uint8_t)suite;
	}
	if (names->count == 0)
		conf_error(k->errors, k->path, line_of(k, "security", "suites"),
			   "'security.suites' is empty; name one at least");
}

static void
check_codecs(const struct check *k)
{
	const struct conf_strings *names = &k->config->call.codecs;
	struct cp_sdp_policy *p = &k->config->sdp_policy;
	const size_t known = sizeof(codecs) / sizeof(codecs[0]);

	p->codec_count = 0;
	for (size_t i = 0; i < names->count; i++) {
		size_t n = 0;

		while (n < known && strcasecmp(codecs[n].name, names->items[i]) != 0)
			n++;
		if (n == known)
			conf_error(k->errors, k->path, names->lines[i],
				   "codec '%s' is not known; write PCMU, PCMA or L16",
				   names->items[i]);
		else if (p->codec_count < CP_SDP_CODECS_MAX)
			p->codecs[p->codec_count++] = (uint8_t)codecs[n].id;
	}
	if (names->count == 0)
		conf_error(k->errors, k->path, line_of(k, "call", "codecs"),
			   "'call.codecs' is empty; name one at least");
}

static void
check_policy(const struct check *k)
{
	struct cp_config *c = k->config;

	cp_sdp_policy_default(&c->sdp_policy);
	check_suites(k);
	check_codecs(k);
	c->sdp_policy.ranks_suites = c->security.ranks_suites;
	c->sdp_policy.may_plain_srtcp = c->security.plain_srtcp;
	c->sdp_policy.may_mux = c->call.rtcp_mux;
	c->sdp_policy.ptime_ms = (uint16_t)c->call.ptime_ms;
	if (c->call.ptime_ms % 10 != 0)
		conf_error(k->errors, k->path, line_of(k, "call", "ptime"),
			   "'call.ptime' is no multiple of 10ms");
	if (c->call.jitter_max_ms && c->call.jitter_min_ms > c->call.jitter_max_ms)
		conf_error(k->errors, k->path, line_of(k, "call", "jitter_min"),
			   "'call.jitter_min' is above 'call.jitter_max'");
}

static void
check_http(const struct check *k)
{
	const char *listen = k->config->http.listen, *tokens = k->config->http.tokens;
	char why[512];

	if (listen && cp_mgmt_check_listen(listen, why, sizeof(why)) != 0)
		conf_error(k->errors, k->path, line_of(k, "http", "listen"), "'%s': %s", listen,
			   why);
	/* one that is not there yet is no mistake of the configuration */
	if (tokens && access(tokens, F_OK) == 0 &&
	    cp_mgmt_check_tokens(tokens, why, sizeof(why)) != 0)
		conf_error(k->errors, k->path, line_of(k, "http", "tokens"), "%s", why);
}

/* What conferences leave to the section is in them afterwards. */
static void
settle_security(const struct check *k)
{
	struct cp_config *c = k->config;
	struct cp_config_conference *entries = c->conferences.items;
	struct cp_config_factory *factories = c->factories.items;

	for (size_t i = 0; i < c->conferences.count; i++)
		if (entries[i].security == CP_CONFIG_SECURITY_DEFAULT)
			entries[i].security = c->security.fallback;
	for (size_t i = 0; i < c->factories.count; i++)
		if (factories[i].security == CP_CONFIG_SECURITY_DEFAULT)
			factories[i].security = c->security.fallback;
	if (c->security.fallback == CP_CONF_MIKEY && c->mikey.kms.count == 0)
		conf_error(
			k->errors, k->path, line_of(k, "security", "default"),
			"'security.default' is mikey-ticket, which needs a KMS; set 'mikey.kms'");
}

static bool
is_conference(const void *config, const char *user)
{
	return cp_config_conference(config, user) != NULL;
}

static void
check_people(const struct check *k, const struct conf_strings *list)
{
	for (size_t n = 0; n < list->count; n++) {
		char canonical[CP_IDENTITY_MAX];

		if (cp_identity(canonical, cp_slice_text(list->items[n])) != 0)
			conf_error(k->errors, k->path, list->lines[n],
				   "'%s' is no sip:, sips: or global tel: URI", list->items[n]);
	}
}

static void
put_people(struct cp_config_conference *e, const struct conf_strings *list, enum cp_conf_role role)
{
	for (size_t n = 0; n < list->count; n++)
		e->people[e->people_count++] =
			(struct cp_conf_person){.uri = list->items[n], .role = role};
}

static void
make_floors(const struct check *k, struct cp_config_conference *e, int line)
{
	struct cp_conf_floor floor;
	char why[CP_CONF_REASON_MAX];

	e->floors.count = 0;
	for (size_t i = 0; i < e->floor_texts.count; i++)
		if (cp_conf_floor_parse(&floor, cp_slice_text(e->floor_texts.items[i]), why,
					sizeof(why)) < 0 ||
		    cp_conf_floors_add(&e->floors, &floor, why, sizeof(why)) < 0)
			conf_error(k->errors, k->path, line, "conference '%s': 'floors': %s", e->id,
				   why);
}

static void
make_time(const struct check *k, int64_t *out_ms, const char *text, int line)
{
	*out_ms = 0;
	if (text && cp_time_parse(out_ms, text) != 0)
		conf_error(k->errors, k->path, line,
			   "'%s' is no time; write for example 2027-03-01T09:00:00Z", text);
}

/* What the focus would say of it; and those with a role as the focus wants them. */
static void
check_settings(const struct check *k, struct cp_config_conference *e, int line)
{
	struct cp_conf_settings settings;
	char why[CP_CONF_REASON_MAX];

	free(e->people);
	e->people_count = 0;
	e->people = calloc(e->moderators.count + e->listeners.count + 1, sizeof(*e->people));
	if (e->people) {
		put_people(e, &e->moderators, CP_ROLE_MODERATOR);
		put_people(e, &e->listeners, CP_ROLE_LISTENER);
	}
	make_floors(k, e, line);
	make_time(k, &e->start_ms, e->start_at, line);
	make_time(k, &e->end_ms, e->end_at, line);
	settings = cp_config_settings(e);
	if (cp_conf_check(&settings, CP_CONF_SET_ALL, why, sizeof(why)) != 0)
		conf_error(k->errors, k->path, line, "conference '%s': %s", e->id, why);
}

static void
check_conferences(const struct check *k)
{
	const struct conf_objects *all = &k->config->conferences;
	struct cp_config_conference *entries = all->items;

	for (size_t i = 0; i < all->count; i++) {
		struct cp_config_conference *e = &entries[i];

		if (!e->id)
			continue;
		for (size_t n = 0; n < i; n++)
			if (entries[n].id && strcmp(entries[n].id, e->id) == 0)
				conf_error(k->errors, k->path, all->lines[i],
					   "conference '%s' stands on line %d already", e->id,
					   all->lines[n]);
		if (e->security == CP_CONF_MIKEY && k->config->mikey.kms.count == 0)
			conf_error(k->errors, k->path, all->lines[i],
				   "conference '%s' wants MIKEY-TICKET, which needs a KMS; set "
				   "'mikey.kms'",
				   e->id);
		if (strlen(e->id) >= CP_CONF_USER_MAX)
			conf_error(k->errors, k->path, all->lines[i],
				   "'%s' is longer than %d octets", e->id, CP_CONF_USER_MAX - 1);
		check_people(k, &e->authorised);
		check_people(k, &e->moderators);
		check_people(k, &e->listeners);
		check_settings(k, e, all->lines[i]);
		if (e->authorised.count && e->identity == CP_CONFIG_IDENTITY_NONE)
			conf_error(k->errors, k->path, all->lines[i],
				   "conference '%s' has a list 'authorised' but believes any From; "
				   "set 'identity: required'",
				   e->id);
		if (e->authorised.count && e->anonymous)
			conf_error(k->errors, k->path, all->lines[i],
				   "conference '%s' has a list 'authorised' and lets anonymous in; "
				   "drop one of the two",
				   e->id);
	}
}

static const struct conf_section *
section_of(const struct cp_config *c, const char *name)
{
	const struct conf_section *section = c->sections;

	while (strcmp(section->name, name) != 0)
		section++;
	return section;
}

/* Subscribers hold documents against a schema, and open pages. */
static void
check_notify(const struct check *k)
{
	const struct cp_config_notify *n = &k->config->notify;

	if (n->host_page && strncasecmp(n->host_page, "http://", 7) != 0 &&
	    strncasecmp(n->host_page, "https://", 8) != 0)
		conf_error(k->errors, k->path, line_of(k, "notify", "host_page"),
			   "'notify.host_page' is no web page; write http://… or https://…");
	if (n->host_uri && !strchr(n->host_uri, ':'))
		conf_error(k->errors, k->path, line_of(k, "notify", "host_uri"),
			   "'notify.host_uri' is no URI; write sip:…, tel:… or mailto:…");
}

int
cp_config_load(struct cp_config *c, const char *path, struct conf_errors *errors)
{
	struct check check = {c, path ? path : "defaults", errors};
	int rc;

	cp_config_init(c);
	rc = conf_load(path, c->sections, errors);
	if (rc && rc != -EINVAL)
		return rc;
	if (check_sip(&check) != 0)
		return -ENOMEM;
	check_policy(&check);
	check_http(&check);
	check_notify(&check);
	cp_config_check_announcements(&c->announcements, section_of(c, "announcements"), check.path,
				      errors);
	cp_config_check_mikey(&c->mikey, section_of(c, "mikey"), check.path, errors);
	cp_config_check_streams(&c->streams, section_of(c, "streams"), check.path, errors);
	c->sdp_policy.may_mikey = c->mikey.kms.count > 0;
	settle_security(&check);
	check_conferences(&check);
	cp_config_check_factories(&c->factories, c->mikey.kms.count > 0, is_conference, c,
				  check.path, errors);
	if (conf_node_path(c->media_socket, sizeof(c->media_socket), &c->node, c->node.media_socket,
			   "media.sock") != 0 ||
	    conf_node_path(c->api_socket, sizeof(c->api_socket), &c->node, c->http.socket,
			   "api.sock") != 0)
		conf_error(errors, check.path, conf_line(&c->sections[0], "runtime_dir"),
			   "the path of a socket would be longer than 107 octets; choose a shorter "
			   "'node.runtime_dir'");
	if (c->call.busy_low >= c->call.busy_high)
		conf_error(errors, check.path, conf_line(section_of(c, "call"), "busy_low"),
			   "'call.busy_low' must be below 'call.busy_high'");
	make_sip_options(c);
	return errors->count ? -EINVAL : 0;
}

void
cp_config_free(struct cp_config *c)
{
	if (c->accounts)
		explicit_bzero(c->accounts, c->sip.accounts.count * sizeof(*c->accounts));
	for (size_t i = 0; i < c->conferences.count; i++)
		free(((struct cp_config_conference *)c->conferences.items)[i].people);
	cp_config_free_mikey(&c->mikey);
	free(c->accounts);
	free(c->account_uris);
	free(c->peers);
	conf_free(c->sections);
}

const struct cp_config_conference *
cp_config_conference(const struct cp_config *c, const char *user)
{
	const struct cp_config_conference *entries = c->conferences.items;

	for (size_t i = 0; i < c->conferences.count; i++)
		if (entries[i].id && strcmp(entries[i].id, user) == 0)
			return &entries[i];
	return NULL;
}

struct cp_conf_settings
cp_config_settings(const struct cp_config_conference *e)
{
	return (struct cp_conf_settings){
		.user = e->id,
		.title = e->title,
		.security = (enum cp_conf_security)e->security,
		.notify = (enum cp_conf_notify)e->notify,
		.is_open = e->authorised.count == 0,
		.believes_from = e->identity == CP_CONFIG_IDENTITY_NONE,
		.may_anonymous = e->anonymous,
		.mutes_on_entry = e->entry_muted,
		.mutes_on_hold = e->hold_muted,
		.size_max = (uint32_t)e->max_participants,
		.loudest_n = (uint16_t)e->loudest,
		.small_size = (uint16_t)e->small,
		.authorised = (const char *const *)e->authorised.items,
		.authorised_count = e->authorised.count,
		.people = e->people,
		.people_count = e->people_count,
		.subject = e->subject,
		.creator = e->creator,
		.pin = e->pin,
		.editors = (enum cp_conf_editors)e->editors,
		.has_lobby = e->lobby,
		.announces = e->announcements,
		.ends_with_creator = e->ends_with_creator,
		.ends_when_empty = e->ends_when_empty,
		.start_ms = e->start_ms,
		.end_ms = e->end_ms,
		.early_ms = e->early_ms,
		.has_chat = e->chat,
		.chat_history = (uint16_t)e->chat_history,
		.floors = e->floors,
	};
}
