/* HTTP/1.1 as far as a client that behaves needs it. */
#include "tests/scenario/app/kmsd.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 32768

static int
listen_local(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)at, len) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)at, &len) != 0)
		abort();
	return fd;
}

/* A whole request: octets of its body, which starts at *body; -1: the client went away. */
static long
read_request(int fd, char *text, size_t size, char **body)
{
	size_t len = 0, want = 0;
	char *end, *field;

	*body = NULL;
	while (!*body || len < (size_t)(*body - text) + want) {
		ssize_t got = len + 1 < size ? read(fd, text + len, size - len - 1) : 0;

		if (got <= 0)
			return -1;
		len += (size_t)got;
		text[len] = '\0';
		end = *body ? NULL : strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		*body = end + 4;
		field = strcasestr(text, "\r\nContent-Length:");
		want = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
	}
	return (long)want;
}

static void
say(int fd, int status, const char *type, const uint8_t *body, size_t len)
{
	char head[256];
	int size = snprintf(head, sizeof(head),
			    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
			    status, status == 200 ? "OK" : "No", type, len);

	(void)!send(fd, head, (size_t)size, MSG_NOSIGNAL);
	(void)!send(fd, body, len, MSG_NOSIGNAL);
}

static void
wait_for_end(int fd)
{
	char octet;

	while (read(fd, &octet, 1) > 0)
		;
}

/* One question. False: the connection is of no use any more. */
static int
serve(struct kmsd *k, int fd, char *text)
{
	static const uint8_t nonsense[20000] = {0xff};
	uint8_t out[REQUEST_MAX];
	char *body;
	long len = read_request(fd, text, REQUEST_MAX, &body);
	size_t size;

	if (len < 0)
		return 0;
	sscanf(text, "POST %127s", k->path);
	k->asked++;
	switch ((enum kmsd_mood)k->mood) {
	case KMSD_WELL:
		size = k->answer(k->arg, out, sizeof(out), (uint8_t *)body, (size_t)len);
		say(fd, size ? 200 : 400, "application/mikey", out, size);
		return 1;
	case KMSD_SILENT:
		wait_for_end(fd);
		return 0;
	case KMSD_ERROR:
		say(fd, 500, "text/plain", nonsense, 10);
		return 1;
	case KMSD_NONSENSE:
		say(fd, 200, "application/mikey", nonsense, 100);
		return 1;
	case KMSD_HTML:
		say(fd, 200, "text/html", (const uint8_t *)"<p>", 3);
		return 1;
	case KMSD_LONG:
		say(fd, 200, "application/mikey", nonsense, sizeof(nonsense));
		return 0;
	case KMSD_CUT:
		(void)!send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab", 42,
			    MSG_NOSIGNAL);
		return 0;
	}
	return 0;
}

static void *
run(void *arg)
{
	struct kmsd *k = arg;
	char *text = malloc(REQUEST_MAX);
	int fd;

	while (text && (fd = accept(k->listener, NULL, NULL)) >= 0) {
		while (serve(k, fd, text))
			;
		close(fd);
	}
	free(text);
	return NULL;
}

void
kmsd_start(struct kmsd *k)
{
	struct sockaddr_in at;

	k->listener = listen_local(&at);
	snprintf(k->url, sizeof(k->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	if (pthread_create(&k->thread, NULL, run, k) != 0)
		abort();
}

/* After the clients are gone: its thread waits for one. */
void
kmsd_stop(struct kmsd *k)
{
	shutdown(k->listener, SHUT_RDWR);
	pthread_join(k->thread, NULL);
	close(k->listener);
}

void
kmsd_deserted(char url[64])
{
	struct sockaddr_in at;
	int fd = listen_local(&at);

	snprintf(url, 64, "http://127.0.0.1:%u", ntohs(at.sin_port));
	close(fd);
}
