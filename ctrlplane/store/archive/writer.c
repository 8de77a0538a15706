/*
 * The thread that writes: it takes all that waits, does it in one transaction, and hands the jobs back. What cannot be
 * written (the disk is full) stays first in the queue and is tried again; who waits for it is told at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "ctrlplane/store/archive/archive_state.h"

#define WAITING_MAX 200000
#define BATCH_MAX 1000 /* of one transaction: settling is not put off for long */
#define RETRY_S 1

struct cp_job *
cp_job_create(enum cp_job_type type)
{
	struct cp_job *job = calloc(1, sizeof(*job));

	if (job != NULL)
		job->type = type;
	return job;
}

void
cp_job_destroy(struct cp_job *job)
{
	if (job == NULL)
		return;
	if (job->conf != NULL) {
		explicit_bzero(job->conf->pin, sizeof(job->conf->pin));
		free(job->conf->authorised);
		free(job->conf);
	}
	free(job->leg);
	free(job->dialog);
	for (size_t i = 0; i < sizeof(job->texts) / sizeof(job->texts[0]); i++)
		free(job->texts[i]);
	cp_rows_fini(&job->rows);
	free(job);
}

static void
append(struct cp_jobs *jobs, struct cp_job *job)
{
	job->next = NULL;
	*jobs->end = job;
	jobs->end = &job->next;
	jobs->count++;
}

static struct cp_job *
take_first(struct cp_jobs *jobs)
{
	struct cp_job *job = jobs->first;

	if (job == NULL)
		return NULL;
	jobs->first = job->next;
	if (jobs->first == NULL)
		jobs->end = &jobs->first;
	jobs->count--;
	return job;
}

static bool
has_answer(const struct cp_job *job)
{
	return job->type == CP_JOB_SETTLE || job->type == CP_JOB_RECORDS ||
	       job->type == CP_JOB_AUDITS;
}

static int
carry_out(struct cp_archive *archive, struct cp_job *job)
{
	switch (job->type) {
	case CP_JOB_SAVE_CONF:
		return cp_archive_write_conf(archive, job);
	case CP_JOB_DROP_CONF:
		return cp_archive_erase_conf(archive, job->texts[0]);
	case CP_JOB_SAVE_LEG:
		return cp_archive_write_leg(archive, job);
	case CP_JOB_SAVE_DIALOG:
		return cp_archive_write_dialog(archive, job);
	case CP_JOB_RECORD:
		return cp_archive_write_record(archive, job);
	case CP_JOB_AUDIT:
		return cp_archive_write_audit(archive, job);
	case CP_JOB_RECORDS:
		return cp_archive_read_records(archive, job);
	case CP_JOB_AUDITS:
		return cp_archive_read_audits(archive, job);
	case CP_JOB_SETTLE:
		return 0;
	}
	return -EINVAL;
}

/* A row that breaks a rule of its table would break every transaction: that job alone is given up. */
static bool
is_own_fault(int error)
{
	return error == -EEXIST || error == -EINVAL;
}

/* One transaction of all. -errno: none of it is on disk. */
static int
write_batch(struct cp_archive *archive, struct cp_jobs *batch)
{
	int error = cp_archive_exec(archive, "BEGIN IMMEDIATE");

	for (struct cp_job *job = batch->first; error == 0 && job != NULL; job = job->next) {
		job->status = carry_out(archive, job);
		if (!is_own_fault(job->status) && !has_answer(job))
			error = job->status;
	}
	if (error == 0)
		error = cp_archive_exec(archive, "COMMIT");
	if (error != 0 && !sqlite3_get_autocommit(archive->db))
		sqlite3_exec(archive->db, "ROLLBACK", NULL, NULL, NULL);
	return error;
}

/* What failed goes back to the front in its order; who waits for an answer gets it. */
static void
give_back(struct cp_archive *archive, struct cp_jobs *batch, int error)
{
	struct cp_jobs kept = {.end = &kept.first};
	struct cp_job *job;

	while ((job = take_first(batch)) != NULL) {
		if (error != 0 && !has_answer(job)) {
			append(&kept, job);
			continue;
		}
		if (error != 0)
			job->status = error;
		append(&archive->done, job);
	}
	if (kept.count == 0)
		return;
	*kept.end = archive->waiting.first;
	if (archive->waiting.first == NULL)
		archive->waiting.end = kept.end;
	archive->waiting.first = kept.first;
	archive->waiting.count += kept.count;
}

/* Nobody waits for a disk that does not take what stands before him. */
static void
fail_waiting(struct cp_archive *archive, int error)
{
	struct cp_jobs all = archive->waiting;
	struct cp_job *job;

	archive->waiting = (struct cp_jobs){.end = &archive->waiting.first};
	if (all.first == NULL)
		all.end = &all.first;
	while ((job = take_first(&all)) != NULL) {
		if (has_answer(job))
			job->status = error;
		append(has_answer(job) ? &archive->done : &archive->waiting, job);
	}
}

static void
ring(struct cp_archive *archive)
{
	uint64_t one = 1;

	if (write(archive->event_fd, &one, sizeof(one)) != sizeof(one))
		return; /* the counter is full: it is readable already */
}

static void
pause_a_while(struct cp_archive *archive)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRY_S;
	pthread_cond_timedwait(&archive->wake, &archive->mutex, &until);
}

static void
note_trouble(struct cp_archive *archive, int error)
{
	if (error == 0)
		archive->trouble[0] = '\0';
	else
		snprintf(archive->trouble, sizeof(archive->trouble), "%s",
			 sqlite3_errmsg(archive->db));
}

static void
take_batch(struct cp_archive *archive, struct cp_jobs *batch)
{
	struct cp_job *job;

	while (batch->count < BATCH_MAX && (job = take_first(&archive->waiting)) != NULL)
		append(batch, job);
	archive->under_way = batch->count;
}

/* With the mutex held between its parts. The error of the batch. */
static int
turn(struct cp_archive *archive)
{
	struct cp_jobs batch = {.end = &batch.first};
	int error;

	take_batch(archive, &batch);
	pthread_mutex_unlock(&archive->mutex);
	error = write_batch(archive, &batch);
	pthread_mutex_lock(&archive->mutex);
	note_trouble(archive, error);
	give_back(archive, &batch, error);
	if (error != 0)
		fail_waiting(archive, error);
	archive->under_way = 0;
	ring(archive);
	return error;
}

static void
purge(struct cp_archive *archive, int64_t *next_ms)
{
	int64_t now_ms = cp_archive_clock_ms();
	int count;

	if (archive->keep_ms == 0 || now_ms < *next_ms)
		return;
	pthread_mutex_unlock(&archive->mutex);
	count = cp_archive_purge(archive, now_ms);
	pthread_mutex_lock(&archive->mutex);
	*next_ms = count > 0 ? now_ms : now_ms + archive->purge_every_ms;
}

static void *
run(void *arg)
{
	struct cp_archive *archive = arg;
	int64_t purge_ms = 0;

	pthread_mutex_lock(&archive->mutex);
	while (!archive->is_ending || archive->waiting.count > 0) {
		if (archive->waiting.count == 0)
			pause_a_while(archive);
		else if (turn(archive) != 0) {
			if (archive->is_ending)
				break; /* it cannot be helped */
			pause_a_while(archive);
		}
		purge(archive, &purge_ms);
	}
	pthread_mutex_unlock(&archive->mutex);
	return NULL;
}

int
cp_archive_begin(struct cp_archive *archive)
{
	int error;

	if (archive->has_thread)
		return 0;
	error = pthread_create(&archive->thread, NULL, run, archive);
	archive->has_thread = error == 0;
	return -error;
}

int
cp_archive_put(struct cp_archive *archive, struct cp_job *job)
{
	int error = 0;

	pthread_mutex_lock(&archive->mutex);
	if (archive->waiting.count >= WAITING_MAX)
		error = -ENOBUFS;
	else
		append(&archive->waiting, job);
	pthread_cond_signal(&archive->wake);
	pthread_mutex_unlock(&archive->mutex);
	if (error != 0)
		cp_job_destroy(job);
	return error;
}

static void
answer(struct cp_job *job)
{
	if (job->status < 0)
		job->rows.count = 0;
	if (job->settled != NULL)
		job->settled(job->arg, job->status);
	if (job->with_records != NULL)
		job->with_records(job->arg, job->status, job->rows.records, job->rows.count);
	if (job->with_audits != NULL)
		job->with_audits(job->arg, job->status, job->rows.entries, job->rows.count);
}

void
cp_archive_run(struct cp_archive *archive)
{
	struct cp_jobs done;
	struct cp_job *job;
	uint64_t count;

	if (read(archive->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&archive->mutex);
	done = archive->done;
	if (done.first == NULL)
		done.end = &done.first;
	archive->done = (struct cp_jobs){.end = &archive->done.first};
	pthread_mutex_unlock(&archive->mutex);
	while ((job = take_first(&done)) != NULL) {
		answer(job);
		cp_job_destroy(job);
	}
}

void
cp_archive_end(struct cp_archive *archive)
{
	struct cp_job *job;

	if (archive->waiting.count > 0)
		cp_archive_begin(archive);
	if (archive->has_thread) {
		pthread_mutex_lock(&archive->mutex);
		archive->is_ending = true;
		pthread_cond_signal(&archive->wake);
		pthread_mutex_unlock(&archive->mutex);
		pthread_join(archive->thread, NULL);
		cp_archive_run(archive);
	}
	while ((job = take_first(&archive->waiting)) != NULL) {
		job->status = -ECANCELED;
		answer(job);
		cp_job_destroy(job);
	}
}

int
cp_archive_settle(struct cp_archive *archive, cp_archive_done_fn done, void *arg)
{
	struct cp_job *job = cp_job_create(CP_JOB_SETTLE);

	if (job == NULL)
		return -ENOMEM;
	job->settled = done;
	job->arg = arg;
	return cp_archive_put(archive, job);
}

bool
cp_archive_is_in_trouble(struct cp_archive *archive, char *why, size_t size)
{
	pthread_mutex_lock(&archive->mutex);
	snprintf(why, size, "%s", archive->trouble);
	pthread_mutex_unlock(&archive->mutex);
	return *why != '\0';
}

size_t
cp_archive_waiting(struct cp_archive *archive)
{
	size_t count;

	pthread_mutex_lock(&archive->mutex);
	count = archive->waiting.count + archive->under_way;
	pthread_mutex_unlock(&archive->mutex);
	return count;
}

int
cp_archive_fd(const struct cp_archive *archive)
{
	return archive->event_fd;
}
