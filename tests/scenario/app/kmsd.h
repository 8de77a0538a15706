/* A KMS of a test over HTTP: one thread, one connection at a time, and it misbehaves on request. */
#ifndef TESTS_SCENARIO_APP_KMSD_H
#define TESTS_SCENARIO_APP_KMSD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum kmsd_mood {
	KMSD_WELL,
	KMSD_SILENT,   /* takes the question and says nothing, until the client goes away */
	KMSD_ERROR,    /* 500 */
	KMSD_NONSENSE, /* 200 with octets that are no MIKEY */
	KMSD_HTML,     /* 200 of another type */
	KMSD_LONG,     /* 200 with more than a client reads */
	KMSD_CUT,      /* goes away in the middle */
};

struct kmsd {
	/* Called in its thread: the answer to in, into out. Octets, 0: none. */
	size_t (*answer)(void *arg, uint8_t *out, size_t size, const uint8_t *in, size_t len);
	void *arg;
	_Atomic int mood;
	_Atomic unsigned int asked;
	char path[128]; /* of the last question */
	char url[64];
	int listener;
	pthread_t thread;
};

void kmsd_start(struct kmsd *k); /* answer, arg, mood set; aborts where it cannot */
void kmsd_stop(struct kmsd *k);
/* A URL that nobody listens at. */
void kmsd_deserted(char url[64]);

#endif
