/* Payloads of every type, recognised and skipped or cut anywhere and refused; and the bounds of what is read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/msg.h"
#include "ctrlplane/mikey/ticket.h"
#include "ctrlplane/mikey/write.h"

static uint8_t octets[CP_MIKEY_MSG_MAX + 64];
static struct cp_mikey_msg msg;

/* A header with an empty map and the type of what follows. */
static size_t
put_header(uint8_t next)
{
	static const uint8_t header[10] = {1, 14, 0, 1, 0xca, 0xfe, 0xba, 0xbe, 0, 1};

	memcpy(octets, header, sizeof(header));
	octets[2] = next;
	return sizeof(header);
}

/* Bodies without their Next Payload octet; zeros up to len. */
static const struct {
	const char *name;
	uint8_t type;
	size_t len; /* of all of it */
	uint8_t head[8];
} rows[] = {
	{"KEMAC with MAC NULL", CP_MIKEY_PAYLOAD_KEMAC, 10, {1, 0, 5}},
	{"KEMAC with HMAC-SHA-1-160", CP_MIKEY_PAYLOAD_KEMAC, 25, {1, 0, 0, 1}},
	{"KEMAC with HMAC-SHA-256-256", CP_MIKEY_PAYLOAD_KEMAC, 37, {3, 0, 0, 2}},
	{"PKE", CP_MIKEY_PAYLOAD_PKE, 3 + 128, {0x40 | 128 >> 8, 128}},
	{"T, NTP-UTC", CP_MIKEY_PAYLOAD_T, 10, {0}},
	{"T, NTP", CP_MIKEY_PAYLOAD_T, 10, {1}},
	{"T, COUNTER", CP_MIKEY_PAYLOAD_T, 6, {2}},
	{"T, NTP-UTC-32", CP_MIKEY_PAYLOAD_T, 6, {3}},
	{"ID", CP_MIKEY_PAYLOAD_ID, 4 + 9, {1, 0, 9}},
	{"CERT", CP_MIKEY_PAYLOAD_CERT, 4 + 300, {2, 300 >> 8, 300 & 255}},
	{"CHASH, SHA-1", CP_MIKEY_PAYLOAD_CHASH, 22, {0}},
	{"CHASH, MD5", CP_MIKEY_PAYLOAD_CHASH, 18, {1}},
	{"V, NULL", CP_MIKEY_PAYLOAD_V, 2, {0}},
	{"V, HMAC-SHA-1-160", CP_MIKEY_PAYLOAD_V, 22, {1}},
	{"V, HMAC-SHA-256-256", CP_MIKEY_PAYLOAD_V, 34, {2}},
	{"SP", CP_MIKEY_PAYLOAD_SP, 5 + 6, {7, 0, 0, 6}},
	{"RAND", CP_MIKEY_PAYLOAD_RAND, 2 + 16, {16}},
	{"ERR", CP_MIKEY_PAYLOAD_ERR, 4, {7}},
	{"TR", CP_MIKEY_PAYLOAD_TR, 7, {2, 3}},
	{"IDR", CP_MIKEY_PAYLOAD_IDR, 5 + 4, {1, 1, 0, 4}},
	{"RANDR", CP_MIKEY_PAYLOAD_RANDR, 3 + 32, {1, 32}},
	{"TP", CP_MIKEY_PAYLOAD_TP, 10 + 1, {0, 1, 1, 1, 1, 0, 0}},
	{"General Extension", CP_MIKEY_PAYLOAD_GENEXT, 4 + 5, {1, 0, 5}},
};

/* One row behind the header, then V as the last one. Octets in all. */
static size_t
put_row(size_t i)
{
	size_t at = put_header(rows[i].type);

	memset(octets + at, 0, rows[i].len + 2);
	octets[at] = CP_MIKEY_PAYLOAD_V;
	memcpy(octets + at + 1, rows[i].head,
	       rows[i].len - 1 < sizeof(rows[i].head) ? rows[i].len - 1 : sizeof(rows[i].head));
	if (rows[i].type == CP_MIKEY_PAYLOAD_TP)
		octets[at + 9] = 1; /* length of its data: First Payload */
	return at + rows[i].len + 2;
}

static void
test_every_type(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = put_row(i);
		uint8_t *cut;

		if (cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, len)) != 0 ||
		    msg.payloads.count != 2 || msg.payloads.at[0].type != rows[i].type ||
		    msg.payloads.at[0].whole.len != rows[i].len ||
		    msg.payloads.at[1].type != CP_MIKEY_PAYLOAD_V)
			fail_msg("%s", rows[i].name);
		for (size_t short_of = 0; short_of < len; short_of++) {
			/* In room of its own, so that a sanitizer sees a read past its end. */
			cut = malloc(short_of ? short_of : 1);
			memcpy(cut, octets, short_of);
			if (cp_mikey_msg_decode(&msg, cp_mikey_octets(cut, short_of)) == 0)
				fail_msg("%s cut to %zu", rows[i].name, short_of);
			free(cut);
		}
		octets[len] = 0; /* and one too many */
		if (cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, len + 1)) == 0)
			fail_msg("%s and an octet", rows[i].name);
	}
}

/* SIGN has no Next Payload: it ends a message. */
static void
test_sign_ends(void **state)
{
	size_t at = put_header(CP_MIKEY_PAYLOAD_SIGN);

	memset(octets + at, 0, 2 + 256);
	octets[at] = 0x10 | 256 >> 8; /* type 1, 256 octets */
	assert_int_equal(cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, at + 2 + 256)), 0);
	assert_int_equal(msg.payloads.count, 1);
	assert_int_equal(msg.payloads.at[0].whole.len, 2 + 256);
	for (size_t len = 0; len < at + 2 + 256; len++)
		assert_true(cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, len)) < 0);
	assert_true(cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, at + 2 + 257)) < 0);
}

static void
test_unknown_types(void **state)
{
	for (unsigned type = 1; type < 256; type++) {
		bool is_known = type == CP_MIKEY_PAYLOAD_SIGN || type == CP_MIKEY_PAYLOAD_TICKET ||
				type == CP_MIKEY_PAYLOAD_KEY_DATA;
		size_t at = put_header((uint8_t)type);

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			is_known |= rows[i].type == type;
		memset(octets + at, 0, 64);
		if (!is_known)
			assert_int_equal(
				cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, at + 64)),
				-EPROTO);
	}
}

/* Bounds of codes.h: as much is read, one more is refused. */
static void
test_bounds(void **state)
{
	static const size_t counts[] = {CP_MIKEY_PAYLOADS_MAX, CP_MIKEY_PAYLOADS_MAX + 1};
	struct cp_mikey_writer w;
	size_t at;

	for (int more = 0; more < 2; more++) {
		at = put_header(CP_MIKEY_PAYLOAD_ERR);
		for (size_t i = 0; i < counts[more]; i++, at += 4) {
			memset(octets + at, 0, 4);
			octets[at] = i + 1 < counts[more] ? CP_MIKEY_PAYLOAD_ERR : 0;
		}
		assert_int_equal(cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, at)) == 0,
				 !more);
	}
	for (int more = 0; more < 2; more++) {
		static struct cp_mikey_msg hdr;

		memset(&hdr, 0, sizeof(hdr));
		hdr.map_type = CP_MIKEY_MAP_GENERIC_ID;
		hdr.cs_count = CP_MIKEY_CS_MAX;
		for (size_t i = 0; i < CP_MIKEY_CS_MAX; i++)
			hdr.cs[i] = (struct cp_mikey_cs){.id = (uint8_t)(i + 1)};
		w = cp_mikey_writer(octets, sizeof(octets));
		cp_mikey_put_hdr(&w, &hdr);
		memset(octets + w.len, 0, 6);
		octets[8] = (uint8_t)(octets[8] + more);
		assert_int_equal(
			cp_mikey_msg_decode(&msg,
					    cp_mikey_octets(octets, w.len + (more ? 6 : 0))) == 0,
			!more);
	}
	/* A message of the greatest length, filled by a CERT; one octet more is no message. */
	at = put_header(CP_MIKEY_PAYLOAD_CERT);
	memset(octets + at, 0, sizeof(octets) - at);
	octets[at + 2] = (uint8_t)((CP_MIKEY_MSG_MAX - at - 4) >> 8);
	octets[at + 3] = (uint8_t)(CP_MIKEY_MSG_MAX - at - 4);
	assert_int_equal(cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, CP_MIKEY_MSG_MAX)), 0);
	octets[at + 3]++;
	assert_true(cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, CP_MIKEY_MSG_MAX + 1)) < 0);
}

/* A map's block: policies and SPI at their bounds, and past them. */
static void
test_map_bounds(void **state)
{
	for (unsigned policies = 0; policies <= CP_MIKEY_POLICIES_MAX + 1; policies++)
		for (unsigned spi = CP_MIKEY_SPI_MAX - 1; spi <= CP_MIKEY_SPI_MAX + 1; spi++) {
			size_t at = put_header(0);

			octets[8] = 1;
			octets[9] = CP_MIKEY_MAP_GENERIC_ID;
			memset(octets + at, 0, 64);
			octets[at] = 1;
			octets[at + 2] = (uint8_t)policies;
			octets[at + 3 + policies + 2] = (uint8_t)spi;
			at += 3 + policies + 2 + 1 + spi;
			assert_int_equal(
				cp_mikey_msg_decode(&msg, cp_mikey_octets(octets, at)) == 0,
				policies <= CP_MIKEY_POLICIES_MAX && spi <= CP_MIKEY_SPI_MAX);
			for (size_t len = 10; len < at; len++)
				assert_true(cp_mikey_msg_decode(&msg,
								cp_mikey_octets(octets, len)) < 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),    cmocka_unit_test(test_sign_ends),
		cmocka_unit_test(test_unknown_types), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_map_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
