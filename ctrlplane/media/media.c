/* Connecting to the media plane, requests and their completions, events. */
#include "ctrlplane/media/media.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctrlplane/base/log.h"
#include "ctrlplane/base/map.h"

#define TIMEOUT_MS 2000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define QUEUE_MAX 65536
#define READ_BUDGET 256 /* messages of one on_readable */

/* A request under way. A key's octets are not in message: they are put together when the socket takes it. */
struct request {
	struct cp_map_node by_number;
	TAILQ_ENTRY(request) by_age;
	TAILQ_ENTRY(request) unsent;
	uint32_t number;
	uint16_t type;
	bool is_sent;
	int64_t deadline_ms;
	cp_media_done_fn done;
	void *arg;
	struct cp_media_key where;
	struct cp_key key; /* KEY_INSTALL only */
	size_t size;
	_Alignas(8) uint8_t message[];
};

TAILQ_HEAD(request_list, request);

enum state {
	DOWN = 0,
	GREETING, /* HELLO is out */
	UP,
};

struct cp_media {
	struct cp_media_conf conf;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char client[32];
	enum state state;
	int fd;
	int wants;  /* as on_fd was told */
	int broken; /* errno of a send that failed: dealt with when nobody is within a request */
	bool had_instance;
	uint64_t instance;
	int64_t now_ms, attempt_ms, backoff_ms;
	uint32_t last_number;
	struct cp_map by_number;
	struct request_list by_age, unsent;
	struct dp_ctl_welcome welcome;
	struct dp_ctl_key *scratch; /* a locked page: a key message on its way into the kernel */
	_Alignas(8) uint8_t in[DP_CTL_MAX];
};

/* The least a good reply holds. */
static size_t
reply_size(uint16_t type)
{
	switch (type) {
	case DP_CTL_HELLO:
		return sizeof(struct dp_ctl_welcome);
	case DP_CTL_LEG_ADD:
		return sizeof(struct dp_ctl_leg_added);
	case DP_CTL_LIST_CONFS:
	case DP_CTL_LIST_LEGS:
	case DP_CTL_LIST_CLIPS:
		return sizeof(struct dp_ctl_ids);
	case DP_CTL_LEG_SHOW:
		return sizeof(struct dp_ctl_leg_shown);
	case DP_CTL_NODE_SHOW:
		return sizeof(struct dp_ctl_node);
	default:
		return sizeof(struct dp_ctl_hdr);
	}
}

static bool
is_number(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct request, by_number)->number ==
	       *(const uint32_t *)key;
}

static void
set_wants(struct cp_media *media, int wants)
{
	if (media->wants == wants)
		return;
	media->wants = wants;
	if (media->conf.hooks.on_fd != NULL)
		media->conf.hooks.on_fd(media->conf.hooks.arg, media->fd, wants);
}

static void
forget(struct cp_media *media, struct request *request)
{
	cp_map_drop(&media->by_number, &request->by_number);
	TAILQ_REMOVE(&media->by_age, request, by_age);
	if (!request->is_sent)
		TAILQ_REMOVE(&media->unsent, request, unsent);
}

/* request is out of all lists. */
static void
complete(struct request *request, int status, const struct dp_ctl_hdr *reply)
{
	cp_media_done_fn done = request->done;
	void *arg = request->arg;

	cp_key_drop(&request->key);
	free(request);
	if (done != NULL)
		done(arg, status, reply);
}

static void
disconnect(struct cp_media *media, int error)
{
	struct request_list orphans = TAILQ_HEAD_INITIALIZER(orphans);
	struct request *request;
	bool was_up = media->state == UP;
	int fd = media->fd;

	if (media->state == DOWN)
		return;
	media->state = DOWN;
	media->fd = -1;
	media->broken = 0;
	media->attempt_ms = media->now_ms + media->backoff_ms;
	media->backoff_ms *= 2;
	if (media->backoff_ms > media->conf.backoff_max_ms)
		media->backoff_ms = media->conf.backoff_max_ms;
	set_wants(media, 0);
	close(fd);
	while ((request = TAILQ_FIRST(&media->by_age)) != NULL) {
		forget(media, request);
		TAILQ_INSERT_TAIL(&orphans, request, by_age);
	}
	while ((request = TAILQ_FIRST(&orphans)) != NULL) {
		TAILQ_REMOVE(&orphans, request, by_age);
		complete(request, -ECONNRESET, NULL);
	}
	if (was_up) {
		cp_log(CP_LOG_WARN, "media", "lost the media plane at %s: %s", media->path,
		       strerror(error));
		if (media->conf.hooks.on_down != NULL)
			media->conf.hooks.on_down(media->conf.hooks.arg, error);
	}
}

static ssize_t
send_one(struct cp_media *media, const struct request *request)
{
	const struct cp_key *key = &request->key;
	const struct dp_suite_info *info = dp_suite_info(key->suite);
	struct dp_ctl_key *out = media->scratch;
	ssize_t sent;

	if (request->type != DP_CTL_KEY_INSTALL)
		return send(media->fd, request->message, request->size,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	memset(out, 0, sizeof(*out));
	memcpy(&out->hdr, request->message, sizeof(out->hdr));
	out->leg = request->where.leg;
	out->dir = request->where.dir;
	out->slot = request->where.slot;
	out->flags = request->where.flags;
	out->suite = (uint8_t)key->suite;
	out->mki_len = key->mki_len;
	memcpy(out->mki, key->mki, key->mki_len);
	/* one lifetime in SDP for both: the smaller of it and what each may do (RFC 3711 9.2) */
	if (key->lifetime != 0) {
		out->lifetime_rtp =
			key->lifetime < DP_SRTP_MAX_PACKETS ? key->lifetime : DP_SRTP_MAX_PACKETS;
		out->lifetime_rtcp =
			key->lifetime < DP_SRTCP_MAX_PACKETS ? key->lifetime : DP_SRTCP_MAX_PACKETS;
	}
	memcpy(out->key, cp_secret_octets(key->octets), info->key);
	memcpy(out->salt, cp_secret_octets(key->octets) + info->key, info->salt);
	sent = send(media->fd, out, sizeof(*out), MSG_NOSIGNAL | MSG_DONTWAIT);
	cp_wipe(out, sizeof(*out));
	return sent;
}

/* As much as the socket takes. Never disconnects: the caller may be within a request. */
static void
flush(struct cp_media *media)
{
	struct request *request;

	while (media->broken == 0 && (request = TAILQ_FIRST(&media->unsent)) != NULL) {
		if (send_one(media, request) < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN && errno != ENOBUFS)
				media->broken = errno;
			break;
		}
		TAILQ_REMOVE(&media->unsent, request, unsent);
		request->is_sent = true;
		cp_key_drop(&request->key);
	}
	set_wants(media, CP_MEDIA_READ | (TAILQ_EMPTY(&media->unsent) ? 0 : CP_MEDIA_WRITE));
}

static int
enqueue(struct cp_media *media, struct request *request)
{
	struct dp_ctl_hdr *hdr = (struct dp_ctl_hdr *)request->message;

	do {
		request->number = ++media->last_number;
	} while (request->number == 0 || cp_map_find(&media->by_number, request->number, is_number,
						     &request->number) != NULL);
	hdr->version = DP_CTL_VERSION;
	hdr->len = (uint32_t)(request->type == DP_CTL_KEY_INSTALL ? sizeof(struct dp_ctl_key)
								  : request->size);
	hdr->number = request->number;
	hdr->status = 0;
	request->deadline_ms = media->now_ms + media->conf.timeout_ms;
	cp_map_put(&media->by_number, &request->by_number, request->number);
	TAILQ_INSERT_TAIL(&media->by_age, request, by_age);
	TAILQ_INSERT_TAIL(&media->unsent, request, unsent);
	flush(media);
	return 0;
}

static int
make_request(struct request **out, struct cp_media *media, const void *message, size_t size)
{
	struct request *request;

	if (media->by_number.count >= media->conf.queue_max)
		return -EAGAIN;
	request = calloc(1, sizeof(*request) + size);
	if (request == NULL)
		return -ENOMEM;
	memcpy(request->message, message, size);
	request->size = size;
	request->type = ((const struct dp_ctl_hdr *)message)->type;
	*out = request;
	return 0;
}

int
cp_media_request(struct cp_media *media, void *message, size_t size, cp_media_done_fn done,
		 void *arg)
{
	const struct dp_ctl_hdr *hdr = message;
	struct request *request;
	int error;

	if (size < sizeof(*hdr) || size > DP_CTL_MAX || hdr->type == DP_CTL_HELLO ||
	    hdr->type == DP_CTL_KEY_INSTALL)
		return -EINVAL;
	if (media->state != UP || media->broken != 0)
		return -ENOTCONN;
	error = make_request(&request, media, message, size);
	if (error < 0)
		return error;
	request->done = done;
	request->arg = arg;
	return enqueue(media, request);
}

int
cp_media_install_key(struct cp_media *media, const struct cp_media_key *where,
		     const struct cp_key *key, cp_media_done_fn done, void *arg)
{
	const struct dp_suite_info *info = dp_suite_info(key->suite);
	struct dp_ctl_hdr hdr = {.type = DP_CTL_KEY_INSTALL};
	struct request *request;
	int error;

	if (info->key == 0 || key->octets == NULL ||
	    cp_secret_len(key->octets) != (size_t)info->key + info->salt ||
	    key->mki_len > DP_SRTP_MKI_MAX)
		return -EINVAL;
	if (media->state != UP || media->broken != 0)
		return -ENOTCONN;
	error = make_request(&request, media, &hdr, sizeof(hdr));
	if (error < 0)
		return error;
	request->where = *where;
	request->key = cp_key_copy(key);
	request->done = done;
	request->arg = arg;
	return enqueue(media, request);
}

int
cp_media_request_id(struct cp_media *media, enum dp_ctl_type type, uint32_t id,
		    cp_media_done_fn done, void *arg)
{
	struct dp_ctl_id message = {.hdr = {.type = (uint16_t)type}, .id = id};

	return cp_media_request(media, &message, sizeof(message), done, arg);
}

static void
on_welcome(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct cp_media *media = arg;
	bool is_new;

	if (status < 0) {
		/* -ECONNRESET comes from a disconnect that is under way */
		if (status != -ECONNRESET) {
			cp_log(CP_LOG_ERROR, "media", "the media plane at %s refuses us: %s",
			       media->path, strerror(-status));
			media->broken = -status;
		}
		return;
	}
	memcpy(&media->welcome, reply, sizeof(media->welcome));
	media->welcome.version[sizeof(media->welcome.version) - 1] = '\0';
	if (media->welcome.local_count >
	    sizeof(media->welcome.local) / sizeof(media->welcome.local[0]))
		media->welcome.local_count =
			sizeof(media->welcome.local) / sizeof(media->welcome.local[0]);
	is_new = !media->had_instance || media->instance != media->welcome.instance;
	media->had_instance = true;
	media->instance = media->welcome.instance;
	media->state = UP;
	media->backoff_ms = media->conf.backoff_min_ms;
	cp_log(CP_LOG_INFO, "media", "media plane %s at %s: %u workers%s", media->welcome.version,
	       media->path, media->welcome.workers, is_new ? "" : ", the same as before");
	if (media->conf.hooks.on_up != NULL)
		media->conf.hooks.on_up(media->conf.hooks.arg, &media->welcome, is_new);
}

static void
try_to_connect(struct cp_media *media)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct dp_ctl_hello hello = {.hdr = {.type = DP_CTL_HELLO}, .wants_events = 1};
	struct request *request;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	media->attempt_ms = media->now_ms + media->backoff_ms;
	if (fd < 0)
		return;
	memcpy(address.sun_path, media->path, sizeof(address.sun_path));
	snprintf(hello.client, sizeof(hello.client), "%s", media->client);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    make_request(&request, media, &hello, sizeof(hello)) < 0) {
		close(fd);
		media->backoff_ms *= 2;
		if (media->backoff_ms > media->conf.backoff_max_ms)
			media->backoff_ms = media->conf.backoff_max_ms;
		return;
	}
	media->fd = fd;
	media->state = GREETING;
	request->done = on_welcome;
	request->arg = media;
	enqueue(media, request);
}

static void
take_reply(struct cp_media *media, const struct dp_ctl_hdr *hdr)
{
	struct cp_map_node *node =
		cp_map_find(&media->by_number, hdr->number, is_number, &hdr->number);
	struct request *request;
	int status = hdr->status;

	if (node == NULL)
		return; /* timed out before */
	request = CP_CONTAINER(node, struct request, by_number);
	if (hdr->type != request->type || status > 0 ||
	    (status == 0 && hdr->len < reply_size(hdr->type)))
		status = -EPROTO;
	forget(media, request);
	complete(request, status, status == -EPROTO ? NULL : hdr);
}

/* Returns 0, or the error that ends the connection. */
static int
take_message(struct cp_media *media, size_t len)
{
	const struct dp_ctl_hdr *hdr = (const struct dp_ctl_hdr *)media->in;
	const struct dp_ctl_event *event = (const struct dp_ctl_event *)media->in;

	if (len < sizeof(*hdr) || len > sizeof(media->in) || hdr->len != len ||
	    hdr->version != DP_CTL_VERSION)
		return EPROTO;
	if (hdr->type != DP_CTL_EVENT) {
		take_reply(media, hdr);
	} else if (len < sizeof(*event) || event->talker_count > DP_CTL_TALKERS_MAX) {
		return EPROTO;
	} else if (media->state == UP && media->conf.hooks.on_event != NULL) {
		media->conf.hooks.on_event(media->conf.hooks.arg, event);
	}
	return media->broken;
}

void
cp_media_on_readable(struct cp_media *media, int64_t now_ms)
{
	int error = media->broken;

	media->now_ms = now_ms;
	for (int i = 0; i < READ_BUDGET && media->state != DOWN && error == 0; i++) {
		ssize_t len =
			recv(media->fd, media->in, sizeof(media->in), MSG_DONTWAIT | MSG_TRUNC);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			error = errno;
		else
			error = len == 0 ? ECONNRESET : take_message(media, (size_t)len);
	}
	if (error != 0)
		disconnect(media, error);
}

void
cp_media_on_writable(struct cp_media *media, int64_t now_ms)
{
	media->now_ms = now_ms;
	if (media->state == DOWN)
		return;
	flush(media);
	if (media->broken != 0)
		disconnect(media, media->broken);
}

void
cp_media_on_tick(struct cp_media *media, int64_t now_ms)
{
	struct request *request;

	media->now_ms = now_ms;
	if (media->broken != 0)
		disconnect(media, media->broken);
	while ((request = TAILQ_FIRST(&media->by_age)) != NULL && request->deadline_ms <= now_ms) {
		forget(media, request);
		complete(request, -ETIMEDOUT, NULL);
	}
	if (media->broken != 0)
		disconnect(media, media->broken);
	if (media->state == DOWN && now_ms >= media->attempt_ms)
		try_to_connect(media);
}

int
cp_media_fd(const struct cp_media *media)
{
	return media->fd;
}

int
cp_media_wants(const struct cp_media *media)
{
	return media->wants;
}

bool
cp_media_is_up(const struct cp_media *media)
{
	return media->state == UP && media->broken == 0;
}

const struct dp_ctl_welcome *
cp_media_welcome(const struct cp_media *media)
{
	return cp_media_is_up(media) ? &media->welcome : NULL;
}

static struct dp_ctl_key *
lock_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (mlock(page, 4096) < 0 || madvise(page, 4096, MADV_DONTDUMP) < 0) {
		munmap(page, 4096);
		return NULL;
	}
	return page;
}

static int64_t
or_default(int64_t value, int64_t fallback)
{
	return value > 0 ? value : fallback;
}

int
cp_media_create(struct cp_media **out, const struct cp_media_conf *conf)
{
	struct cp_media *media;

	if (conf->path == NULL || strlen(conf->path) >= sizeof(media->path))
		return -ENAMETOOLONG;
	media = calloc(1, sizeof(*media));
	if (media == NULL)
		return -ENOMEM;
	media->scratch = lock_page();
	if (media->scratch == NULL || cp_map_init(&media->by_number) < 0) {
		if (media->scratch != NULL)
			munmap(media->scratch, 4096);
		free(media);
		return -ENOMEM;
	}
	media->conf = *conf;
	media->conf.timeout_ms = or_default(conf->timeout_ms, TIMEOUT_MS);
	media->conf.backoff_min_ms = or_default(conf->backoff_min_ms, BACKOFF_MIN_MS);
	media->conf.backoff_max_ms = or_default(conf->backoff_max_ms, BACKOFF_MAX_MS);
	if (conf->queue_max == 0)
		media->conf.queue_max = QUEUE_MAX;
	media->backoff_ms = media->conf.backoff_min_ms;
	snprintf(media->path, sizeof(media->path), "%s", conf->path);
	snprintf(media->client, sizeof(media->client), "%s", conf->client ? conf->client : "");
	media->fd = -1;
	TAILQ_INIT(&media->by_age);
	TAILQ_INIT(&media->unsent);
	*out = media;
	return 0;
}

void
cp_media_destroy(struct cp_media *media)
{
	struct request *request;

	if (media == NULL)
		return;
	while ((request = TAILQ_FIRST(&media->by_age)) != NULL) {
		forget(media, request);
		cp_key_drop(&request->key);
		free(request);
	}
	if (media->fd >= 0)
		close(media->fd);
	cp_map_fini(&media->by_number);
	munmap(media->scratch, 4096);
	free(media);
}
