/* Network order in octets, at any alignment. */
#ifndef DRV_NEIGH_BYTES_H
#define DRV_NEIGH_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t
drv_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void
drv_put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* One's complement sum of RFC 1071 over n octets, unfolded; start with 0 or an earlier sum. n even but for the last piece. */
static inline uint64_t
drv_sum(const uint8_t *p, uint32_t n, uint64_t sum)
{
	for (; n >= 4; n -= 4, p += 4) {
		uint32_t word;

		memcpy(&word, p, 4);
		sum += word;
	}
	if (n >= 2) {
		uint16_t half;

		memcpy(&half, p, 2);
		sum += half;
		p += 2;
		n -= 2;
	}
	if (n > 0) {
		uint8_t last[2] = {p[0], 0};
		uint16_t half;

		memcpy(&half, last, 2);
		sum += half;
	}
	return sum;
}

/* Folded to 16 bits; in the order of memory, so that memcpy puts it into a packet. */
static inline uint16_t
drv_sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	return (uint16_t)sum;
}

#endif
