/* Layout of the HTTP side: requests in http.c, addresses and what serves them in serve.c, who is slow in peer.c. */
#ifndef CP_KMS_HTTP_STATE_H
#define CP_KMS_HTTP_STATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include "ctrlplane/kms/http.h"

/* What serves an address under one certificate. One that retires listens no more and serves on those that it has. */
struct cp_kms_daemon {
	LIST_ENTRY(cp_kms_daemon) next;
	struct cp_kms_http *http;
	bool is_tls;
	atomic_bool is_retiring;
	struct MHD_Daemon *mhd;
	char *certificate, *private_key; /* PEM; the key is wiped. NULL without TLS */
};

/* An address; its socket outlives what serves it. */
struct cp_kms_site {
	struct cp_kms_address address;
	int fd;
	struct cp_kms_daemon *daemon; /* NULL: not yet */
};

/* A connection that is open. */
struct cp_kms_peer {
	LIST_ENTRY(cp_kms_peer) next;
	int fd;
	_Atomic uint64_t octets;  /* received when it was answered last */
	_Atomic int64_t since_ns; /* when it was seen to have sent no more than that */
};

struct cp_kms_http {
	const struct cp_kms_settings *settings;
	struct cp_kms *kms;
	struct cp_kms_site sites[CP_KMS_LISTENERS_MAX];
	size_t site_count;
	char *certificate, *private_key; /* as read last */
	LIST_HEAD(, cp_kms_daemon) retired;
	pthread_mutex_t peers_lock;
	LIST_HEAD(, cp_kms_peer) peers;
	int64_t looked_ns;
};

/* rule zero: libmicrohttpd gives the parameters. arg: struct cp_kms_daemon. */
enum MHD_Result cp_kms_http_access(void *arg, struct MHD_Connection *connection, const char *url,
				   const char *method, const char *version, const char *upload,
				   size_t *upload_len, void **context);
void cp_kms_http_completed(void *arg, struct MHD_Connection *connection, void **context,
			   enum MHD_RequestTerminationCode code);

/* A connection comes or goes. arg: struct cp_kms_http. */
void cp_kms_peer_notify(void *arg, struct MHD_Connection *connection, void **context,
			enum MHD_ConnectionNotificationCode code);
void cp_kms_peer_answered(struct cp_kms_peer *peer);
/* Ends those that have begun a request and do not end it in time. */
void cp_kms_peers_tend(struct cp_kms_http *http, int64_t now_ns);

#endif
