/* Clips played to legs and conferences: who hears which samples, exactly, and that every play ends once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include "tests/scenario/worker/room.h"

#define TICK 160
#define CLIPS 4
#define LEGS 12

static struct room room;

static int16_t sound[CLIPS][4000];
static struct dp_clip clips[CLIPS] = {
	{.pcm = sound[0], .samples = 4000},
	{.pcm = sound[1], .samples = 1}, /* the shortest */
	{.pcm = sound[2], .samples = 3 * TICK},
	{.pcm = sound[3], .samples = 777},
};

static int
begin(void **state)
{
	uint32_t x = 1;

	for (unsigned c = 0; c < CLIPS; c++)
		for (unsigned i = 0; i < 4000; i++) {
			x = x * 1664525 + 1013904223;
			/* two together stay below the limiter's knee */
			sound[c][i] = (int16_t)((int32_t)(x >> 16) % 12000 - 6000);
		}
	room_open(&room, 320, 8);
	return 0;
}

static int
end(void **state)
{
	struct dp_worker_stats stats = room_stats(&room);

	assert_int_equal(stats.plays, stats.plays_ended + stats.playing);
	room_balance(&room);
	room_close(&room);
	assert_true(room.event_count < ROOM_EVENTS);
	return 0;
}

/* L16, so that what is heard is what was mixed. */
static struct peer *
join(uint32_t conf, double hz, double amplitude)
{
	return room_join(&room, &(struct seat){.conf = conf,
					       .codec = DP_CODEC_L16,
					       .hz = hz,
					       .amplitude = amplitude});
}

static void
play(const struct peer *peer, uint32_t conf, struct dp_msg_play in)
{
	struct dp_msg *msg = room_msg(DP_MSG_PLAY);

	if (in.gain.mantissa == 0)
		in.gain = dp_gain_from_cdb(0);
	if (in.except == 0) /* not the first leg's lot in these tests */
		in.except = DP_PLAY_TO_ALL;
	msg->play = in;
	msg->play.is_to_conf = peer == NULL;
	if (peer != NULL)
		msg->leg = peer->leg - 1;
	else
		msg->conf = conf - 1;
	room_done(room_do(&room, msg));
}

static int
stop(const struct peer *peer, uint32_t conf, uint32_t id)
{
	struct dp_msg *msg = room_msg(DP_MSG_STOP);
	int status;

	msg->play = (struct dp_msg_play){.id = id, .is_to_conf = peer == NULL};
	if (peer != NULL)
		msg->leg = peer->leg - 1;
	else
		msg->conf = conf - 1;
	status = room_do(&room, msg)->status;
	room_done(msg);
	return status;
}

static void
retire(const struct dp_clip *clip)
{
	struct dp_msg *msg = room_msg(DP_MSG_CLIP_RETIRE);

	msg->play.clip = clip;
	room_done(room_do(&room, msg));
}

/* A sample that was heard: back from the newest. */
static int16_t
heard(const struct peer *peer, unsigned back)
{
	return peer->heard[(peer->heard_count - 1 - back) % ROOM_HEARD];
}

static void
assert_heard(const struct peer *peer, const int16_t *want, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (heard(peer, n - 1 - i) != want[i])
			fail_msg("leg %u: sample %u of %u is %d, not %d", peer->leg, i, n,
				 heard(peer, n - 1 - i), want[i]);
}

static void
assert_silent(const struct peer *peer, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(heard(peer, i), 0);
}

static const struct dp_event_rec *
ended(uint32_t id)
{
	const struct dp_event_rec *found = NULL;

	room_run(&room, 1);
	for (uint32_t i = 0; i < room.event_count; i++) {
		if (room.events[i].event != DP_EVENT_PLAYED || room.events[i].a != id)
			continue;
		assert_null(found); /* once */
		found = &room.events[i];
	}
	return found;
}

static void
test_one_leg_hears_exactly_the_clip(void **state)
{
	struct peer *p[3];

	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		p[i] = join(1, 0, 0);
	room_run(&room, 100);
	play(p[1], 0, (struct dp_msg_play){.clip = &clips[0], .id = 7, .offset = 10});
	room_run(&room, 480);
	assert_heard(p[1], sound[0] + 10, 24 * TICK);
	assert_int_equal(p[1]->csrc_count, 0);
	assert_int_equal(room_leg_stats(&room, p[1]).is_played_to, 1);
	assert_int_equal(room_leg_stats(&room, p[0]).is_played_to, 0);
	assert_null(ended(7));
	room_run(&room, 39);
	assert_silent(p[1], TICK); /* and the rest of the tick before is silence, too */
	assert_silent(p[1], 2 * TICK - (4000 - 10) % TICK);
	assert_silent(p[0], 600 / 20 * TICK);
	assert_silent(p[2], 600 / 20 * TICK);
	const struct dp_event_rec *rec = ended(7);

	assert_non_null(rec);
	assert_int_equal(rec->b, DP_PLAYED_OUT);
	assert_int_equal(rec->leg, p[1]->leg);
	assert_int_equal(rec->conf, 1);
	assert_int_equal(room_leg_stats(&room, p[1]).is_played_to, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(p[i]->gaps, 0);
}

/* Loops of every length, a single sample too; a gain; stopped by its own number only. */
static void
test_loops_and_gains(void **state)
{
	struct dp_gain half = dp_gain_from_cdb(-602);
	struct peer *p;

	room_conf(&room, 1, 0, 8);
	p = join(1, 0, 0);
	room_run(&room, 100);
	for (unsigned c = 0; c < CLIPS; c++) {
		int16_t want[40 * TICK];

		for (unsigned i = 0; i < 40 * TICK; i++)
			want[i] = sound[c][(i + clips[c].samples - 1) % clips[c].samples];
		for (unsigned i = 0; i < 40; i++)
			room.worker->mix->gain(want + i * TICK, &half, TICK);
		play(p, 0,
		     (struct dp_msg_play){.clip = &clips[c],
					  .id = c + 1,
					  .offset = clips[c].samples - 1,
					  .flags = DP_PLAY_LOOP,
					  .gain = half});
		room_run(&room, 800);
		assert_heard(p, want, 40 * TICK);
		assert_int_equal(stop(p, 0, c + 100), -ENOENT);
		assert_null(ended(c + 1));
		assert_int_equal(stop(p, 0, c + 1), 0);
		assert_int_equal(stop(p, 0, c + 1), -ENOENT);
		assert_int_equal(ended(c + 1)->b, DP_PLAYED_STOPPED);
		room_run(&room, 39);
		assert_silent(p, TICK);
	}
}

/* A leg hears its clip instead of the others, or with them; the others hear what they would hear. */
static void
test_instead_and_over(void **state)
{
	static const uint32_t flags[] = {DP_PLAY_LOOP, DP_PLAY_LOOP | DP_PLAY_OVER};
	struct peer *p[4];

	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 4; i++)
		p[i] = join(1, 500 + 300.0 * i, i < 3 ? 2000 : 0);
	for (unsigned at = 2; at < 4; at++) /* one who talks, one who listens */
		for (unsigned f = 0; f < 2; f++) {
			bool is_over = f == 1;

			play(p[at], 0,
			     (struct dp_msg_play){
				     .clip = &clips[2], .id = 10 + at * 2 + f, .flags = flags[f]});
			room_run(&room, 1000);
			if (!is_over)
				assert_true(room_hears(p[at], 500, 500) < 100);
			else
				assert_in_range(room_hears(p[at], 500, 500), 1900, 2100);
			assert_int_equal(p[at]->csrc_count, !is_over ? 0 : at == 2 ? 2 : 3);
			/* 480 samples: its own lines at multiples of 16.7 Hz only, so 500 Hz has one of them */
			assert_in_range(room_hears(p[0], 800, 500), 1900, 2100);
			assert_in_range(room_hears(p[1], 500, 500), 1900, 2100);
			assert_in_range(room_hears(p[0], 1100, 500), 1900, 2100);
			assert_int_equal(p[0]->csrc_count, 2);
			assert_int_equal(stop(p[at], 0, 0), 0);
		}
}

/* Played to a conference: all hear it as if somebody talked, each less itself, the deaf do not; listeners share one frame. */
static void
test_a_conference_hears_it(void **state)
{
	struct dp_worker_stats before, after;
	struct peer *p[20], *deaf, *other;

	room_conf(&room, 1, 3, 4);
	room_conf(&room, 2, 3, 4);
	for (unsigned i = 0; i < 20; i++)
		p[i] = join(1, 0, 0);
	deaf = join(1, 0, 0);
	other = join(2, 0, 0);
	room_mix(&room, deaf, 0, false, true);
	room_run(&room, 200);
	play(NULL, 1, (struct dp_msg_play){.clip = &clips[0], .id = 3});
	before = room_stats(&room);
	room_run(&room, 400);
	after = room_stats(&room);
	for (unsigned i = 0; i < 20; i++) {
		assert_heard(p[i], sound[0], 20 * TICK);
		assert_int_equal(p[i]->csrc_count, 0);
	}
	assert_silent(deaf, 20 * TICK);
	assert_silent(other, 20 * TICK);
	assert_int_equal(after.frames_encoded - before.frames_encoded, 20);
	assert_int_equal(after.frames_shared - before.frames_shared, 20 * 19);
	room_run(&room, 200);
	assert_int_equal(ended(3)->b, DP_PLAYED_OUT);
	assert_int_equal(ended(3)->leg, 0);
	assert_int_equal(ended(3)->conf, 1);
}

static void
test_a_talker_hears_it_less_itself(void **state)
{
	struct peer *p[2];

	room_conf(&room, 1, 0, 8);
	p[0] = join(1, 440, 3000);
	p[1] = join(1, 0, 0);
	room_run(&room, 500);
	play(NULL, 1, (struct dp_msg_play){.clip = &clips[0], .id = 3});
	room_run(&room, 400);
	assert_heard(p[0], sound[0], 20 * TICK); /* the only talker */
	assert_in_range(room_hears(p[1], 440, 400), 2800, 3200);
	assert_int_equal(p[1]->csrc_count, 1);
	assert_int_equal(p[0]->csrc_count, 0);
}

/* "Somebody has joined" is not for whom it is about, be it a talker or not; a leg that is not there changes nothing. */
static void
test_all_but_one(void **state)
{
	struct peer *p[5];

	room_conf(&room, 1, 0, 8);
	p[0] = join(1, 440, 3000);
	p[1] = join(1, 0, 0);
	p[2] = join(1, 800, 2000);
	room_run(&room, 300);
	for (unsigned at = 1; at < 3; at++) {
		play(NULL, 1, (struct dp_msg_play){.clip = &clips[0], .id = at, .except = at});
		room_run(&room, 500);
		/* a tone is known by its neighbours: what is more is the clip */
		for (unsigned i = 1; i < 3800 && at == 2; i++) {
			double off = heard(p[2], i - 1) + heard(p[2], i + 1) -
				     2 * cos(2 * M_PI * 440 / 8000) * heard(p[2], i);

			assert_true(fabs(off) < 4);
		}
		assert_true(room_hears(p[at], 440, 400) > 2900);
		assert_true(room_hears(p[3 - at], 440, 400) > 2900);
		assert_int_equal(p[at]->csrc_count, 3 - at);
		room_run(&room, 20);
		assert_int_equal(ended(at)->b, DP_PLAYED_OUT);
	}
	p[0]->is_sending = p[2]->is_sending = false;
	room_run(&room, 1000);
	play(NULL, 1, (struct dp_msg_play){.clip = &clips[0], .id = 9, .except = 1});
	room_run(&room, 400);
	assert_heard(p[0], sound[0], 20 * TICK);
	assert_heard(p[2], sound[0], 20 * TICK);
	assert_silent(p[1], 20 * TICK);
	room_conf(&room, 2, 0, 8);
	p[3] = join(2, 0, 0); /* of elsewhere */
	p[4] = join(1, 0, 0); /* gone */
	room_leave(&room, p[4]);
	room_leave(&room, p[2]);
	for (unsigned at = 3; at < 5; at++) {
		play(NULL, 1, (struct dp_msg_play){.clip = &clips[0], .id = 10 + at, .except = at});
		room_run(&room, 400);
		assert_heard(p[1], sound[0], 20 * TICK);
		assert_heard(p[0], sound[0], 20 * TICK);
		assert_silent(p[3], 20 * TICK);
	}
}

/* Who waits for a moderator is deaf and muted, hears the prompt and nobody else, and nobody hears it. */
static void
test_a_deaf_leg_hears_its_own(void **state)
{
	struct peer *p[3];

	room_conf(&room, 1, 0, 8);
	p[0] = join(1, 440, 3000);
	p[1] = join(1, 0, 0);
	p[2] = join(1, 800, 3000);
	room_mix(&room, p[2], 0, true, true);
	room_run(&room, 200);
	for (unsigned f = 0; f < 2; f++) {
		play(p[2], 0,
		     (struct dp_msg_play){
			     .clip = &clips[0], .id = 9 + f, .flags = f * DP_PLAY_OVER});
		play(NULL, 1, (struct dp_msg_play){.clip = &clips[3], .id = 100 + f});
		room_run(&room, 400);
		assert_heard(p[2], sound[0], 20 * TICK);
		assert_int_equal(p[2]->csrc_count, 0);
		assert_true(room_hears(p[1], 800, 400) < 100);
		assert_int_equal(stop(p[2], 0, 9 + f), 0);
	}
}

/* The later one takes the place; a clip, a leg, a conference that go end what plays. */
static void
test_every_end(void **state)
{
	struct peer *p[3];

	room_conf(&room, 1, 0, 8);
	room_conf(&room, 2, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		p[i] = join(1 + i / 2, 0, 0);
	play(p[0], 0, (struct dp_msg_play){.clip = &clips[0], .id = 1, .flags = DP_PLAY_LOOP});
	play(p[0], 0, (struct dp_msg_play){.clip = &clips[2], .id = 2, .flags = DP_PLAY_LOOP});
	play(p[1], 0, (struct dp_msg_play){.clip = &clips[2], .id = 3, .flags = DP_PLAY_LOOP});
	play(NULL, 1, (struct dp_msg_play){.clip = &clips[2], .id = 4, .flags = DP_PLAY_LOOP});
	play(NULL, 2, (struct dp_msg_play){.clip = &clips[0], .id = 5, .flags = DP_PLAY_LOOP});
	play(p[2], 0, (struct dp_msg_play){.clip = &clips[0], .id = 6, .flags = DP_PLAY_LOOP});
	assert_int_equal(ended(1)->b, DP_PLAYED_DISPLACED);
	assert_int_equal(room_stats(&room).playing, 5);
	room_run(&room, 100);
	retire(&clips[2]);
	for (uint32_t id = 2; id <= 4; id++)
		assert_int_equal(ended(id)->b, DP_PLAYED_NO_CLIP);
	assert_int_equal(room_stats(&room).playing, 2);
	room_leave(&room, p[2]); /* and its conference */
	assert_int_equal(room_stats(&room).playing, 0);
	assert_null(ended(5));
	assert_null(ended(6));
	for (unsigned c = 0; c < 2; c++)
		assert_int_equal(room.worker->confs[c].plays, 0);
}

/* Nothing is lost of a prompt that begins while the leg cannot be sent to. */
static void
test_it_waits_for_the_leg(void **state)
{
	struct peer *p[2];

	room_conf(&room, 1, 0, 8);
	p[0] = join(1, 0, 0);
	p[1] = join(1, 0, 0);
	room_run(&room, 100);
	room_update(&room, p[0], DP_DIR_RECEIVE, 0);
	play(p[0], 0, (struct dp_msg_play){.clip = &clips[0], .id = 1});
	room_run(&room, 1000);
	assert_null(ended(1));
	room_update(&room, p[0], DP_DIR_RECEIVE | DP_DIR_SEND, 0);
	room_run(&room, 399);
	assert_heard(p[0], sound[0], 20 * TICK);
}

/* Packets of every length, and a leg far behind in a large conference. */
static void
test_ptimes_and_crowds(void **state)
{
	struct peer *p[300];

	room_conf(&room, 1, 4, 8);
	for (unsigned i = 0; i < 300; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .codec = DP_CODEC_L16,
						       .ptime_ms = (uint16_t)(10 + i % 6 * 10),
						       .hz = 440,
						       .amplitude = i == 0 ? 3000 : 0});
	room_run(&room, 600);
	for (unsigned i = 200; i < 206; i++)
		play(p[i], 0,
		     (struct dp_msg_play){.clip = &clips[0], .id = i, .flags = DP_PLAY_LOOP});
	room_run(&room, 60 * 8);
	for (unsigned i = 200; i < 206; i++) {
		unsigned at = 0, n = 15 * TICK;

		/* packets of 60 ms may begin with sound from before the clip */
		while (at < 4000 - n && heard(p[i], n - 1) != sound[0][at])
			at++;
		assert_heard(p[i], sound[0] + at, n);
	}
	for (unsigned i = 1; i < 300; i++)
		if (i < 200 || i >= 206)
			assert_in_range(room_hears(p[i], 440, 200), 2800, 3200);
}

/* What one place plays, by a second, slow reckoning. */
struct model {
	const int16_t *pcm;
	uint32_t samples, next, flags, id;
	uint32_t except; /* leg that does not hear it; 0: none */
};

static bool
model_next(struct model *m, int16_t *out)
{
	bool plays = m->pcm != NULL;

	for (unsigned i = 0; i < TICK; i++) {
		out[i] = 0;
		if (m->pcm == NULL)
			continue;
		if (m->next == m->samples && (m->flags & DP_PLAY_LOOP) != 0)
			m->next = 0;
		if (m->next < m->samples)
			out[i] = m->pcm[m->next++];
	}
	if (plays && m->next == m->samples && (m->flags & DP_PLAY_LOOP) == 0)
		m->pcm = NULL;
	return plays;
}

static uint32_t
draw(uint32_t *x, uint32_t n)
{
	*x = *x * 1664525 + 1013904223;
	return (*x >> 8) % n;
}

static void
model_act(struct model *m, struct peer *const *p, uint32_t at, uint32_t *x, uint32_t id)
{
	const struct peer *peer = at < LEGS ? p[at] : NULL;
	uint32_t c = draw(x, CLIPS);

	switch (draw(x, 8)) {
	case 0:
		assert_int_equal(stop(peer, 1, m[at].id),
				 m[at].pcm != NULL && m[at].id != 0 ? 0 : -ENOENT);
		m[at].pcm = NULL;
		break;
	case 1:
		retire(&clips[c]);
		for (unsigned i = 0; i <= LEGS; i++)
			if (m[i].pcm == clips[c].pcm)
				m[i].pcm = NULL;
		break;
	default:
		m[at] = (struct model){.pcm = clips[c].pcm,
				       .samples = clips[c].samples,
				       .next = draw(x, clips[c].samples),
				       .flags = draw(x, peer != NULL ? 4 : 2),
				       .id = id,
				       .except = peer != NULL ? 0 : draw(x, LEGS)};
		play(peer, 1,
		     (struct dp_msg_play){.clip = &clips[c],
					  .id = id,
					  .offset = m[at].next,
					  .flags = m[at].flags,
					  .except = m[at].except});
	}
}

/* Random plays and stops; each sample that each leg hears is what a model says, for 1,500 ticks. */
static void
test_against_a_model(void **state)
{
	struct model m[LEGS + 1] = {0};
	struct peer *p[LEGS];
	uint32_t x = 20;

	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < LEGS; i++) {
		p[i] = join(1, 0, 0);
		room_mix(&room, p[i], 0, false, i % 4 == 3);
	}
	room_run(&room, 100);
	for (unsigned t = 1; t <= 1500; t++) {
		int16_t all[TICK], want[TICK];
		bool has_all;

		if (draw(&x, 3) == 0)
			model_act(m, p, draw(&x, LEGS + 1), &x, t);
		room_run(&room, 20);
		room.event_count = 0;
		has_all = model_next(&m[LEGS], all);
		for (unsigned i = 0; i < LEGS; i++) {
			bool is_deaf = i % 4 == 3, is_over = (m[i].flags & DP_PLAY_OVER) != 0;
			bool plays = model_next(&m[i], want);

			if (m[LEGS].except != 0 && m[LEGS].except == i)
				is_deaf = true;
			for (unsigned k = 0; k < TICK && has_all && !is_deaf; k++)
				want[k] = !plays    ? all[k]
					  : is_over ? dp_mix_limit(all[k] + want[k])
						    : want[k];
			assert_heard(p[i], want, TICK);
		}
	}
	assert_true(room_stats(&room).plays > 300);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_one_leg_hears_exactly_the_clip),
		CASE(test_loops_and_gains),
		CASE(test_instead_and_over),
		CASE(test_a_conference_hears_it),
		CASE(test_a_talker_hears_it_less_itself),
		CASE(test_all_but_one),
		CASE(test_a_deaf_leg_hears_its_own),
		CASE(test_every_end),
		CASE(test_it_waits_for_the_leg),
		CASE(test_ptimes_and_crowds),
		CASE(test_against_a_model),
	};

	return cmocka_run_group_tests_name("scenario/worker/play", tests, NULL, NULL);
}
