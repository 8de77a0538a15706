/* Addresses to the kernel and back, and what every connection is set to. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrlplane/stream/stream_state.h"

/* A peer that is gone without a word is found within two minutes. */
#define KEEP_IDLE_S 60
#define KEEP_EVERY_S 15
#define KEEP_TIMES 4

int
cp_stream_sockaddr(struct sockaddr_storage *out, const struct dp_addr *addr)
{
	memset(out, 0, sizeof(*out));
	if (addr->family == DP_FAMILY_IP6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(addr->port);
		memcpy(&in6->sin6_addr, addr->ip, sizeof(in6->sin6_addr));
		return sizeof(*in6);
	}
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;

	in4->sin_family = AF_INET;
	in4->sin_port = htons(addr->port);
	memcpy(&in4->sin_addr, addr->ip, sizeof(in4->sin_addr));
	return sizeof(*in4);
}

void
cp_stream_addr(struct dp_addr *out, const struct sockaddr_storage *at)
{
	*out = (struct dp_addr){0};
	if (at->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)at;

		out->family = DP_FAMILY_IP6;
		out->port = ntohs(in6->sin6_port);
		memcpy(out->ip, &in6->sin6_addr, sizeof(in6->sin6_addr));
	} else if (at->ss_family == AF_INET) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)at;

		out->family = DP_FAMILY_IP4;
		out->port = ntohs(in4->sin_port);
		memcpy(out->ip, &in4->sin_addr, sizeof(in4->sin_addr));
	}
}

void
cp_stream_address_write(char *text, const struct dp_addr *addr)
{
	bool is_6 = addr->family == DP_FAMILY_IP6;
	char ip[INET6_ADDRSTRLEN];

	if (!inet_ntop(is_6 ? AF_INET6 : AF_INET, addr->ip, ip, sizeof(ip)))
		ip[0] = '\0';
	snprintf(text, CP_STREAM_ADDRESS_TEXT, is_6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
}

void
cp_stream_tune(int fd)
{
	const int on = 1, idle = KEEP_IDLE_S, every = KEEP_EVERY_S, times = KEEP_TIMES;

	/* a turn's octets go at once: it is we who gather them */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
}
