/* Participants that key each other by MIKEY-TICKET, with the KMS of the tests in the place of the HTTP client; keys from files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "bench/load/kms.h"
#include "bench/load/mikey.h"
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/keys/psk.h"
#include "tests/scenario/mikey/world.h"

#define KMS_ID "sip:kms.example"

/* The KMS: answers at the next turn, in the order of questions. */
static struct {
	struct world world;
	struct {
		uint8_t octets[CP_MIKEY_MSG_MAX];
		size_t len;
		ue_kms_done_fn done;
		void *arg;
	} asked[8];
	unsigned count, answered;
	bool is_down;
} kms;

int
ue_kms_create(struct ue_kms **out, const char *url, const char *ca, double timeout_s)
{
	*out = NULL;
	return 0;
}

void
ue_kms_destroy(struct ue_kms *none)
{
}

int
ue_kms_post(struct ue_kms *none, enum ue_kms_type type, const uint8_t *octets, size_t len,
	    ue_kms_done_fn done, void *arg)
{
	assert_true(kms.count < 8);
	memcpy(kms.asked[kms.count].octets, octets, len);
	kms.asked[kms.count].len = len;
	kms.asked[kms.count].done = done;
	kms.asked[kms.count++].arg = arg;
	return 0;
}

void
ue_kms_turn(struct ue_kms *none)
{
	struct world *w = &kms.world;

	for (unsigned i = 0; i < kms.count; i++) {
		memcpy(w->octets, kms.asked[i].octets, kms.asked[i].len);
		w->out.len = kms.asked[i].len;
		assert_int_equal(world_kms(w), 0);
		if (kms.is_down)
			kms.asked[i].done(kms.asked[i].arg, NULL, 0, "KMS: away");
		else
			kms.asked[i].done(kms.asked[i].arg, w->octets, w->out.len, "");
		kms.answered++;
	}
	kms.count = 0;
}

/* Two participants of a process; %d in the file's name is 1 for alice, 2 for bob. */
struct pair {
	char folder[40], pattern[80];
	struct ue_options options;
	struct ue_mikey_node *node;
	struct ue_mikey *alice, *bob;
};

static void
psk_write(const struct pair *p, unsigned number, const char *identity)
{
	struct world_user *user = world_user(&kms.world, identity);
	const struct cp_psk_text psk = {
		identity, NULL, {cp_secret_octets(user->psk[0]), cp_secret_octets(user->psk[1])}};
	char text[CP_PSK_FILE_MAX], path[96];
	size_t len = cp_psk_file_format(text, &psk);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%u.psk", p->folder, number);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
	chmod(path, 0600);
}

static int
setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	memset(&kms, 0, sizeof(kms));
	world_init(&kms.world);
	world_people(&kms.world);
	kms.world.env = cp_mikey_env_system();
	snprintf(p->folder, sizeof(p->folder), "/tmp/conclave-mikey.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->pattern, sizeof(p->pattern), "%s/%%d.psk", p->folder);
	psk_write(p, 1, "sip:alice@ims.example");
	psk_write(p, 2, "sip:bob@ims.example");
	p->options = (struct ue_options){.kms = "http://127.0.0.1:1",
					 .kms_id = KMS_ID,
					 .psk_file = p->pattern,
					 .mikey_set = CP_MIKEY_SET_256,
					 .validity = 3600,
					 .timeout = 1,
					 .suite_count = 1,
					 .suite = {DP_SUITE_AES_CM_128_HMAC_SHA1_80}};
	*state = p;
	return 0;
}

static void
people(struct pair *p)
{
	char why[512] = "";

	assert_int_equal(ue_mikey_node_create(&p->node, &p->options, why, sizeof(why)), 0);
	assert_int_equal(ue_mikey_create(&p->alice, p->node, 1, why, sizeof(why)), 0);
	assert_int_equal(ue_mikey_create(&p->bob, p->node, 2, why, sizeof(why)), 0);
	assert_string_equal(ue_mikey_identity(p->alice), "sip:alice@ims.example");
}

static void
part(struct pair *p)
{
	ue_mikey_node_destroy(p->node);
	ue_mikey_destroy(p->alice);
	ue_mikey_destroy(p->bob);
	p->node = NULL;
	p->alice = p->bob = NULL;
}

static int
teardown(void **state)
{
	struct pair *p = *state;
	char path[96];

	part(p);
	world_fini(&kms.world);
	assert_int_equal(cp_secret_count(), 0);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%u.psk", p->folder, i);
		unlink(path);
	}
	rmdir(p->folder);
	free(p);
	return 0;
}

/* A description with MIKEY at its audio, the only m-line. */
static struct ue_sdp
sdp_with(const char *base64)
{
	struct ue_sdp sdp = {.line_count = 1,
			     .mikey = base64,
			     .mikey_len = base64 ? strlen(base64) : 0,
			     .line = {{.media = "audio", .proto = "RTP/SAVP", .port = 9}}};

	return sdp;
}

static int
offer_make(struct ue_mikey *m, uint32_t ssrc, const char **offer)
{
	struct ue_sdp ours = sdp_with(NULL);
	int err = ue_mikey_offer(m, ssrc, &ours);

	*offer = ours.mikey;
	return err;
}

static int
offer_take(struct ue_mikey *m, const char *offer)
{
	struct ue_sdp theirs = sdp_with(offer);

	return ue_mikey_called(m, &theirs);
}

static int
answer_make(struct ue_mikey *m, const char *offer, uint32_t ssrc, const char **answer,
	    struct ue_sdes key[2])
{
	struct ue_sdp theirs = sdp_with(offer);

	return ue_mikey_answer(m, &theirs, ssrc, answer, key);
}

static int
answer_take(struct ue_mikey *m, const char *answer, struct ue_sdes key[2])
{
	struct ue_sdp theirs = sdp_with(answer);

	return ue_mikey_answered(m, &theirs, key);
}

/* alice has a ticket for bob. */
static int
ticket(struct pair *p)
{
	assert_int_equal(ue_mikey_call(p->alice, "sip:bob@ims.example"), 0);
	assert_int_equal(ue_mikey_ready(p->alice), -EAGAIN);
	ue_mikey_node_turn(p->node);
	return ue_mikey_ready(p->alice);
}

/* alice calls bob, or offers anew on a ticket that she has; what bob says to it. */
static int
call(struct pair *p, struct ue_sdes alice[2], struct ue_sdes bob[2])
{
	const char *offer, *answer;
	int err;

	assert_int_equal(offer_make(p->alice, 0x01020304, &offer), 0);
	err = offer_take(p->bob, offer);
	if (err != -EINPROGRESS)
		return err;
	assert_int_equal(ue_mikey_ready(p->bob), -EAGAIN);
	ue_mikey_node_turn(p->node);
	err = ue_mikey_ready(p->bob);
	if (err)
		return err;
	err = answer_make(p->bob, offer, 0x0a0b0c0d, &answer, bob);
	if (err)
		return err;
	return answer_take(p->alice, answer, alice);
}

/* What one sends the other receives, and nothing is used for both directions. */
static void
assert_meet(const struct ue_sdes alice[2], const struct ue_sdes bob[2])
{
	assert_memory_equal(&alice[0], &bob[1], sizeof(alice[0]));
	assert_memory_equal(&alice[1], &bob[0], sizeof(alice[0]));
	assert_memory_not_equal(alice[0].key, alice[1].key, 16);
}

static void
both_sets_and_all_suites(void **state)
{
	struct pair *p = *state;

	for (unsigned set = 0; set < 2; set++) {
		for (int suite = DP_SUITE_NONE + 1; suite < DP_SUITE_COUNT; suite++) {
			struct ue_sdes alice[2], bob[2];
			struct ue_mikey_report r;

			if (set == CP_MIKEY_SET_128 && dp_suite_info(suite)->key > 16)
				continue;
			p->options.mikey_set = set;
			p->options.suite[0] = suite;
			people(p);
			assert_int_equal(ticket(p), 0);
			assert_int_equal(call(p, alice, bob), 0);
			assert_meet(alice, bob);
			assert_int_equal(alice[0].suite, suite);
			r = ue_mikey_report(p->bob);
			assert_string_equal(r.set, set ? "256" : "128");
			assert_string_equal(r.initiator, "sip:alice@ims.example");
			assert_string_equal(r.responder, "sip:bob@ims.example");
			assert_string_equal(r.flags, "DEFGHINO");
			part(p);
		}
	}
}

/* Either side, again and again; what is in use stays until the answer. */
static void
rekeys_from_both_sides(void **state)
{
	struct pair *p = *state;
	struct ue_sdes alice[2], bob[2], before[2];
	const char *offer, *answer;

	people(p);
	assert_int_equal(ticket(p), 0);
	assert_int_equal(call(p, alice, bob), 0);
	for (unsigned i = 0; i < 6; i++) {
		struct ue_mikey *from = i % 2 ? p->bob : p->alice, *to = i % 2 ? p->alice : p->bob;
		struct ue_sdes now[2], *of_from = i % 2 ? bob : alice, *of_to = i % 2 ? alice : bob;

		memcpy(before, alice, sizeof(before));
		assert_int_equal(ue_mikey_update(from, 7, &offer), 0);
		assert_true(ue_mikey_is_keyed(from, now));
		assert_memory_equal(now, of_from, sizeof(now));
		assert_int_equal(answer_make(to, offer, 8, &answer, of_to), 0);
		assert_int_equal(answer_take(from, answer, of_from), 0);
		assert_meet(alice, bob);
		assert_memory_not_equal(alice, before, sizeof(before));
	}
	assert_int_equal(ue_mikey_report(p->alice).rekeys, 6);
	/* the offer that was answered last, once more: the same answer, no new keys */
	memcpy(before, alice, sizeof(before));
	assert_int_equal(answer_make(p->alice, offer, 8, &answer, alice), 0);
	assert_memory_equal(alice, before, sizeof(before));
	assert_int_equal(answer_take(p->bob, NULL, bob), 0);
	assert_meet(alice, bob);
}

static void
a_refused_update_changes_nothing(void **state)
{
	struct pair *p = *state;
	struct ue_sdes alice[2], bob[2], now[2];
	const char *offer, *answer;

	people(p);
	assert_int_equal(ticket(p), 0);
	assert_int_equal(call(p, alice, bob), 0);
	p->options.misbehaviour = UE_FLIP_UPDATE;
	p->options.misbehave_number = 60;
	assert_int_equal(ue_mikey_update(p->alice, 7, &offer), 0);
	assert_int_not_equal(answer_make(p->bob, offer, 8, &answer, now), 0);
	assert_true(ue_mikey_is_keyed(p->bob, now));
	assert_memory_equal(now, bob, sizeof(now));
	ue_mikey_refused_text(p->alice, "", 0);
	assert_true(ue_mikey_is_keyed(p->alice, now));
	assert_memory_equal(now, alice, sizeof(now));
	p->options.misbehaviour = UE_WELL_BEHAVED;
	assert_int_equal(ue_mikey_update(p->alice, 7, &offer), 0);
	assert_int_equal(answer_make(p->bob, offer, 8, &answer, bob), 0);
	assert_int_equal(answer_take(p->alice, answer, alice), 0);
	assert_meet(alice, bob);
}

/* Each mistake is refused, by whom it says, with MIKEY's number. */
static void
misbehaves(void **state)
{
	static const struct {
		enum ue_misbehaviour kind;
		const char *arg;
		long number;
		bool by_kms;
		int error;
	} rows[] = {
		{UE_WRONG_PSK, "", 0, true, CP_MIKEY_ERR_AUTH},
		{UE_OTHER_IDENTITY, "sip:carol@ims.example", 0, true, CP_MIKEY_ERR_AUTH},
		{UE_OTHER_IDENTITY, "sip:nobody@ims.example", 0, true, CP_MIKEY_ERR_AUTH},
		{UE_NO_FLAG, "F", 0, false, CP_MIKEY_ERR_TPPAR},
		{UE_NO_FLAG, "I", 0, false, CP_MIKEY_ERR_TPPAR},
		{UE_FORGED_VR, "", 0, false, CP_MIKEY_ERR_AUTH},
		{UE_NO_SDP_IDS, "", 0, false, CP_MIKEY_ERR_UNSPECIFIED},
		{UE_WRONG_IDRI, "", 0, false, CP_MIKEY_ERR_ID},
		{UE_SKEW, "", 400, false, CP_MIKEY_ERR_TS},
		{UE_SKEW, "", -400, false, CP_MIKEY_ERR_TS},
		{UE_TRUNCATE, "", 60, false, CP_MIKEY_ERR_MESSAGE},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair *p = *state;
		struct ue_sdes alice[2], bob[2];
		struct ue_mikey_report r;

		p->options.misbehaviour = rows[i].kind;
		p->options.misbehave_arg = rows[i].arg;
		p->options.misbehave_number = rows[i].number;
		people(p);
		if (rows[i].by_kms) {
			assert_int_equal(ticket(p), -EPROTO);
			r = ue_mikey_report(p->alice);
		} else {
			assert_int_equal(ticket(p), 0);
			assert_int_not_equal(call(p, alice, bob), 0);
			r = ue_mikey_report(p->bob);
		}
		assert_int_equal(r.error, rows[i].error);
		assert_non_null(r.fault);
		part(p);
	}
}

/* Every flag but K, which says nothing to a responder, and J, which the KMS finds: each is refused. */
static void
flags_turned(void **state)
{
	struct pair *p = *state;
	struct ue_sdes alice[2], bob[2];
	char letter[2] = "";

	for (const char *at = "DEFGHIJKLMNO"; *at; at++) {
		letter[0] = *at;
		p->options.misbehaviour = UE_NO_FLAG;
		p->options.misbehave_arg = letter;
		people(p);
		assert_int_equal(ticket(p), 0);
		assert_int_equal(call(p, alice, bob), -EPROTO);
		assert_true(ue_mikey_report(p->bob).error == CP_MIKEY_ERR_TPPAR ||
			    strchr("JKLM", *at));
		part(p);
	}
}

/* A full exchange on a running call, from either side; a refused one leaves the call as it is. */
static void
a_full_transfer_within_a_call(void **state)
{
	struct pair *p = *state;
	struct ue_sdes alice[2], bob[2], before[2], now[2];
	const char *offer, *answer;

	people(p);
	assert_int_equal(ue_mikey_renew(p->alice), -EBUSY); /* nothing to renew */
	assert_int_equal(ticket(p), 0);
	assert_int_equal(call(p, alice, bob), 0);
	memcpy(before, alice, sizeof(before));
	assert_int_equal(ue_mikey_renew(p->alice), 0);
	assert_int_equal(ue_mikey_renew(p->alice), -EBUSY);
	assert_int_equal(ue_mikey_ready(p->alice), -EAGAIN);
	ue_mikey_node_turn(p->node);
	assert_int_equal(ue_mikey_ready(p->alice), 0);
	assert_true(ue_mikey_is_keyed(p->alice, now));
	assert_memory_equal(now, before, sizeof(now));
	assert_int_equal(call(p, alice, bob), 0);
	assert_meet(alice, bob);
	assert_memory_not_equal(alice, before, sizeof(before));
	/* the called does it, back to the caller */
	assert_int_equal(ue_mikey_renew(p->bob), 0);
	assert_int_equal(ue_mikey_ready(p->bob), -EAGAIN);
	ue_mikey_node_turn(p->node);
	assert_int_equal(ue_mikey_ready(p->bob), 0);
	assert_int_equal(offer_make(p->bob, 9, &offer), 0);
	assert_int_equal(offer_take(p->alice, offer), -EINPROGRESS);
	ue_mikey_node_turn(p->node);
	assert_int_equal(ue_mikey_ready(p->alice), 0);
	assert_int_equal(answer_make(p->alice, offer, 8, &answer, alice), 0);
	assert_int_equal(answer_take(p->bob, answer, bob), 0);
	assert_meet(alice, bob);
	assert_string_equal(ue_mikey_report(p->alice).initiator, "sip:bob@ims.example");
	assert_int_equal(ue_mikey_report(p->alice).transfers, 3);
	/* the KMS away, then an answer without MIKEY: the keys stay */
	memcpy(before, bob, sizeof(before));
	assert_int_equal(ue_mikey_renew(p->bob), 0);
	assert_int_equal(ue_mikey_ready(p->bob), -EAGAIN);
	kms.is_down = true;
	ue_mikey_node_turn(p->node);
	assert_int_equal(ue_mikey_ready(p->bob), -EHOSTUNREACH);
	kms.is_down = false;
	assert_int_equal(ue_mikey_renew(p->bob), 0);
	assert_int_equal(ue_mikey_ready(p->bob), -EAGAIN);
	ue_mikey_node_turn(p->node);
	assert_int_equal(ue_mikey_ready(p->bob), 0);
	assert_int_equal(offer_make(p->bob, 9, &offer), 0);
	assert_int_not_equal(answer_take(p->bob, NULL, now), 0);
	assert_true(ue_mikey_is_keyed(p->bob, now));
	assert_memory_equal(now, before, sizeof(now));
	/* and a CSB update goes on from there */
	assert_int_equal(ue_mikey_update(p->bob, 7, &offer), 0);
	assert_int_equal(offer_take(p->alice, offer), 0);
	assert_int_equal(answer_make(p->alice, offer, 8, &answer, alice), 0);
	assert_int_equal(answer_take(p->bob, answer, bob), 0);
	assert_meet(alice, bob);
}

/* Three m-lines, of which the second is the audio: one message for all, or one on a ticket of its own for each. */
static void
several_m_lines(void **state)
{
	static const char *const names[] = {"video", "audio", "plain", "message"};
	struct pair *p = *state;

	for (unsigned at_session = 0; at_session < 2; at_session++) {
		struct ue_sdp ours = {.line_count = 4, .own = 1, .is_mikey_at_session = at_session},
			      theirs;
		struct ue_sdes alice[2], bob[2];
		const char *answer;

		for (unsigned i = 0; i < 4; i++)
			assert_true(ue_line_by_name(&ours.line[i], names[i]));
		memcpy(p->options.line, ours.line, sizeof(ours.line));
		p->options.line_count = 4;
		p->options.own_line = 1;
		p->options.is_mikey_at_session = at_session;
		kms.answered = 0;
		people(p);
		assert_int_equal(ticket(p), 0);
		assert_int_equal(kms.answered, at_session ? 1 : 3);
		assert_int_equal(ue_mikey_offer(p->alice, 1, &ours), 0);
		assert_null(ours.line[2].mikey);
		theirs = ours;
		assert_int_equal(ue_sdp_cs_id(&theirs, theirs.own), at_session ? 3 : 1);
		assert_int_equal(ue_mikey_called(p->bob, &theirs), -EINPROGRESS);
		ue_mikey_node_turn(p->node);
		assert_int_equal(ue_mikey_ready(p->bob), 0);
		assert_int_equal(ue_mikey_answer(p->bob, &theirs, 2, &answer, bob), 0);
		theirs.mikey = answer;
		theirs.mikey_len = strlen(answer);
		for (unsigned i = 0; i < 4; i++) {
			theirs.line[i].mikey = NULL;
			theirs.line[i].port = 0;
		}
		assert_int_equal(ue_mikey_answered(p->alice, &theirs, alice), 0);
		assert_meet(alice, bob);
		assert_int_equal(ue_mikey_report(p->alice).lines, 3);
		assert_int_equal(ue_mikey_report(p->alice).lines_keyed, 1);
		part(p);
	}
}

/* One ticket for two calls where the KMS grants J, two where it does not. */
static void
ticket_reuse(void **state)
{
	struct pair *p = *state;
	const char *offer;
	char why[512];

	p->options.reuses_tickets = true;
	p->options.identity = "sip:alice@ims.example";
	for (unsigned strict = 0; strict < 2; strict++) {
		struct ue_mikey *again;

		kms.world.config.flags_clear = strict ? CP_MIKEY_FLAG_J : 0;
		kms.answered = 0;
		assert_int_equal(ue_mikey_node_create(&p->node, &p->options, why, sizeof(why)), 0);
		assert_int_equal(ue_mikey_create(&p->alice, p->node, 1, why, sizeof(why)), 0);
		assert_int_equal(ue_mikey_create(&again, p->node, 1, why, sizeof(why)), 0);
		assert_int_equal(ticket(p), 0);
		assert_int_equal(offer_make(p->alice, 1, &offer), 0);
		assert_int_equal(ue_mikey_call(again, "sip:bob@ims.example"), 0);
		if (strict) {
			assert_int_equal(ue_mikey_ready(again), -EAGAIN);
			ue_mikey_node_turn(p->node);
		}
		assert_int_equal(ue_mikey_ready(again), 0);
		assert_int_equal(offer_make(again, 2, &offer), 0);
		assert_int_equal(kms.answered, 1 + strict);
		assert_int_equal(ue_mikey_report(again).ticket_uses, 2 - strict);
		ue_mikey_node_destroy(p->node);
		ue_mikey_destroy(p->alice);
		ue_mikey_destroy(again);
		p->node = NULL;
		p->alice = NULL;
	}
}

/* Octets from the end are in V: nobody but the holder of MPKi can change them. A message that was taken is not taken twice. */
static void
forged_and_replayed(void **state)
{
	struct pair *p = *state;
	struct ue_sdes alice[2], bob[2];

	for (long at = -1; at >= -40; at -= 13) {
		p->options.misbehaviour = UE_FLIP;
		p->options.misbehave_number = at;
		people(p);
		assert_int_equal(ticket(p), 0);
		assert_int_equal(call(p, alice, bob), -EPROTO);
		part(p);
	}
	p->options.misbehaviour = UE_REPLAY;
	people(p);
	assert_int_equal(ue_mikey_call(p->bob, "sip:bob@ims.example"), 0);
	assert_int_equal(ue_mikey_ready(p->bob), -EAGAIN); /* the second one waits for the first */
	assert_int_equal(ticket(p), 0);
	assert_int_equal(call(p, alice, bob), 0);
	ue_mikey_destroy(p->bob);
	assert_int_equal(ue_mikey_create(&p->bob, p->node, 2, (char[256]){0}, 256), 0);
	ue_mikey_destroy(p->alice);
	assert_int_equal(ue_mikey_create(&p->alice, p->node, 1, (char[256]){0}, 256), 0);
	assert_int_equal(ticket(p), 0);
	assert_int_equal(call(p, alice, bob), -EPROTO);
	assert_int_equal(ue_mikey_report(p->bob).error, CP_MIKEY_ERR_TS);
}

static void
kms_away(void **state)
{
	struct pair *p = *state;
	struct ue_sdes alice[2], bob[2];

	people(p);
	kms.is_down = true;
	assert_int_equal(ticket(p), -EHOSTUNREACH);
	assert_string_equal(ue_mikey_report(p->alice).fault, "KMS: away");
	kms.is_down = false;
	assert_int_equal(ticket(p), 0);
	kms.is_down = true;
	assert_int_equal(call(p, alice, bob), -EHOSTUNREACH);
}

static int
create_from(struct pair *p, const void *text, size_t len, mode_t mode, char why[512])
{
	char path[96];
	FILE *f;
	int err;

	snprintf(path, sizeof(path), "%s/0.psk", p->folder);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(text, 1, len, f);
	fclose(f);
	chmod(path, mode);
	p->options.psk_file = path;
	err = ue_mikey_create(&p->bob, p->node, 9, why, 512);
	p->options.psk_file = p->pattern;
	if (!err)
		ue_mikey_destroy(p->bob);
	p->bob = NULL;
	return err;
}

static void
keys_from_files(void **state)
{
	struct pair *p = *state;
	uint8_t octets[32] = {0x01, 0xff};
	char hex[66], why[512];

	people(p);
	ue_mikey_destroy(p->bob);
	p->bob = NULL;
	cp_hex_encode(hex, octets, 32);
	hex[64] = '\n';
	assert_int_equal(create_from(p, hex, 65, 0600, why), -EINVAL); /* whose is it? */
	p->options.identity = "SIP:Bob%d@IMS.example:5060;user=x";
	assert_int_equal(create_from(p, hex, 65, 0600, why), 0);
	assert_int_equal(create_from(p, hex, 64, 0600, why), 0);
	assert_int_equal(create_from(p, octets, 32, 0600, why), 0);
	assert_int_equal(create_from(p, octets, 31, 0600, why), -EINVAL);
	assert_int_equal(create_from(p, octets, 16, 0600, why), -EINVAL); /* of set 128 */
	assert_int_equal(create_from(p, hex, 65, 0644, why), -EPERM);
	assert_non_null(strstr(why, "others"));
	p->options.mikey_set = CP_MIKEY_SET_128;
	assert_int_equal(create_from(p, octets, 16, 0600, why), 0);
	p->options.identity = "bob";
	assert_int_equal(create_from(p, octets, 16, 0600, why), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_sets_and_all_suites, setup, teardown),
		cmocka_unit_test_setup_teardown(rekeys_from_both_sides, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_update_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(misbehaves, setup, teardown),
		cmocka_unit_test_setup_teardown(flags_turned, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_transfer_within_a_call, setup, teardown),
		cmocka_unit_test_setup_teardown(several_m_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(ticket_reuse, setup, teardown),
		cmocka_unit_test_setup_teardown(forged_and_replayed, setup, teardown),
		cmocka_unit_test_setup_teardown(kms_away, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_from_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
