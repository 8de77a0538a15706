/* What an ethdev can do for us, in our words. */
#ifndef DRV_CAPS_H
#define DRV_CAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct drv_caps {
	char driver[32];
	int node; /* NUMA, -1: none */
	uint8_t mac[6];
	uint16_t rx_queues, tx_queues; /* at most */
	uint16_t descriptors_min, descriptors_max;
	bool rx_checksum; /* IPv4 and UDP verified */
	bool tx_checksum; /* IPv4 and UDP made */
	bool vlan_strip, vlan_insert;
	uint64_t rss;		   /* hash types for UDP; 0: one queue gets everything */
	bool has_partial_checksum; /* packets of this machine come with the pseudo header's sum only */
};

/* 0 or -errno. */
int drv_caps_get(struct drv_caps *out, uint16_t device);

/* One line, for people. */
void drv_caps_print(FILE *out, const struct drv_caps *caps);

#endif
