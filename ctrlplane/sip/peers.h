/* Peers whose word we take, by address: single addresses and prefixes, IPv4 and IPv6. Pure. */
#ifndef CP_SIP_PEERS_H
#define CP_SIP_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct cp_peer {
	uint8_t ip[16]; /* IPv4 as mapped in IPv6 */
	uint8_t bits;	/* of the 128 */
};

/* Decode "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". 0 or -EINVAL. */
int cp_peer_decode(struct cp_peer *peer, const char *text);

/* Does the address lie within one of the peers? */
bool cp_peers_has(const struct cp_peer *peers, size_t count, const struct sockaddr *address);

#endif
