/*
 * One end of ctrlplane/tls on loopback sockets, for the openssl command at the other end.
 *   tlspeer server psk NAME HEX | tlspeer client PORT psk NAME HEX
 *   tlspeer server cert CERT KEY FINGERPRINT | tlspeer client PORT cert CERT KEY FINGERPRINT
 * A server says "port N", then serves one connection after the other. Of each: "open VERSION SUITE NAME", "got TEXT" for what came (a
 * server sends it back, a client has sent "hello"), and "closed" or "failed REASON".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "ctrlplane/tls/tls.h"

#define HANDSHAKE_MS 10000

static struct {
	struct cp_tls_context *context;
	struct cp_tls_params params;
	uint8_t fingerprint[CP_TLS_FINGERPRINT];
} self;

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	if (strcmp(identity, self.params.identity) != 0)
		return -1;
	*out = (struct cp_tls_key){.psk = self.params.psk};
	return 0;
}

static void
fail(const char *what)
{
	fprintf(stderr, "tlspeer: %s\n", what);
	exit(2);
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
read_key(const char *hex)
{
	uint8_t octets[CP_SECRET_MAX];
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len && len <= sizeof(octets); i++)
		if (sscanf(hex + 2 * i, "%2hhx", &octets[i]) != 1)
			fail("key");
	if (len > sizeof(octets) || cp_secret_create(&self.params.psk, octets, len) != 0)
		fail("key");
}

static void
read_mode(char **argv, int count)
{
	char why[CP_TLS_WHY], text[CP_TLS_FINGERPRINT_TEXT];

	if (cp_tls_context_create(&self.context, find, NULL) != 0)
		fail("context");
	if (count == 3 && strcmp(argv[0], "psk") == 0) {
		self.params.identity = argv[1];
		read_key(argv[2]);
		return;
	}
	if (count != 4 || strcmp(argv[0], "cert") != 0)
		fail("usage");
	if (cp_tls_context_load(self.context, argv[1], argv[2], why) != 0)
		fail(why);
	if (cp_tls_fingerprint_decode(self.fingerprint, cp_slice_text(argv[3])) != 0)
		fail("fingerprint");
	self.params.mode = CP_TLS_CERTIFICATE;
	self.params.fingerprint = self.fingerprint;
	cp_tls_context_fingerprint(text, self.context);
	printf("fingerprint %s\n", text);
}

static void
send_output(int fd, struct cp_tls *tls)
{
	struct cp_slice out = cp_tls_output(tls);

	while (out.len > 0) {
		ssize_t n = send(fd, out.ptr, out.len, MSG_NOSIGNAL);

		cp_tls_sent(tls, n > 0 ? (size_t)n : out.len);
		out = cp_tls_output(tls);
	}
}

/* What is there to be read; a server sends it back. */
static void
take_data(struct cp_tls *tls)
{
	uint8_t room[4096];
	size_t len, written;

	while (cp_tls_read(&len, tls, room, sizeof(room)) == 0) {
		printf("got %.*s\n", (int)len, (const char *)room);
		if (self.params.role == CP_TLS_SERVER)
			cp_tls_write(&written, tls, room, len);
		else
			cp_tls_close(tls);
	}
}

static void
show_open(struct cp_tls *tls)
{
	size_t written;

	printf("open %s %s %s\n", cp_tls_version_text(tls), cp_tls_suite(tls),
	       cp_tls_identity(tls));
	if (self.params.role == CP_TLS_CLIENT)
		cp_tls_write(&written, tls, (const uint8_t *)"hello\n", 6);
}

static void
talk(int fd)
{
	struct timeval patience = {.tv_sec = 1};
	struct cp_tls_params params = self.params;
	bool was_open = false, is_over = false;
	struct cp_tls *tls;

	params.deadline_ms = now_ms() + HANDSHAKE_MS;
	if (cp_tls_create(&tls, self.context, &params) != 0)
		fail("session");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (!is_over) {
		uint8_t room[4096];
		ssize_t n;
		size_t taken;

		send_output(fd, tls);
		n = recv(fd, room, sizeof(room), 0);
		if (n > 0)
			cp_tls_feed(&taken, tls, room, (size_t)n);
		else if (n == 0)
			cp_tls_feed_end(tls);
		cp_tls_tick(tls, now_ms());
		if (!was_open && cp_tls_state(tls) == CP_TLS_OPEN) {
			was_open = true;
			show_open(tls);
		}
		take_data(tls);
		is_over = cp_tls_state(tls) >= CP_TLS_CLOSED;
	}
	if (cp_tls_state(tls) == CP_TLS_CLOSED) {
		cp_tls_close(tls);
		printf("closed\n");
	} else {
		printf("failed %s\n", cp_tls_reason(tls));
	}
	send_output(fd, tls);
	cp_tls_destroy(tls);
	close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_client = argc > 1 && strcmp(argv[1], "client") == 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 5 || fd < 0)
		fail("usage");
	read_mode(argv + 2 + is_client, argc - 2 - is_client);
	if (is_client) {
		self.params.role = CP_TLS_CLIENT;
		at.sin_port = htons((uint16_t)atoi(argv[2]));
		if (connect(fd, (struct sockaddr *)&at, len) != 0)
			fail("connect");
		talk(fd);
		return 0;
	}
	self.params.role = CP_TLS_SERVER;
	if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		fail("listen");
	printf("port %u\n", ntohs(at.sin_port));
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer >= 0)
			talk(peer);
	}
}
