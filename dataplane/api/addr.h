/* Transport addresses as both planes and the drivers pass them. */
#ifndef DP_API_ADDR_H
#define DP_API_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Values on the control socket; not the kernel's AF_ numbers. */
enum dp_family {
	DP_FAMILY_NONE = 0, /* no address yet */
	DP_FAMILY_IP4 = 4,
	DP_FAMILY_IP6 = 6,
};

/* An IP address with a UDP port. Unused octets of ip are zero, so that memcmp compares. */
struct dp_addr {
	uint8_t family; /* enum dp_family */
	uint8_t zero;
	uint16_t port;	/* host order */
	uint8_t ip[16]; /* network order; IPv4 in the first four */
};

static inline bool
dp_addr_is_same(const struct dp_addr *a, const struct dp_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
