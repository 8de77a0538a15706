/* TLS keys of a call's floor and chat: crypto sessions under the session's message, exchanges of the m-lines' own, what later offers do to
 * them, and what we offer ourselves. */
#include <errno.h>
#include <stdio.h>
#include "tests/scenario/app/call.h"

#define TEXT (CP_BASE64_LEN(CP_SDP_MIKEY_MAX) + 1)

/* A message of alice's, and what she makes of the answer. */
struct talk {
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_csb *csb;
	char base64[TEXT];
};

static struct talk audio, floor_talk, chat_talk;

static int
open_talks(void **state)
{
	audio = floor_talk = chat_talk = (struct talk){0};
	return open_call(state);
}

static void
drop(struct talk *t)
{
	cp_mikey_initiator_destroy(t->initiator);
	cp_mikey_csb_destroy(t->csb);
	t->initiator = NULL;
	t->csb = NULL;
}

static int
close_talks(void **state)
{
	drop(&audio);
	drop(&floor_talk);
	drop(&chat_talk);
	return close_call(state);
}

static void
keep_text(struct talk *t)
{
	cp_base64_encode(t->base64, w.octets, w.out.len);
	t->base64[CP_BASE64_LEN(w.out.len)] = '\0';
}

/* TRANSFER_INIT of somebody with a ticket of its own. */
static void
begin(struct talk *t, const char *who, const struct cp_mikey_line *lines, size_t count)
{
	const struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(world_conf),
						   .lines = lines,
						   .count = count,
						   .sdp_ids = "mikey",
						   .limits = cp_mikey_limits_default()};
	struct cp_mikey_account account = world_account(&w, who, who, CP_MIKEY_SET_256);
	struct cp_mikey_policy p = world_policy(&w, CP_MIKEY_SET_256, who, world_conf);
	struct cp_mikey_ticket *made = world_ticket(&w, &account, &p);

	assert_non_null(made);
	drop(t);
	assert_int_equal(cp_mikey_initiator_make(&t->initiator, &w.out, made, &transfer, &w.env),
			 0);
	cp_mikey_ticket_destroy(made);
	keep_text(t);
}

static struct cp_mikey_line
audio_line(void)
{
	static const enum dp_suite suites[] = {CM80};

	return cp_mikey_line_srtp(1, THEIRS, suites, 1);
}

static struct cp_mikey_line
tls_line(uint8_t cs_id)
{
	return (struct cp_mikey_line){.use = CP_MIKEY_USE_TLS, .cs_id = cs_id};
}

/* Our message, to alice. */
static void
end(struct talk *t, struct cp_slice ours)
{
	struct cp_mikey_csb *made;

	assert_true(ours.len > 0);
	assert_int_equal(cp_mikey_initiator_take(&made, t->initiator,
						 cp_mikey_octets(ours.ptr, ours.len), &w.env,
						 &w.fault),
			 0);
	cp_mikey_csb_destroy(t->csb);
	t->csb = made;
}

/* What ctrlplane/sdp makes of an offer: the audio's message, and the streams that it agreed on. */
static void
offered(const struct talk *of_audio)
{
	cp_sdp_drop(&call->next);
	memset(&call->next, 0, sizeof(call->next));
	if (of_audio) {
		call->next.mikey = cp_slice_text(of_audio->base64);
		call->next.cs_id = 1;
		call->next.srtp_lines = 1;
	}
	snprintf(call->next.protocols, sizeof(call->next.protocols), "mikey");
	call->next.next.phase = CP_SDP_AGREED;
	call->next.next.was_agreed = true;
	call->next.next.media.keying = CP_SDP_MIKEY_TICKET;
}

static void
with_stream(enum cp_sdp_service service, uint8_t cs_id, const struct talk *own)
{
	call->next.next.streams[service] = (struct cp_sdp_stream){
		.mode = CP_SDP_STREAM_PSK,
		.mline = (uint8_t)(1 + service),
		.cs_id = cs_id,
		.has_mikey = own != NULL,
		.is_own_mikey = own != NULL,
	};
	if (own)
		call->next.stream_mikey[service] = cp_slice_text(own->base64);
}

static int
start(void)
{
	return wait_done(cp_keying_start(call, "conf-7f3a", "192.0.2.1", done));
}

static void
commit(void)
{
	cp_sdp_commit(&call->sdp, &call->next);
	cp_keying_commit(call);
}

/* Both have the same PSK for it, under the same name. */
static void
check_tls(enum cp_sdp_service service, const struct cp_mikey_csb *csb, uint8_t cs_id)
{
	const struct cp_mikey_session *ours = cp_keying_stream(call, service);
	const struct cp_mikey_session *theirs = cp_mikey_csb_find(csb, cs_id);

	assert_non_null(ours);
	assert_non_null(theirs);
	assert_true(cp_secret_is_same(ours->secret, theirs->secret));
	assert_string_equal(ours->name, theirs->name);
}

/* Audio, floor and chat under one message. */
static void
dial_in_with(const struct cp_mikey_line *lines, size_t count)
{
	begin(&audio, ALICE, lines, count);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 3, NULL);
	with_stream(CP_SDP_CHAT, 5, NULL);
	assert_int_equal(start(), 0);
	assert_int_equal(cp_keying_answer(call), 0);
	commit();
	end(&audio, call->local.mikey);
}

static void
test_one_message(void **state)
{
	const struct cp_mikey_line lines[] = {audio_line(), tls_line(3), tls_line(5)};

	dial_in_with(lines, 3);
	assert_int_equal(room.kmsd.asked, 1);
	check_tls(CP_SDP_FLOOR, audio.csb, 3);
	check_tls(CP_SDP_CHAT, audio.csb, 5);
	assert_false(cp_secret_is_same(cp_keying_stream(call, CP_SDP_FLOOR)->secret,
				       cp_keying_stream(call, CP_SDP_CHAT)->secret));
}

/* Its map has none for the chat: that m-line alone is refused. */
static void
test_no_crypto_session(void **state)
{
	const struct cp_mikey_line lines[] = {audio_line(), tls_line(3)};
	struct cp_mikey_line audio_alone = audio_line();

	begin(&audio, ALICE, lines, 2);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 3, NULL);
	with_stream(CP_SDP_CHAT, 5, NULL);
	assert_int_equal(start(), 0);
	assert_int_equal(cp_keying_answer(call), 0);
	assert_int_equal(call->next.next.streams[CP_SDP_CHAT].mode, CP_SDP_STREAM_NONE);
	assert_non_null(strstr(call->next.stream_why[CP_SDP_CHAT], "no TLS crypto session"));
	assert_int_equal(call->next.next.streams[CP_SDP_FLOOR].mode, CP_SDP_STREAM_PSK);
	commit();
	assert_non_null(cp_keying_stream(call, CP_SDP_FLOOR));
	assert_null(cp_keying_stream(call, CP_SDP_CHAT));
	/* a later full message that leaves out the floor's takes the floor away */
	begin(&audio, ALICE, &audio_alone, 1);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 3, NULL);
	assert_int_equal(cp_keying_reoffer(call), -EINPROGRESS);
	assert_int_equal(start(), 0);
	assert_int_equal(cp_keying_answer(call), 0);
	commit();
	assert_null(cp_keying_stream(call, CP_SDP_FLOOR));
}

/* An m-line that is added under the message that is in force has a crypto session there, or is refused. */
static void
test_added_without_message(void **state)
{
	const struct cp_mikey_line lines[] = {audio_line(), tls_line(3), tls_line(5)};

	dial_in_with(lines, 3);
	for (uint8_t cs_id = 5; cs_id <= 7; cs_id = (uint8_t)(cs_id + 2)) {
		offered(NULL);
		with_stream(CP_SDP_FLOOR, 3, NULL);
		with_stream(CP_SDP_CHAT, cs_id, NULL);
		cp_keying_check_streams(call);
		assert_int_equal(call->next.next.streams[CP_SDP_CHAT].cs_id,
				 5); /* the other one is taken */
	}
	offered(NULL);
	with_stream(CP_SDP_FLOOR, 1, NULL); /* the audio's is none of TLS */
	cp_keying_check_streams(call);
	assert_int_equal(call->next.next.streams[CP_SDP_FLOOR].cs_id, 5);
}

/* A CSB update that brings a crypto session for an m-line that is new, under a number of their choice. */
static void
test_their_update(void **state)
{
	const struct cp_mikey_line lines[] = {audio_line(), tls_line(3)}, more = tls_line(9);
	const struct cp_mikey_update update = {.lines = &more, .count = 1};

	begin(&audio, ALICE, lines, 2);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 3, NULL);
	assert_int_equal(start(), 0);
	assert_int_equal(cp_keying_answer(call), 0);
	commit();
	end(&audio, call->local.mikey);
	assert_int_equal(cp_mikey_update_make(&w.out, audio.csb, &update, &w.env, &w.fault), 0);
	keep_text(&audio);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 3, NULL);
	with_stream(CP_SDP_CHAT, 5, NULL);
	assert_int_equal(cp_keying_reoffer(call), 0);
	commit();
	assert_int_equal(cp_mikey_update_finish(
				 audio.csb,
				 cp_mikey_octets(call->local.mikey.ptr, call->local.mikey.len),
				 &w.env, &w.fault),
			 0);
	check_tls(CP_SDP_FLOOR, audio.csb, 3);
	check_tls(CP_SDP_CHAT, audio.csb, 9);
}

/* Without audio: the message keys the chat, and nothing for the media plane. */
static void
test_alone(void **state)
{
	const struct cp_mikey_line tls = tls_line(1);

	for (int round = 0; round < 2; round++) { /* the second time it is the same message */
		if (round == 0)
			begin(&chat_talk, ALICE, &tls, 1);
		offered(&chat_talk);
		call->next.srtp_lines = 0;
		call->next.next.audio = CP_SDP_NO_AUDIO;
		with_stream(CP_SDP_CHAT, 1, NULL);
		assert_int_equal(round == 0 ? start() : cp_keying_reoffer(call), 0);
		if (round == 0)
			assert_int_equal(cp_keying_answer(call), 0);
		assert_int_equal(call->next.next.media.rx_key_count, 0);
		commit();
		if (round == 0)
			end(&chat_talk, call->local.mikey);
		check_tls(CP_SDP_CHAT, chat_talk.csb, 1);
	}
	assert_int_equal(room.kmsd.asked, 1);
}

/* A message for each m-line. */
static void
dial_in_each(void)
{
	const struct cp_mikey_line of_audio = audio_line(), tls = tls_line(1);

	begin(&audio, ALICE, &of_audio, 1);
	begin(&floor_talk, ALICE, &tls, 1);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 1, &floor_talk);
	assert_int_equal(start(), 0);
	assert_int_equal(cp_keying_answer(call), 0);
	commit();
	end(&audio, call->local.mikey);
	end(&floor_talk, call->local.stream_mikey[CP_SDP_FLOOR]);
}

static void
test_own_messages(void **state)
{
	struct cp_mikey_line tls = tls_line(1);

	dial_in_each();
	assert_int_equal(room.kmsd.asked, 2);
	check_tls(CP_SDP_FLOOR, floor_talk.csb, 1);
	assert_null(cp_keying_session(call, 3));

	/* the same again, and another m-line beside it: the KMS is asked for that one alone */
	begin(&chat_talk, ALICE, &tls, 1);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 1, &floor_talk);
	with_stream(CP_SDP_CHAT, 1, &chat_talk);
	assert_int_equal(cp_keying_reoffer(call), -EINPROGRESS);
	assert_int_equal(start(), 0);
	assert_int_equal(room.kmsd.asked, 3);
	assert_int_equal(cp_keying_answer(call), 0);
	assert_int_equal(call->next.changes & (CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY), 0);
	commit();
	end(&chat_talk, call->local.stream_mikey[CP_SDP_CHAT]);
	check_tls(CP_SDP_FLOOR, floor_talk.csb, 1);
	check_tls(CP_SDP_CHAT, chat_talk.csb, 1);

	/* nothing said: all stays; and gone with the m-line */
	offered(NULL);
	with_stream(CP_SDP_FLOOR, 1, NULL);
	call->next.next.streams[CP_SDP_FLOOR].is_own_mikey = true;
	cp_keying_check_streams(call);
	commit();
	check_tls(CP_SDP_FLOOR, floor_talk.csb, 1);
	assert_null(cp_keying_stream(call, CP_SDP_CHAT));
	assert_null(call->keying->streams[CP_SDP_CHAT].csb);
	assert_int_equal(call->local.stream_mikey[CP_SDP_CHAT].len, 0);
}

/* A CSB update of the m-line's own bundle: its key is another from then on. */
static void
test_own_update(void **state)
{
	const struct cp_mikey_line tls = tls_line(3);
	const struct cp_mikey_update update = {.lines = &tls, .count = 1};

	dial_in_each();
	assert_int_equal(cp_mikey_update_make(&w.out, floor_talk.csb, &update, &w.env, &w.fault),
			 0);
	keep_text(&floor_talk);
	for (int again = 0; again < 2; again++) { /* the second time it is the same message */
		offered(NULL);
		with_stream(CP_SDP_FLOOR, 1, &floor_talk);
		assert_int_equal(cp_keying_reoffer(call), 0);
		commit();
		if (again == 0)
			assert_int_equal(
				cp_mikey_update_finish(
					floor_talk.csb,
					cp_mikey_octets(call->local.stream_mikey[CP_SDP_FLOOR].ptr,
							call->local.stream_mikey[CP_SDP_FLOOR].len),
					&w.env, &w.fault),
				0);
		check_tls(CP_SDP_FLOOR, floor_talk.csb, 3);
	}
	assert_int_equal(room.kmsd.asked, 2);
}

/* Who sends one of the messages sends all of them. */
static void
test_somebody_else(void **state)
{
	const struct cp_mikey_line of_audio = audio_line(), tls = tls_line(1);

	begin(&audio, ALICE, &of_audio, 1);
	begin(&floor_talk, BOB, &tls, 1);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 1, &floor_talk);
	assert_int_equal(start(), 0);
	assert_string_equal(cp_keying_initiator(call), ALICE);
	assert_int_equal(cp_keying_answer(call), 403);
	cp_keying_abort(call);
	assert_null(call->keying->streams[CP_SDP_FLOOR].next_csb);
}

/* One that cannot be taken refuses the offer (RFC 4567 4.1.2), and leaves what was agreed. */
static void
test_a_bad_one(void **state)
{
	const struct cp_mikey_line of_audio = audio_line(), tls = tls_line(1);

	begin(&audio, ALICE, &of_audio, 1);
	offered(&audio);
	snprintf(floor_talk.base64, sizeof(floor_talk.base64), "AQIDBAUGBwg=");
	with_stream(CP_SDP_FLOOR, 1, &floor_talk);
	assert_int_equal(start(), 488);
	cp_keying_abort(call);
	assert_null(cp_keying_initiator(call));

	dial_in_each();
	begin(&chat_talk, ALICE, &tls, 1);
	offered(NULL);
	with_stream(CP_SDP_CHAT, 1, &chat_talk);
	assert_int_equal(cp_keying_reoffer(call), -EINPROGRESS);
	room.kmsd.mood = KMSD_ERROR;
	assert_int_equal(start(), 503);
	cp_sdp_drop(&call->next);
	cp_keying_abort(call);
	check_tls(CP_SDP_FLOOR, floor_talk.csb, 1);
	assert_true(call->local.stream_mikey[CP_SDP_FLOOR].len > 0);
}

/* The KMS answers for one of two only: the offer is refused, nothing waits on. */
static void
test_one_of_two(void **state)
{
	const struct cp_mikey_line of_audio = audio_line(), tls = tls_line(1);

	begin(&audio, ALICE, &of_audio, 1);
	begin(&floor_talk, ALICE, &tls, 1);
	floor_talk.base64[strlen(floor_talk.base64) - 8] ^= 1; /* in its MAC */
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 1, &floor_talk);
	assert_int_equal(start(), 488);
	cp_keying_abort(call);
}

/* Alice answers our message with keys for what it lists. */
static void
alice_answers(void)
{
	struct cp_mikey_responder_config theirs = {
		.account = world_account(&w, ALICE, ALICE, CP_MIKEY_SET_256),
		.suites = 0x3E,
		.sdp_ids = "mikey",
	};
	const struct cp_mikey_line line = audio_line();
	const struct cp_mikey_answer answer = {&line, 1};
	struct cp_mikey_responder *responder;

	memcpy(w.octets, call->local.mikey.ptr, call->local.mikey.len);
	w.out.len = call->local.mikey.len;
	responder = world_resolved(&w, &theirs);
	assert_non_null(responder);
	cp_mikey_csb_destroy(audio.csb);
	assert_int_equal(
		cp_mikey_responder_answer(&audio.csb, &w.out, responder, &answer, &w.env, &w.fault),
		0);
	cp_mikey_responder_destroy(responder);
	keep_text(&audio);
}

static void
test_our_offer(void **state)
{
	static const enum dp_suite suites[] = {CM80};
	const struct cp_mikey_line line = cp_mikey_line_srtp(5, THEIRS, suites, 1);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};

	call->is_outgoing = true;
	call->verified_by = "none";
	snprintf(call->identity, sizeof(call->identity), "%s", ALICE);
	call->sdp.is_mikey_of_session = true;
	snprintf(call->sdp.mlines[0].proto, sizeof(call->sdp.mlines[0].proto), "RTP/SAVP");
	snprintf(call->sdp.mlines[1].proto, sizeof(call->sdp.mlines[1].proto), "TCP/TLS/BFCP");
	call->sdp.mline_count = 2;
	call->sdp.proposed[CP_SDP_FLOOR] = (struct cp_sdp_stream_offer){
		.mode = CP_SDP_STREAM_PSK, .mline = 1, .cs_id = 3, .is_new = true};
	assert_int_equal(wait_done(cp_keying_ticket(call, "conf-7f3a", ALICE, done)), 0);
	assert_int_equal(cp_keying_transfer(call), 0);
	alice_answers();
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 3, NULL);
	assert_int_equal(cp_keying_answered(call), 0);
	call->next.next.is_mikey_of_session = true;
	commit();
	check_tls(CP_SDP_FLOOR, audio.csb, 3);

	/* another m-line by an update of ours: it gets the next number behind the audio's new pair */
	call->sdp.proposed[CP_SDP_FLOOR] =
		(struct cp_sdp_stream_offer){.mode = CP_SDP_STREAM_PSK, .mline = 1, .cs_id = 3};
	call->sdp.proposed[CP_SDP_CHAT] = (struct cp_sdp_stream_offer){
		.mode = CP_SDP_STREAM_PSK, .mline = 2, .cs_id = 5, .is_new = true};
	assert_int_equal(cp_keying_update(call), 0);
	assert_int_equal(call->sdp.proposed[CP_SDP_FLOOR].cs_id, 3);
	assert_int_equal(call->sdp.proposed[CP_SDP_CHAT].cs_id, 7);
	assert_int_equal(cp_mikey_update_answer(
				 &w.out, audio.csb, &update,
				 cp_mikey_octets(call->local.mikey.ptr, call->local.mikey.len),
				 &w.env, &w.fault),
			 0);
	keep_text(&audio);
	offered(&audio);
	with_stream(CP_SDP_FLOOR, 3, NULL);
	with_stream(CP_SDP_CHAT, 7, NULL);
	assert_int_equal(cp_keying_answered(call), 0);
	commit();
	check_tls(CP_SDP_FLOOR, audio.csb, 3);
	check_tls(CP_SDP_CHAT, audio.csb, 7);
}

int
main(void)
{
#define F(name) cmocka_unit_test_setup_teardown(name, open_talks, close_talks)
	const struct CMUnitTest tests[] = {
		F(test_one_message),
		F(test_no_crypto_session),
		F(test_added_without_message),
		F(test_their_update),
		F(test_alone),
		F(test_own_messages),
		F(test_own_update),
		F(test_somebody_else),
		F(test_a_bad_one),
		F(test_one_of_two),
		F(test_our_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
