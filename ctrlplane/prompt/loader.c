/* One thread, two lists under one lock: files that are wanted, sound that is there. */
#include "ctrlplane/prompt/loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file to be read, or with listed the folder. */
struct job {
	STAILQ_ENTRY(job) next;
	char name[CP_LOADER_NAME_MAX];
	cp_loaded_fn done;
	cp_listed_fn listed;
	void *arg;
	int status;
	struct cp_sound sound;
	char why[CP_SOUND_WHY_MAX];
	char **names;
	size_t name_count;
};

STAILQ_HEAD(jobs, job);

struct cp_loader {
	int folder, wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wanted_more;
	bool is_ending;
	unsigned int count; /* jobs that are not completed; the owner's */
	struct jobs wanted, ready;
};

bool
cp_loader_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < CP_LOADER_NAME_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

/* The whole file; it may change while it is read: what was got counts. */
static int
read_file(uint8_t **out, size_t *len, int fd, char *why)
{
	struct stat st;
	uint8_t *octets;
	size_t at = 0, size;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > CP_LOADER_FILE_MAX) {
		snprintf(why, CP_SOUND_WHY_MAX, "it is no file of up to 64 MB");
		return S_ISREG(st.st_mode) ? -EFBIG : -EINVAL;
	}
	size = (size_t)st.st_size;
	octets = malloc(size + 1);
	if (octets == NULL)
		return -ENOMEM;
	while (at < size) {
		ssize_t n = read(fd, octets + at, size - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = -errno;

			free(octets);
			return error;
		}
		if (n == 0)
			break;
		at += (size_t)n;
	}
	*out = octets;
	*len = at;
	return 0;
}

static bool
is_listed(int folder, const char *name)
{
	size_t len = strlen(name);
	struct stat st;

	return cp_loader_is_name(name) && len > 4 && strcasecmp(name + len - 4, ".wav") == 0 &&
	       fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
list_folder(const struct cp_loader *loader, struct job *job)
{
	int fd = openat(loader->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (folder == NULL) {
		int error = -errno;

		if (fd >= 0)
			close(fd);
		return error;
	}
	job->names = calloc(CP_LOADER_LIST_MAX, sizeof(*job->names));
	while (job->names != NULL && job->name_count < CP_LOADER_LIST_MAX &&
	       (entry = readdir(folder)) != NULL) {
		char *name =
			is_listed(loader->folder, entry->d_name) ? strdup(entry->d_name) : NULL;

		if (name != NULL)
			job->names[job->name_count++] = name;
	}
	closedir(folder);
	if (job->names == NULL)
		return -ENOMEM;
	qsort(job->names, job->name_count, sizeof(*job->names), compare_names);
	return 0;
}

static void
load_file(const struct cp_loader *loader, struct job *job)
{
	int fd = openat(loader->folder, job->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t *octets = NULL;
	size_t len = 0;

	job->status = fd < 0 ? -errno : read_file(&octets, &len, fd, job->why);
	if (job->status == 0)
		job->status = cp_wav_decode(&job->sound, octets, len, job->why);
	if (job->status != 0 && job->why[0] == '\0')
		snprintf(job->why, sizeof(job->why), "%s", strerror(-job->status));
	free(octets);
	if (fd >= 0)
		close(fd);
}

static void *
loader_thread(void *arg)
{
	struct cp_loader *loader = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&loader->lock);
	while (!loader->is_ending) {
		struct job *job = STAILQ_FIRST(&loader->wanted);

		if (job == NULL) {
			pthread_cond_wait(&loader->wanted_more, &loader->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&loader->wanted, next);
		pthread_mutex_unlock(&loader->lock);
		if (job->listed != NULL)
			job->status = list_folder(loader, job);
		else
			load_file(loader, job);
		pthread_mutex_lock(&loader->lock);
		STAILQ_INSERT_TAIL(&loader->ready, job, next);
		if (write(loader->wake, &one, sizeof(one)) < 0)
			continue; /* it is awake already */
	}
	pthread_mutex_unlock(&loader->lock);
	return NULL;
}

int
cp_loader_open(struct cp_loader **out, const char *folder)
{
	struct cp_loader *loader = calloc(1, sizeof(*loader));
	int rc;

	if (loader == NULL)
		return -ENOMEM;
	STAILQ_INIT(&loader->wanted);
	STAILQ_INIT(&loader->ready);
	loader->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	loader->wake = loader->folder < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loader->wake < 0) {
		rc = -errno;
		if (loader->folder >= 0)
			close(loader->folder);
		free(loader);
		return rc;
	}
	pthread_mutex_init(&loader->lock, NULL);
	pthread_cond_init(&loader->wanted_more, NULL);
	rc = -pthread_create(&loader->thread, NULL, loader_thread, loader);
	if (rc != 0) {
		close(loader->wake);
		close(loader->folder);
		free(loader);
		return rc;
	}
	*out = loader;
	return 0;
}

static void
job_free(struct job *job)
{
	for (size_t i = 0; i < job->name_count; i++)
		free(job->names[i]);
	free(job->names);
	free(job);
}

static void
drop(struct jobs *jobs)
{
	struct job *job;

	while ((job = STAILQ_FIRST(jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(jobs, next);
		cp_sound_fini(&job->sound);
		job_free(job);
	}
}

void
cp_loader_close(struct cp_loader *loader)
{
	if (loader == NULL)
		return;
	pthread_mutex_lock(&loader->lock);
	loader->is_ending = true;
	pthread_cond_signal(&loader->wanted_more);
	pthread_mutex_unlock(&loader->lock);
	pthread_join(loader->thread, NULL);
	drop(&loader->wanted);
	drop(&loader->ready);
	pthread_mutex_destroy(&loader->lock);
	pthread_cond_destroy(&loader->wanted_more);
	close(loader->wake);
	close(loader->folder);
	free(loader);
}

/* A copy of order, behind those that wait. */
static int
put(struct cp_loader *loader, const struct job *order)
{
	struct job *job;

	if (loader->count >= CP_LOADER_JOBS_MAX)
		return -EAGAIN;
	job = malloc(sizeof(*job));
	if (job == NULL)
		return -ENOMEM;
	*job = *order;
	loader->count++;
	pthread_mutex_lock(&loader->lock);
	STAILQ_INSERT_TAIL(&loader->wanted, job, next);
	pthread_cond_signal(&loader->wanted_more);
	pthread_mutex_unlock(&loader->lock);
	return 0;
}

int
cp_loader_load(struct cp_loader *loader, const char *name, cp_loaded_fn done, void *arg)
{
	struct job order = {.done = done, .arg = arg};
	struct stat st;

	if (!cp_loader_is_name(name))
		return -EINVAL;
	/* only the folder's entry: who asks is told at once of a name that is wrong */
	if (fstatat(loader->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	snprintf(order.name, sizeof(order.name), "%s", name);
	return put(loader, &order);
}

int
cp_loader_list(struct cp_loader *loader, cp_listed_fn done, void *arg)
{
	const struct job order = {.listed = done, .arg = arg};

	return put(loader, &order);
}

int
cp_loader_fd(const struct cp_loader *loader)
{
	return loader->wake;
}

void
cp_loader_run(struct cp_loader *loader)
{
	struct jobs ready = STAILQ_HEAD_INITIALIZER(ready);
	struct job *job;
	uint64_t count;

	if (read(loader->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&loader->lock);
	STAILQ_CONCAT(&ready, &loader->ready);
	pthread_mutex_unlock(&loader->lock);
	while ((job = STAILQ_FIRST(&ready)) != NULL) {
		STAILQ_REMOVE_HEAD(&ready, next);
		loader->count--;
		if (job->listed != NULL)
			job->listed(job->arg, job->status, (const char *const *)job->names,
				    job->name_count);
		else
			job->done(job->arg, job->status, &job->sound, job->why);
		job_free(job);
	}
}
