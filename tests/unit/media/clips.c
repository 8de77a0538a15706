/* Clips handed over to a media plane of ours: in order, a few requests at a time, again after each connection, and taken away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctrlplane/base/log.h"
#include "ctrlplane/media/clips.h"

#define WINDOW 8

static char folder[] = "/tmp/conclave-clips-XXXXXX";
static char path[64];
static int listener = -1, peer = -1;
static struct cp_media *media;
static struct cp_clips *clips;
static int64_t now_ms;

/* What our media plane has. */
static struct {
	uint32_t count, removes, fills;
	struct {
		uint32_t id, samples, filled;
		int16_t pcm[40000];
	} clip[16];
} plane;

static void
on_up(void *arg, const struct dp_ctl_welcome *welcome, bool is_new)
{
	cp_clips_on_up(clips);
}

static void
on_down(void *arg, int error)
{
	cp_clips_on_down(clips);
}

static void
give(void *message, size_t size, const struct dp_ctl_hdr *to, int status)
{
	struct dp_ctl_hdr *hdr = message;

	*hdr = (struct dp_ctl_hdr){.version = DP_CTL_VERSION,
				   .type = to->type,
				   .len = (uint32_t)size,
				   .number = to->number,
				   .status = status};
	assert_int_equal(send(peer, message, size, 0), size);
}

static int
plane_add(const struct dp_ctl_clip *m)
{
	if (plane.count == 16)
		return -ENOSPC;
	plane.clip[plane.count].id = m->clip;
	plane.clip[plane.count].samples = m->samples;
	plane.clip[plane.count++].filled = 0;
	return 0;
}

static uint32_t
plane_find(uint32_t id)
{
	uint32_t i;

	for (i = 0; i < plane.count && plane.clip[i].id != id; i++)
		;
	return i;
}

static int
plane_fill(const struct dp_ctl_clip_part *m)
{
	uint32_t i = plane_find(m->clip);

	plane.fills++;
	if (i == plane.count)
		return -ENOENT;
	assert_int_equal(m->offset, plane.clip[i].filled);
	assert_in_range(m->count, 1, plane.clip[i].samples - m->offset);
	memcpy(plane.clip[i].pcm + m->offset, m->pcm, m->count * sizeof(int16_t));
	plane.clip[i].filled += m->count;
	return 0;
}

static int
plane_remove(const struct dp_ctl_id *m)
{
	uint32_t i = plane_find(m->id);

	plane.removes++;
	if (i == plane.count)
		return -ENOENT;
	plane.clip[i] = plane.clip[--plane.count];
	return 0;
}

/* Pages of two. */
static void
plane_list(const struct dp_ctl_list *m)
{
	struct dp_ctl_ids ids = {.is_last = 1};

	for (uint32_t id = m->after + 1; id < m->after + 100000 && ids.is_last; id++) {
		if (plane_find(id) == plane.count)
			continue;
		if (ids.count == 2)
			ids.is_last = 0;
		else
			ids.ids[ids.count++] = id;
	}
	give(&ids, sizeof(ids), &m->hdr, 0);
}

/* Answers up to most requests that came. Returns how many there were. */
static unsigned
serve(unsigned most)
{
	static union {
		struct dp_ctl_hdr hdr;
		struct dp_ctl_clip clip;
		struct dp_ctl_clip_part part;
		struct dp_ctl_id id;
		struct dp_ctl_list list;
	} m;
	struct dp_ctl_hdr reply;
	unsigned n = 0;

	while (n < most && recv(peer, &m, sizeof(m), MSG_DONTWAIT) > 0) {
		int status = 0;

		n++;
		if (m.hdr.type == DP_CTL_LIST_CLIPS) {
			plane_list(&m.list);
		} else {
			if (m.hdr.type == DP_CTL_CLIP_ADD)
				status = plane_add(&m.clip);
			else if (m.hdr.type == DP_CTL_CLIP_FILL)
				status = plane_fill(&m.part);
			else
				status = plane_remove(&m.id);
			give(&reply, sizeof(reply), &m.hdr, status);
		}
	}
	cp_media_on_readable(media, now_ms);
	return n;
}

static void
serve_all(void)
{
	while (serve(1000) > 0)
		;
}

static void
connect_up(uint64_t instance)
{
	struct dp_ctl_welcome welcome = {.instance = instance, .workers = 1};
	struct dp_ctl_hello hello;

	now_ms += 10000;
	cp_media_on_tick(media, now_ms);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(recv(peer, &hello, sizeof(hello), 0), sizeof(hello));
	give(&welcome, sizeof(welcome), &hello.hdr, 0);
	cp_media_on_readable(media, now_ms);
	assert_true(cp_media_is_up(media));
}

static void
hang_up(void)
{
	close(peer);
	peer = -1;
	cp_media_on_readable(media, now_ms);
	assert_false(cp_media_is_up(media));
}

static int
begin(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct cp_media_conf conf = {.path = path,
					   .client = "test",
					   .timeout_ms = 1000,
					   .hooks = {.on_up = on_up, .on_down = on_down}};

	memset(&plane, 0, sizeof(plane));
	unlink(path);
	strcpy(address.sun_path, path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(cp_media_create(&media, &conf), 0);
	return cp_clips_create(&clips, media, UINT32_MAX - 1);
}

static int
end(void **state)
{
	cp_clips_destroy(clips);
	cp_media_destroy(media);
	if (peer >= 0)
		close(peer);
	close(listener);
	peer = -1;
	return 0;
}

static struct cp_clip *
add(uint32_t samples, int16_t first)
{
	int16_t *pcm = malloc(samples * sizeof(*pcm));
	struct cp_clip *clip;

	for (uint32_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)(first + (int)i);
	assert_int_equal(cp_clip_add(&clip, clips, pcm, samples), 0);
	return clip;
}

static void
assert_there(const struct cp_clip *clip, uint32_t samples, int16_t first)
{
	uint32_t id = 0, i;

	assert_int_equal(cp_clip_id(clip, &id), 0);
	i = plane_find(id);
	assert_true(i < plane.count);
	assert_int_equal(plane.clip[i].samples, samples);
	assert_int_equal(plane.clip[i].filled, samples);
	for (uint32_t k = 0; k < samples; k++)
		assert_int_equal(plane.clip[i].pcm[k], (int16_t)(first + (int)k));
}

static void
handed_over_a_few_at_a_time(void **state)
{
	struct cp_clip *a = add(40000, 1), *b = add(1, 2), *c;
	uint32_t id = 0;

	assert_int_equal(cp_clip_id(a, &id), -EAGAIN);
	assert_int_equal(cp_clip_ms(a), 5000);
	assert_int_equal(cp_clip_ms(b), 1);
	connect_up(1);
	assert_int_equal(serve(1), 1); /* LIST */
	for (unsigned n = WINDOW; n > 0;) {
		n = serve(1000);
		assert_in_range(n, 0, WINDOW);
	}
	assert_there(a, 40000, 1);
	assert_there(b, 1, 2);
	assert_int_equal(plane.fills, 40000 / DP_CTL_CLIP_PART + 1 + 1);
	c = add(3200, 3);
	assert_int_equal(cp_clip_id(c, &id), -EAGAIN);
	serve_all();
	assert_there(c, 3200, 3);
	assert_int_equal(plane.removes, 0);
}

/* Another control plane's clips go, on all pages; so do ours after a connection that broke. */
static void
what_was_there_goes(void **state)
{
	struct cp_clip *a = add(5000, 1);

	for (uint32_t i = 0; i < 7; i++)
		plane_add(&(struct dp_ctl_clip){.clip = 500 + i, .samples = 1});
	connect_up(1);
	serve_all();
	assert_int_equal(plane.count, 1);
	assert_there(a, 5000, 1);
	hang_up();
	assert_int_equal(cp_clip_id(a, &(uint32_t){0}), -EAGAIN);
	connect_up(1);
	serve_all();
	assert_int_equal(plane.count, 1);
	assert_there(a, 5000, 1);
	hang_up();
	plane.count = 0;
	connect_up(2);
	serve(3); /* in the middle of it */
	hang_up();
	plane.count = 0;
	connect_up(3);
	serve_all();
	assert_there(a, 5000, 1);
}

static void
taken_away(void **state)
{
	struct cp_clip *a = add(40000, 1), *b = add(100, 2), *c = add(100, 3);

	cp_clip_remove(c); /* before anything */
	connect_up(1);
	serve(1);
	serve(3);
	cp_clip_remove(a); /* half over there */
	serve_all();
	assert_there(b, 100, 2);
	assert_int_equal(plane.count, 1);
	cp_clip_remove(b);
	serve_all();
	assert_int_equal(plane.count, 0);
	a = add(10000, 4);
	hang_up();
	cp_clip_remove(a);
}

static void
no_room_over_there(void **state)
{
	struct cp_clip *a;
	uint32_t id = 0;

	connect_up(1);
	serve_all();
	plane.count = 16;
	a = add(9000, 1);
	serve_all();
	assert_int_equal(cp_clip_id(a, &id), -ENOSPC);
	plane.count = 0;
	hang_up();
	connect_up(2);
	serve_all();
	assert_there(a, 9000, 1);
}

/* An answer that does not come in time: from the start, under another id. */
static void
too_late(void **state)
{
	struct cp_clip *a = add(40000, 1);

	connect_up(1);
	serve(1);
	serve(3);
	now_ms += 1500;
	cp_media_on_tick(media, now_ms);
	serve_all();
	assert_there(a, 40000, 1);
	assert_int_equal(plane.count, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(handed_over_a_few_at_a_time),
		CASE(what_was_there_goes),
		CASE(taken_away),
		CASE(no_room_over_there),
		CASE(too_late),
	};
	int failed;

	cp_log_open("test", CP_LOG_STDERR, CP_LOG_ERROR);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/ctl", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
