/* The udp port: opening, endpoints, and what both engines share. */
#include "drivers/port/udp_state.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <rte_errno.h>
#include "drivers/port/clock.h"

#define SOCKET_OCTETS 65536
#define SPARE_FILES 256
/* A socket that the worker is about to close still holds its port. */
#define BIND_PATIENCE_NS 50000000u
/* The kernel takes down the ring of who had our ports a moment ago, and its sockets, when it gets to it. */
#define SETTLE_NS 300000000u
#define WAIT_MAX_NS 1000000000u

static void *
command_encode(uint32_t slot, int fd)
{
	return (void *)(((uintptr_t)slot << 32) | (uint32_t)(fd + 1));
}

static void
socket_add(struct udp_queue *q, uint32_t slot, int fd)
{
	struct udp_socket *sock = &q->sockets[slot];

	__atomic_store_n(&sock->fd, fd, __ATOMIC_RELAXED);
	sock->generation++;
	if (q->uring != NULL)
		udp_uring_socket_add(q, slot);
	else
		udp_epoll_socket_add(q, slot);
}

static void
socket_remove(struct udp_queue *q, uint32_t slot)
{
	struct udp_socket *sock = &q->sockets[slot];

	if (sock->fd < 0)
		return;
	if (q->uring != NULL)
		udp_uring_socket_remove(q, slot);
	else
		udp_epoll_socket_remove(q, slot);
	close(sock->fd);
	sock->fd = -1;
}

/* What the control thread posted since the last turn. */
static void
commands_drain(struct udp_queue *q)
{
	void *command;

	while (rte_ring_sc_dequeue(q->commands, &command) == 0) {
		uint32_t slot = (uint32_t)((uintptr_t)command >> 32);
		int fd = (int)((uintptr_t)command & UINT32_MAX) - 1;

		if (fd < 0)
			socket_remove(q, slot);
		else
			socket_add(q, slot, fd);
	}
}

static uint16_t
udp_rx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct udp_queue *q = &((struct udp_port *)port)->queues[queue];
	uint16_t got;

	commands_drain(q);
	got = q->uring != NULL ? udp_uring_rx(q, pkts, n) : udp_epoll_rx(q, pkts, n);
	q->stats.rx_packets += got;
	for (uint16_t i = 0; i < got; i++)
		q->stats.rx_octets += pkts[i]->data_len;
	return got;
}

static uint16_t
udp_tx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, uint8_t *verdicts)
{
	struct udp_queue *q = &((struct udp_port *)port)->queues[queue];

	return q->uring != NULL ? udp_uring_tx(q, pkts, n, verdicts)
				: udp_epoll_tx(q, pkts, n, verdicts);
}

static void
udp_wait(struct drv_port *port, uint16_t queue, uint64_t until_ns)
{
	struct udp_queue *q = &((struct udp_port *)port)->queues[queue];
	uint64_t now = drv_now_ns();

	if (!rte_ring_empty(q->commands) || until_ns <= now)
		return;
	if (until_ns - now > WAIT_MAX_NS)
		until_ns = now + WAIT_MAX_NS;
	if (q->uring != NULL)
		udp_uring_wait(q, until_ns);
	else
		udp_epoll_wait(q, until_ns);
}

static void
udp_wake(struct drv_port *port, uint16_t queue)
{
	const uint64_t one = 1;

	if (write(((struct udp_port *)port)->queues[queue].wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: the worker will wake all the same */
}

/*
 * Datagrams that the kernel dropped for want of room in a socket. Its descriptor is the worker's, but stays open until we post
 * its end; before the worker has taken it over there is none to ask.
 */
static uint64_t
missed_of(const struct udp_queue *q, uint32_t slot)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t length = sizeof(info);
	int fd = __atomic_load_n(&q->sockets[slot].fd, __ATOMIC_RELAXED);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) != 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

static void
udp_look(struct drv_port *port)
{
	struct udp_port *udp = (struct udp_port *)port;

	for (uint16_t i = 0; i < udp->conf.queues; i++) {
		struct udp_queue *q = &udp->queues[i];
		uint64_t missed = q->missed_closed;

		for (uint32_t slot = 0; slot < udp->slots; slot++)
			if (q->is_open[slot])
				missed += missed_of(q, slot);
		atomic_store_explicit(&q->missed, missed, memory_order_relaxed);
	}
}

static void
udp_stats_get(const struct drv_port *port, uint16_t queue, struct drv_port_stats *out)
{
	const struct udp_queue *q = &((const struct udp_port *)port)->queues[queue];

	*out = q->stats;
	out->rx_missed = atomic_load_explicit(&q->missed, memory_order_relaxed);
}

static int
socket_options(int fd, const struct udp_port *port, uint8_t family)
{
	int octets = port->conf.socket_octets ? (int)port->conf.socket_octets : SOCKET_OCTETS;
	int class = port->conf.dscp << 2;
	int yes = 1;
	int rc = setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));

	if (rc == 0 && family == DP_FAMILY_IP6)
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (rc == 0 && class != 0)
		rc = family == DP_FAMILY_IP6
			     ? setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class))
			     : setsockopt(fd, IPPROTO_IP, IP_TOS, &class, sizeof(class));
	return rc == 0 ? 0 : -errno;
}

/* A socket bound to addr. When our own predecessor may still hold the port, waits for the worker to close it. */
static int
socket_bind(int *out, struct udp_queue *q, const struct dp_addr *addr, bool has_predecessor)
{
	struct sockaddr_in6 sa;
	socklen_t length = udp_addr_to_kernel(addr, &sa);
	uint64_t end = has_predecessor ? drv_now_ns() + BIND_PATIENCE_NS : q->port->settled_ns;
	int fd = socket(addr->family == DP_FAMILY_IP6 ? AF_INET6 : AF_INET,
			SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = socket_options(fd, q->port, addr->family);
	while (rc == 0 && bind(fd, (struct sockaddr *)&sa, length) != 0) {
		if (errno != EADDRINUSE || drv_now_ns() > end) {
			rc = -errno;
			break;
		}
		udp_wake(&q->port->base, q->index);
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
	if (rc != 0)
		close(fd);
	else
		*out = fd;
	return rc;
}

static int
udp_endpoint_open(struct drv_port *port, uint16_t queue, uint8_t local_index, uint16_t local_port)
{
	struct udp_port *udp = (struct udp_port *)port;
	struct udp_queue *q = &udp->queues[queue];
	uint32_t slot;
	struct dp_addr addr;
	int fd = -1;
	int rc;

	if (queue >= udp->conf.queues ||
	    (slot = udp_slot(q, local_index, local_port)) == UINT32_MAX)
		return -ERANGE;
	if (q->is_open[slot])
		return -EEXIST;
	addr = udp->conf.local[local_index].addr;
	addr.port = local_port;
	rc = socket_bind(&fd, q, &addr, q->is_leaving[slot]);
	q->is_leaving[slot] = 0; /* closed, or somebody else's by now */
	if (rc != 0)
		return rc;
	if (rte_ring_sp_enqueue(q->commands, command_encode(slot, fd)) != 0) {
		close(fd);
		return -EAGAIN;
	}
	q->is_open[slot] = 1;
	udp_wake(port, queue);
	return 0;
}

static void
udp_endpoint_close(struct drv_port *port, uint16_t queue, uint8_t local_index, uint16_t local_port)
{
	struct udp_port *udp = (struct udp_port *)port;
	struct udp_queue *q = &udp->queues[queue];
	uint32_t slot;

	if (queue >= udp->conf.queues ||
	    (slot = udp_slot(q, local_index, local_port)) == UINT32_MAX || !q->is_open[slot])
		return;
	q->missed_closed += missed_of(q, slot);
	/* The ring has room for all slots twice: it is full only while the worker stands still. */
	while (rte_ring_sp_enqueue(q->commands, command_encode(slot, -1)) != 0) {
		udp_wake(port, queue);
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
	q->is_open[slot] = 0;
	q->is_leaving[slot] = 1;
	udp_wake(port, queue);
}

static void
queue_fini(struct udp_queue *q)
{
	void *command;

	/* Sockets that were posted and never taken. */
	while (q->commands != NULL && rte_ring_sc_dequeue(q->commands, &command) == 0)
		if (((uintptr_t)command & UINT32_MAX) != 0)
			close((int)((uintptr_t)command & UINT32_MAX) - 1);
	udp_uring_fini(q);
	udp_epoll_fini(q);
	for (uint32_t slot = 0; q->sockets != NULL && slot < q->port->slots; slot++)
		if (q->sockets[slot].fd >= 0)
			close(q->sockets[slot].fd);
	if (q->wake_fd >= 0)
		close(q->wake_fd);
	rte_ring_free(q->commands);
	free(q->sockets);
	free(q->is_open);
	free(q->is_leaving);
}

static void
udp_close(struct drv_port *port)
{
	struct udp_port *udp = (struct udp_port *)port;

	for (uint16_t i = 0; i < udp->conf.queues; i++)
		queue_fini(&udp->queues[i]);
	free(udp);
}

static const struct drv_port_ops udp_ops = {
	.close = udp_close,
	.endpoint_open = udp_endpoint_open,
	.endpoint_close = udp_endpoint_close,
	.rx = udp_rx,
	.tx = udp_tx,
	.wait = udp_wait,
	.wake = udp_wake,
	.look = udp_look,
	.stats_get = udp_stats_get,
};

/* Engines are tried in the order of worth; the first error is the one to tell. */
static int
engine_init(struct udp_queue *q, char *text, size_t text_size)
{
	int wanted = q->port->conf.io_uring;
	int rc = wanted != 0 ? udp_uring_init(q) : -ENOSYS;

	if (rc != 0 && wanted > 0) {
		snprintf(text, text_size,
			 "udp port: io_uring is refused (%s); it needs Linux 6.1, "
			 "kernel.io_uring_disabled=0 and no seccomp "
			 "filter against it; set io_uring: auto to go without",
			 strerror(-rc));
		return rc;
	}
	if (rc != 0) {
		rc = udp_epoll_init(q);
		if (rc != 0)
			snprintf(text, text_size, "udp port: epoll: %s", strerror(-rc));
	}
	return rc;
}

static int
queue_init(struct udp_queue *q, uint16_t index, char *text, size_t text_size)
{
	static unsigned serial; /* ring names are per process; ports are opened by the control
				   thread alone */
	const struct udp_port *port = q->port;
	char name[RTE_RING_NAMESIZE];

	q->index = index;
	q->first_port = (uint16_t)(port->conf.port_base + index * port->conf.ports_per_queue);
	q->burst = port->conf.burst ? port->conf.burst : 64;
	q->pool = port->conf.pool[index];
	q->wake_fd = eventfd(0, EFD_CLOEXEC);
	q->sockets = calloc(port->slots, sizeof(*q->sockets));
	q->is_open = calloc(port->slots, 1);
	q->is_leaving = calloc(port->slots, 1);
	snprintf(name, sizeof(name), "udp_%u_%u", serial++, index);
	q->commands = rte_ring_create(name, rte_align32pow2(2 * port->slots), SOCKET_ID_ANY,
				      RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (q->wake_fd < 0 || q->sockets == NULL || q->is_open == NULL || q->is_leaving == NULL ||
	    q->commands == NULL) {
		snprintf(text, text_size,
			 "udp port: no memory for %u endpoints; lower the ports of a worker",
			 port->slots);
		return -ENOMEM;
	}
	for (uint32_t slot = 0; slot < port->slots; slot++)
		q->sockets[slot].fd = -1;
	return engine_init(q, text, text_size);
}

/* Room for a descriptor an endpoint, or as many as we may: endpoints beyond that fail with EMFILE when they open. */
static void
files_raise(const struct udp_port *port)
{
	rlim_t need = (rlim_t)port->slots * port->conf.queues + SPARE_FILES;
	struct rlimit limit, more;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return;
	more = (struct rlimit){.rlim_cur = need, .rlim_max = RTE_MAX(limit.rlim_max, need)};
	if (setrlimit(RLIMIT_NOFILE, &more) != 0) { /* only root goes beyond the hard limit */
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* That our addresses are this machine's is found out here, not when the first leg joins. */
static int
locals_try(const struct udp_port *port, char *text, size_t text_size)
{
	for (uint32_t i = 0; i < port->conf.local_count; i++) {
		const struct dp_addr *addr = &port->conf.local[i].addr;
		bool is_ip6 = addr->family == DP_FAMILY_IP6;
		char name[INET6_ADDRSTRLEN];
		struct sockaddr_in6 sa;
		socklen_t length = udp_addr_to_kernel(addr, &sa);
		int fd = socket(is_ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int rc = fd < 0 ? -errno : 0;

		sa.sin6_port = 0;
		if (rc == 0 && bind(fd, (struct sockaddr *)&sa, length) != 0)
			rc = -errno;
		if (fd >= 0)
			close(fd);
		if (rc != 0) {
			inet_ntop(is_ip6 ? AF_INET6 : AF_INET, addr->ip, name, sizeof(name));
			snprintf(text, text_size,
				 "udp port: address %s: %s; use one that \"ip address\" lists",
				 name, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

int
drv_udp_open(struct drv_port **out, const struct drv_port_conf *conf, char *text, size_t text_size)
{
	struct udp_port *port = calloc(1, sizeof(*port));
	int rc;

	if (port == NULL) {
		snprintf(text, text_size, "udp port: no memory");
		return -ENOMEM;
	}
	port->conf = *conf;
	port->slots = conf->local_count * (uint32_t)conf->ports_per_queue;
	port->settled_ns = drv_now_ns() + SETTLE_NS;
	port->base = (struct drv_port){.ops = &udp_ops, .can_sleep = true, .is_steered = true};
	for (uint16_t i = 0; i < conf->queues; i++) {
		port->queues[i].port = port;
		port->queues[i].wake_fd = -1;
	}
	files_raise(port);
	rc = locals_try(port, text, text_size);
	for (uint16_t i = 0; rc == 0 && i < conf->queues; i++)
		rc = queue_init(&port->queues[i], i, text, text_size);
	if (rc != 0) {
		udp_close(&port->base);
		return rc;
	}
	port->base.engine = port->queues[0].uring != NULL ? "io_uring" : "epoll";
	*out = &port->base;
	return 0;
}
