/* A subscriber's copy: which versions are taken, how partial documents are put in, and what is no document. */
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
#include "ctrlplane/event/copy.h"

#define OPEN(state, version)                                                 \
	"<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" " \
	"entity=\"sip:c@x\" state=\"" state "\" version=\"" version "\">"
#define CLOSE "</conference-info>"
#define ANN                                                                                   \
	"<user entity=\"sip:ann@x\"><display-text>Ann</display-text>"                         \
	"<roles><entry>moderator</entry></roles>"                                             \
	"<endpoint entity=\"1\"><status>connected</status><media id=\"a\"><type>audio</type>" \
	"<status>sendrecv</status></media></endpoint></user>"
#define FULL OPEN("full", "5") "<users>" ANN "<user entity=\"sip:bob@x\"/></users>" CLOSE

static int
take(struct cp_copy *copy, const char *text)
{
	enum cp_copy_verdict verdict;
	int rc = cp_copy_take(&verdict, copy, text, strlen(text));

	return rc ? rc : (int)verdict;
}

static void
test_versions(void **state)
{
	struct cp_copy copy;

	cp_copy_init(&copy);
	assert_int_equal(take(&copy, OPEN("partial", "1") CLOSE), CP_COPY_GAP);
	assert_int_equal(take(&copy, FULL), CP_COPY_FULL);
	assert_int_equal(copy.version, 5);
	assert_int_equal(take(&copy, FULL), CP_COPY_OLD);
	assert_int_equal(take(&copy, OPEN("partial", "5") CLOSE), CP_COPY_OLD);
	assert_int_equal(take(&copy, OPEN("partial", "7") CLOSE), CP_COPY_GAP);
	assert_int_equal(copy.version, 5);
	assert_int_equal(take(&copy, OPEN("partial", "6") CLOSE), CP_COPY_PARTIAL);
	assert_int_equal(copy.count, 2);
	assert_int_equal(take(&copy, OPEN("full", "90") "<users/>" CLOSE), CP_COPY_FULL);
	assert_int_equal(copy.count, 0);
	assert_int_equal(take(&copy, OPEN("deleted", "91") CLOSE), CP_COPY_DELETED);
	assert_true(copy.is_deleted);
	cp_copy_fini(&copy);
}

static void
test_partial(void **state)
{
	struct cp_copy copy;
	struct cp_copy_user *ann;
	struct cp_copy_endpoint *e;

	cp_copy_init(&copy);
	take(&copy, FULL);
	assert_int_equal(
		take(&copy,
		     OPEN("partial",
			  "6") "<users state=\"partial\"><user entity=\"sip:ann@x\" "
			       "state=\"partial\"><endpoint entity=\"1\" state=\"partial\">"
			       "<status>muted-via-focus</status><media id=\"b\"><type>video"
			       "</type></media></endpoint><endpoint entity=\"2\"/></user>"
			       "<user entity=\"sip:bob@x\" state=\"deleted\"/>"
			       "<user entity=\"sip:eve@x\" state=\"deleted\"/>"
			       "<user entity=\"sip:carl@x\" state=\"partial\"/></users>" CLOSE),
		CP_COPY_PARTIAL);
	assert_int_equal(copy.count, 2);
	assert_null(cp_copy_find(&copy, "sip:bob@x"));
	assert_non_null(cp_copy_find(&copy, "sip:carl@x"));
	ann = cp_copy_find(&copy, "sip:ann@x");
	assert_string_equal(ann->display, "Ann");
	assert_string_equal(ann->roles, "moderator");
	assert_int_equal(ann->endpoint_count, 2);
	e = cp_copy_find_endpoint(ann, "1");
	assert_string_equal(e->status, "muted-via-focus");
	assert_int_equal(e->media_count, 2);
	/* whole elements replace what was there */
	assert_int_equal(
		take(&copy, OPEN("partial", "7") "<conference-state><user-count>1</user-count>"
						 "<active>1</active></conference-state>"
						 "<users state=\"partial\"><user "
						 "entity=\"sip:ann@x\" state=\"partial\"><endpoint "
						 "entity=\"1\"><status>on-hold</status></endpoint>"
						 "<endpoint entity=\"2\" state=\"deleted\"/></user>"
						 "</users>" CLOSE),
		CP_COPY_PARTIAL);
	e = cp_copy_find_endpoint(ann, "1");
	assert_string_equal(e->status, "on-hold");
	assert_int_equal(e->media_count, 0);
	assert_int_equal(ann->endpoint_count, 1);
	assert_true(copy.is_active);
	assert_int_equal(copy.user_count, 1);
	cp_copy_fini(&copy);
}

/* What is refused leaves the copy as it was. */
static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"hello",
		"<conference-info/>", /* no namespace */
		"<x xmlns=\"urn:ietf:params:xml:ns:conference-info\" version=\"9\"/>",
		"<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\"/>",
		OPEN("full", "-6") CLOSE,
		OPEN("full", "4294967296") CLOSE,
		OPEN("full", "six") CLOSE,
		OPEN("whole", "6") CLOSE,
		OPEN("partial", "6") "<users state=\"some\"/>" CLOSE,
		OPEN("partial", "6") "<users state=\"partial\"><user/></users>" CLOSE,
		OPEN("partial", "6") "<users state=\"partial\"><user entity=\"a\"><endpoint/>"
				     "</user></users>" CLOSE,
		OPEN("partial", "6") "<users state=\"partial\"><user entity=\"a\"><endpoint "
				     "entity=\"1\"><media/></endpoint></user></users>" CLOSE,
		"<!DOCTYPE a [<!ENTITY b \"c\">]>" FULL,
		"<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" OPEN("full", "6") CLOSE,
		"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>" OPEN(
			"full", "6") "<users><user entity=\"&b;\"/></users>" CLOSE,
	};
	struct cp_copy copy;

	cp_copy_init(&copy);
	assert_int_equal(take(&copy, FULL), CP_COPY_FULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (take(&copy, bad[i]) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(copy.version, 5);
		assert_int_equal(copy.count, 2);
	}
	cp_copy_fini(&copy);
}

static void
test_limits(void **state)
{
	size_t size = CP_COPY_OCTETS_MAX + 1, n;
	char *text = calloc(1, size + 1);
	struct cp_copy copy;

	cp_copy_init(&copy);
	n = (size_t)sprintf(text, "%s", OPEN("full", "1") "<users><user entity=\"a\">");
	for (int i = 0; i <= CP_COPY_ENDPOINTS_MAX; i++)
		n += (size_t)sprintf(text + n, "<endpoint entity=\"%d\"/>", i);
	sprintf(text + n, "</user></users>" CLOSE);
	assert_int_equal(take(&copy, text), -E2BIG);
	n = (size_t)sprintf(text, "%s", OPEN("full", "1") "<users>");
	for (int i = 0; i <= CP_COPY_USERS_MAX; i++)
		n += (size_t)sprintf(text + n, "<user entity=\"%d\"/>", i);
	sprintf(text + n, "</users>" CLOSE);
	assert_int_equal(take(&copy, text), -E2BIG);
	memset(text, ' ', size);
	memcpy(text + size - strlen(FULL), FULL, strlen(FULL));
	assert_int_equal(take(&copy, text), -E2BIG);
	assert_false(copy.has_version);
	cp_copy_fini(&copy);
	free(text);
}

/* Cut anywhere: refused, nothing changed. */
static void
test_truncated(void **state)
{
	struct cp_copy copy;
	enum cp_copy_verdict verdict;

	cp_copy_init(&copy);
	for (size_t len = 0; len < strlen(FULL); len++) {
		char *cut = malloc(len + 1);

		memcpy(cut, FULL, len);
		assert_int_equal(cp_copy_take(&verdict, &copy, cut, len), -EBADMSG);
		assert_false(copy.has_version);
		free(cut);
	}
	cp_copy_fini(&copy);
}

/* One copy reads many documents, whatever came before: what is said in other words is the same. */
static void
test_read(void **state)
{
	static const char *const same[] = {
		"<users><user entity=\"sip:a&amp;&#98;@x\"><display-text>A &lt;B&gt;&#x20AC;"
		"</display-text></user></users>",
		"<users><user entity='sip:a&#38;b@x'><display-text><![CDATA[A <B>]]>\xe2\x82\xac"
		"</display-text></user></users>",
		/* of other names, and of ours where they have no place */
		"<f:users xmlns:f=\"urn:f\"><user entity=\"z\"/></f:users><users><f:user "
		"xmlns:f=\"urn:f\" entity=\"y\"/><!-- c --><user entity=\"sip:a&amp;b@x\" "
		"xmlns:f=\"urn:f\" f:entity=\"q\" f:state=\"deleted\"><display-text>A <!-- c -->"
		"&lt;B<f:i>&gt;</f:i><![CDATA[\xe2\x82\xac]]></display-text><roles/><f:endpoint "
		"entity=\"1\"><endpoint entity=\"2\"/></f:endpoint><media id=\"1\"/></user>"
		"</users>",
	};
	char text[1024];
	struct cp_copy copy;

	cp_copy_init(&copy);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(text, sizeof(text),
			 "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" "
			 "entity=\"sip:c@x\" version=\"%u\">%s</conference-info>",
			 i + 1, same[i % 3]);
		assert_int_equal(take(&copy, text), CP_COPY_FULL);
		assert_int_equal(copy.count, 1);
		assert_non_null(cp_copy_find(&copy, "sip:a&b@x"));
		assert_string_equal(cp_copy_find(&copy, "sip:a&b@x")->display, "A <B>\xe2\x82\xac");
		assert_int_equal(cp_copy_find(&copy, "sip:a&b@x")->endpoint_count, 0);
		assert_int_equal(take(&copy, "<conference-info><users>"), -EBADMSG);
		assert_int_equal(take(&copy, "<!DOCTYPE a [<!ENTITY b \"c\">]>" FULL), -EBADMSG);
		assert_int_equal(copy.version, i + 1);
	}
	cp_copy_fini(&copy);
}

/* Names that somebody made up are not remembered for ever, nor is the room of a long document kept. */
static void
test_read_much(void **state)
{
	char *text = malloc(300000);
	struct cp_copy copy;
	size_t n;

	cp_copy_init(&copy);
	for (unsigned version = 1; version <= 20; version++) {
		n = (size_t)sprintf(
			text,
			"<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" "
			"version=\"%u\"><users><user entity=\"a\"><display-text>",
			version);
		memset(text + n, 'x', 50000);
		n += 50000;
		n += (size_t)sprintf(text + n, "</display-text></user>");
		for (unsigned i = 0; i < 2000; i++)
			n += (size_t)sprintf(text + n, "<name%u-%u/>", version, i);
		for (unsigned i = 0; i < 2000; i++)
			n += (size_t)sprintf(text + n, "<user entity=\"%u-%u\"/>", version, i);
		sprintf(text + n, "</users></conference-info>");
		assert_int_equal(take(&copy, text), CP_COPY_FULL);
		assert_int_equal(copy.count, 2001);
		assert_int_equal(strlen(cp_copy_find(&copy, "a")->display), 50000);
	}
	assert_int_equal(take(&copy, OPEN("partial", "21") CLOSE), CP_COPY_PARTIAL);
	cp_copy_fini(&copy);
	free(text);
}

/* Of what charset it is, the document says. */
static void
test_charsets(void **state)
{
	static const char latin[] = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" OPEN(
		"full", "1") "<users><user entity=\"\xe4\"/></users>" CLOSE;
	static const char broken[] =
		OPEN("full", "9") "<users><user entity=\"\xe4\"/></users>" CLOSE;
	enum cp_copy_verdict verdict;
	char wide[2 * sizeof(FULL)];
	struct cp_copy copy;

	cp_copy_init(&copy);
	assert_int_equal(take(&copy, latin), CP_COPY_FULL);
	assert_non_null(cp_copy_find(&copy, "\xc3\xa4"));
	assert_int_equal(take(&copy, broken), -EBADMSG);
	wide[0] = '\xff';
	wide[1] = '\xfe';
	for (size_t i = 0; i < sizeof(FULL) - 1; i++) {
		wide[2 + 2 * i] = FULL[i];
		wide[3 + 2 * i] = '\0';
	}
	assert_int_equal(cp_copy_take(&verdict, &copy, wide, sizeof(wide)), 0);
	assert_int_equal(copy.count, 2);
	/* the next one is UTF-8 again */
	assert_int_equal(take(&copy, broken), -EBADMSG);
	assert_int_equal(take(&copy, OPEN("partial", "6") CLOSE), CP_COPY_PARTIAL);
	cp_copy_fini(&copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),  cmocka_unit_test(test_partial),
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_limits),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_much), cmocka_unit_test(test_charsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
