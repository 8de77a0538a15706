/* What the archive says is settled survives the end of the program at any moment, and a disk that takes nothing. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "ctrlplane/store/archive/archive.h"

#define ROUNDS 12
#define BUNCH 7 /* entries of one settling */

static char folder[64], path[128];

static int
setup(void **state)
{
	strcpy(folder, "/tmp/archive-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/cp.db", folder);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char name[160];

	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	return rmdir(folder);
}

/* The other end of a settling: how far it is told to the parent. */
struct writer {
	struct cp_archive *archive;
	int pipe;
	uint32_t number, settled;
	int status;
	bool is_answered;
};

static void
on_settled(void *arg, int status)
{
	struct writer *w = arg;

	w->status = status;
	w->is_answered = true;
	if (status == 0)
		w->settled = w->number;
}

static void
add(struct writer *w)
{
	struct cp_audit_entry entry = {.at_ms = 1, .by = "op", .conf = "c", .what = "changed"};

	for (int i = 0; i < BUNCH; i++) {
		entry.leg = ++w->number;
		if (cp_archive_audit(w->archive, &entry) != 0)
			abort();
	}
}

static void
wait_for_answer(struct writer *w)
{
	struct pollfd p = {.fd = cp_archive_fd(w->archive), .events = POLLIN};

	for (int i = 0; !w->is_answered && i < 300; i++) {
		poll(&p, 1, 100);
		cp_archive_run(w->archive);
	}
}

/* Writes until it is killed. */
static void
write_for_ever(int to, uint32_t number)
{
	struct cp_archive_options options = {.path = path};
	struct writer w = {.pipe = to, .number = number};
	char why[256];

	if (cp_archive_open(&w.archive, &options, why, sizeof(why)) != 0 ||
	    cp_archive_begin(w.archive) != 0)
		_exit(3);
	for (;;) {
		w.is_answered = false;
		add(&w);
		if (cp_archive_settle(w.archive, on_settled, &w) != 0)
			_exit(4);
		wait_for_answer(&w);
		if (write(to, &w.settled, sizeof(w.settled)) != sizeof(w.settled))
			_exit(5);
	}
}

/* The last number that a child said is settled, and the child dead. */
static uint32_t
last_settled(uint32_t from, int round)
{
	uint32_t settled = from, value;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		write_for_ever(ends[1], from);
	}
	close(ends[1]);
	/* at least one, then somewhere in the middle of the next ones */
	for (int i = 0; i <= round % 4; i++)
		if (read(ends[0], &settled, sizeof(settled)) != sizeof(settled))
			break;
	usleep((useconds_t)(round * 700));
	kill(child, SIGKILL);
	while (read(ends[0], &value, sizeof(value)) == sizeof(value))
		settled = value;
	close(ends[0]);
	waitpid(child, NULL, 0);
	return settled;
}

static int64_t
ask(const char *sql)
{
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	int64_t value;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

static void
killed_while_it_writes(void **state)
{
	uint32_t settled = 0, there = 0;

	for (int round = 0; round < ROUNDS; round++) {
		settled = last_settled(there, round);
		there = (uint32_t)ask("SELECT max(leg) FROM audit");
		assert_true(there >= settled && settled > 0);
		/* in order, none missing, none twice, whole transactions */
		assert_int_equal(ask("SELECT count(*) FROM audit"), there);
		assert_int_equal(ask("SELECT count(*) = 1 FROM pragma_integrity_check WHERE "
				     "integrity_check = 'ok'"),
				 1);
	}
}

static void
limit_files(rlim_t octets)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Who waits is told; what was to be written is written once there is room. */
static void
a_full_disk(void **state)
{
	struct cp_archive_options options = {.path = path};
	struct writer w = {0};
	char why[256] = "";

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(cp_archive_open(&w.archive, &options, why, sizeof(why)), 0);
	assert_int_equal(cp_archive_begin(w.archive), 0);
	add(&w);
	assert_int_equal(cp_archive_settle(w.archive, on_settled, &w), 0);
	wait_for_answer(&w);
	assert_int_equal(w.settled, BUNCH);
	limit_files(4096);
	for (int i = 0; i < 400; i++)
		add(&w);
	w.is_answered = false;
	assert_int_equal(cp_archive_settle(w.archive, on_settled, &w), 0);
	wait_for_answer(&w);
	assert_true(w.is_answered && w.status < 0);
	assert_int_equal(w.settled, BUNCH);
	assert_true(cp_archive_is_in_trouble(w.archive, why, sizeof(why)));
	assert_true(cp_archive_waiting(w.archive) > 0);
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < 100 && w.settled != w.number; i++) {
		w.is_answered = false;
		assert_int_equal(cp_archive_settle(w.archive, on_settled, &w), 0);
		wait_for_answer(&w);
	}
	assert_int_equal(w.settled, w.number);
	assert_false(cp_archive_is_in_trouble(w.archive, why, sizeof(why)));
	cp_archive_close(w.archive);
	assert_int_equal(ask("SELECT count(*) = max(leg) FROM audit"), 1);
	assert_int_equal(ask("SELECT max(leg) FROM audit"), w.number);
}

/* Completions that the loop did not get to are not lost at the end. */
static void
closing_answers(void **state)
{
	struct cp_archive_options options = {.path = path};
	struct writer w = {.number = 3};
	char why[256];

	assert_int_equal(cp_archive_open(&w.archive, &options, why, sizeof(why)), 0);
	assert_int_equal(cp_archive_settle(w.archive, on_settled, &w), 0);
	cp_archive_close(w.archive);
	assert_true(w.is_answered);
	assert_int_equal(w.settled, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_while_it_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(closing_answers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
