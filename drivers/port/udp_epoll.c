/* The udp port over epoll: recvfrom for each ready socket, sendto for each packet. Works on every
 * kernel since 5.11. */
#include "drivers/port/udp_state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <rte_mbuf.h>
#include "drivers/port/clock.h"
#include "dataplane/api/drops.h"

#define EVENTS_MAX 128
#define WAKE_DATA UINT64_MAX

struct udp_epoll {
	int fd;
	bool is_started;
	int ready; /* events that wait() brought, not yet read */
	int next;
	struct epoll_event events[EVENTS_MAX];
};

int
udp_epoll_init(struct udp_queue *q)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_DATA};
	struct udp_epoll *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -ENOMEM;
	e->fd = epoll_create1(EPOLL_CLOEXEC);
	q->epoll = e;
	if (e->fd < 0 || epoll_ctl(e->fd, EPOLL_CTL_ADD, q->wake_fd, &event) != 0)
		return -errno;
	return 0;
}

void
udp_epoll_fini(struct udp_queue *q)
{
	if (q->epoll == NULL)
		return;
	if (q->epoll->fd >= 0)
		close(q->epoll->fd);
	free(q->epoll);
	q->epoll = NULL;
}

void
udp_epoll_socket_add(struct udp_queue *q, uint32_t slot)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = slot};

	if (epoll_ctl(q->epoll->fd, EPOLL_CTL_ADD, q->sockets[slot].fd, &event) != 0)
		q->stats.rx_errors++;
}

void
udp_epoll_socket_remove(struct udp_queue *q, uint32_t slot)
{
	epoll_ctl(q->epoll->fd, EPOLL_CTL_DEL, q->sockets[slot].fd, NULL);
}

/* One datagram of a ready socket into the mbuf; false when there was none after all. */
static bool
receive(struct udp_queue *q, uint32_t slot, struct rte_mbuf *mbuf)
{
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	struct sockaddr_in6 from;
	socklen_t length = sizeof(from);
	uint16_t room = rte_pktmbuf_tailroom(mbuf);
	ssize_t n;

	if (q->sockets[slot].fd < 0) /* closed after epoll had reported it */
		return false;
	n = recvfrom(q->sockets[slot].fd, rte_pktmbuf_mtod(mbuf, void *), room,
		     MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &length);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			q->stats.rx_errors++;
		return false;
	}
	if (n > room) {
		q->stats.rx_malformed++;
		return false;
	}
	mbuf->data_len = (uint16_t)n;
	mbuf->pkt_len = (uint32_t)n;
	udp_addr_from_kernel(&from, &pkt->peer);
	pkt->local_port = udp_slot_port(q, slot);
	pkt->local_index = udp_slot_local(q, slot);
	pkt->flags = 0;
	return true;
}

static void
events_get(struct udp_epoll *e, int max)
{
	if (e->next < e->ready)
		return;
	e->next = 0;
	e->ready = epoll_wait(e->fd, e->events, max < EVENTS_MAX ? max : EVENTS_MAX, 0);
}

uint16_t
udp_epoll_rx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct udp_epoll *e = q->epoll;
	uint64_t now = drv_now_ns();
	struct rte_mbuf *mbuf = NULL;
	uint16_t got = 0;

	events_get(e, n);
	while (got < n && e->next < e->ready) {
		uint64_t slot = e->events[e->next].data.u64;

		if (slot == WAKE_DATA) {
			uint64_t count;

			if (read(q->wake_fd, &count, sizeof(count)) < 0)
				q->stats.rx_errors++;
			e->next++;
			continue;
		}
		if (mbuf == NULL && (mbuf = rte_pktmbuf_alloc(q->pool)) == NULL)
			break; /* stays in the socket until there is a buffer */
		e->next++;
		if (!receive(q, (uint32_t)slot, mbuf))
			continue;
		((struct drv_pkt *)rte_mbuf_to_priv(mbuf))->rx_ns = now;
		pkts[got++] = mbuf;
		mbuf = NULL;
	}
	rte_pktmbuf_free(mbuf);
	return got;
}

uint16_t
udp_epoll_tx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n, uint8_t *verdicts)
{
	uint16_t taken = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct drv_pkt *pkt = rte_mbuf_to_priv(pkts[i]);
		uint32_t slot = udp_slot(q, pkt->local_index, pkt->local_port);
		struct sockaddr_in6 to;
		socklen_t length = udp_addr_to_kernel(&pkt->peer, &to);

		verdicts[i] = DP_DROP_TX_ERROR;
		if (slot == UINT32_MAX || q->sockets[slot].fd < 0)
			continue;
		if (sendto(q->sockets[slot].fd, rte_pktmbuf_mtod(pkts[i], void *),
			   pkts[i]->data_len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
			   length) < 0) {
			verdicts[i] = errno == EAGAIN || errno == ENOBUFS ? DP_DROP_TX_FULL
									  : DP_DROP_TX_ERROR;
			continue;
		}
		verdicts[i] = DP_DROP_NONE;
		q->stats.tx_octets += pkts[i]->data_len;
		taken++;
	}
	q->stats.tx_packets += taken;
	rte_pktmbuf_free_bulk(pkts, n);
	return taken;
}

void
udp_epoll_wait(struct udp_queue *q, uint64_t until_ns)
{
	struct udp_epoll *e = q->epoll;
	uint64_t now = drv_now_ns();
	uint64_t left = until_ns > now ? until_ns - now : 0;
	struct timespec ts = {.tv_sec = (time_t)(left / 1000000000u),
			      .tv_nsec = (long)(left % 1000000000u)};

	if (e->next < e->ready)
		return;
	if (!e->is_started) { /* the kernel adds 50 us to every sleep otherwise */
		prctl(PR_SET_TIMERSLACK, 1000ul);
		e->is_started = true;
	}
	e->next = 0;
	if (left <= UDP_COALESCE_NS) {
		nanosleep(&ts, NULL);
		e->ready = 0;
		return;
	}
	e->ready = epoll_pwait2(e->fd, e->events, EVENTS_MAX, &ts, NULL);
}
