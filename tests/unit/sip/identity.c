/* P-Asserted-Identity, Privacy and trusted peers, by tables. */
#include "ctrlplane/sip/identity.h"
#include "ctrlplane/sip/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
asserted_identities_are_read(void **state)
{
	static const struct {
		const char *header;
		int rc;
		const char *uri, *tel, *name;
	} rows[] = {
		{"<sip:alice@ims.example>", 0, "sip:alice@ims.example", "", ""},
		{"sip:alice@IMS.example", 0, "sip:alice@ims.example", "", ""},
		{"\"Alice, A. <x>\" <sip:alice@ims.example:5060>", 0, "sip:alice@ims.example", "",
		 "Alice, A. <x>"},
		{"Alice A <sip:alice@ims.example;user=ip>", 0, "sip:alice@ims.example", "",
		 "Alice A"},
		{"\"A \\\"q\\\"\" <sip:a@b>", 0, "sip:a@b", "", "A \"q\""},
		{"tel:+1-202-555-0100", 0, "", "tel:+12025550100", ""},
		{"<sip:a@b>, <tel:+49(30)123>", 0, "sip:a@b", "tel:+4930123", ""},
		{"<tel:+4930123>,<sip:a@b>", 0, "sip:a@b", "tel:+4930123", ""},
		{"<sip:a@b>, <sip:c@d>", -EINVAL, "", "", ""},
		{"<sip:a@b>, <tel:+1>, <tel:+2>", -EINVAL, "", "", ""},
		{"<sip:a@b>,", -EINVAL, "", "", ""},
		{"", -EINVAL, "", "", ""},
		{"<sip:a@b", -EINVAL, "", "", ""},
		{"\"A <sip:a@b>", -EINVAL, "", "", ""},
		{"\"A\" sip:a@b", -EINVAL, "", "", ""},
		{"<tel:911>", -EINVAL, "", "", ""},
		{"<mailto:a@b>", -EINVAL, "", "", ""},
		{"<>", -EINVAL, "", "", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sip_identity id = {0};

		assert_int_equal(cp_sip_decode_asserted(&id, rows[i].header), rows[i].rc);
		assert_string_equal(id.uri, rows[i].uri);
		assert_string_equal(id.tel, rows[i].tel);
		assert_string_equal(id.name, rows[i].name);
	}
}

static void
histories_are_read(void **state)
{
	static const struct {
		const char *header;
		int rc;
		const char *uri;
	} rows[] = {
		{"<sip:a@b>;index=1", 0, "sip:a@b"},
		{"<sip:a@b?Reason=SIP%3Bcause%3D302>;index=1,<sip:C@D:5060>;index=1.1;mp=1", 0,
		 "sip:C@d"},
		{"<tel:+49-30>;index=1", 0, "tel:+4930"},
		{"<sip:a@b>;index=1,", -EINVAL, "kept"},
		{"nonsense", -EINVAL, "kept"},
		{"", -EINVAL, "kept"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char uri[CP_IDENTITY_MAX] = "kept";

		assert_int_equal(cp_sip_decode_history(uri, rows[i].header), rows[i].rc);
		assert_string_equal(uri, rows[i].uri);
	}
}

/* Cut anywhere: refused or read, never beyond, and a refusal changes nothing. */
static void
truncation_is_survived(void **state)
{
	const char *whole = "\"Al \\\"x\\\" ice\" <sip:alice@ims.example:5070;x=y>, \"A\" "
			    "<tel:+1-202-555-0100>";

	for (size_t len = 0; len <= strlen(whole); len++) {
		struct cp_sip_identity id = {0}, zero = {0};
		char *cut = strndup(whole, len);

		if (cp_sip_decode_asserted(&id, cut) != 0)
			assert_memory_equal(&id, &zero, sizeof(id));
		free(cut);
	}
}

static void
two_headers_are_one_list(void **state)
{
	struct cp_sip_identity id = {0};

	assert_int_equal(cp_sip_decode_asserted(&id, "<sip:a@b>"), 0);
	assert_int_equal(cp_sip_decode_asserted(&id, "<tel:+1>"), 0);
	assert_int_equal(cp_sip_decode_asserted(&id, "<tel:+2>"), -EINVAL);
	assert_string_equal(id.tel, "tel:+1");
}

static void
privacy_is_understood(void **state)
{
	static const struct {
		const char *value;
		bool is_private;
	} rows[] = {
		{"id", true},	     {"ID", true},     {"none", false},	   {"", false},
		{"header;id", true}, {"user", true},   {"session", false}, {"critical;id", true},
		{"idx", false},	     {"header", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(cp_sip_is_private(rows[i].value), rows[i].is_private);
	assert_true(cp_sip_is_anonymous("sip:anonymous@anonymous.invalid"));
	assert_true(cp_sip_is_anonymous("sip:Anonymous@192.0.2.1"));
	assert_true(cp_sip_is_anonymous("sip:x@anonymous.invalid"));
	assert_true(cp_sip_is_anonymous(""));
	assert_false(cp_sip_is_anonymous("sip:anonymous2@b"));
	assert_false(cp_sip_is_anonymous("sip:alice@b"));
}

static bool
has(const char *prefix, const char *address)
{
	struct sockaddr_in ip4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6};
	struct cp_peer peer;

	assert_int_equal(cp_peer_decode(&peer, prefix), 0);
	if (inet_pton(AF_INET, address, &ip4.sin_addr) == 1)
		return cp_peers_has(&peer, 1, (struct sockaddr *)&ip4);
	assert_int_equal(inet_pton(AF_INET6, address, &ip6.sin6_addr), 1);
	return cp_peers_has(&peer, 1, (struct sockaddr *)&ip6);
}

static void
peers_are_matched_by_prefix(void **state)
{
	struct cp_peer peer;
	static const char *const bad[] = {
		"",	"192.0.2", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/-1",
		"host", "::/129",  "::1/x",	   "1.2.3.4/8 ", "::1/+1"};

	assert_true(has("192.0.2.1", "192.0.2.1"));
	assert_false(has("192.0.2.1", "192.0.2.2"));
	assert_true(has("192.0.2.0/25", "192.0.2.127"));
	assert_false(has("192.0.2.0/25", "192.0.2.128"));
	assert_true(has("0.0.0.0/0", "203.0.113.9"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
	assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(has("192.0.2.0/24", "::ffff:192.0.2.5")); /* on a socket for both */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(cp_peer_decode(&peer, bad[i]), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asserted_identities_are_read),
		cmocka_unit_test(histories_are_read),
		cmocka_unit_test(truncation_is_survived),
		cmocka_unit_test(two_headers_are_one_list),
		cmocka_unit_test(privacy_is_understood),
		cmocka_unit_test(peers_are_matched_by_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
