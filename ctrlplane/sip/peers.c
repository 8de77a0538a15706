/* Address prefixes of trusted peers (the trust domain of RFC 3325 2.2, by configuration). */
#include "ctrlplane/sip/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void
map_ip4(uint8_t ip[16], const void *ip4)
{
	memset(ip, 0, 10);
	ip[10] = ip[11] = 0xff;
	memcpy(ip + 12, ip4, 4);
}

int
cp_peer_decode(struct cp_peer *peer, const char *text)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	unsigned long bits, most;
	struct cp_peer made = {0};

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET6, address, made.ip) == 1) {
		most = 128;
	} else {
		struct in_addr ip4;

		if (inet_pton(AF_INET, address, &ip4) != 1)
			return -EINVAL;
		map_ip4(made.ip, &ip4);
		most = 32;
	}
	bits = most;
	if (text[len] == '/') {
		char *end;

		if (text[len + 1] < '0' || text[len + 1] > '9')
			return -EINVAL;
		bits = strtoul(text + len + 1, &end, 10);
		if (*end || bits > most)
			return -EINVAL;
	}
	made.bits = (uint8_t)(bits + 128 - most);
	*peer = made;
	return 0;
}

static bool
is_within(const struct cp_peer *peer, const uint8_t ip[16])
{
	uint8_t whole = peer->bits / 8, rest = peer->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (memcmp(peer->ip, ip, whole) != 0)
		return false;
	return rest == 0 || ((peer->ip[whole] ^ ip[whole]) & mask) == 0;
}

bool
cp_peers_has(const struct cp_peer *peers, size_t count, const struct sockaddr *address)
{
	uint8_t ip[16];

	if (address->sa_family == AF_INET)
		map_ip4(ip, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
	else if (address->sa_family == AF_INET6)
		memcpy(ip, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	else
		return false;
	for (size_t i = 0; i < count; i++)
		if (is_within(&peers[i], ip))
			return true;
	return false;
}
