/* Connections of our own. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrlplane/stream/stream_state.h"

/* A socket that is on its way to there, or -errno. */
static int
dial(const struct cp_stream_target *target)
{
	struct sockaddr_storage to, from;
	socklen_t to_len = (socklen_t)cp_stream_sockaddr(&to, &target->to);
	const int on = 1;
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	cp_stream_tune(fd);
	if (target->from) {
		socklen_t len = (socklen_t)cp_stream_sockaddr(&from, target->from);

		/* many connections from one address: a port is taken for each pair of ends */
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		if (bind(fd, (const struct sockaddr *)&from, len) != 0)
			goto out;
	}
	if (connect(fd, (const struct sockaddr *)&to, to_len) == 0 || errno == EINPROGRESS)
		return fd;
out:
	error = errno;
	close(fd);
	return -error;
}

int
cp_hub_connect(struct cp_stream **out, struct cp_hub *hub, const struct cp_stream_target *target,
	       const struct cp_stream_events *events, void *arg)
{
	struct cp_shield *shield;
	struct cp_stream *s;
	int rc, fd;

	if (hub->count >= hub->settings.streams_max)
		return -ENFILE;
	rc = cp_shield_create(&shield, target->tls);
	if (rc < 0)
		return rc;
	fd = rc = dial(target);
	if (rc >= 0)
		rc = cp_hub_add(&s, hub, fd, shield);
	cp_shield_put(shield);
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	s->is_ours = true;
	s->remote = target->to;
	s->phase = CP_PHASE_CONNECTING;
	cp_stream_set(s, events, arg);
	cp_hub_mark(s, CP_DUE_START);
	cp_hub_arm(s);
	*out = s;
	return 0;
}
