/* Internet addresses in text, with a port. */
#include "ctrlplane/base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
cp_address_read(struct cp_address *out, const char *text)
{
	struct cp_address address = {.len = 0};
	struct sockaddr_in *in4 = (struct sockaddr_in *)&address.at;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.at;
	const char *colon = strrchr(text, ':');
	bool is_6 = text[0] == '[';
	char host[INET6_ADDRSTRLEN + 2], *end;
	unsigned long port;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host) || colon == text ||
	    (is_6 && (colon[-1] != ']' || colon - text < 2)) || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port < 1 || port > 65535)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text) - (is_6 ? 2 : 0),
		 text + (is_6 ? 1 : 0));
	if (is_6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		address.len = sizeof(*in6);
	} else {
		in4->sin_family = AF_INET;
		in4->sin_port = htons((uint16_t)port);
		address.len = sizeof(*in4);
	}
	if (inet_pton(address.at.ss_family, host,
		      is_6 ? (void *)&in6->sin6_addr : (void *)&in4->sin_addr) != 1)
		return false;
	*out = address;
	return true;
}

int
cp_address_listen(const struct cp_address *address, int backlog)
{
	int on = 1, error;
	int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->at.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address->at, address->len) == 0 &&
	    listen(fd, backlog) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

bool
cp_address_is_loopback(const struct sockaddr *at)
{
	if (at->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr) >> 24 == 127;
	return at->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)at)->sin6_addr);
}
