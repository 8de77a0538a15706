/* Listeners: who is taken in, and who goes for it where there is no room. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrlplane/base/address.h"
#include "ctrlplane/stream/stream_state.h"

#define BACKLOG 4096
#define ACCEPTS 64 /* of a turn: handshakes go on in between */
#define GRACE_MS \
	3000 /* who came later than that is not crowded out: a storm of honest ones takes its time */

/* A socket at address, watched for nothing yet. -errno. */
static int
open_socket(struct cp_listener *listener, const struct dp_addr *address)
{
	struct epoll_event event = {.events = 0, .data.ptr = &listener->kind};
	struct cp_address at;
	int rc;

	at.len = (socklen_t)cp_stream_sockaddr(&at.at, address);
	rc = cp_address_listen(&at, BACKLOG);
	if (rc < 0)
		return rc;
	listener->fd = rc;
	if (getsockname(rc, (struct sockaddr *)&at.at, &at.len) == 0 &&
	    epoll_ctl(listener->hub->epoll, EPOLL_CTL_ADD, rc, &event) == 0) {
		cp_stream_addr(&listener->address, &at.at);
		return 0;
	}
	rc = -errno;
	close(listener->fd);
	return rc;
}

int
cp_hub_listen(struct cp_listener **out, struct cp_hub *hub, const struct dp_addr *address,
	      const struct cp_stream_tls *tls, bool (*accepted)(void *arg, struct cp_stream *s),
	      void *arg)
{
	struct cp_listener *listener = calloc(1, sizeof(*listener));
	int rc;

	if (!listener)
		return -ENOMEM;
	listener->kind = CP_HUB_LISTENER;
	listener->hub = hub;
	listener->accepted = accepted;
	listener->arg = arg;
	rc = open_socket(listener, address);
	if (rc < 0) {
		free(listener);
		return rc;
	}
	TAILQ_INSERT_TAIL(&hub->listeners, listener, link);
	rc = tls ? cp_listener_start(listener, tls) : 0;
	if (rc < 0)
		cp_listener_close(listener);
	else
		*out = listener;
	return rc;
}

int
cp_listener_start(struct cp_listener *listener, const struct cp_stream_tls *tls)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener->kind};
	struct cp_shield *shield;
	int rc = cp_shield_create(&shield, tls);

	if (rc < 0)
		return rc;
	if (!listener->hub->listen_again_ms &&
	    epoll_ctl(listener->hub->epoll, EPOLL_CTL_MOD, listener->fd, &event) != 0) {
		cp_shield_put(shield);
		return -errno;
	}
	cp_shield_put(listener->shield);
	listener->shield = shield;
	return 0;
}

const struct dp_addr *
cp_listener_address(const struct cp_listener *listener)
{
	return &listener->address;
}

void
cp_listener_close(struct cp_listener *listener)
{
	if (!listener || listener->fd < 0)
		return;
	close(listener->fd);
	listener->fd = -1;
	cp_shield_put(listener->shield);
	listener->shield = NULL;
	TAILQ_REMOVE(&listener->hub->listeners, listener, link);
	TAILQ_INSERT_TAIL(&listener->hub->dead_listeners, listener, link);
}

static void
refuse(struct cp_hub *hub, const struct dp_addr *from, enum cp_stream_cause cause)
{
	if (hub->settings.refused)
		hub->settings.refused(hub->settings.arg, from, cause);
}

/* Has it been half-open for long enough to make room? */
static bool
may_go(const struct cp_stream *s)
{
	return s && s->hub->now_ms - s->since_ms >= GRACE_MS;
}

static void
crowd_out(struct cp_stream *s)
{
	if (s->phase == CP_PHASE_LEAVING)
		cp_stream_bury(s);
	else
		cp_stream_lose(s, CP_STREAM_CROWDED_OUT, "others came, and it had its time");
	/* not even an alert: there is no room */
	if (s->phase != CP_PHASE_DEAD)
		cp_stream_bury(s);
}

/* Is there room for one more from there? Makes it where that is fair. */
static bool
has_room(struct cp_hub *hub, const struct dp_addr *from)
{
	const struct cp_hub_settings *limit = &hub->settings;
	struct cp_stream *oldest;

	if (hub->count >= limit->streams_max) {
		oldest = TAILQ_FIRST(&hub->half);
		if (!may_go(oldest)) {
			refuse(hub, from, CP_STREAM_FULL);
			return false;
		}
		crowd_out(oldest);
	}
	if (limit->per_source_max && cp_source_count(hub, from) >= limit->per_source_max) {
		oldest = cp_source_oldest(hub, from);
		if (!may_go(oldest)) {
			refuse(hub, from, CP_STREAM_SOURCE);
			return false;
		}
		crowd_out(oldest);
	}
	if (hub->half_count >= limit->handshakes_max)
		crowd_out(TAILQ_FIRST(&hub->half));
	return true;
}

static void
reset(int fd)
{
	const struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void
take_in(struct cp_listener *listener, int fd, const struct sockaddr_storage *at)
{
	struct cp_hub *hub = listener->hub;
	struct sockaddr_storage own;
	socklen_t own_len = sizeof(own);
	struct dp_addr from;
	struct cp_stream *s;

	cp_stream_addr(&from, at);
	if (!has_room(hub, &from)) {
		reset(fd);
		return;
	}
	cp_stream_tune(fd);
	if (cp_hub_add(&s, hub, fd, listener->shield) != 0) {
		refuse(hub, &from, CP_STREAM_TROUBLE);
		reset(fd);
		return;
	}
	s->remote = from;
	if (getsockname(fd, (struct sockaddr *)&own, &own_len) == 0)
		cp_stream_addr(&s->local, &own);
	s->phase = CP_PHASE_SHAKING;
	if (cp_source_join(s) != 0) {
		refuse(hub, &from, CP_STREAM_TROUBLE);
		cp_stream_bury(s);
		return;
	}
	if (!listener->accepted(listener->arg, s) || (!s->events && s->phase != CP_PHASE_LEAVING)) {
		refuse(hub, &from, CP_STREAM_REFUSED);
		cp_stream_bury(s);
		return;
	}
	if (s->phase == CP_PHASE_SHAKING)
		cp_stream_up(s);
}

/* Half-open ones fill the place, and all of them are fresh: the kernel keeps the others for a moment. */
static bool
is_too_early(const struct cp_hub *hub)
{
	return hub->half_count >= hub->settings.handshakes_max && !may_go(TAILQ_FIRST(&hub->half));
}

void
cp_listener_ready(struct cp_listener *listener)
{
	struct cp_hub *hub = listener->hub;

	for (int i = 0; i < ACCEPTS && listener->fd >= 0; i++) {
		struct sockaddr_storage at = {0};
		socklen_t len = sizeof(at);
		int fd;

		if (is_too_early(hub)) {
			cp_hub_rest(hub);
			return;
		}
		fd = accept4(listener->fd, (struct sockaddr *)&at, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_in(listener, fd, &at);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			refuse(hub, &listener->address, CP_STREAM_TROUBLE);
			cp_hub_rest(hub);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}
