/* HTTP requests to the KMS: each is told apart by its head, bodies in base64 with line breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include "ctrlplane/base/base64.h"
#include "ctrlplane/kms/body.h"
#include "ctrlplane/kms/setup/path.h"

#define POST(request, length, type, encoding)                              \
	{                                                                  \
		"POST", CP_KMS_PATH, request, length, NULL, type, encoding \
	}

static void
heads_are_judged(void **state)
{
	static const struct {
		struct cp_kms_head head;
		unsigned status;
		uint8_t expected;
		bool is_base64;
	} rows[] = {
		{POST("ticketrequest", "10", "application/mikey", NULL), 0,
		 CP_MIKEY_REQUEST_INIT_PSK, false},
		{POST("ticketresolve", "10", "Application/MIKEY; x=y", "binary"), 0,
		 CP_MIKEY_RESOLVE_INIT_PSK, false},
		{POST("ticketresolve", "20000", "application/mikey ;x", "BASE64"), 0,
		 CP_MIKEY_RESOLVE_INIT_PSK, true},
		{POST("ticketresolve", "16384", "application/mikey", NULL), 0,
		 CP_MIKEY_RESOLVE_INIT_PSK, false},
		{POST("ticketresolve", "16385", "application/mikey", NULL), 413, 0, false},
		{POST("ticketresolve", "99999", "application/mikey", "base64"), 413, 0, false},
		{POST("ticketresolve", "999999999999999999999", "application/mikey", NULL), 400, 0,
		 false},
		{POST("ticketresolve", "-1", "application/mikey", NULL), 400, 0, false},
		{POST("ticketresolve", "1 0", "application/mikey", NULL), 400, 0, false},
		{POST("ticketresolve", NULL, "application/mikey", NULL), 411, 0, false},
		{POST("ticketresolve", "10", "application/mikeys", NULL), 415, 0, false},
		{POST("ticketresolve", "10", NULL, NULL), 415, 0, false},
		{POST("ticketresolve", "10", "application/mikey", "gzip"), 415, 0, false},
		{POST("ticket", "10", "application/mikey", NULL), 404, 0, false},
		{POST(NULL, "10", "application/mikey", NULL), 404, 0, false},
		{{"POST", CP_KMS_PATH, "ticketrequest", "10", "chunked", "application/mikey", NULL},
		 411,
		 0,
		 false},
		{{"GET", CP_KMS_PATH, "ticketrequest", NULL, NULL, NULL, NULL}, 405, 0, false},
		{{"GET", "/", NULL, NULL, NULL, NULL, NULL}, 404, 0, false},
		{{"GET", CP_KMS_STATUS_PATH, NULL, NULL, NULL, NULL, NULL}, 200, 0, false},
		{{"HEAD", CP_KMS_STATUS_PATH, NULL, NULL, NULL, NULL, NULL}, 200, 0, false},
		{{"POST", CP_KMS_STATUS_PATH, NULL, "0", NULL, NULL, NULL}, 405, 0, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_kms_verdict v = cp_kms_judge(&rows[i].head);

		assert_int_equal(v.status, rows[i].status);
		if (v.status >= 400)
			assert_non_null(v.text);
		if (v.status == 405)
			assert_non_null(v.allow);
		if (v.status == 0) {
			assert_int_equal(v.expected, rows[i].expected);
			assert_int_equal(v.is_base64, rows[i].is_base64);
			assert_int_equal(v.length, atoi(rows[i].head.length));
		}
	}
}

static void
base64_bodies_are_read(void **state)
{
	static const struct {
		const char *text, *octets;
		int len;
	} rows[] = {
		{"AQID", "\1\2\3", 3},	 {"AQ\r\nID\r\n", "\1\2\3", 3},
		{" A Q=\t=\n", "\1", 1}, {"", "", 0},
		{"AQI", "\1\2", 2},	 {"AQ!D", "", -EINVAL},
		{"AQ==ID", "", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t body[64];

		memcpy(body, rows[i].text, strlen(rows[i].text));
		assert_int_equal(cp_kms_body_decode(body, strlen(rows[i].text)), rows[i].len);
		if (rows[i].len > 0)
			assert_memory_equal(body, rows[i].octets, rows[i].len);
	}
}

static void
the_longest_message_fits_in_lines_of_64(void **state)
{
	static uint8_t octets[CP_MIKEY_MSG_MAX], body[CP_KMS_BODY_MAX];
	static char text[CP_BASE64_LEN(CP_MIKEY_MSG_MAX) + 1];
	size_t len = 0;

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	cp_base64_encode(text, octets, sizeof(octets));
	for (size_t i = 0; text[i] != '\0'; i++) {
		body[len++] = (uint8_t)text[i];
		if (i % 64 == 63) {
			body[len++] = '\r';
			body[len++] = '\n';
		}
	}
	assert_true(len <= sizeof(body));
	assert_int_equal(cp_kms_body_decode(body, len), sizeof(octets));
	assert_memory_equal(body, octets, sizeof(octets));
	body[5] = '\0';
	assert_int_equal(cp_kms_body_decode(body, len), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_judged),
		cmocka_unit_test(base64_bodies_are_read),
		cmocka_unit_test(the_longest_message_fits_in_lines_of_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
