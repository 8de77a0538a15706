/* Section "media" of the configuration: what conclave-dp is told at start. */
#ifndef DP_SETUP_CONFIG_H
#define DP_SETUP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "configs/loader/common.h"
#include "configs/loader/loader.h"
#include "drivers/port/port.h"

/* An entry of media.addresses. */
struct dp_media_address {
	char *address;
	int64_t prefix;
	char *gateway;
};

/* The section as it stands in the file. */
struct dp_media {
	int64_t workers;
	int64_t main_cpu;
	struct conf_strings worker_cpus;
	int port;     /* 0 udp, 1 ethdev */
	char *device; /* devargs */
	int64_t vlan;
	int64_t dscp;
	struct conf_objects addresses; /* struct dp_media_address */
	int64_t port_first;
	int64_t ports_per_worker;
	int io_uring;	/* 0 auto, 1 never, 2 must */
	int huge_pages; /* 0 auto, 1 never, 2 must */
	int64_t memory_mb;
	int64_t burst;
	int64_t packets;     /* buffers a worker */
	int64_t conferences; /* a worker, at most */
	int64_t jbuf_min_ms, jbuf_max_ms;
	bool telemetry;
	struct conf_strings control_users;
	char *control_group;
};

extern const struct conf_option dp_media_options[];

/* All that conclave-dp reads, with the other programs' sections skipped. */
struct dp_config {
	struct conf_node node;
	struct conf_log log;
	struct dp_media media;
	struct conf_section sections[CONF_SECTIONS_MAX];

	/* worked out from media */
	int worker_cpu[DRV_PORT_QUEUES_MAX];
	uint32_t local_count;
	struct drv_local local[DRV_PORT_LOCALS_MAX];
};

/* The sections with their tables, for the loader and for what documents them. */
void dp_config_init(struct dp_config *config);

/* Load and cross-check; path NULL: defaults. 0 or -errno with errors filled. */
int dp_config_load(struct dp_config *config, const char *path, struct conf_errors *errors);
void dp_config_free(struct dp_config *config);

#endif
