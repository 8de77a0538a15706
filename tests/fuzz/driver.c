/*
 * Runs a fuzz target without libFuzzer: every file of the corpus, every truncation of it, then mutations for some seconds.
 * The seed is fixed, so that a failure comes again; it and the round are printed when a signal ends the run.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 8192
#define FILES_MAX 512

struct input {
	uint8_t *data;
	size_t size;
};

static struct input files[FILES_MAX];
static size_t file_count;
static volatile unsigned long long rounds;

static void
on_signal(int number)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "signal %d in round %llu\n", number, rounds);

	if (write(2, text, (size_t)n) < 0)
		_exit(2);
	_exit(1);
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
load(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir == NULL) {
		perror(folder);
		exit(1);
	}
	while ((entry = readdir(dir)) != NULL && file_count < FILES_MAX) {
		char path[4096];
		FILE *file;
		uint8_t *data = malloc(INPUT_MAX);

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
		if (file == NULL || data == NULL) {
			free(data);
			continue;
		}
		files[file_count].size = fread(data, 1, INPUT_MAX, file);
		files[file_count++].data = data;
		fclose(file);
	}
	closedir(dir);
}

/* The input in a block of exactly its size, so that a sanitizer sees the first octet read too far. */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (copy == NULL)
		exit(1);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	rounds++;
}

static size_t
mutate(uint8_t *data, size_t size, uint64_t *state)
{
	static const uint8_t odd[] = {0,   1,	0x7f, 0x80, 0xff, '\r', '\n',
				      ' ', ':', '=',  ';',  '|',  '"',	'/'};
	unsigned count = 1 + next_random(state) % 6;

	while (count-- > 0) {
		size_t at = size ? next_random(state) % size : 0;
		size_t n;

		switch (next_random(state) % 6) {
		case 0:
			if (size)
				data[at] ^= (uint8_t)(1u << next_random(state) % 8);
			break;
		case 1:
			if (size)
				data[at] = odd[next_random(state) % sizeof(odd)];
			break;
		case 2:
			size = at;
			break;
		case 3: /* repeat a piece */
			n = size ? next_random(state) % (size - at) % 64 + 1 : 0;
			if (n && size + n <= INPUT_MAX) {
				memmove(data + at + n, data + at, size - at);
				size += n;
			}
			break;
		case 4: /* cut a piece out */
			n = size ? next_random(state) % (size - at) % 64 : 0;
			memmove(data + at, data + at + n, size - at - n);
			size -= n;
			break;
		default: /* splice the tail of another file on */
			if (file_count) {
				const struct input *other = &files[next_random(state) % file_count];
				size_t from = other->size ? next_random(state) % other->size : 0;

				n = other->size - from;
				if (at + n > INPUT_MAX)
					n = INPUT_MAX - at;
				memcpy(data + at, other->data + from, n);
				size = at + n;
			}
		}
	}
	return size;
}

int
main(int argc, char **argv)
{
	uint64_t state = 0x9e3779b97f4a7c15;
	static uint8_t scratch[INPUT_MAX];
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	size_t i, size;

	if (argc < 3) {
		fprintf(stderr, "usage: %s SECONDS CORPUS-FOLDER...\n", argv[0]);
		return 2;
	}
	signal(SIGSEGV, on_signal);
	signal(SIGABRT, on_signal);
	for (int a = 2; a < argc; a++)
		load(argv[a]);
	for (i = 0; i < file_count; i++)
		for (size = 0; size <= files[i].size; size++)
			run(files[i].data, size);
	while (time(NULL) < end) {
		for (int burst = 0; burst < 64; burst++) {
			const struct input *seed =
				file_count ? &files[next_random(&state) % file_count] : NULL;

			size = seed ? seed->size : 0;
			if (size)
				memcpy(scratch, seed->data, size);
			size = mutate(scratch, size, &state);
			run(scratch, size);
		}
	}
	printf("%llu inputs\n", rounds);
	for (i = 0; i < file_count; i++)
		free(files[i].data);
	return 0;
}
