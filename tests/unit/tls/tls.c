/*
 * TLS with pre-shared keys between both ends of ours: both versions and every suite, then every refusal: other keys and names, names
 * in use, other versions, no TLS at all, streams cut or changed at any octet, time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/tls/tls_state.h"

#define NAME "cd177e50-1"
#define OTHER "cd177e50-2"
#define FLIGHTS 2000 /* octets: no handshake has as many on one way */

static struct cp_secret *key, *wrong;
static int alice, bob; /* owners */

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	if (strcmp(identity, NAME) != 0 && strcmp(identity, OTHER) != 0)
		return -ENOENT;
	*out = (struct cp_tls_key){.psk = key, .owner = strcmp(identity, NAME) ? &bob : &alice};
	return 0;
}

/* Two ends; what goes from the client (way 0) or the server (way 1) may be changed or cut at an octet. */
struct pair {
	struct cp_tls_context *context;
	struct cp_tls *end[2];
	int way;	 /* that is tampered with */
	size_t at, sent; /* on that way */
	uint8_t flip;
	bool is_cut;
};

static void
pair_open(struct pair *p, struct cp_tls_params client, struct cp_tls_params server)
{
	client.role = CP_TLS_CLIENT;
	server.role = CP_TLS_SERVER;
	if (!client.identity)
		client.identity = NAME;
	if (!client.psk)
		client.psk = key;
	if (!p->context)
		assert_int_equal(cp_tls_context_create(&p->context, find, NULL), 0);
	assert_int_equal(cp_tls_create(&p->end[0], p->context, &client), 0);
	assert_int_equal(cp_tls_create(&p->end[1], p->context, &server), 0);
}

static void
pair_close(struct pair *p)
{
	cp_tls_destroy(p->end[0]);
	cp_tls_destroy(p->end[1]);
	cp_tls_context_put(p->context);
	memset(p, 0, sizeof(*p));
}

static bool
carry(struct pair *p, int way)
{
	struct cp_slice out = cp_tls_output(p->end[way]);
	uint8_t octets[CP_TLS_QUEUE_MAX];
	size_t len = out.len < sizeof(octets) ? out.len : sizeof(octets), taken = 0;

	if (len > 0)
		memcpy(octets, out.ptr, len);
	if (way == p->way && p->flip && p->at >= p->sent && p->at < p->sent + len)
		octets[p->at - p->sent] ^= p->flip;
	if (way == p->way && p->is_cut && len > p->at - p->sent)
		len = p->at - p->sent;
	if (cp_tls_feed(&taken, p->end[!way], octets, len) < 0)
		taken = len;
	if (way == p->way)
		p->sent += taken;
	cp_tls_sent(p->end[way], taken);
	return taken > 0;
}

static void
pump(struct pair *p)
{
	while (carry(p, 0) | carry(p, 1))
		;
}

static bool
is_open(const struct pair *p)
{
	return cp_tls_state(p->end[0]) == CP_TLS_OPEN && cp_tls_state(p->end[1]) == CP_TLS_OPEN;
}

static void
say(struct pair *p, int way, const char *text)
{
	uint8_t room[64];
	size_t len;

	assert_int_equal(cp_tls_write(&len, p->end[way], (const uint8_t *)text, strlen(text)), 0);
	pump(p);
	assert_int_equal(cp_tls_read(&len, p->end[!way], room, sizeof(room)), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(room, text, len);
	assert_int_equal(cp_tls_read(&len, p->end[!way], room, sizeof(room)), -EAGAIN);
}

static void
test_suites(void **state)
{
	static const struct {
		enum cp_tls_version version;
		const char *only, *suite;
	} rows[] = {
		{CP_TLS_BOTH, NULL, "TLS_AES_128_GCM_SHA256"},
		{CP_TLS_1_3, NULL, "TLS_AES_128_GCM_SHA256"},
		{CP_TLS_1_2, NULL, "ECDHE-PSK-AES128-CBC-SHA256"},
		{CP_TLS_1_2, "DHE-PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-GCM-SHA256"},
		{CP_TLS_1_2, "PSK-AES128-GCM-SHA256", "PSK-AES128-GCM-SHA256"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair p = {0};

		pair_open(&p, (struct cp_tls_params){.version = CP_TLS_BOTH},
			  (struct cp_tls_params){.version = rows[i].version, .owner = &alice});
		if (rows[i].only) {
			/* the server has the last word, so that it has to know one only */
			assert_int_equal(SSL_set_cipher_list(p.end[1]->ssl, rows[i].only), 1);
		}
		assert_string_equal(cp_tls_identity(p.end[1]), "");
		assert_null(cp_tls_owner(p.end[1]));
		pump(&p);
		assert_true(is_open(&p));
		for (int end = 0; end < 2; end++) {
			assert_string_equal(cp_tls_suite(p.end[end]), rows[i].suite);
			assert_string_equal(cp_tls_version_text(p.end[end]),
					    rows[i].version == CP_TLS_1_2 ? "TLSv1.2" : "TLSv1.3");
			assert_string_equal(cp_tls_identity(p.end[end]), NAME);
			assert_string_equal(cp_tls_reason(p.end[end]), "");
			assert_null(p.end[end]->psk);
		}
		assert_ptr_equal(cp_tls_owner(p.end[1]), &alice);
		say(&p, 0, "hello");
		say(&p, 1, "good day");
		pair_close(&p);
	}
}

/* Neither tickets nor session identifiers that could be resumed. */
static void
test_no_resumption(void **state)
{
	for (int version = CP_TLS_1_2; version <= CP_TLS_1_3; version++) {
		struct pair p = {0};
		SSL_SESSION *session;

		pair_open(&p, (struct cp_tls_params){.version = version},
			  (struct cp_tls_params){0});
		pump(&p);
		say(&p, 1, "x");
		session = SSL_get1_session(p.end[0]->ssl);
		assert_false(SSL_SESSION_has_ticket(session));
		if (version == CP_TLS_1_2)
			assert_false(SSL_SESSION_is_resumable(session));
		assert_int_not_equal(SSL_renegotiate(p.end[1]->ssl) == 1 &&
					     SSL_do_handshake(p.end[1]->ssl) == 1,
				     1);
		SSL_SESSION_free(session);
		pair_close(&p);
	}
}

/* What the client sees of a refusal. */
static void
refused(char *seen, const char *identity, struct cp_secret *psk, const void *owner, int version,
	const char *reason)
{
	struct pair p = {0};

	pair_open(&p, (struct cp_tls_params){.identity = identity, .psk = psk, .version = version},
		  (struct cp_tls_params){.owner = owner});
	pump(&p);
	assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_FAILED);
	assert_int_equal(cp_tls_state(p.end[0]), CP_TLS_FAILED);
	assert_string_equal(cp_tls_reason(p.end[1]), reason);
	assert_string_equal(cp_tls_identity(p.end[1]), "");
	assert_null(cp_tls_owner(p.end[1]));
	snprintf(seen, CP_TLS_WHY, "%s", cp_tls_reason(p.end[0]));
	pair_close(&p);
}

static void
test_refusals_look_the_same(void **state)
{
	char seen[4][CP_TLS_WHY], longest[CP_TLS_IDENTITY_MAX + 1];

	memset(longest, 'x', CP_TLS_IDENTITY_MAX);
	longest[CP_TLS_IDENTITY_MAX] = '\0';
	for (int version = CP_TLS_1_2; version <= CP_TLS_1_3; version++) {
		refused(seen[0], NAME, wrong, &alice, version,
			version == CP_TLS_1_3 ? "wrong PSK" : "wrong key, or octets were changed");
		refused(seen[1], "cd177e50-9", wrong, &alice, version, "no such PSK identity");
		refused(seen[2], OTHER, key, &alice, version,
			"the PSK identity is somebody else's");
		refused(seen[3], longest, key, &alice, version, "no such PSK identity");
		assert_int_equal(strncmp(seen[0], "the peer's alert: ", 18), 0);
		for (int i = 1; i < 4; i++)
			assert_string_equal(seen[i], seen[0]);
	}
}

static void
test_identity_once_at_a_time(void **state)
{
	for (int version = CP_TLS_1_2; version <= CP_TLS_1_3; version++) {
		struct pair first = {0}, second = {0};
		struct cp_tls_params client = {.version = version}, server = {0};

		pair_open(&first, client, server);
		pump(&first);
		assert_true(is_open(&first));
		/* the same context, while the first is there */
		second.context = first.context;
		first.context->holders++;
		pair_open(&second, client, server);
		pump(&second);
		assert_string_equal(cp_tls_reason(second.end[1]), "the PSK identity is in use");
		assert_int_equal(cp_tls_state(second.end[0]), CP_TLS_FAILED);
		say(&first, 0, "still here");
		pair_close(&second);
		/* it is free again when the first one goes, also by failing */
		cp_tls_feed_end(first.end[1]);
		assert_int_equal(cp_tls_state(first.end[1]), CP_TLS_FAILED);
		second.context = first.context;
		first.context->holders++;
		pair_open(&second, client, server);
		pump(&second);
		assert_true(is_open(&second));
		pair_close(&second);
		pair_close(&first);
	}
}

/* Half-open connections hold no name; of two beside each other the first to end has it. */
static void
test_identity_race(void **state)
{
	for (int version = CP_TLS_1_2; version <= CP_TLS_1_3; version++) {
		struct pair first = {0}, second = {0};
		struct cp_tls_params client = {.version = version}, server = {0};

		pair_open(&first, client, server);
		second.context = first.context;
		first.context->holders++;
		pair_open(&second, client, server);
		carry(&first, 0);
		carry(&second, 0);
		carry(&first, 1);
		carry(&second, 1);
		assert_int_equal(cp_tls_state(first.end[1]), CP_TLS_HANDSHAKE);
		pump(&second);
		assert_true(is_open(&second));
		pump(&first);
		assert_int_equal(cp_tls_state(first.end[1]), CP_TLS_FAILED);
		assert_string_equal(cp_tls_reason(first.end[1]), "the PSK identity is in use");
		say(&second, 1, "mine");
		pair_close(&first);
		say(&second, 1, "still mine");
		pair_close(&second);
	}
}

static void
test_cut_anywhere(void **state)
{
	for (int version = CP_TLS_1_2; version <= CP_TLS_1_3; version++)
		for (int way = 0; way < 2; way++)
			for (size_t at = 0; at < FLIGHTS; at++) {
				struct pair p = {.way = way, .is_cut = true, .at = at};
				bool is_done;

				pair_open(&p, (struct cp_tls_params){.version = version},
					  (struct cp_tls_params){0});
				pump(&p);
				is_done = is_open(&p);
				assert_true(is_done ||
					    cp_tls_state(p.end[!way]) == CP_TLS_HANDSHAKE);
				cp_tls_feed_end(p.end[!way]);
				assert_int_equal(cp_tls_state(p.end[!way]), CP_TLS_FAILED);
				assert_string_equal(
					cp_tls_reason(p.end[!way]),
					is_done ? "the connection ended without close-notify"
						: "the connection ended within the handshake");
				pair_close(&p);
				if (is_done)
					break;
			}
}

/* An octet changed on the way: never both ends open on different words, never a crash. */
static void
test_flipped_anywhere(void **state)
{
	unsigned opened = 0, tried = 0;

	for (int version = CP_TLS_1_2; version <= CP_TLS_1_3; version++)
		for (int way = 0; way < 2; way++)
			for (size_t at = 0; at < FLIGHTS; at++) {
				struct pair p = {
					.way = way, .flip = (uint8_t)(1 << at % 8), .at = at};
				bool is_past;

				pair_open(&p, (struct cp_tls_params){.version = version},
					  (struct cp_tls_params){0});
				pump(&p);
				is_past = p.sent <= at && is_open(&p);
				if (!is_past) {
					tried++;
					opened += is_open(&p);
					cp_tls_feed_end(p.end[0]);
					cp_tls_feed_end(p.end[1]);
				}
				pair_close(&p);
				if (is_past)
					break;
			}
	assert_true(tried > 800);
	/* the minor version of a record's header is not looked at in the first flight: RFC 8446 5.1 */
	assert_true(opened <= 16);
}

static void
feed_all(struct cp_tls *server, const void *octets, size_t len)
{
	size_t taken;

	for (size_t at = 0; at < len; at++) {
		int rc = cp_tls_feed(&taken, server, (const uint8_t *)octets + at, 1);

		if (rc < 0)
			return;
		assert_int_equal(taken, 1);
	}
}

static void
test_no_tls(void **state)
{
	/* a ClientHello of TLS 1.1 with TLS_PSK_WITH_AES_128_CBC_SHA */
	uint8_t old[5 + 4 + 2 + 32 + 1 + 4 + 2] = {0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2};
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{"MSRP a786hjs2 SEND\r\nTo-Path: msrp://a.example:7654/x;tcp\r\n\r\n",
		 "not TLS, or of a version below 1.2"},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not TLS: an HTTP request"},
		{"\x20\x01\x00\x01\x00\x00\x00\x01\x00\x01\x00\x01\x06\x04\x00\x01", NULL},
	};
	struct pair p = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pair_open(&p, (struct cp_tls_params){0}, (struct cp_tls_params){0});
		feed_all(p.end[1], rows[i].text, i == 2 ? 16 : strlen(rows[i].text));
		assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_FAILED);
		if (rows[i].reason)
			assert_string_equal(cp_tls_reason(p.end[1]), rows[i].reason);
		pair_close(&p);
	}
	old[43 + 1] = 0;
	memcpy(&old[43], (uint8_t[]){0, 0, 2, 0x00, 0x8c, 1, 0}, 7);
	pair_open(&p, (struct cp_tls_params){0}, (struct cp_tls_params){0});
	feed_all(p.end[1], old, sizeof(old));
	assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_FAILED);
	assert_string_equal(cp_tls_reason(p.end[1]), "TLS of a version below 1.2");
	pair_close(&p);
}

static void
test_deadline(void **state)
{
	struct cp_tls_params params = {.deadline_ms = 1000};
	struct pair p = {0};

	pair_open(&p, params, params);
	assert_int_equal(cp_tls_deadline(p.end[1]), 1000);
	cp_tls_tick(p.end[1], 999);
	assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_HANDSHAKE);
	cp_tls_tick(p.end[1], 1000);
	assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_FAILED);
	assert_string_equal(cp_tls_reason(p.end[1]), "the handshake took too long");
	assert_int_equal(cp_tls_deadline(p.end[1]), 0);
	pair_close(&p);
	pair_open(&p, params, params);
	pump(&p);
	assert_int_equal(cp_tls_deadline(p.end[1]), 0);
	cp_tls_tick(p.end[1], 5000);
	assert_true(is_open(&p));
	pair_close(&p);
}

static void
test_close(void **state)
{
	uint8_t room[16];
	size_t len;
	struct pair p = {0};

	pair_open(&p, (struct cp_tls_params){0}, (struct cp_tls_params){0});
	assert_int_equal(cp_tls_read(&len, p.end[1], room, sizeof(room)), -EAGAIN);
	assert_int_equal(cp_tls_write(&len, p.end[1], room, 1), -EAGAIN);
	pump(&p);
	assert_int_equal(cp_tls_write(&len, p.end[0], (const uint8_t *)"last", 4), 0);
	cp_tls_close(p.end[0]);
	assert_int_equal(cp_tls_write(&len, p.end[0], room, 1), -EPIPE);
	pump(&p);
	assert_int_equal(cp_tls_read(&len, p.end[1], room, sizeof(room)), 0);
	assert_int_equal(len, 4);
	/* the other half is open */
	say(&p, 1, "one more");
	assert_int_equal(cp_tls_read(&len, p.end[1], room, sizeof(room)), -EPIPE);
	assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_CLOSED);
	cp_tls_feed_end(p.end[1]);
	assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_CLOSED);
	pair_close(&p);

	/* a close-notify that was not read yet */
	pair_open(&p, (struct cp_tls_params){0}, (struct cp_tls_params){0});
	pump(&p);
	cp_tls_close(p.end[0]);
	pump(&p);
	cp_tls_feed_end(p.end[1]);
	assert_int_equal(cp_tls_state(p.end[1]), CP_TLS_CLOSED);
	pair_close(&p);

	pair_open(&p, (struct cp_tls_params){0}, (struct cp_tls_params){0});
	cp_tls_close(p.end[1]);
	assert_string_equal(cp_tls_reason(p.end[1]), "given up within the handshake");
	assert_int_equal(cp_tls_feed(&len, p.end[1], room, 1), -EPROTO);
	pair_close(&p);
}

/* 4 MB through a narrow place, the reader slower than the writer; nothing waits beyond the bound. */
static void
test_back_pressure(void **state)
{
	static uint8_t big[30000];
	size_t sent = 0, got = 0, len;
	struct pair p = {0};

	pair_open(&p, (struct cp_tls_params){0}, (struct cp_tls_params){0});
	pump(&p);
	while (got < (4u << 20)) {
		uint8_t room[5000];

		for (size_t i = 0; i < sizeof(big); i++)
			big[i] = (uint8_t)((sent + i) * 31 >> 3);
		if (cp_tls_write(&len, p.end[0], big, sizeof(big)) == 0)
			sent += len;
		assert_true(cp_tls_output(p.end[0]).len < 2 * CP_TLS_QUEUE_MAX);
		carry(&p, 0);
		assert_true(BIO_ctrl_pending(p.end[1]->in) <= CP_TLS_QUEUE_MAX);
		if (cp_tls_read(&len, p.end[1], room, sizeof(room)) == 0) {
			for (size_t i = 0; i < len; i++)
				assert_int_equal(room[i], (uint8_t)((got + i) * 31 >> 3));
			got += len;
		}
	}
	assert_true(sent > got);
	pair_close(&p);
}

static void
test_params(void **state)
{
	static const struct cp_tls_params rows[] = {
		{.role = CP_TLS_CLIENT, .identity = NAME},
		{.role = CP_TLS_CLIENT},
		{.role = CP_TLS_SERVER, .mode = CP_TLS_PSK},
	};
	struct cp_tls_context *c;
	struct cp_tls *tls;

	char name[CP_TLS_IDENTITY_MAX + 2];
	struct cp_tls_params too_long = {.role = CP_TLS_CLIENT, .identity = name, .psk = key};

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(cp_tls_context_create(&c, NULL, NULL), 0);
	assert_int_equal(cp_tls_create(&tls, c, &too_long), -EINVAL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(cp_tls_create(&tls, c, &rows[i]), -EINVAL);
	cp_tls_context_put(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suites),
		cmocka_unit_test(test_no_resumption),
		cmocka_unit_test(test_refusals_look_the_same),
		cmocka_unit_test(test_identity_once_at_a_time),
		cmocka_unit_test(test_identity_race),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_flipped_anywhere),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_params),
	};
	int failed;

	if (cp_secret_create_random(&key, 32) != 0 || cp_secret_create_random(&wrong, 32) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	cp_secret_put(key);
	cp_secret_put(wrong);
	return failed != 0 || cp_secret_count() != 0;
}
