/* Conference information documents: valid by the RFC's schema, made once for all, and partial ones come to the same as full ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include "ctrlplane/event/copy.h"
#include "ctrlplane/event/roster.h"

#define URI "sip:demo@focus.example"

static xmlSchema *schema;

/* The document of a body, valid by the schema; free it. */
static char *
document(const struct cp_roster_body *body, uint32_t version, size_t *len)
{
	char *text = malloc(cp_roster_body_room(body) + 1);
	xmlSchemaValidCtxt *ctx = xmlSchemaNewValidCtxt(schema);
	xmlDoc *doc;

	*len = cp_roster_body_write(text, body, version);
	assert_true(*len <= cp_roster_body_room(body));
	text[*len] = '\0';
	doc = xmlReadMemory(text, (int)*len, NULL, NULL, XML_PARSE_NONET);
	if (!doc || xmlSchemaValidateDoc(ctx, doc) != 0)
		fail_msg("not valid: %s", text);
	xmlFreeDoc(doc);
	xmlSchemaFreeValidCtxt(ctx);
	return text;
}

static void
set_conference(struct cp_roster *r, bool is_locked)
{
	const struct cp_roster_conference c = {
		.subject = "demo", .users_max = 9, .is_active = true, .is_locked = is_locked};

	cp_roster_set_conference(r, &c);
}

/* Everything that the schema knows and we write. */
static void
put_rich(struct cp_roster *r)
{
	const struct cp_roster_uri uris[] = {{"sip:demo@focus.example", "by SIP", "participation"},
					     {"tel:+49301234", NULL, NULL}};
	const struct cp_roster_medium media = {"1", "the room", "audio", CP_ROSTER_SENDRECV};
	const struct cp_roster_conference c = {
		.display = "Demo & <more>",
		.subject = "Fragen \"heute\"",
		.free_text = "line\none\ttwo",
		.keywords = "a b c",
		.conf_uris = uris,
		.conf_uri_count = 2,
		.service_uris = uris,
		.service_uri_count = 1,
		.users_max = 4294967295u,
		.media = &media,
		.medium_count = 1,
		.host_display = "Conclave",
		.host_page = "https://focus.example/",
		.host_uris = uris,
		.host_uri_count = 1,
		.is_active = true,
	};
	const char *const roles[] = {"moderator", "participant"};
	const struct cp_roster_media stream = {"1",  "voice",	  "audio",	     "1",
					       true, 4000000000u, CP_ROSTER_RECVONLY};
	const struct cp_roster_endpoint e = {
		.user = "sip:bob@ims.example",
		.user_display = "Bob \x01 \xff <b>",
		.aors = uris,
		.aor_count = 2,
		.roles = roles,
		.role_count = 2,
		.languages = "en de",
		.cascaded_focus = "sip:other@focus.example",
		.nickname = "B<o>b & \"Co\"",
		.entity = "leg-1",
		.display = "Bob's phone",
		.referred = {1109966400, "expert required", "sip:mike@ims.example"},
		.status = CP_ROSTER_DISCONNECTED,
		.joining = CP_ROSTER_DIALED_OUT,
		.joined = {1109966400, "invitation", "sip:mike@ims.example"},
		.leaving = CP_ROSTER_BOOTED,
		.left = {1109966400, "bad voice quality", "sip:mike@ims.example"},
		.media = &stream,
		.media_count = 1,
		.call_display = "Bob's call",
		.call_id = "hsjh8980",
		.from_tag = "a",
		.to_tag = "b",
	};

	cp_roster_set_conference(r, &c);
	cp_roster_put(r, &e);
}

static void
test_rich(void **state)
{
	struct cp_roster *r;
	struct cp_roster_body *body;
	struct cp_copy copy;
	enum cp_copy_verdict verdict;
	const struct cp_copy_user *bob;
	const struct cp_copy_endpoint *e;
	size_t len;
	char *text;

	assert_int_equal(cp_roster_create(&r, URI), 0);
	cp_roster_begin(r);
	put_rich(r);
	assert_int_equal(cp_roster_end(r), 1);
	assert_int_equal(cp_roster_full(&body, r), 0);
	text = document(body, 1, &len);
	cp_copy_init(&copy);
	assert_int_equal(cp_copy_take(&verdict, &copy, text, len), 0);
	assert_int_equal(verdict, CP_COPY_FULL);
	assert_string_equal(copy.entity, URI);
	assert_string_equal(copy.display, "Demo & <more>");
	assert_string_equal(copy.subject, "Fragen \"heute\"");
	assert_true(copy.is_active && !copy.is_locked);
	assert_int_equal(copy.user_count, 0); /* the only one has left */
	assert_int_equal(copy.users_max, 4294967295u);
	bob = cp_copy_find(&copy, "sip:bob@ims.example");
	assert_string_equal(bob->display, "Bob \xEF\xBF\xBD \xEF\xBF\xBD <b>");
	assert_string_equal(bob->roles, "moderator, participant");
	e = cp_copy_find_endpoint(bob, "leg-1");
	assert_string_equal(e->status, "disconnected");
	assert_string_equal(e->joining, "dialed-out");
	assert_string_equal(e->joined.by, "sip:mike@ims.example");
	assert_string_equal(e->referred.reason, "expert required");
	assert_string_equal(e->leaving, "booted");
	assert_string_equal(e->left.when, "2005-03-04T20:00:00Z");
	assert_string_equal(TAILQ_FIRST(&e->media)->src_id, "4000000000");
	assert_string_equal(TAILQ_FIRST(&e->media)->status, "recvonly");
	assert_string_equal(e->call.display, "Bob's call");
	assert_string_equal(e->call.call_id, "hsjh8980");
	assert_string_equal(e->call.from_tag, "a");
	assert_string_equal(e->call.to_tag, "b");
	for (const char *const *want =
		     (const char *const[]){
			     "<keywords>a b c</keywords>", "<languages>en de</languages>",
			     "<cascaded-focus>sip:other@focus.example</cascaded-focus>",
			     "<call-id>hsjh8980</call-id>",
			     " xcon:nickname=\"B&lt;o&gt;b &amp; &quot;Co&quot;\">",
			     "<web-page>https://focus.example/</web-page>",
			     "<available-media><entry label=\"1\">",
			     "<purpose>participation</purpose>", "line&#10;one&#9;two", NULL};
	     *want; want++)
		assert_non_null(strstr(text, *want));
	free(text);
	cp_copy_fini(&copy);
	cp_roster_body_put(body);
	cp_roster_destroy(r);
}

static void
put_named(struct cp_roster *r, const char *user, const char *entity, enum cp_roster_status status)
{
	const struct cp_roster_endpoint e = {.user = user, .entity = entity, .status = status};

	cp_roster_put(r, &e);
}

/* The same for all at one revision is made once; only the version differs. */
static void
test_shared(void **state)
{
	struct cp_roster *r;
	struct cp_roster_body *a, *b;
	char one[8192], two[8192];
	size_t len_one, len_two;
	uint64_t first, made;

	cp_roster_create(&r, URI);
	cp_roster_begin(r);
	set_conference(r, false);
	for (int i = 0; i < 20; i++) {
		char user[32];

		snprintf(user, sizeof(user), "sip:u%d@ims.example", i);
		put_named(r, user, "1", CP_ROSTER_CONNECTED);
	}
	assert_int_equal(cp_roster_end(r), 1);
	first = cp_roster_revision(r);
	assert_int_equal(cp_roster_user_count(r), 20);
	cp_roster_begin(r);
	set_conference(r, true);
	for (int i = 0; i < 20; i++) {
		char user[32];

		snprintf(user, sizeof(user), "sip:u%d@ims.example", i);
		put_named(r, user, "1", i == 3 ? CP_ROSTER_MUTED : CP_ROSTER_CONNECTED);
	}
	assert_int_equal(cp_roster_end(r), 1);
	made = cp_roster_made(r);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(cp_roster_since(&a, r, first), 0);
		cp_roster_body_put(a);
	}
	assert_int_equal(cp_roster_made(r), made + 1);
	cp_roster_since(&a, r, first);
	cp_roster_since(&b, r, first);
	assert_ptr_equal(a, b);
	assert_int_equal(cp_roster_body_kind(a), CP_ROSTER_PARTIAL);
	len_one = cp_roster_body_write(one, a, 7);
	len_two = cp_roster_body_write(two, a, 4294967295u);
	assert_int_equal(len_two, len_one + 9);
	one[len_one] = '\0';
	assert_non_null(strstr(one, " version=\"7\">"));
	assert_non_null(strstr(one, "<users state=\"partial\"><user entity=\"sip:u3@ims.example\" "
				    "state=\"partial\"><endpoint entity=\"1\">"));
	assert_null(strstr(one, "sip:u4@"));
	assert_null(strstr(one, "conference-description")); /* did not change */
	assert_non_null(strstr(one, "<locked>true</locked>"));
	/* bodies outlive the roster */
	cp_roster_destroy(r);
	assert_int_equal(cp_roster_body_write(two, b, 7), len_one);
	assert_memory_equal(one, two, len_one);
	cp_roster_body_put(a);
	cp_roster_body_put(b);
}

/* Nothing new: no new revision. Almost all new: a full document. */
static void
test_choice(void **state)
{
	struct cp_roster *r;
	struct cp_roster_body *body;
	uint64_t first;
	size_t len;
	char user[32];

	cp_roster_create(&r, URI);
	for (int round = 0; round < 2; round++) {
		cp_roster_begin(r);
		set_conference(r, false);
		for (int i = 0; i < 50; i++) {
			snprintf(user, sizeof(user), "sip:u%d@ims.example", i);
			put_named(r, user, "1", CP_ROSTER_CONNECTED);
		}
		assert_int_equal(cp_roster_end(r), round == 0);
	}
	first = cp_roster_revision(r);
	cp_roster_begin(r); /* fifty go, one comes */
	set_conference(r, false);
	put_named(r, "sip:new@ims.example", "1", CP_ROSTER_CONNECTED);
	assert_int_equal(cp_roster_end(r), 1);
	assert_int_equal(cp_roster_since(&body, r, first), 0);
	assert_int_equal(cp_roster_body_kind(body), CP_ROSTER_FULL);
	free(document(body, 2, &len));
	cp_roster_body_put(body);
	/* who has nothing, or is of the future, gets a full one too */
	cp_roster_since(&body, r, 0);
	assert_int_equal(cp_roster_body_kind(body), CP_ROSTER_FULL);
	cp_roster_body_put(body);
	cp_roster_since(&body, r, first + 99);
	assert_int_equal(cp_roster_body_kind(body), CP_ROSTER_FULL);
	cp_roster_body_put(body);
	cp_roster_deleted(&body, r);
	assert_int_equal(cp_roster_body_kind(body), CP_ROSTER_DELETED);
	free(document(body, 3, &len));
	cp_roster_body_put(body);
	cp_roster_destroy(r);
}

/* Those who left are remembered for so long; older subscribers start anew. */
static void
test_floor(void **state)
{
	struct cp_roster *r;
	struct cp_roster_body *body;
	uint64_t first;
	char user[32];

	cp_roster_create(&r, URI);
	for (int i = 0; i < 1100; i++) {
		cp_roster_begin(r);
		set_conference(r, false);
		put_named(r, "sip:always@ims.example", "1", CP_ROSTER_CONNECTED);
		snprintf(user, sizeof(user), "sip:u%d@ims.example", i);
		put_named(r, user, "1", CP_ROSTER_CONNECTED);
		assert_int_equal(cp_roster_end(r), 1);
		if (i == 0)
			first = cp_roster_revision(r);
	}
	cp_roster_since(&body, r, first);
	assert_int_equal(cp_roster_body_kind(body), CP_ROSTER_FULL);
	cp_roster_body_put(body);
	cp_roster_since(&body, r, cp_roster_revision(r) - 1);
	assert_int_equal(cp_roster_body_kind(body), CP_ROSTER_PARTIAL);
	cp_roster_body_put(body);
	cp_roster_destroy(r);
}

/* host-info cannot be taken away by a partial document. */
static void
test_host_goes(void **state)
{
	struct cp_roster *r;
	struct cp_roster_body *body;

	cp_roster_create(&r, URI);
	cp_roster_begin(r);
	put_rich(r);
	cp_roster_end(r);
	cp_roster_begin(r);
	set_conference(r, false);
	put_named(r, "sip:bob@ims.example", "leg-1", CP_ROSTER_CONNECTED);
	assert_int_equal(cp_roster_end(r), 1);
	cp_roster_since(&body, r, 1);
	assert_int_equal(cp_roster_body_kind(body), CP_ROSTER_FULL);
	cp_roster_body_put(body);
	cp_roster_destroy(r);
}

/* A copy as text, to compare. */
static void
tell(char *to, size_t size, const struct cp_copy *copy)
{
	const struct cp_copy_user *u;
	const struct cp_copy_endpoint *e;
	size_t n = (size_t)snprintf(to, size, "%u %d %d %zu\n", copy->user_count, copy->is_active,
				    copy->is_locked, copy->count);

	TAILQ_FOREACH (u, &copy->users, entry) {
		n += (size_t)snprintf(to + n, size - n, "%s %s\n", u->entity,
				      u->display ? u->display : "-");
		TAILQ_FOREACH (e, &u->endpoints, entry)
			n += (size_t)snprintf(to + n, size - n, "  %s %s %s\n", e->entity,
					      e->status, e->left.reason ? e->left.reason : "-");
	}
	assert_true(n < size - 1);
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Order does not matter: users with their endpoints, sorted. */
static void
tell_sorted(char *to, size_t size, const struct cp_copy *copy)
{
	static char text[1 << 16];
	char *lines[2048], user[256] = "", *save = NULL;
	size_t count = 0, n = 0;

	tell(text, sizeof(text), copy);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *whole = NULL;

		if (*line != ' ')
			snprintf(user, sizeof(user), "%s", line);
		assert_true(asprintf(&whole, "%s|%s", user, line) > 0);
		lines[count++] = whole;
	}
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	for (size_t i = 0; i < count; i++) {
		n += (size_t)snprintf(to + n, size - n, "%s\n", lines[i]);
		free(lines[i]);
	}
}

#define PEOPLE 12
#define SEATS 3
#define SUBSCRIBERS 5

struct world {
	int present[PEOPLE][SEATS]; /* 0: absent; else 1 + status */
	int name[PEOPLE];
	bool is_locked;
};

static void
put_world(struct cp_roster *r, const struct world *w)
{
	cp_roster_begin(r);
	set_conference(r, w->is_locked);
	for (int p = 0; p < PEOPLE; p++)
		for (int s = 0; s < SEATS; s++) {
			char user[32], entity[8], name[16];
			struct cp_roster_endpoint e = {
				.user = user, .entity = entity, .user_display = name};

			if (!w->present[p][s])
				continue;
			snprintf(user, sizeof(user), "sip:p%d@ims.example", p);
			snprintf(entity, sizeof(entity), "%d", s);
			snprintf(name, sizeof(name), "n%d", w->name[p]);
			e.status = (enum cp_roster_status)(w->present[p][s] - 1);
			e.left.reason = e.status == CP_ROSTER_DISCONNECTED ? "gone" : NULL;
			cp_roster_put(r, &e);
		}
	assert_true(cp_roster_end(r) >= 0);
}

static void
change(struct world *w)
{
	for (int i = rand() % 4; i > 0; i--) {
		int p = rand() % PEOPLE;

		switch (rand() % 4) {
		case 0:
			w->present[p][rand() % SEATS] = 0;
			break;
		case 1:
			w->name[p] = rand() % 3;
			break;
		case 2:
			w->is_locked = rand() % 2;
			break;
		default:
			w->present[p][rand() % SEATS] = 1 + rand() % CP_ROSTER_STATUSES;
			break;
		}
	}
}

/* Subscribers who are told at their own pace end up with what a full document says. */
static void
test_coherent(void **state)
{
	static char mine[1 << 16], theirs[1 << 16];
	struct cp_roster *r;
	struct world w = {0};
	struct cp_copy copies[SUBSCRIBERS], whole;
	uint64_t at[SUBSCRIBERS] = {0};
	uint32_t version[SUBSCRIBERS] = {0};
	unsigned partials = 0, fulls = 0;

	srand(4575);
	cp_roster_create(&r, URI);
	for (int i = 0; i < SUBSCRIBERS; i++)
		cp_copy_init(&copies[i]);
	for (int round = 0; round < 3000; round++) {
		change(&w);
		put_world(r, &w);
		for (int i = 0; i < SUBSCRIBERS; i++) {
			struct cp_roster_body *body;
			enum cp_copy_verdict verdict;
			size_t len;
			char *text;

			if (rand() % (i + 1) != 0 || at[i] == cp_roster_revision(r))
				continue;
			assert_int_equal(cp_roster_since(&body, r, at[i]), 0);
			text = document(body, ++version[i], &len);
			assert_int_equal(cp_copy_take(&verdict, &copies[i], text, len), 0);
			assert_int_equal(verdict, cp_roster_body_kind(body) == CP_ROSTER_FULL
							  ? CP_COPY_FULL
							  : CP_COPY_PARTIAL);
			partials += verdict == CP_COPY_PARTIAL;
			fulls += verdict == CP_COPY_FULL;
			free(text);
			cp_roster_body_put(body);
			at[i] = cp_roster_revision(r);
			cp_copy_init(&whole);
			cp_roster_full(&body, r);
			text = document(body, 1, &len);
			assert_int_equal(cp_copy_take(&verdict, &whole, text, len), 0);
			tell_sorted(mine, sizeof(mine), &copies[i]);
			tell_sorted(theirs, sizeof(theirs), &whole);
			assert_string_equal(mine, theirs);
			free(text);
			cp_copy_fini(&whole);
			cp_roster_body_put(body);
		}
	}
	assert_true(partials > 1000 && fulls > 5);
	for (int i = 0; i < SUBSCRIBERS; i++)
		cp_copy_fini(&copies[i]);
	cp_roster_destroy(r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rich),	  cmocka_unit_test(test_shared),
		cmocka_unit_test(test_choice),	  cmocka_unit_test(test_floor),
		cmocka_unit_test(test_host_goes), cmocka_unit_test(test_coherent),
	};
	xmlSchemaParserCtxt *ctx = argc > 1 ? xmlSchemaNewParserCtxt(argv[1]) : NULL;
	int rc;

	schema = ctx ? xmlSchemaParse(ctx) : NULL;
	if (!schema) {
		fprintf(stderr, "no schema\n");
		return 1;
	}
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(ctx);
	xmlCleanupParser();
	return rc;
}
