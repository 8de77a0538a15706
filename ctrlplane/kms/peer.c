/* Connections that are open. Who sends a request drop by drop holds a place for so long only (kms.request_timeout). */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "ctrlplane/kms/http_state.h"
#include "ctrlplane/kms/kms_state.h"

#define LOOK_NS 500000000

/* What the kernel has received on a connection. */
static uint64_t
octets_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	return info.tcpi_bytes_received;
}

void
cp_kms_peer_notify(void *arg, struct MHD_Connection *connection, void **context,
		   enum MHD_ConnectionNotificationCode code)
{
	struct cp_kms_http *http = arg;
	struct cp_kms_peer *peer = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		peer = info != NULL ? calloc(1, sizeof(*peer)) : NULL;
		if (peer == NULL)
			return; /* libmicrohttpd's own limit of idle time holds */
		peer->fd = info->connect_fd;
		peer->since_ns = cp_kms_now_ns();
		pthread_mutex_lock(&http->peers_lock);
		LIST_INSERT_HEAD(&http->peers, peer, next);
		pthread_mutex_unlock(&http->peers_lock);
		*context = peer;
	} else if (peer != NULL) {
		pthread_mutex_lock(&http->peers_lock);
		LIST_REMOVE(peer, next);
		pthread_mutex_unlock(&http->peers_lock);
		free(peer);
		*context = NULL;
	}
}

void
cp_kms_peer_answered(struct cp_kms_peer *peer)
{
	atomic_store(&peer->since_ns, cp_kms_now_ns());
	atomic_store(&peer->octets, octets_of(peer->fd));
}

void
cp_kms_peers_tend(struct cp_kms_http *http, int64_t now_ns)
{
	int64_t limit_ns = http->settings->kms.request_timeout_ms * 1000000;
	struct cp_kms_peer *peer;

	if (now_ns - http->looked_ns < LOOK_NS)
		return;
	http->looked_ns = now_ns;
	pthread_mutex_lock(&http->peers_lock); /* none of them closes its socket meanwhile */
	LIST_FOREACH (peer, &http->peers, next) {
		if (octets_of(peer->fd) == atomic_load(&peer->octets)) {
			atomic_store(&peer->since_ns, now_ns);
		} else if (now_ns - atomic_load(&peer->since_ns) > limit_ns) {
			shutdown(peer->fd, SHUT_RDWR);
			atomic_fetch_add(&cp_kms_counters(http->kms)->slow, 1);
			atomic_store(&peer->since_ns, now_ns);
		}
	}
	pthread_mutex_unlock(&http->peers_lock);
}
