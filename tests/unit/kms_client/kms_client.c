/* Asking a KMS: which one, how often, with which message, and what counts as an answer. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "ctrlplane/kms_client/kms_client.h"
#include "tests/scenario/app/kmsd.h"

#define KMS 3

static struct kmsd kms[KMS];
static const char *urls[KMS];
static char deserted[64];
static struct cp_kms_client *client;

/* One question and what became of it. */
struct question {
	struct cp_kms_ask *ask;
	int made, taken, done, status;
	int make_error; /* of the attempt of that number, from 1; 0: none */
	int refuses;	/* answers that it takes for nonsense */
	struct question *then;
	uint8_t answer[64];
	size_t len;
};

/* Says back what it was asked, with its own number before it. */
static size_t
echo(void *arg, uint8_t *out, size_t size, const uint8_t *in, size_t len)
{
	const struct kmsd *k = arg;

	out[0] = (uint8_t)(k - kms);
	memcpy(out + 1, in, len);
	return len + 1;
}

static int
make(void *arg, uint8_t *octets, size_t size)
{
	struct question *q = arg;

	q->made++;
	if (q->make_error && q->made == q->make_error)
		return -ENOSPC;
	octets[0] = 'q';
	octets[1] = (uint8_t)q->made; /* a new message each time */
	return 2;
}

static int
take(void *arg, const uint8_t *octets, size_t len)
{
	struct question *q = arg;

	q->taken++;
	q->len = len < sizeof(q->answer) ? len : 0;
	memcpy(q->answer, octets, q->len);
	return q->taken <= q->refuses ? -EBADMSG : 0;
}

static void done(void *arg, int status);
static const struct cp_kms_ask_ops ops = {.make = make, .take = take, .done = done};

static void
done(void *arg, int status)
{
	struct question *q = arg;

	q->done++;
	q->status = status;
	q->ask = NULL;
	if (q->then)
		assert_int_equal(
			cp_kms_client_ask(&q->then->ask, client, CP_KMS_REQUEST, &ops, q->then), 0);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
run_until(const struct question *q)
{
	int64_t end = now_ms() + 20000;

	while (!q->done && now_ms() < end) {
		struct pollfd wait = {.fd = cp_kms_client_fd(client), .events = POLLIN};

		poll(&wait, 1, 100);
		cp_kms_client_run(client);
	}
	assert_int_equal(q->done, 1);
}

static void
ask(struct question *q)
{
	assert_int_equal(cp_kms_client_ask(&q->ask, client, CP_KMS_RESOLVE, &ops, q), 0);
	run_until(q);
}

static void
open_client(unsigned int rounds, int64_t timeout_ms)
{
	const struct cp_kms_client_options options = {
		.urls = urls,
		.url_count = KMS,
		.timeout_ms = timeout_ms,
		.rounds = rounds,
		.asks_max = 2,
	};

	assert_int_equal(cp_kms_client_create(&client, &options), 0);
}

static int
open_all(void **state)
{
	for (size_t i = 0; i < KMS; i++) {
		kms[i] = (struct kmsd){.answer = echo, .arg = &kms[i]};
		kmsd_start(&kms[i]);
		urls[i] = kms[i].url;
	}
	kmsd_deserted(deserted);
	open_client(2, 5000);
	return 0;
}

static int
close_all(void **state)
{
	cp_kms_client_destroy(client);
	client = NULL;
	for (size_t i = 0; i < KMS; i++)
		kmsd_stop(&kms[i]);
	return 0;
}

static void
test_an_answer(void **state)
{
	struct question q = {0}, request = {0};

	ask(&q);
	assert_int_equal(q.status, 0);
	assert_int_equal(q.made, 1);
	assert_memory_equal(q.answer, "\0q\1", 3);
	assert_int_equal(q.len, 3);
	assert_string_equal(kms[0].path, "/keymanagement?requesttype=ticketresolve");
	assert_int_equal(cp_kms_client_ask(&request.ask, client, CP_KMS_REQUEST, &ops, &request),
			 0);
	run_until(&request);
	assert_string_equal(kms[0].path, "/keymanagement?requesttype=ticketrequest");
	assert_int_equal(kms[1].asked + kms[2].asked, 0);
}

/* Whatever is wrong with one, the next gets a message of its own; and the one that was good is asked first from then on. */
static void
test_the_next_one(void **state)
{
	static const enum kmsd_mood moods[] = {KMSD_ERROR, KMSD_NONSENSE, KMSD_HTML, KMSD_LONG,
					       KMSD_CUT};

	for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
		/* NONSENSE is MIKEY's to see: HTTP is in order. */
		struct question q = {.refuses = moods[i] == KMSD_NONSENSE}, again = {0};

		cp_kms_client_destroy(client);
		open_client(2, 5000);
		kms[0].mood = moods[i];
		ask(&q);
		assert_int_equal(q.status, 0);
		assert_int_equal(q.made, 2);
		assert_memory_equal(q.answer, "\1q\2", 3);
		kms[0].mood = KMSD_WELL;
		ask(&again);
		assert_memory_equal(again.answer, "\1q\1", 3);
	}
}

static void
test_nobody_there(void **state)
{
	struct question q = {0};

	urls[0] = urls[1] = urls[2] = deserted;
	ask(&q);
	assert_int_equal(q.status, -EHOSTDOWN);
	assert_int_equal(q.made, 2 * KMS); /* two rounds */
	assert_int_equal(q.taken, 0);
}

static void
test_silence(void **state)
{
	struct question q = {0};
	int64_t begin = now_ms();

	cp_kms_client_destroy(client);
	open_client(1, 200);
	for (size_t i = 0; i < KMS; i++)
		kms[i].mood = KMSD_SILENT;
	ask(&q);
	assert_int_equal(q.status, -ETIMEDOUT);
	assert_int_equal(q.made, KMS);
	assert_true(now_ms() - begin >= 600);
}

/* Only the second round finds somebody. */
static void
test_a_second_round(void **state)
{
	struct question q = {.refuses = KMS};

	ask(&q);
	assert_int_equal(q.status, 0);
	assert_int_equal(q.made, KMS + 1);
	assert_memory_equal(q.answer, "\0q\4", 3);
}

static void
test_cancelled(void **state)
{
	struct question q = {0}, other = {0};

	kms[0].mood = KMSD_SILENT;
	assert_int_equal(cp_kms_client_ask(&q.ask, client, CP_KMS_RESOLVE, &ops, &q), 0);
	while (kms[0].asked == 0) {
		struct pollfd wait = {.fd = cp_kms_client_fd(client), .events = POLLIN};

		poll(&wait, 1, 100);
		cp_kms_client_run(client);
	}
	cp_kms_client_cancel(q.ask);
	cp_kms_client_cancel(NULL);
	kms[0].mood = KMSD_WELL;
	ask(&other);
	assert_int_equal(other.status, 0);
	assert_int_equal(q.done + q.taken, 0);
}

static void
test_bounds(void **state)
{
	struct question q[3] = {0};

	for (int i = 0; i < 2; i++)
		assert_int_equal(cp_kms_client_ask(&q[i].ask, client, CP_KMS_RESOLVE, &ops, &q[i]),
				 0);
	assert_int_equal(cp_kms_client_ask(&q[2].ask, client, CP_KMS_RESOLVE, &ops, &q[2]),
			 -EAGAIN);
	assert_null(q[2].ask);
	assert_int_equal(q[2].made, 0);
	run_until(&q[0]);
	run_until(&q[1]);
	ask(&q[2]);
	assert_int_equal(q[2].status, 0);
	/* Whoever is still asking when it is destroyed hears nothing. */
	q[0] = (struct question){0};
	assert_int_equal(cp_kms_client_ask(&q[0].ask, client, CP_KMS_RESOLVE, &ops, &q[0]), 0);
	cp_kms_client_destroy(client);
	client = NULL;
	assert_int_equal(q[0].done, 0);
}

static void
test_no_message(void **state)
{
	struct question first = {.make_error = 1}, later = {.make_error = 2, .refuses = 1};

	assert_int_equal(cp_kms_client_ask(&first.ask, client, CP_KMS_RESOLVE, &ops, &first),
			 -ENOSPC);
	assert_int_equal(first.done, 0);
	ask(&later);
	assert_int_equal(later.status, -ENOSPC);
	assert_int_equal(later.made, 2);
}

/* The end of one question may be the beginning of the next. */
static void
test_asked_from_done(void **state)
{
	struct question second = {0}, first = {.then = &second};

	ask(&first);
	run_until(&second);
	assert_int_equal(second.status, 0);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *url;
		bool is_fine;
	} rows[] = {
		{"http://127.0.0.1", true},
		{"http://127.1.2.3:8080/", true},
		{"http://[::1]:8643", true},
		{"http://localhost:80", true},
		{"https://kms.example", true},
		{"HTTPS://kms.example:8443/kms", true},
		{"http://kms.example", false},
		{"http://192.0.2.1", false},
		{"http://[2001:db8::1]", false},
		{"http://localhost.example", false},
		{"http://127.0.0.1.example", false},
		{"http://127.0.0.1@kms.example", false},
		{"https://kms.example?x=1", false},
		{"https://kms.example#x", false},
		{"https:///keymanagement", false},
		{"https://", false},
		{"ftp://127.0.0.1", false},
		{"127.0.0.1", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((cp_kms_client_check_url(rows[i].url) == NULL) != rows[i].is_fine)
			fail_msg("%s", rows[i].url);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_kms_client_options o = {
			.urls = &rows[i].url, .url_count = 1, .rounds = 1, .timeout_ms = 1};
		struct cp_kms_client *made = NULL;

		assert_int_equal(cp_kms_client_create(&made, &o), rows[i].is_fine ? 0 : -EINVAL);
		cp_kms_client_destroy(made);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
	const struct CMUnitTest tests[] = {
		T(test_an_answer),	 T(test_the_next_one),
		T(test_nobody_there),	 T(test_silence),
		T(test_a_second_round),	 T(test_cancelled),
		T(test_bounds),		 T(test_no_message),
		T(test_asked_from_done), cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
