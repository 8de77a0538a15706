/* Questions to a KMS, by libcurl's multi interface on an epoll descriptor of our own. */
#include "ctrlplane/kms_client/kms_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "ctrlplane/base/log.h"

#define AREA "kms"
#define URL_MAX 512
#define EVENTS 16
#define CONNECTIONS_MAX 64L /* to all KMSs; more questions wait for one */

struct cp_kms_client {
	struct cp_kms_client_options options;
	CURLM *multi;
	struct curl_slist *headers;
	int epoll_fd, timer_fd;
	size_t good; /* index of the URL that answered last */
	unsigned int ask_count;
	LIST_HEAD(, cp_kms_ask) asks;
};

struct cp_kms_ask {
	LIST_ENTRY(cp_kms_ask) entry;
	struct cp_kms_client *client;
	enum cp_kms_what what;
	struct cp_kms_ask_ops ops;
	void *arg;
	CURL *easy;
	size_t first; /* URL of the first attempt */
	unsigned int attempt;
	int error; /* of the last attempt */
	size_t len, got;
	uint8_t message[CP_KMS_BODY_MAX], answer[CP_KMS_BODY_MAX];
};

static bool
is_loopback(const char *host, size_t len)
{
	char text[64];
	struct in_addr ip4;
	struct in6_addr ip6;

	if (len >= 2 && host[0] == '[') {
		host++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &ip4) == 1)
		return (ntohl(ip4.s_addr) >> 24) == 127;
	if (inet_pton(AF_INET6, text, &ip6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&ip6);
	return strcasecmp(text, "localhost") == 0;
}

const char *
cp_kms_client_check_url(const char *url)
{
	const char *host;
	size_t len;

	if (strlen(url) > URL_MAX - 64)
		return "is longer than is taken";
	if (strpbrk(url, "@?# \t") != NULL)
		return "has a user, a query, a fragment or a blank";
	if (strncasecmp(url, "https://", 8) == 0 && url[8] != '\0' && url[8] != '/')
		return NULL;
	if (strncasecmp(url, "http://", 7) != 0)
		return "is no http: or https: URL";
	host = url + 7;
	len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	if (!is_loopback(host, len))
		return "is plain HTTP to another machine; use https:";
	return NULL;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *is_known)
{
	struct cp_kms_client *client = arg;
	struct epoll_event event = {.data.fd = fd};

	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
		       (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	if (epoll_ctl(client->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
		epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct cp_kms_client *client = arg;
	struct itimerspec when = {0};

	if (ms == 0)
		when.it_value.tv_nsec = 1;
	else if (ms > 0)
		when.it_value =
			(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
	timerfd_settime(client->timer_fd, 0, &when, NULL);
	return 0;
}

static int
open_client(struct cp_kms_client *client)
{
	struct epoll_event event = {.events = EPOLLIN};

	client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	client->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	event.data.fd = client->timer_fd;
	if (client->epoll_fd < 0 || client->timer_fd < 0 ||
	    epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->timer_fd, &event) != 0)
		return -errno;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	client->multi = curl_multi_init();
	client->headers = curl_slist_append(NULL, "Content-Type: application/mikey");
	if (client->headers != NULL && /* no wait for a 100 */
	    curl_slist_append(client->headers, "Expect:") == NULL)
		return -ENOMEM;
	if (client->multi == NULL || client->headers == NULL)
		return -ENOMEM;
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
	return 0;
}

int
cp_kms_client_create(struct cp_kms_client **out, const struct cp_kms_client_options *options)
{
	struct cp_kms_client *client;
	int rc;

	if (options->url_count == 0 || options->rounds == 0)
		return -EINVAL;
	for (size_t i = 0; i < options->url_count; i++)
		if (cp_kms_client_check_url(options->urls[i]) != NULL)
			return -EINVAL;
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return -ENOMEM;
	client->options = *options;
	client->epoll_fd = client->timer_fd = -1;
	LIST_INIT(&client->asks);
	rc = open_client(client);
	if (rc != 0)
		cp_kms_client_destroy(client);
	else
		*out = client;
	return rc;
}

static void
end_attempt(struct cp_kms_ask *ask)
{
	if (ask->easy == NULL)
		return;
	curl_multi_remove_handle(ask->client->multi, ask->easy);
	curl_easy_cleanup(ask->easy);
	ask->easy = NULL;
}

static void
free_ask(struct cp_kms_ask *ask)
{
	end_attempt(ask);
	LIST_REMOVE(ask, entry);
	ask->client->ask_count--;
	free(ask);
}

void
cp_kms_client_destroy(struct cp_kms_client *client)
{
	if (client == NULL)
		return;
	while (!LIST_EMPTY(&client->asks))
		free_ask(LIST_FIRST(&client->asks));
	if (client->multi != NULL) {
		curl_multi_cleanup(client->multi);
		curl_global_cleanup();
	}
	curl_slist_free_all(client->headers);
	if (client->timer_fd >= 0)
		close(client->timer_fd);
	if (client->epoll_fd >= 0)
		close(client->epoll_fd);
	free(client);
}

int
cp_kms_client_fd(const struct cp_kms_client *client)
{
	return client->epoll_fd;
}

static size_t
on_body(char *octets, size_t one, size_t len, void *arg)
{
	struct cp_kms_ask *ask = arg;

	if (len > sizeof(ask->answer) - ask->got)
		return 0;
	memcpy(ask->answer + ask->got, octets, len);
	ask->got += len;
	return len;
}

static const char *
url_of(const struct cp_kms_ask *ask)
{
	const struct cp_kms_client_options *o = &ask->client->options;

	return o->urls[(ask->first + ask->attempt) % o->url_count];
}

/* One attempt: a new message to the URL whose turn it is. */
static int
start_attempt(struct cp_kms_ask *ask)
{
	const struct cp_kms_client_options *o = &ask->client->options;
	const char *base = url_of(ask);
	size_t len = strlen(base);
	char url[URL_MAX];
	int made = ask->ops.make(ask->arg, ask->message, sizeof(ask->message));

	if (made < 0)
		return made;
	ask->len = (size_t)made;
	ask->got = 0;
	while (len > 0 && base[len - 1] == '/')
		len--;
	snprintf(url, sizeof(url), "%.*s/keymanagement?requesttype=%s", (int)len, base,
		 ask->what == CP_KMS_REQUEST ? "ticketrequest" : "ticketresolve");
	ask->easy = curl_easy_init();
	if (ask->easy == NULL)
		return -ENOMEM;
	curl_easy_setopt(ask->easy, CURLOPT_URL, url);
	curl_easy_setopt(ask->easy, CURLOPT_PRIVATE, ask);
	curl_easy_setopt(ask->easy, CURLOPT_HTTPHEADER, ask->client->headers);
	curl_easy_setopt(ask->easy, CURLOPT_POSTFIELDS, ask->message);
	curl_easy_setopt(ask->easy, CURLOPT_POSTFIELDSIZE, (long)ask->len);
	curl_easy_setopt(ask->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(ask->easy, CURLOPT_WRITEDATA, ask);
	curl_easy_setopt(ask->easy, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
	curl_easy_setopt(ask->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(ask->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(ask->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(ask->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(ask->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (o->ca_file != NULL)
		curl_easy_setopt(ask->easy, CURLOPT_CAINFO, o->ca_file);
	return curl_multi_add_handle(ask->client->multi, ask->easy) == CURLM_OK ? 0 : -ENOMEM;
}

static void
finish(struct cp_kms_ask *ask, int status)
{
	void (*done)(void *arg, int status) = ask->ops.done;
	void *arg = ask->arg;

	free_ask(ask);
	done(arg, status);
}

/* Was that an answer? 0, or why it is as if none had come. */
static int
judge(struct cp_kms_ask *ask, CURLcode result, const char **what)
{
	long status = 0;
	char *type = NULL;

	if (result != CURLE_OK) {
		*what = curl_easy_strerror(result);
		return result == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EHOSTDOWN;
	}
	curl_easy_getinfo(ask->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(ask->easy, CURLINFO_CONTENT_TYPE, &type);
	*what = "its HTTP answer has no MIKEY message";
	if (status != 200 || type == NULL || strncasecmp(type, "application/mikey", 17) != 0 ||
	    (type[17] != '\0' && type[17] != ';' && type[17] != ' '))
		return -EHOSTDOWN;
	*what = "its answer is none to our question";
	return ask->ops.take(ask->arg, ask->answer, ask->got) == 0 ? 0 : -EHOSTDOWN;
}

static void
attempt_done(struct cp_kms_ask *ask, CURLcode result)
{
	struct cp_kms_client *client = ask->client;
	const struct cp_kms_client_options *o = &client->options;
	const char *what;
	int rc;

	ask->error = judge(ask, result, &what);
	end_attempt(ask);
	if (ask->error == 0) {
		client->good = (ask->first + ask->attempt) % o->url_count;
		finish(ask, 0);
		return;
	}
	cp_log(CP_LOG_WARN, AREA, "KMS %s: %s", url_of(ask), what);
	if (++ask->attempt >= o->url_count * o->rounds) {
		finish(ask, ask->error);
		return;
	}
	rc = start_attempt(ask);
	if (rc != 0)
		finish(ask, rc);
}

static void
collect(struct cp_kms_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		char *ask = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &ask);
		attempt_done((struct cp_kms_ask *)(void *)ask, message->data.result);
	}
}

void
cp_kms_client_run(struct cp_kms_client *client)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(client->epoll_fd, events, EVENTS, 0), running;

	for (int i = 0; i < count; i++) {
		uint64_t fired;

		if (events[i].data.fd == client->timer_fd) {
			if (read(client->timer_fd, &fired, sizeof(fired)) == sizeof(fired))
				curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0,
							 &running);
			continue;
		}
		curl_multi_socket_action(
			client->multi, events[i].data.fd,
			(events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
				(events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
				(events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0),
			&running);
	}
	collect(client);
}

int
cp_kms_client_ask(struct cp_kms_ask **out, struct cp_kms_client *client, enum cp_kms_what what,
		  const struct cp_kms_ask_ops *ops, void *arg)
{
	struct cp_kms_ask *ask;
	int rc;

	if (client->ask_count >= client->options.asks_max)
		return -EAGAIN;
	ask = calloc(1, sizeof(*ask));
	if (ask == NULL)
		return -ENOMEM;
	ask->client = client;
	ask->what = what;
	ask->ops = *ops;
	ask->arg = arg;
	ask->first = client->good;
	LIST_INSERT_HEAD(&client->asks, ask, entry);
	client->ask_count++;
	rc = start_attempt(ask);
	if (rc != 0)
		free_ask(ask);
	else
		*out = ask;
	return rc;
}

void
cp_kms_client_cancel(struct cp_kms_ask *ask)
{
	if (ask != NULL)
		free_ask(ask);
}
