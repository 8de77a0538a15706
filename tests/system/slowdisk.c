/* LD_PRELOAD for test_restart.py: a disk whose every sync takes SLOW_DISK_MS milliseconds. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int
wait_for_disk(void)
{
	const char *text = getenv("SLOW_DISK_MS");
	long ms = text ? atol(text) : 0;
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&t, &t) != 0)
		;
	return 0;
}

int
fsync(int fd)
{
	return wait_for_disk();
}

int
fdatasync(int fd)
{
	return wait_for_disk();
}
