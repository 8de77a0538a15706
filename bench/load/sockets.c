/* Pairs of UDP sockets for RTP and RTCP: even port and the next one (RFC 3550 section 11). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench/load/media_state.h"

#define BUFFER_OCTETS (8 << 20)

socklen_t
ue_sockaddr_len(const union ue_sockaddr *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof(a->ip6) : sizeof(a->ip4);
}

uint16_t
ue_sockaddr_port(const union ue_sockaddr *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->ip6.sin6_port : a->ip4.sin_port);
}

static int
sock_open(struct ue_sock *s, const struct ue_media *m, uint16_t port)
{
	union ue_sockaddr a = m->conf.local;
	int size = m->conf.share > 1 ? BUFFER_OCTETS : 0;

	s->fd = socket(a.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	if (a.any.sa_family == AF_INET6)
		a.ip6.sin6_port = htons(port);
	else
		a.ip4.sin_port = htons(port);
	/* beyond rmem_max where we may, else as far as it goes */
	if (size && setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (size && setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(s->fd, &a.any, ue_sockaddr_len(&a)) != 0) {
		int err = errno;

		close(s->fd);
		return -err;
	}
	s->port = port;
	return 0;
}

int
ue_pair_open(struct ue_pair **out, struct ue_media *m)
{
	unsigned ports = (m->conf.port_high - m->conf.port_low + 1u) / 2;
	struct ue_pair *pair = calloc(1, sizeof(*pair));
	int err = -EADDRINUSE;

	if (!pair)
		return -ENOMEM;
	for (unsigned tries = 0; tries < ports && err == -EADDRINUSE; tries++) {
		uint16_t port = m->next_port;

		m->next_port = port + 3 > m->conf.port_high
				       ? (uint16_t)(m->conf.port_low + (m->conf.port_low & 1))
				       : (uint16_t)(port + 2);
		err = sock_open(&pair->rtp, m, port);
		if (err)
			continue;
		err = sock_open(&pair->rtcp, m, (uint16_t)(port + 1));
		if (err)
			close(pair->rtp.fd);
	}
	if (err) {
		free(pair);
		return err;
	}
	pair->rtcp.is_rtcp = true;
	*out = pair;
	return 0;
}

void
ue_pair_close(struct ue_pair *pair)
{
	close(pair->rtp.fd);
	close(pair->rtcp.fd);
	free(pair);
}

static int
sock_watch(struct ue_media *m, struct ue_sock *s)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};

	return epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, s->fd, &event) == 0 || errno == EEXIST
		       ? 0
		       : -errno;
}

int
ue_pair_watch(struct ue_media *m, struct ue_pair *pair)
{
	int err = sock_watch(m, &pair->rtp);

	return err ? err : sock_watch(m, &pair->rtcp);
}

void
ue_pair_unwatch(struct ue_media *m, struct ue_pair *pair)
{
	epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, pair->rtp.fd, NULL);
	epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, pair->rtcp.fd, NULL);
}
