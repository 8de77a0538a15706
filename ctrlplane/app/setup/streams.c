/* Options of section "streams", and what must fit together there. */
#include "ctrlplane/app/setup/streams.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ctrlplane/tls/tls.h"

#define OPTION(field) .offset = offsetof(struct cp_config_streams, field)

static const char *const failures[] = {"hang-up", "remove", NULL};

#define PORT(name, field, text)                                                           \
	{                                                                                 \
		.path = name, .kind = CONF_INT, OPTION(field), .fallback = "0", .min = 0, \
		.max = 65535, .help = text                                                \
	}

const struct conf_option cp_streams_options[] = {
	{.path = "listen",
	 .kind = CONF_STRINGS,
	 OPTION(listen),
	 .help = "IP addresses for floor control and chat, without port; empty: the hosts of "
		 "sip.listen"},
	PORT("floor.psk", floor_psk,
	     "TCP port of floor control in TLS with keys of MIKEY-TICKET; 0: any that is free, "
	     "which participants learn from SDP"),
	PORT("floor.certificate", floor_certificate,
	     "TCP port of floor control in TLS with certificates (SDES); 0: any"),
	PORT("floor.plain", floor_plain,
	     "TCP port of floor control without TLS, for conferences with security: none; 0: any"),
	PORT("chat.psk", chat_psk, "TCP port of chat in TLS with keys of MIKEY-TICKET; 0: any"),
	PORT("chat.certificate", chat_certificate,
	     "TCP port of chat in TLS with certificates; 0: any"),
	PORT("chat.plain", chat_plain, "TCP port of chat without TLS; 0: any"),
	{.path = "certificate",
	 .kind = CONF_STRING,
	 OPTION(certificate),
	 .help = "PEM file of our certificate and its chain, read again on SIGHUP; absent: one is "
		 "made at each start, as good as any where SDP says the fingerprint"},
	{.path = "key",
	 .kind = CONF_STRING,
	 OPTION(key),
	 .help = "PEM file of its private key, without passphrase"},
	{.path = "on_failure",
	 .kind = CONF_ENUM,
	 OPTION(on_failure),
	 .fallback = "hang-up",
	 .choices = failures,
	 .help = "what becomes of a call whose floor or chat stream cannot be had: hang-up, or "
		 "remove: the m-line is taken out by a re-INVITE"},
	{.path = "wait",
	 .kind = CONF_DURATION,
	 OPTION(wait_ms),
	 .fallback = "30s",
	 .min = 1000,
	 .max = 3600000,
	 .help = "how long a stream may take to be there, at first and after it broke, before "
		 "on_failure"},
	{.path = "connections_max",
	 .kind = CONF_INT,
	 OPTION(streams_max),
	 .fallback = "40000",
	 .min = 1,
	 .max = 1000000,
	 .help = "connections at a time"},
	{.path = "half_open_max",
	 .kind = CONF_INT,
	 OPTION(handshakes_max),
	 .fallback = "4096",
	 .min = 1,
	 .max = 100000,
	 .help = "of them, those that have not proven yet whose they are; beyond it the oldest go"},
	{.path = "half_open_per_source",
	 .kind = CONF_INT,
	 OPTION(per_source_max),
	 .fallback = "1024",
	 .min = 0,
	 .max = 100000,
	 .help = "of those, from one IPv4 address or one IPv6 /64; 0: no limit"},
	{.path = "handshake_time",
	 .kind = CONF_DURATION,
	 OPTION(handshake_ms),
	 .fallback = "10s",
	 .min = 500,
	 .max = 300000,
	 .help = "how long TCP and TLS may take to be up"},
	{.path = "identify_time",
	 .kind = CONF_DURATION,
	 OPTION(identify_ms),
	 .fallback = "10s",
	 .min = 500,
	 .max = 300000,
	 .help = "with certificates and without TLS: how long it may take after that to say whose "
		 "connection it is"},
	{.path = "stall_time",
	 .kind = CONF_DURATION,
	 OPTION(stall_ms),
	 .fallback = "60s",
	 .min = 1000,
	 .max = 3600000,
	 .help = "a peer that has taken nothing of what waits for so long is cut off"},
	{.path = "queue_max",
	 .kind = CONF_SIZE,
	 OPTION(send_max),
	 .fallback = "256K",
	 .min = 65536,
	 .max = 16777216,
	 .help = "octets that wait for one peer on its connection"},
	{.path = NULL},
};

bool
cp_config_streams_host(struct dp_addr *out, const char *text)
{
	bool is_bracketed = text[0] == '[';
	char host[INET6_ADDRSTRLEN + 2];
	size_t len = strlen(text);
	struct dp_addr addr = {0};

	if (len >= sizeof(host) || (is_bracketed && text[len - 1] != ']'))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)len - (is_bracketed ? 2 : 0),
		 text + (is_bracketed ? 1 : 0));
	addr.family = strchr(host, ':') ? DP_FAMILY_IP6 : DP_FAMILY_IP4;
	if (inet_pton(addr.family == DP_FAMILY_IP6 ? AF_INET6 : AF_INET, host, addr.ip) != 1)
		return false;
	*out = addr;
	return true;
}

static void
check_certificate(const struct cp_config_streams *s, const struct conf_section *section,
		  const char *path, struct conf_errors *errors)
{
	struct cp_tls_context *context;
	char why[CP_TLS_WHY];

	if (!s->certificate != !s->key) {
		conf_error(errors, path, conf_line(section, s->key ? "key" : "certificate"),
			   "'streams.certificate' and 'streams.key' go together; set both or none");
		return;
	}
	if (!s->certificate || cp_tls_context_create(&context, NULL, NULL) != 0)
		return;
	if (cp_tls_context_load(context, s->certificate, s->key, why) != 0)
		conf_error(errors, path, conf_line(section, "certificate"), "%s", why);
	cp_tls_context_put(context);
}

void
cp_config_check_streams(const struct cp_config_streams *s, const struct conf_section *section,
			const char *path, struct conf_errors *errors)
{
	const int64_t ports[] = {s->floor_psk, s->floor_certificate, s->floor_plain,
				 s->chat_psk,  s->chat_certificate,  s->chat_plain};
	const size_t count = sizeof(ports) / sizeof(ports[0]);
	struct dp_addr addr;

	for (size_t i = 0; i < s->listen.count; i++)
		if (!cp_config_streams_host(&addr, s->listen.items[i]))
			conf_error(errors, path, s->listen.lines[i],
				   "'%s' is no IP address; write for example 192.0.2.1 or "
				   "2001:db8::1, without a port",
				   s->listen.items[i]);
	for (size_t i = 0; i < count; i++)
		for (size_t n = 0; n < i; n++)
			if (ports[i] && ports[i] == ports[n])
				conf_error(errors, path, 0,
					   "'streams': port %d stands there twice; each kind of "
					   "connection has a port of its own",
					   (int)ports[i]);
	check_certificate(s, section, path, errors);
}
