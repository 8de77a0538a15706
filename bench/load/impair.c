/* A bad network on the way out: loss, delay that varies, order changed. A heap of held packets, soonest first. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "bench/lib/bench.h"
#include "bench/load/media_state.h"

#define REORDER_NS 25000000u /* held back past the next packet */

static void
swap(struct ue_late **a, struct ue_late **b)
{
	struct ue_late *t = *a;

	*a = *b;
	*b = t;
}

static bool
heap_push(struct ue_media *m, struct ue_late *late)
{
	unsigned i = m->late_count;

	if (i == m->late_size) {
		unsigned size = m->late_size ? 2 * m->late_size : 64;
		struct ue_late **heap = realloc(m->late, size * sizeof(struct ue_late *));

		if (!heap)
			return false;
		m->late = heap;
		m->late_size = size;
	}
	m->late[m->late_count++] = late;
	for (; i > 0 && m->late[i]->due_ns < m->late[(i - 1) / 2]->due_ns; i = (i - 1) / 2)
		swap(&m->late[i], &m->late[(i - 1) / 2]);
	return true;
}

static struct ue_late *
heap_pop(struct ue_media *m)
{
	struct ue_late *top = m->late[0];
	unsigned i = 0;

	m->late[0] = m->late[--m->late_count];
	for (;;) {
		unsigned least = i, left = 2 * i + 1;

		for (unsigned child = left; child <= left + 1; child++)
			if (child < m->late_count &&
			    m->late[child]->due_ns < m->late[least]->due_ns)
				least = child;
		if (least == i)
			return top;
		swap(&m->late[i], &m->late[least]);
		i = least;
	}
}

bool
ue_impair(struct ue_media *m, struct ue_leg *leg, int fd, const uint8_t *data, uint32_t len)
{
	uint64_t wait_ns = 0;
	struct ue_late *late;

	if (m->conf.loss > 0 && ue_random_share(m) < m->conf.loss) {
		leg->stats.tx_impaired++;
		return true;
	}
	if (m->conf.jitter_ms)
		wait_ns += (uint64_t)(ue_random_share(m) * m->conf.jitter_ms * 1e6);
	if (m->conf.reorder > 0 && ue_random_share(m) < m->conf.reorder)
		wait_ns += REORDER_NS;
	late = wait_ns ? malloc(sizeof(*late) + len) : NULL;
	if (!late)
		return false;
	late->due_ns = bench_now_ns() + wait_ns;
	late->fd = fd;
	late->to = leg->remote;
	late->len = len;
	memcpy(late->data, data, len);
	leg->stats.tx_impaired++;
	if (heap_push(m, late))
		return true;
	free(late);
	return false;
}

void
ue_impair_release(struct ue_media *m, uint64_t now_ns)
{
	while (m->late_count && m->late[0]->due_ns <= now_ns) {
		struct ue_late *late = heap_pop(m);

		if (sendto(late->fd, late->data, late->len, MSG_DONTWAIT, &late->to.any,
			   ue_sockaddr_len(&late->to)) < 0)
			m->stats.tx_errors++;
		free(late);
	}
}

void
ue_impair_fini(struct ue_media *m)
{
	for (unsigned i = 0; i < m->late_count; i++)
		free(m->late[i]);
	free(m->late);
}
