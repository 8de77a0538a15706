/*
 * TLS-PSK handshakes, both ends in one thread: ECDHE with X25519 in 1.3 and with the server's choice of group in 1.2. The time of the
 * server alone is an extra member.
 */
#include <stdio.h>
#include <string.h>

#include "bench/lib/bench.h"
#include "ctrlplane/tls/tls.h"

#define NAMES 64 /* handshakes of a round, each under a name of its own */

struct meeting {
	struct cp_tls_context *context;
	struct cp_secret *key;
	struct cp_tls *client[NAMES], *server[NAMES];
	char name[NAMES][16];
	enum cp_tls_version version;
	uint64_t server_ns, server_count;
};

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	struct meeting *m = arg;

	*out = (struct cp_tls_key){.psk = m->key, .owner = m};
	return 0;
}

static void
leave(void *arg)
{
	struct meeting *m = arg;

	for (unsigned i = 0; i < NAMES; i++) {
		cp_tls_destroy(m->client[i]);
		cp_tls_destroy(m->server[i]);
		m->client[i] = m->server[i] = NULL;
	}
}

static bool
carry(struct cp_tls *to, struct cp_tls *from)
{
	struct cp_slice out = cp_tls_output(from);
	size_t taken;

	if (out.len > 0)
		cp_tls_feed(&taken, to, (const uint8_t *)out.ptr, out.len);
	cp_tls_sent(from, out.len);
	return out.len > 0;
}

static void
meet_all(void *arg)
{
	struct meeting *m = arg;

	for (unsigned i = 0; i < NAMES; i++) {
		const struct cp_tls_params client = {.role = CP_TLS_CLIENT,
						     .version = m->version,
						     .identity = m->name[i],
						     .psk = m->key},
					   server = {.role = CP_TLS_SERVER, .owner = m};
		uint64_t began;
		bool is_moving = cp_tls_create(&m->client[i], m->context, &client) == 0;

		began = bench_now_ns();
		is_moving &= cp_tls_create(&m->server[i], m->context, &server) == 0;
		m->server_ns += bench_now_ns() - began;
		while (is_moving) {
			began = bench_now_ns();
			is_moving = carry(m->server[i], m->client[i]);
			m->server_ns += bench_now_ns() - began;
			is_moving |= carry(m->client[i], m->server[i]);
		}
	}
	m->server_count += NAMES;
}

/* Each end is open, by the suite that is meant, and what one says the other hears. */
static bool
is_met(const struct meeting *m, const char *suite)
{
	for (unsigned i = 0; i < NAMES; i++) {
		uint8_t room[16];
		size_t len;

		if (!m->client[i] || !m->server[i] || cp_tls_state(m->server[i]) != CP_TLS_OPEN ||
		    strcmp(cp_tls_identity(m->server[i]), m->name[i]) != 0 ||
		    strcmp(cp_tls_suite(m->server[i]), suite) != 0 ||
		    cp_tls_write(&len, m->client[i], (const uint8_t *)m->name[i], 10) != 0 ||
		    !carry(m->server[i], m->client[i]) ||
		    cp_tls_read(&len, m->server[i], room, sizeof(room)) != 0 || len != 10 ||
		    memcmp(room, m->name[i], 10) != 0)
			return false;
	}
	return true;
}

static int
run(const struct bench_case *row, struct bench_result *out)
{
	bool is_1_3 = row->arg != NULL;
	static struct meeting m;
	struct bench_plan plan = {.round = meet_all, .prepare = leave, .arg = &m, .items = NAMES};
	struct bench_timing t;
	int rc;

	memset(&m, 0, sizeof(m));
	m.version = is_1_3 ? CP_TLS_1_3 : CP_TLS_1_2;
	for (unsigned i = 0; i < NAMES; i++)
		snprintf(m.name[i], sizeof(m.name[i]), "%08x-1", i);
	rc = cp_secret_create_random(&m.key, 32);
	if (rc == 0)
		rc = cp_tls_context_create(&m.context, find, &m);
	if (rc == 0)
		rc = bench_time(&t, &plan);
	if (rc == 0) {
		bench_result_set(out, &t);
		out->is_verified = is_met(&m, is_1_3 ? "TLS_AES_128_GCM_SHA256"
						     : "ECDHE-PSK-AES128-CBC-SHA256");
		bench_extra_number(out, "both_ends_per_second", 1e9 / t.p50);
		bench_extra_number(out, "server_per_second",
				   1e9 * (double)m.server_count / (double)m.server_ns);
	}
	leave(&m);
	cp_tls_context_put(m.context);
	cp_secret_put(m.key);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{.name = "tls.psk.handshakes.tls13",
		 .unit = "ns/handshake",
		 .run = run,
		 .arg = "1.3"},
		{.name = "tls.psk.handshakes.tls12", .unit = "ns/handshake", .run = run},
	};

	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
