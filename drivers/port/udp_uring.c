/*
 * The udp port over io_uring: a multishot recvmsg stands on every socket and fills mbufs of one
 * provided-buffer ring; sends of a burst go in with one system call and are complete when it
 * returns (MSG_DONTWAIT: the kernel never keeps them).
 *
 * A receive buffer, as the kernel fills it; the name's end and the mbuf's data begin at the same
 * octet:
 *
 *   buf_addr   ...  io_uring_recvmsg_out | sockaddr_in6 | payload
 *                   ^ given to the kernel               ^ RTE_PKTMBUF_HEADROOM
 */
#include "drivers/port/udp_state.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include "drivers/port/clock.h"
#include "dataplane/api/drops.h"

#define BUFFERS_MAX 1024
#define BUFFER_GROUP 0
#define SQ_ENTRIES 256
#define CQ_ENTRIES 8192
#define LEAD (sizeof(struct io_uring_recvmsg_out) + sizeof(struct sockaddr_in6))

enum kind { KIND_RECEIVE = 0, KIND_SEND = 1, KIND_WAKE = 2, KIND_CANCEL = 3 };

struct udp_uring {
	struct io_uring ring;
	bool is_enabled;
	struct io_uring_buf_ring *buffers; /* shared with the kernel */
	size_t buffers_octets;
	uint32_t buffer_count; /* a power of two */
	uint16_t missing_count;
	uint32_t rearm_count;
	uint64_t wake_value;
	struct msghdr shape; /* how long name and control are; no pointers */
	uint32_t *rearm;     /* slots whose receive has to be armed again */
	struct sockaddr_in6 peers[SQ_ENTRIES];
	struct rte_mbuf *mbufs[BUFFERS_MAX]; /* by buffer id */
	uint16_t missing[BUFFERS_MAX];	     /* buffer ids that had no mbuf to give */
};

static uint64_t
tag(enum kind kind, uint16_t generation, uint32_t slot)
{
	return (uint64_t)kind << 48 | (uint64_t)generation << 32 | slot;
}

static struct io_uring_sqe *
next_sqe(struct udp_uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	while (sqe == NULL) {
		io_uring_submit(&u->ring);
		sqe = io_uring_get_sqe(&u->ring);
	}
	return sqe;
}

static void
buffer_give(struct udp_queue *q, uint16_t id, struct rte_mbuf *mbuf, int offset)
{
	struct udp_uring *u = q->uring;

	u->mbufs[id] = mbuf;
	io_uring_buf_ring_add(u->buffers, (char *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM - LEAD,
			      (unsigned)(mbuf->buf_len - RTE_PKTMBUF_HEADROOM + LEAD), id,
			      io_uring_buf_ring_mask(u->buffer_count), offset);
}

/* Ids that found the pool empty try again. */
static void
buffers_mend(struct udp_queue *q)
{
	struct udp_uring *u = q->uring;
	int given = 0;

	while (u->missing_count > 0) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(q->pool);

		if (mbuf == NULL)
			break;
		buffer_give(q, u->missing[--u->missing_count], mbuf, given++);
	}
	if (given)
		io_uring_buf_ring_advance(u->buffers, given);
}

static void
receive_arm(struct udp_queue *q, uint32_t slot)
{
	struct udp_uring *u = q->uring;
	struct udp_socket *sock = &q->sockets[slot];
	struct io_uring_sqe *sqe = next_sqe(u);

	io_uring_prep_recvmsg_multishot(sqe, sock->fd, &u->shape, 0);
	sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = BUFFER_GROUP;
	io_uring_sqe_set_data64(sqe, tag(KIND_RECEIVE, sock->generation, slot));
	sock->is_armed = 1;
}

static void
wake_arm(struct udp_queue *q)
{
	struct io_uring_sqe *sqe = next_sqe(q->uring);

	io_uring_prep_read(sqe, q->wake_fd, &q->uring->wake_value, sizeof(q->uring->wake_value), 0);
	io_uring_sqe_set_data64(sqe, tag(KIND_WAKE, 0, 0));
}

/* The ring belongs to the thread that enables it: the worker, in its first turn. */
static void
enable(struct udp_queue *q)
{
	q->uring->is_enabled = true;
	/* liburing 2.3 declares io_uring_enable_rings and does not export it. */
	if (syscall(__NR_io_uring_register, q->uring->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS,
		    NULL, 0) != 0)
		q->stats.rx_errors++;
	wake_arm(q);
}

void
udp_uring_socket_add(struct udp_queue *q, uint32_t slot)
{
	if (!q->uring->is_enabled)
		enable(q);
	receive_arm(q, slot);
}

/* The receive in flight holds the socket until it is cancelled; its last completion carries an old
 * generation. */
void
udp_uring_socket_remove(struct udp_queue *q, uint32_t slot)
{
	struct udp_socket *sock = &q->sockets[slot];
	struct io_uring_sqe *sqe = next_sqe(q->uring);

	io_uring_prep_cancel64(sqe, tag(KIND_RECEIVE, sock->generation, slot), 0);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(sqe, tag(KIND_CANCEL, 0, slot));
	io_uring_submit(&q->uring->ring);
	sock->is_armed = 0;
}

/* The mbuf of a completed buffer, and another in its place. */
static struct rte_mbuf *
buffer_take(struct udp_queue *q, uint16_t id, int *given)
{
	struct udp_uring *u = q->uring;
	struct rte_mbuf *mbuf = u->mbufs[id];
	struct rte_mbuf *fresh = rte_pktmbuf_alloc(q->pool);

	u->mbufs[id] = NULL;
	if (fresh != NULL)
		buffer_give(q, id, fresh, (*given)++);
	else
		u->missing[u->missing_count++] = id;
	return mbuf;
}

/* Fill in the packet; false when it does not count: cut short, or of a socket that is closed by
 * now. */
static bool
datagram(struct udp_queue *q, struct rte_mbuf *mbuf, uint32_t slot, uint64_t now)
{
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	const char *start = (char *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM - LEAD;
	const struct io_uring_recvmsg_out *head = (const void *)start;

	if (head->flags & MSG_TRUNC) {
		q->stats.rx_malformed++;
		return false;
	}
	mbuf->data_len = (uint16_t)head->payloadlen;
	mbuf->pkt_len = head->payloadlen;
	udp_addr_from_kernel((const struct sockaddr_in6 *)(start + sizeof(*head)), &pkt->peer);
	pkt->local_port = udp_slot_port(q, slot);
	pkt->local_index = udp_slot_local(q, slot);
	pkt->flags = 0;
	pkt->rx_ns = now;
	return true;
}

/* A receive that ended has to be armed again, unless its socket is gone. */
static void
receive_ended(struct udp_queue *q, uint32_t slot, int result)
{
	if (result < 0 && result != -ENOBUFS && result != -ECANCELED)
		q->stats.rx_errors++;
	if (result == -ENOBUFS)
		q->stats.rx_waits++; /* no buffer just then: the datagram waits in the socket */
	q->sockets[slot].is_armed = 0;
	if (!q->sockets[slot].is_listed)
		q->uring->rearm[q->uring->rearm_count++] = slot;
	q->sockets[slot].is_listed = 1;
}

static bool
complete(struct udp_queue *q, const struct io_uring_cqe *cqe, uint64_t now, struct rte_mbuf **out,
	 int *given)
{
	uint32_t slot = (uint32_t)cqe->user_data;
	uint16_t generation = (uint16_t)(cqe->user_data >> 32);
	enum kind kind = (enum kind)(cqe->user_data >> 48);
	bool is_current, has_packet = false;

	if (kind == KIND_SEND)
		q->stats.tx_errors++;
	if (kind == KIND_WAKE)
		wake_arm(q);
	if (kind != KIND_RECEIVE)
		return false;
	is_current = q->sockets[slot].fd >= 0 && q->sockets[slot].generation == generation;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		*out = buffer_take(q, (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT), given);
		has_packet = cqe->res >= (int)LEAD && is_current && datagram(q, *out, slot, now);
		if (!has_packet)
			rte_pktmbuf_free(*out);
	}
	if (!(cqe->flags & IORING_CQE_F_MORE) && is_current)
		receive_ended(q, slot, cqe->res);
	return has_packet;
}

static void
rearm(struct udp_queue *q)
{
	struct udp_uring *u = q->uring;

	/* With all buffers gone a receive would end at once: wait until the pool has some again. */
	if (u->missing_count == u->buffer_count)
		return;
	for (uint32_t i = 0; i < u->rearm_count; i++) {
		struct udp_socket *sock = &q->sockets[u->rearm[i]];

		sock->is_listed = 0;
		if (sock->fd >= 0 && !sock->is_armed)
			receive_arm(q, u->rearm[i]);
	}
	u->rearm_count = 0;
}

uint16_t
udp_uring_rx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct udp_uring *u = q->uring;
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;
	uint64_t now;
	uint16_t got = 0;
	int given = 0;

	if (!u->is_enabled)
		enable(q);
	if (u->missing_count > 0)
		buffers_mend(q);
	if (u->rearm_count > 0)
		rearm(q);
	if (io_uring_cq_ready(&u->ring) < n &&
	    (io_uring_sq_ready(&u->ring) > 0 || (IO_URING_READ_ONCE(*u->ring.sq.kflags) &
						 (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW))))
		io_uring_submit_and_get_events(&u->ring);
	now = drv_now_ns();
	io_uring_for_each_cqe(&u->ring, head, cqe)
	{
		if (got == n)
			break;
		if (complete(q, cqe, now, &pkts[got], &given))
			got++;
		seen++;
	}
	if (seen > 0) {
		io_uring_buf_ring_advance(u->buffers, given);
		io_uring_cq_advance(&u->ring, seen);
	}
	return got;
}

uint16_t
udp_uring_tx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n, uint8_t *verdicts)
{
	struct udp_uring *u = q->uring;
	uint16_t taken = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct drv_pkt *pkt = rte_mbuf_to_priv(pkts[i]);
		uint32_t slot = udp_slot(q, pkt->local_index, pkt->local_port);
		struct io_uring_sqe *sqe;
		struct sockaddr_in6 *peer;

		if (slot == UINT32_MAX || q->sockets[slot].fd < 0) {
			verdicts[i] = DP_DROP_TX_ERROR;
			continue;
		}
		verdicts[i] = DP_DROP_NONE;
		sqe = next_sqe(u);
		peer = &u->peers[sqe - u->ring.sq.sqes];
		io_uring_prep_send(sqe, q->sockets[slot].fd, rte_pktmbuf_mtod(pkts[i], void *),
				   pkts[i]->data_len, MSG_DONTWAIT | MSG_NOSIGNAL);
		sqe->addr2 = (uintptr_t)peer;
		sqe->addr_len = (uint16_t)udp_addr_to_kernel(&pkt->peer, peer);
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
		io_uring_sqe_set_data64(sqe, tag(KIND_SEND, 0, slot));
		q->stats.tx_octets += pkts[i]->data_len;
		taken++;
	}
	/* Everything is sent or refused when this returns; a short count means an error in between:
	 * go on with the rest. */
	while (io_uring_sq_ready(&u->ring) > 0 && io_uring_submit(&u->ring) > 0)
		continue;
	q->stats.tx_packets += taken;
	rte_pktmbuf_free_bulk(pkts, n);
	return taken;
}

void
udp_uring_wait(struct udp_queue *q, uint64_t until_ns)
{
	struct udp_uring *u = q->uring;
	uint64_t now, left;
	struct __kernel_timespec ts;
	struct io_uring_cqe *cqe;

	if (!u->is_enabled)
		enable(q);
	if (io_uring_cq_ready(&u->ring) > 0 || u->rearm_count > 0)
		return;
	now = drv_now_ns();
	left = until_ns > now ? until_ns - now : 0;
	ts.tv_sec = (int64_t)(left / 1000000000u);
	ts.tv_nsec = (long long)(left % 1000000000u);
	io_uring_submit_and_wait_timeout(&u->ring, &cqe, left <= UDP_COALESCE_NS ? q->burst : 1,
					 &ts, NULL);
}

/* All buffers but what a burst or two needs, at most a quarter of the pool. */
static int
buffers_init(struct udp_queue *q)
{
	struct udp_uring *u = q->uring;
	struct io_uring_buf_reg reg = {.bgid = BUFFER_GROUP};
	int rc;

	u->buffer_count = BUFFERS_MAX;
	while (u->buffer_count > 16 && u->buffer_count * 4 > q->pool->size)
		u->buffer_count /= 2;
	u->buffers_octets = u->buffer_count * sizeof(struct io_uring_buf);
	u->buffers = mmap(NULL, u->buffers_octets, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (u->buffers == MAP_FAILED) {
		u->buffers = NULL;
		return -ENOMEM;
	}
	io_uring_buf_ring_init(u->buffers);
	reg.ring_addr = (uintptr_t)u->buffers;
	reg.ring_entries = u->buffer_count;
	rc = io_uring_register_buf_ring(&u->ring, &reg, 0);
	if (rc != 0)
		return rc;
	for (uint32_t id = u->buffer_count; id-- > 0;)
		u->missing[u->missing_count++] = (uint16_t)id;
	buffers_mend(q);
	return 0;
}

int
udp_uring_init(struct udp_queue *q)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
		.cq_entries = CQ_ENTRIES,
	};
	struct udp_uring *u = calloc(1, sizeof(*u));
	int rc;

	if (u == NULL)
		return -ENOMEM;
	u->ring.ring_fd = -1;
	u->shape.msg_namelen = sizeof(struct sockaddr_in6);
	u->rearm = calloc(q->port->slots, sizeof(*u->rearm));
	q->uring = u;
	rc = u->rearm == NULL ? -ENOMEM : io_uring_queue_init_params(SQ_ENTRIES, &u->ring, &params);
	if (rc != 0)
		u->ring.ring_fd = -1;
	else
		rc = buffers_init(q);
	if (rc != 0)
		udp_uring_fini(q);
	return rc;
}

void
udp_uring_fini(struct udp_queue *q)
{
	struct udp_uring *u = q->uring;

	if (u == NULL)
		return;
	/* Receives run in the worker's own system calls only: when it has stopped, nobody fills the
	 * buffers any more. */
	if (u->ring.ring_fd >= 0)
		io_uring_queue_exit(&u->ring);
	if (u->buffers != NULL)
		munmap(u->buffers, u->buffers_octets);
	for (uint32_t id = 0; id < u->buffer_count; id++)
		rte_pktmbuf_free(u->mbufs[id]);
	free(u->rearm);
	free(u);
	q->uring = NULL;
}
