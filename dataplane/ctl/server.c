/* The control socket's server: accepts, checks credentials, frames and queues. See dataplane/api/ctl.h. */
#include "dataplane/ctl/server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "dataplane/ctl/validate.h"

#define CLIENTS_MAX 16
#define EVENTS_MAX 512	  /* queued for a slow client */
#define REPLIES_MAX 256	  /* unanswered or unsent: reading from that client pauses */
#define READS_PER_STEP 64 /* one client cannot starve the others */
#define LISTENER UINT32_MAX

/* A datagram waiting for its client. */
struct queued {
	struct queued *next;
	size_t len;
	bool is_event;
	uint8_t octets[];
};

struct client {
	int fd; /* -1: free */
	uint32_t generation;
	bool has_greeted;
	bool wants_events;
	bool is_paused;
	unsigned unanswered, queued_replies, queued_events;
	uint32_t lost_events;
	uint32_t armed; /* epoll events asked for */
	struct queued *first, **last;
};

struct dp_ctl_server {
	int listener, epoll;
	struct dp_ctl_server_conf conf;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct client clients[CLIENTS_MAX];
	_Alignas(8) uint8_t buffer[DP_CTL_MAX];
};

static void
arm(struct dp_ctl_server *s, unsigned i)
{
	struct client *c = &s->clients[i];
	struct epoll_event event = {.data.u32 = i};

	c->is_paused = c->unanswered + c->queued_replies >= REPLIES_MAX;
	event.events = (c->is_paused ? 0u : EPOLLIN) | (c->first != NULL ? EPOLLOUT : 0u);
	if (event.events == c->armed)
		return;
	c->armed = event.events;
	epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void
drop_client(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	c->generation++;
	while (c->first != NULL) {
		struct queued *q = c->first;

		c->first = q->next;
		free(q);
	}
}

static bool
is_member(gid_t wanted, uid_t uid, gid_t primary, int fd)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (primary == wanted)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

static bool
may_connect(const struct dp_ctl_server *s, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false;
	if (cred.uid == 0 || cred.uid == geteuid())
		return true;
	for (unsigned i = 0; i < s->conf.uid_count; i++)
		if (s->conf.uids[i] == cred.uid)
			return true;
	return s->conf.group != (gid_t)-1 && is_member(s->conf.group, cred.uid, cred.gid, fd);
}

static void
accept_client(struct dp_ctl_server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	unsigned i;

	if (fd < 0)
		return;
	for (i = 0; i < CLIENTS_MAX && s->clients[i].fd >= 0; i++)
		;
	if (i == CLIENTS_MAX || !may_connect(s, fd)) {
		close(fd);
		return;
	}
	struct client *c = &s->clients[i];
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

	*c = (struct client){.fd = fd, .generation = c->generation, .armed = EPOLLIN};
	c->last = &c->first;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		drop_client(c);
}

static void
enqueue(struct client *c, const void *msg, size_t len, bool is_event)
{
	struct queued *q = malloc(sizeof(*q) + len);

	if (q == NULL) {
		c->lost_events += is_event;
		return;
	}
	q->next = NULL;
	q->len = len;
	q->is_event = is_event;
	memcpy(q->octets, msg, len);
	*c->last = q;
	c->last = &q->next;
	if (is_event)
		c->queued_events++;
	else
		c->queued_replies++;
}

/* Straight out when nothing waits before it. False: the client is gone. */
static bool
send_or_queue(struct client *c, const void *msg, size_t len, bool is_event)
{
	if (c->first == NULL) {
		if (send(c->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return true;
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != EINTR) {
			drop_client(c);
			return false;
		}
	}
	enqueue(c, msg, len, is_event);
	return true;
}

static void
flush(struct client *c)
{
	while (c->first != NULL) {
		struct queued *q = c->first;

		if (send(c->fd, q->octets, q->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS &&
			    errno != EINTR)
				drop_client(c);
			return;
		}
		if (q->is_event)
			c->queued_events--;
		else
			c->queued_replies--;
		c->first = q->next;
		if (c->first == NULL)
			c->last = &c->first;
		free(q);
	}
	if (c->lost_events > 0) {
		struct dp_ctl_event lost = {
			.hdr = {.version = DP_CTL_VERSION,
				.type = DP_CTL_EVENT,
				.len = sizeof(lost)},
			.event = DP_EVENT_LOST_EVENTS,
			.a = c->lost_events,
		};

		c->lost_events = 0;
		send_or_queue(c, &lost, sizeof(lost), true);
	}
}

static void
refuse(struct client *c, const struct dp_ctl_hdr *request, int status)
{
	struct dp_ctl_hdr reply = {
		.version = DP_CTL_VERSION,
		.type = request->type,
		.len = sizeof(reply),
		.number = request->number,
		.status = status,
	};

	send_or_queue(c, &reply, sizeof(reply), false);
}

static void
handle(struct dp_ctl_server *s, unsigned i, size_t len)
{
	struct client *c = &s->clients[i];
	const struct dp_ctl_hdr *hdr = (const struct dp_ctl_hdr *)s->buffer;
	int status = dp_ctl_validate(s->buffer, len);

	if (len < sizeof(*hdr)) {
		drop_client(c);
		return;
	}
	if (status == 0 && hdr->type != DP_CTL_HELLO && !c->has_greeted)
		status = -EPROTO;
	if (status != 0) {
		refuse(c, hdr, status);
		return;
	}
	if (hdr->type == DP_CTL_HELLO) {
		c->has_greeted = true;
		c->wants_events = ((const struct dp_ctl_hello *)hdr)->wants_events != 0;
	}
	c->unanswered++;
	s->conf.request(s->conf.arg, (uint64_t)c->generation << 32 | i, hdr);
}

static void
read_client(struct dp_ctl_server *s, unsigned i)
{
	struct client *c = &s->clients[i];

	for (unsigned n = 0; n < READS_PER_STEP && c->fd >= 0; n++) {
		if (c->unanswered + c->queued_replies >= REPLIES_MAX)
			return;
		ssize_t len = recv(c->fd, s->buffer, sizeof(s->buffer), MSG_DONTWAIT | MSG_TRUNC);

		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (len <= 0 || (size_t)len > sizeof(s->buffer)) {
			drop_client(c);
			return;
		}
		handle(s, i, (size_t)len);
		explicit_bzero(s->buffer, (size_t)len);
	}
}

void
dp_ctl_server_step(struct dp_ctl_server *s, int timeout_ms)
{
	struct epoll_event events[CLIENTS_MAX + 1];
	int n = epoll_wait(s->epoll, events, CLIENTS_MAX + 1, timeout_ms);

	for (int e = 0; e < n; e++) {
		uint32_t i = events[e].data.u32;

		if (i == LISTENER) {
			accept_client(s);
			continue;
		}
		struct client *c = &s->clients[i];

		if (c->fd >= 0 && (events[e].events & EPOLLOUT) != 0)
			flush(c);
		if (c->fd >= 0 && (events[e].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
			read_client(s, i);
		if (c->fd >= 0)
			arm(s, i);
	}
}

void
dp_ctl_server_reply(struct dp_ctl_server *s, uint64_t client, void *msg, size_t len)
{
	unsigned i = (uint32_t)client;
	struct client *c = &s->clients[i];
	struct dp_ctl_hdr *hdr = msg;

	if (c->fd < 0 || c->generation != client >> 32)
		return;
	hdr->version = DP_CTL_VERSION;
	hdr->len = (uint32_t)len;
	c->unanswered--;
	if (send_or_queue(c, msg, len, false))
		arm(s, i);
}

void
dp_ctl_server_event(struct dp_ctl_server *s, const struct dp_ctl_event *event)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->fd < 0 || !c->wants_events)
			continue;
		if (c->queued_events >= EVENTS_MAX || c->lost_events > 0)
			c->lost_events++;
		else if (send_or_queue(c, event, sizeof(*event), true))
			arm(s, i);
	}
}

int
dp_ctl_server_fd(const struct dp_ctl_server *s)
{
	return s->epoll;
}

/* A file left by a dead process is removed; one with a live listener behind it is an error. */
static int
clear_path(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		rc = -EADDRINUSE;
	else if (errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
	return rc;
}

static int
listen_on(struct dp_ctl_server *s, char *text, size_t text_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = LISTENER};
	int rc;

	if (strlen(s->conf.path) >= sizeof(address.sun_path)) {
		snprintf(text, text_size, "control socket %s: path is longer than %zu octets",
			 s->conf.path, sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, s->conf.path);
	strcpy(s->path, s->conf.path);
	rc = clear_path(&address);
	if (rc != 0) {
		s->path[0] = 0;
		snprintf(text, text_size,
			 "control socket %s: another conclave-dp listens there; stop it or set "
			 "another control.socket",
			 s->conf.path);
		return rc;
	}
	mode_t mask = umask(0777 & ~s->conf.mode);

	s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = s->listener < 0 ? -errno : 0;
	if (rc == 0 && bind(s->listener, (struct sockaddr *)&address, sizeof(address)) != 0)
		rc = -errno;
	umask(mask);
	if (rc == 0 && s->conf.group != (gid_t)-1 && chown(s->path, (uid_t)-1, s->conf.group) != 0)
		rc = -errno;
	if (rc == 0 && listen(s->listener, CLIENTS_MAX) != 0)
		rc = -errno;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (rc == 0 &&
	    (s->epoll < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) != 0))
		rc = -errno;
	if (rc != 0)
		snprintf(text, text_size,
			 "control socket %s: %s; does its folder exist and may we write there?",
			 s->conf.path, strerror(-rc));
	return rc;
}

int
dp_ctl_server_open(struct dp_ctl_server **out, const struct dp_ctl_server_conf *conf, char *text,
		   size_t text_size)
{
	struct dp_ctl_server *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return -ENOMEM;
	s->conf = *conf;
	s->listener = s->epoll = -1;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		s->clients[i].fd = -1;
	rc = listen_on(s, text, text_size);
	if (rc != 0) {
		dp_ctl_server_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void
dp_ctl_server_close(struct dp_ctl_server *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			drop_client(&s->clients[i]);
	if (s->listener >= 0)
		close(s->listener);
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->path[0] != 0)
		unlink(s->path);
	free(s);
}
