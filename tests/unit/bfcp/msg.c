/* The codec of RFC 8855: octets by hand, round trips, truncation at every length, what is refused and how. */
#include "ctrlplane/bfcp/msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t wire[CP_BFCP_MAX];

static struct cp_slice
text(const char *t)
{
	return cp_slice_text(t);
}

/* FloorRequest for floor 543 by user 234 in conference 17, transaction 123, text "hi", priority 3: made by hand. */
static const uint8_t floor_request[] = {
	0x20, 1, 0,	 3,   0, 0, 0, 17, 0, 123, 0, 234, /* header: 3 words follow */
	0x04, 4, 2,	 31,				   /* FLOOR-ID */
	0x10, 4, 'h',	 'i', /* PARTICIPANT-PROVIDED-INFO, no padding */
	0x08, 4, 3 << 5, 0,   /* PRIORITY */
};

static void
test_by_hand(void **state)
{
	struct cp_bfcp_msg msg;
	ssize_t len;

	assert_int_equal(cp_bfcp_frame(floor_request, 3), 0);
	assert_int_equal(cp_bfcp_frame(floor_request, 4), sizeof(floor_request));
	assert_int_equal(cp_bfcp_decode(&msg, floor_request, sizeof(floor_request)), CP_BFCP_OK);
	assert_int_equal(msg.primitive, CP_BFCP_FLOOR_REQUEST);
	assert_int_equal(msg.conf, 17);
	assert_int_equal(msg.transaction, 123);
	assert_int_equal(msg.user, 234);
	assert_int_equal(msg.floor_count, 1);
	assert_int_equal(msg.floors[0], 543);
	assert_int_equal(msg.priority, 3);
	assert_true(cp_slice_is(msg.info, "hi"));
	len = cp_bfcp_encode(wire, sizeof(wire), &msg);
	assert_int_equal(len, sizeof(floor_request));
	assert_memory_equal(wire, floor_request, sizeof(floor_request));
}

static struct cp_bfcp_msg
rich_status(void)
{
	return (struct cp_bfcp_msg){
		.primitive = CP_BFCP_FLOOR_STATUS,
		.conf = 0xdeadbeef,
		.user = 7,
		.floor_count = 2,
		.floors = {1, 2},
		.priority = CP_BFCP_PRIORITY_NORMAL,
		.request_count = 2,
		.requests =
			{
				{.id = 9,
				 .has_overall = true,
				 .has_status = true,
				 .status = CP_BFCP_ACCEPTED,
				 .queue = 2,
				 .status_info = text("soon"),
				 .floor_count = 2,
				 .floors =
					 {{.floor = 1, .has_status = true, .status = 2, .queue = 2},
					  {.floor = 2, .info = text("x")}},
				 .beneficiary = {true, 7, text("Anna"),
						 text("sip:anna@example.net")},
				 .requested_by = {true, 8, text("Ben"),
						  text("sip:ben@example.net")},
				 .has_priority = true,
				 .priority = 4,
				 .info = text("a question")},
				{.id = 10, .floor_count = 1, .floors = {{.floor = 2}}},
			},
	};
}

static void
assert_same_user(const struct cp_bfcp_user *a, const struct cp_bfcp_user *b)
{
	assert_int_equal(a->is_there, b->is_there);
	assert_int_equal(a->id, b->id);
	assert_true(cp_slice_is_same(a->display, b->display));
	assert_true(cp_slice_is_same(a->uri, b->uri));
}

static void
assert_same_request(const struct cp_bfcp_request *a, const struct cp_bfcp_request *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->has_overall, b->has_overall);
	assert_int_equal(a->has_status, b->has_status);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->queue, b->queue);
	assert_true(cp_slice_is_same(a->status_info, b->status_info));
	assert_int_equal(a->floor_count, b->floor_count);
	for (size_t i = 0; i < a->floor_count; i++) {
		assert_int_equal(a->floors[i].floor, b->floors[i].floor);
		assert_int_equal(a->floors[i].has_status, b->floors[i].has_status);
		assert_int_equal(a->floors[i].status, b->floors[i].status);
		assert_int_equal(a->floors[i].queue, b->floors[i].queue);
		assert_true(cp_slice_is_same(a->floors[i].info, b->floors[i].info));
	}
	assert_same_user(&a->beneficiary, &b->beneficiary);
	assert_same_user(&a->requested_by, &b->requested_by);
	assert_int_equal(a->has_priority, b->has_priority);
	assert_int_equal(a->priority, b->priority);
	assert_true(cp_slice_is_same(a->info, b->info));
}

static void
assert_same(const struct cp_bfcp_msg *a, const struct cp_bfcp_msg *b)
{
	assert_int_equal(a->primitive, b->primitive);
	assert_int_equal(a->conf, b->conf);
	assert_int_equal(a->transaction, b->transaction);
	assert_int_equal(a->user, b->user);
	assert_int_equal(a->floor_count, b->floor_count);
	assert_memory_equal(a->floors, b->floors, sizeof(a->floors));
	assert_int_equal(a->has_beneficiary, b->has_beneficiary);
	assert_int_equal(a->beneficiary, b->beneficiary);
	assert_int_equal(a->has_request_id, b->has_request_id);
	assert_int_equal(a->request_id, b->request_id);
	assert_int_equal(a->priority, b->priority);
	assert_true(cp_slice_is_same(a->info, b->info));
	assert_same_user(&a->about, &b->about);
	assert_int_equal(a->request_count, b->request_count);
	for (size_t i = 0; i < a->request_count; i++)
		assert_same_request(&a->requests[i], &b->requests[i]);
	assert_int_equal(a->error, b->error);
	assert_true(cp_slice_is_same(a->error_details, b->error_details));
	assert_true(cp_slice_is_same(a->error_info, b->error_info));
	assert_true(cp_slice_is_same(a->attributes, b->attributes));
	assert_true(cp_slice_is_same(a->primitives, b->primitives));
}

/* One of each primitive. */
static void
test_round_trips(void **state)
{
	struct cp_bfcp_msg rich = rich_status();
	struct cp_bfcp_msg rows[] = {
		{.primitive = CP_BFCP_FLOOR_REQUEST,
		 .conf = 1,
		 .transaction = 2,
		 .user = 3,
		 .floor_count = 3,
		 .floors = {1, 2, 0xffff},
		 .has_beneficiary = true,
		 .beneficiary = 12,
		 .has_priority = true,
		 .priority = 0,
		 .info = text("why")},
		{.primitive = CP_BFCP_FLOOR_RELEASE,
		 .has_request_id = true,
		 .request_id = 65535,
		 .priority = 2},
		{.primitive = CP_BFCP_FLOOR_REQUEST_QUERY,
		 .has_request_id = true,
		 .request_id = 0,
		 .priority = 2},
		{.primitive = CP_BFCP_FLOOR_REQUEST_STATUS,
		 .request_count = 1,
		 .requests = {rich.requests[0]},
		 .priority = 2},
		{.primitive = CP_BFCP_USER_QUERY, .priority = 2},
		{.primitive = CP_BFCP_USER_QUERY,
		 .has_beneficiary = true,
		 .beneficiary = 4,
		 .priority = 2},
		{.primitive = CP_BFCP_USER_STATUS,
		 .about = {true, 5, text("Zoë"), text("tel:+491234")},
		 .request_count = 1,
		 .requests = {rich.requests[1]},
		 .priority = 2},
		{.primitive = CP_BFCP_FLOOR_QUERY, .priority = 2},
		{.primitive = CP_BFCP_CHAIR_ACTION,
		 .request_count = 1,
		 .requests = {rich.requests[0]},
		 .priority = 2},
		{.primitive = CP_BFCP_CHAIR_ACTION_ACK, .priority = 2},
		{.primitive = CP_BFCP_HELLO, .priority = 2},
		{.primitive = CP_BFCP_HELLO_ACK,
		 .primitives = text("\1\2\3"),
		 .attributes = text("\2\4\6\10\12"),
		 .priority = 2},
		{.primitive = CP_BFCP_ERROR,
		 .error = CP_BFCP_UNAUTHORISED,
		 .error_info = text("no"),
		 .priority = 2},
		rich,
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_bfcp_msg back;
		ssize_t len = cp_bfcp_encode(wire, sizeof(wire), &rows[i]);

		assert_true(len > 0 && len % 4 == 0);
		assert_int_equal(cp_bfcp_frame(wire, (size_t)len), len);
		assert_int_equal(cp_bfcp_decode(&back, wire, (size_t)len), CP_BFCP_OK);
		assert_same(&rows[i], &back);
		for (ssize_t size = 0; size < len; size++)
			assert_int_equal(cp_bfcp_encode(wire, (size_t)size, &rows[i]), -EMSGSIZE);
	}
}

/* Cut anywhere, with the length as it was and with one that fits: refused, and nothing read behind the end. */
static void
test_truncation(void **state)
{
	struct cp_bfcp_msg rich = rich_status(), back;
	ssize_t len = cp_bfcp_encode(wire, sizeof(wire), &rich);

	for (size_t cut = 0; cut < (size_t)len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, wire, cut);
		assert_int_equal(cp_bfcp_decode(&back, copy, cut), CP_BFCP_BAD_LENGTH);
		if (cut >= CP_BFCP_HEADER && cut % 4 == 0) {
			copy[2] = (uint8_t)((cut - CP_BFCP_HEADER) / 4 >> 8);
			copy[3] = (uint8_t)((cut - CP_BFCP_HEADER) / 4);
			/* What remains are whole attributes, or it does not parse. */
			if (cp_bfcp_decode(&back, copy, cut) == CP_BFCP_OK)
				assert_true(back.request_count < rich.request_count);
		}
		free(copy);
	}
}

static const struct {
	const char *what;
	uint8_t octets[32];
	size_t len;
	enum cp_bfcp_error error;
} refused[] = {
	{"version 2", {0x40, 11, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}, 12, CP_BFCP_BAD_VERSION},
	{"version 0", {0x00, 11, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}, 12, CP_BFCP_BAD_VERSION},
	{"R and F are ignored", {0x3f, 11, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}, 12, CP_BFCP_OK},
	{"primitive 0", {0x20, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}, 12, CP_BFCP_UNKNOWN_PRIMITIVE},
	{"primitive of UDP",
	 {0x20, 14, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1},
	 12,
	 CP_BFCP_UNKNOWN_PRIMITIVE},
	{"too long", {0x20, 11, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0}, 16, CP_BFCP_BAD_LENGTH},
	{"attribute of no octets",
	 {0x20, 11, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 4, 0, 0, 0},
	 16,
	 CP_BFCP_UNPARSABLE},
	{"attribute too long",
	 {0x20, 7, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 4, 8, 0, 0},
	 16,
	 CP_BFCP_UNPARSABLE},
	{"FLOOR-ID of 3 octets",
	 {0x20, 7, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 4, 3, 0, 0},
	 16,
	 CP_BFCP_UNPARSABLE},
	{"FloorRequest without floor",
	 {0x20, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1},
	 12,
	 CP_BFCP_UNPARSABLE},
	{"FloorRelease without request",
	 {0x20, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1},
	 12,
	 CP_BFCP_UNPARSABLE},
	{"ChairAction without request",
	 {0x20, 9, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1},
	 12,
	 CP_BFCP_UNPARSABLE},
	{"request without floors",
	 {0x20, 9, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 30, 4, 0, 1},
	 16,
	 CP_BFCP_UNPARSABLE},
	{"Error without code", {0x20, 13, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}, 12, CP_BFCP_UNPARSABLE},
	{"unknown, may be ignored",
	 {0x20, 11, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 100 << 1, 2, 0, 0},
	 16,
	 CP_BFCP_OK},
	{"unknown, must be understood",
	 {0x20, 11, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 100 << 1 | 1, 2, 0, 0},
	 16,
	 CP_BFCP_UNKNOWN_MANDATORY},
	{"unknown in a group",
	 {0x20, 9, 0, 3, 0, 0, 0, 1, 0, 1, 0, 1, 30, 12, 0, 1, 34, 8, 0, 1, 101 << 1 | 1, 3, 0, 0},
	 24,
	 CP_BFCP_UNKNOWN_MANDATORY},
	{"known with M", {0x20, 7, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 5, 4, 0, 1}, 16, CP_BFCP_OK},
	{"padding is ignored",
	 {0x20, 1, 0, 3, 0, 0, 0, 1, 0, 1, 0, 1, 4, 4, 0, 1, 16, 5, 'a', 'b', 'c', 255, 255, 255},
	 24,
	 CP_BFCP_OK},
};

static void
test_refused(void **state)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct cp_bfcp_msg msg, answer, back;
		enum cp_bfcp_error error = cp_bfcp_decode(&msg, refused[i].octets, refused[i].len);
		ssize_t len;

		if (error != refused[i].error)
			print_error("%s: %d\n", refused[i].what, error);
		assert_int_equal(error, refused[i].error);
		if (error == CP_BFCP_OK)
			continue;
		/* The answer names conference, transaction and user of the request, and what was not understood. */
		cp_bfcp_make_error(&answer, &msg, error, "because");
		len = cp_bfcp_encode(wire, sizeof(wire), &answer);
		assert_int_equal(cp_bfcp_decode(&back, wire, (size_t)len), CP_BFCP_OK);
		assert_int_equal(back.error, error);
		assert_int_equal(back.conf, 1);
		assert_int_equal(back.transaction, 1);
		assert_int_equal(back.user, 1);
		assert_true(cp_slice_is(back.error_info, "because"));
		assert_int_equal(back.error_details.len,
				 error == CP_BFCP_UNKNOWN_MANDATORY ? 1 : 0);
		if (back.error_details.len > 0)
			assert_in_range((uint8_t)back.error_details.ptr[0] >> 1, 100, 101);
	}
}

static void
test_priorities_above_the_highest(void **state)
{
	uint8_t octets[sizeof(floor_request)];
	struct cp_bfcp_msg msg;

	memcpy(octets, floor_request, sizeof(octets));
	for (unsigned int priority = 0; priority < 8; priority++) {
		octets[22] = (uint8_t)(priority << 5 | 0x1f);
		assert_int_equal(cp_bfcp_decode(&msg, octets, sizeof(octets)), CP_BFCP_OK);
		assert_int_equal(msg.priority, priority > 4 ? 4 : priority);
	}
}

/* A group says 255 octets at most: names and texts go, states stay. A lone text is cut at a character. */
static void
test_long_texts(void **state)
{
	char name[200], info[300];
	struct cp_bfcp_msg msg = rich_status(), back;
	ssize_t len;

	memset(name, 'n', sizeof(name));
	msg.requests[0].beneficiary.display = cp_slice(name, sizeof(name));
	msg.requests[0].requested_by.uri = cp_slice(name, sizeof(name));
	len = cp_bfcp_encode(wire, sizeof(wire), &msg);
	assert_true(len > 0);
	assert_int_equal(cp_bfcp_decode(&back, wire, (size_t)len), CP_BFCP_OK);
	assert_int_equal(back.request_count, 2);
	assert_int_equal(back.requests[0].status, CP_BFCP_ACCEPTED);
	assert_int_equal(back.requests[0].beneficiary.id, 7);
	assert_int_equal(back.requests[0].requested_by.id, 8);
	assert_int_equal(back.requests[0].requested_by.uri.len, 0);

	memset(info, 'i', 252);
	memcpy(info + 252, "\xc3\xab\xc3\xab", 4);
	msg = (struct cp_bfcp_msg){
		.primitive = CP_BFCP_FLOOR_REQUEST, .floor_count = 1, .info = cp_slice(info, 256)};
	len = cp_bfcp_encode(wire, sizeof(wire), &msg);
	assert_int_equal(cp_bfcp_decode(&back, wire, (size_t)len), CP_BFCP_OK);
	assert_int_equal(back.info.len, 252);
}

static void
test_frames(void **state)
{
	uint8_t long_one[4] = {0x20, 1, 0xff, 0xff};

	assert_int_equal(cp_bfcp_frame(long_one, 4), -EMSGSIZE);
	assert_string_equal(cp_bfcp_primitive_name(CP_BFCP_FLOOR_STATUS), "FloorStatus");
	assert_string_equal(cp_bfcp_primitive_name(14), "unknown");
	assert_string_equal(cp_bfcp_status_name(CP_BFCP_REVOKED), "Revoked");
	for (unsigned int error = 1; error < CP_BFCP_ERRORS; error++)
		assert_string_not_equal(cp_bfcp_error_text(error), "unknown");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_priorities_above_the_highest),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
