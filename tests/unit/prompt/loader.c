/* The loader: files of one folder and of no other, in order, and its end in the middle of work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctrlplane/prompt/loader.h"

static char folder[64];
static struct cp_loader *loader;

static struct {
	unsigned int count;
	int status[200];
	uint32_t samples[200];
	char why[CP_SOUND_WHY_MAX];
} done;

static void
on_done(void *arg, int status, struct cp_sound *sound, const char *why)
{
	assert_ptr_equal(arg, &done);
	done.status[done.count] = status;
	done.samples[done.count++] = sound->samples;
	snprintf(done.why, sizeof(done.why), "%s", why);
	cp_sound_fini(sound);
}

static void
put_file(const char *name, const void *octets, size_t len)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(octets, 1, len, file), len);
	fclose(file);
}

/* PCM, 16 bits, mono, 8000 Hz. */
static void
put_wav(const char *name, uint32_t samples)
{
	uint8_t file[44 + 2 * 1000] =
		"RIFF....WAVEfmt \20\0\0\0\1\0\1\0\100\37\0\0\200\76\0\0\2\0\20\0data";
	uint32_t riff = 36 + samples * 2, data = samples * 2;

	memcpy(file + 4, &riff, 4);
	memcpy(file + 40, &data, 4);
	put_file(name, file, 44 + data);
}

static int
load(const char *name)
{
	return cp_loader_load(loader, name, on_done, &done);
}

static void
wait_for(unsigned int count)
{
	struct pollfd fd = {.fd = cp_loader_fd(loader), .events = POLLIN};

	while (done.count < count) {
		assert_int_equal(poll(&fd, 1, 10000), 1);
		cp_loader_run(loader);
	}
	assert_int_equal(done.count, count);
}

static int
begin(void **state)
{
	memset(&done, 0, sizeof(done));
	strcpy(folder, "/tmp/conclave-loader.XXXXXX");
	assert_non_null(mkdtemp(folder));
	return cp_loader_open(&loader, folder);
}

static int
end(void **state)
{
	char command[128];

	cp_loader_close(loader);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

static void
files_come_in_order(void **state)
{
	put_wav("a.wav", 1000);
	put_wav("B-2_c.wav", 500);
	put_file("text.wav", "no sound", 8);
	assert_int_equal(load("a.wav"), 0);
	assert_int_equal(load("text.wav"), 0);
	assert_int_equal(load("B-2_c.wav"), 0);
	assert_int_equal(done.count, 0); /* from run only */
	wait_for(3);
	assert_int_equal(done.status[0], 0);
	assert_int_equal(done.samples[0], 1000);
	assert_int_equal(done.status[1], -EINVAL);
	assert_int_equal(done.samples[1], 0);
	assert_int_equal(done.status[2], 0);
	assert_int_equal(done.samples[2], 500);
}

static struct {
	unsigned int count;
	int status;
	char names[256];
} listed;

static void
on_listed(void *arg, int status, const char *const *names, size_t count)
{
	assert_ptr_equal(arg, &listed);
	listed.count++;
	listed.status = status;
	listed.names[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(listed.names, names[i]);
		strcat(listed.names, " ");
	}
}

/* Files that can be played by name; no folders, links, hidden ones and others. */
static void
the_folder_is_listed(void **state)
{
	char path[160], target[160];

	listed.count = 0;
	put_wav("b.wav", 10);
	put_wav("a.WAV", 10);
	put_wav(".hidden.wav", 10);
	put_wav("with space.wav", 10);
	put_file("notes.txt", "x", 1);
	snprintf(target, sizeof(target), "%s/b.wav", folder);
	snprintf(path, sizeof(path), "%s/link.wav", folder);
	assert_int_equal(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/folder.wav", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned int i = 1; i <= 2; i++) {
		assert_int_equal(cp_loader_list(loader, on_listed, &listed), 0);
		while (listed.count < i) {
			struct pollfd fd = {.fd = cp_loader_fd(loader), .events = POLLIN};

			assert_int_equal(poll(&fd, 1, 10000), 1);
			cp_loader_run(loader);
		}
		assert_int_equal(listed.status, 0);
		assert_string_equal(listed.names, "a.WAV b.wav ");
	}
	assert_int_equal(cp_loader_list(loader, on_listed, &listed), 0); /* never completed */
}

static void
nothing_outside(void **state)
{
	static const char *const names[] = {
		"",	   ".",		"..",	    "../a.wav", "/etc/passwd",
		"x/y.wav", ".hidden",	"a b.wav",  "a\n.wav",	"\xc3\xa4.wav",
		"a.wav/",  "~root.wav", "a\\b.wav", "%2e%2e"};
	char path[160], name[200];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(cp_loader_is_name(names[i]));
		assert_int_equal(load(names[i]), -EINVAL);
	}
	memset(name, 'a', sizeof(name));
	name[CP_LOADER_NAME_MAX] = '\0';
	assert_int_equal(load(name), -EINVAL);
	name[CP_LOADER_NAME_MAX - 1] = '\0';
	assert_int_equal(load(name), -ENOENT);
	/* a link may lead anywhere; a pipe would hold the thread up; a folder is no file */
	snprintf(path, sizeof(path), "%s/link.wav", folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/pipe.wav", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/folder.wav", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(load("link.wav"), 0);
	assert_int_equal(load("pipe.wav"), 0);
	assert_int_equal(load("folder.wav"), 0);
	wait_for(3);
	assert_int_equal(done.status[0], -ELOOP);
	assert_int_equal(done.status[1], -EINVAL);
	assert_int_equal(done.status[2], -EINVAL);
	assert_true(*done.why != '\0');
}

static void
a_file_too_large(void **state)
{
	char path[160];

	put_wav("large.wav", 10);
	snprintf(path, sizeof(path), "%s/large.wav", folder);
	assert_int_equal(truncate(path, (off_t)CP_LOADER_FILE_MAX + 1), 0);
	assert_int_equal(load("large.wav"), 0);
	wait_for(1);
	assert_int_equal(done.status[0], -EFBIG);
}

static void
so_many_at_a_time(void **state)
{
	put_wav("a.wav", 100);
	for (unsigned int i = 0; i < CP_LOADER_JOBS_MAX; i++)
		assert_int_equal(load("a.wav"), 0);
	assert_int_equal(load("a.wav"), -EAGAIN);
	wait_for(CP_LOADER_JOBS_MAX);
	assert_int_equal(load("a.wav"), 0);
	wait_for(CP_LOADER_JOBS_MAX + 1);
}

/* What is under way at the end is not completed, and nothing of it is left behind (the sanitizers look). */
static void
ends_in_the_middle(void **state)
{
	put_wav("a.wav", 1000);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(load("a.wav"), 0);
}

static void
no_such_folder(void **state)
{
	struct cp_loader *other = NULL;

	assert_int_equal(cp_loader_open(&other, "/nonexistent"), -ENOENT);
	assert_int_equal(cp_loader_open(&other, "/etc/passwd"), -ENOTDIR);
	assert_null(other);
	cp_loader_close(NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(files_come_in_order),
		CASE(the_folder_is_listed),
		CASE(nothing_outside),
		CASE(a_file_too_large),
		CASE(so_many_at_a_time),
		CASE(ends_in_the_middle),
		cmocka_unit_test(no_such_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
