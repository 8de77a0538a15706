/* Section "media": its table of options and what the loader cannot check alone. */
#include "dataplane/setup/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UDP_PORTS_END 65536

static const char *const port_kinds[] = {"udp", "ethdev", NULL};
static const char *const uses[] = {"auto", "never", "must", NULL};

static const struct conf_option address_fields[] = {
	{.path = "address",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct dp_media_address, address),
	 .is_required = true,
	 .help = "IPv4 or IPv6 address that participants send to"},
	{.path = "prefix",
	 .kind = CONF_INT,
	 .offset = offsetof(struct dp_media_address, prefix),
	 .fallback = "24",
	 .min = 0,
	 .max = 128,
	 .help = "ethdev: length of the on-link prefix"},
	{.path = "gateway",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct dp_media_address, gateway),
	 .help = "ethdev: next hop for all that is not on-link"},
	{.path = NULL},
};

#define AT(field) .offset = offsetof(struct dp_media, field)

const struct conf_option dp_media_options[] = {
	{.path = "workers",
	 .kind = CONF_INT,
	 AT(workers),
	 .fallback = "1",
	 .min = 1,
	 .max = DRV_PORT_QUEUES_MAX,
	 .help = "threads that carry media, one core each"},
	{.path = "worker_cpus",
	 .kind = CONF_STRINGS,
	 AT(worker_cpus),
	 .help = "CPU of each worker; absent: the CPUs of the process in turn"},
	{.path = "main_cpu",
	 .kind = CONF_INT,
	 AT(main_cpu),
	 .fallback = "-1",
	 .min = -1,
	 .max = 1023,
	 .help = "CPU of the control thread; -1: wherever the kernel likes"},
	{.path = "addresses",
	 .kind = CONF_OBJECTS,
	 AT(addresses),
	 .fields = address_fields,
	 .object_size = sizeof(struct dp_media_address),
	 .help = "our media addresses, up to 4; absent: 127.0.0.1"},
	{.path = "udp_ports.first",
	 .kind = CONF_INT,
	 AT(port_first),
	 .fallback = "20000",
	 .min = 1024,
	 .max = 65534,
	 .help = "first UDP port of media; even"},
	{.path = "udp_ports.per_worker",
	 .kind = CONF_INT,
	 AT(ports_per_worker),
	 .fallback = "4096",
	 .min = 4,
	 .max = 64512,
	 .help = "UDP ports of each worker, two a participant; even"},
	{.path = "conferences",
	 .kind = CONF_INT,
	 AT(conferences),
	 .fallback = "1024",
	 .min = 1,
	 .max = 65536,
	 .help = "conferences that a worker holds at most"},
	{.path = "jitter.min",
	 .kind = CONF_DURATION,
	 AT(jbuf_min_ms),
	 .fallback = "20ms",
	 .min = 0,
	 .max = 300,
	 .help = "delay that a jitter buffer always keeps"},
	{.path = "jitter.max",
	 .kind = CONF_DURATION,
	 AT(jbuf_max_ms),
	 .fallback = "200ms",
	 .min = 20,
	 .max = 300,
	 .help = "delay that a jitter buffer never exceeds"},
	{.path = "port",
	 .kind = CONF_ENUM,
	 AT(port),
	 .fallback = "udp",
	 .choices = port_kinds,
	 .help = "udp: kernel sockets, any machine; ethdev: a DPDK device"},
	{.path = "device",
	 .kind = CONF_STRING,
	 AT(device),
	 .help = "ethdev: DPDK's devargs, such as 0000:3b:00.0 or net_tap0,iface=conclave0"},
	{.path = "vlan",
	 .kind = CONF_INT,
	 AT(vlan),
	 .fallback = "0",
	 .min = 0,
	 .max = 4094,
	 .help = "ethdev: 802.1Q id; 0: untagged"},
	{.path = "dscp",
	 .kind = CONF_INT,
	 AT(dscp),
	 .fallback = "46",
	 .min = 0,
	 .max = 63,
	 .help = "what packets are marked with; 46 is expedited forwarding"},
	{.path = "io_uring",
	 .kind = CONF_ENUM,
	 AT(io_uring),
	 .fallback = "auto",
	 .choices = uses,
	 .help = "udp: batch system calls through io_uring"},
	{.path = "huge_pages",
	 .kind = CONF_ENUM,
	 AT(huge_pages),
	 .fallback = "auto",
	 .choices = uses,
	 .help = "packet memory from huge pages; auto: when enough are free"},
	{.path = "memory_mb",
	 .kind = CONF_INT,
	 AT(memory_mb),
	 .fallback = "0",
	 .min = 0,
	 .max = 1048576,
	 .help = "packet memory in MiB; 0: by the number of workers"},
	{.path = "burst",
	 .kind = CONF_INT,
	 AT(burst),
	 .fallback = "64",
	 .min = 1,
	 .max = 64,
	 .help = "packets that a worker takes at a time"},
	{.path = "packets",
	 .kind = CONF_INT,
	 AT(packets),
	 .fallback = "8191",
	 .min = 1023,
	 .max = 1048575,
	 .help = "packet buffers of each worker; best one less than a power of two"},
	{.path = "telemetry",
	 .kind = CONF_BOOL,
	 AT(telemetry),
	 .fallback = "true",
	 .help = "answer dpdk-telemetry.py with /conclave/..."},
	{.path = "control_users",
	 .kind = CONF_STRINGS,
	 AT(control_users),
	 .help = "users that may use the control socket besides root and our own"},
	{.path = "control_group",
	 .kind = CONF_STRING,
	 AT(control_group),
	 .help = "group of the control socket, whose members may use it"},
	{.path = NULL},
};

static int
address_read(struct dp_addr *out, const char *text)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->ip) == 1)
		out->family = DP_FAMILY_IP4;
	else if (inet_pton(AF_INET6, text, out->ip) == 1)
		out->family = DP_FAMILY_IP6;
	else
		return -EINVAL;
	return 0;
}

static void
addresses_read(struct dp_config *config, const char *path, struct conf_errors *errors)
{
	const struct conf_objects *list = &config->media.addresses;
	const struct dp_media_address *items = list->items;

	if (list->count == 0) {
		config->local_count = 1;
		address_read(&config->local[0].addr, "127.0.0.1");
		config->local[0].prefix = 8;
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		struct drv_local *local = &config->local[config->local_count];

		if (i == DRV_PORT_LOCALS_MAX) {
			conf_error(errors, path, list->lines[i],
				   "media.addresses: more than %d; remove some",
				   DRV_PORT_LOCALS_MAX);
			return;
		}
		if (items[i].address == NULL || address_read(&local->addr, items[i].address) != 0) {
			conf_error(errors, path, list->lines[i],
				   "media.addresses: \"%s\" is neither IPv4 nor IPv6; write one "
				   "such as 192.0.2.10",
				   items[i].address == NULL ? "" : items[i].address);
			continue;
		}
		if (items[i].gateway != NULL &&
		    (address_read(&local->gateway, items[i].gateway) != 0 ||
		     local->gateway.family != local->addr.family))
			conf_error(
				errors, path, list->lines[i],
				"media.addresses: gateway \"%s\" is no address of the same family",
				items[i].gateway);
		local->prefix = (uint8_t)items[i].prefix;
		config->local_count++;
	}
}

static void
cpus_read(struct dp_config *config, const char *path, struct conf_errors *errors)
{
	const struct conf_strings *list = &config->media.worker_cpus;

	for (unsigned q = 0; q < DRV_PORT_QUEUES_MAX; q++)
		config->worker_cpu[q] = -1;
	if (list->count > 0 && list->count != (size_t)config->media.workers)
		conf_error(errors, path, list->lines[0],
			   "media.worker_cpus: %zu CPUs for %ld workers; name one for each",
			   list->count, (long)config->media.workers);
	for (size_t q = 0; q < list->count && q < DRV_PORT_QUEUES_MAX; q++) {
		char *end;
		long cpu = strtol(list->items[q], &end, 10);

		if (end == list->items[q] || *end != 0 || cpu < 0 || cpu > 1023)
			conf_error(errors, path, list->lines[q],
				   "media.worker_cpus: \"%s\" is no CPU; write a number",
				   list->items[q]);
		else
			config->worker_cpu[q] = (int)cpu;
	}
}

static void
ports_check(const struct dp_config *config, const char *path, struct conf_errors *errors)
{
	const struct dp_media *media = &config->media;
	const struct conf_section *section = &config->sections[2];

	if (media->port_first % 2 != 0)
		conf_error(errors, path, conf_line(section, "udp_ports.first"),
			   "media.udp_ports.first: RTP ports are even; write %ld",
			   (long)media->port_first + 1);
	if (media->ports_per_worker % 2 != 0)
		conf_error(errors, path, conf_line(section, "udp_ports.per_worker"),
			   "media.udp_ports.per_worker: two ports a participant; write %ld",
			   (long)media->ports_per_worker + 1);
	if (media->port_first + media->workers * media->ports_per_worker > UDP_PORTS_END)
		conf_error(
			errors, path, conf_line(section, "udp_ports.per_worker"),
			"media.udp_ports: %ld workers of %ld ports from %ld on pass 65535; lower "
			"per_worker",
			(long)media->workers, (long)media->ports_per_worker,
			(long)media->port_first);
	if (media->jbuf_min_ms > media->jbuf_max_ms)
		conf_error(errors, path, conf_line(section, "jitter.min"),
			   "media.jitter.min: above jitter.max; lower it");
	if (media->port == 1 && media->device == NULL)
		conf_error(errors, path, conf_line(section, "port"),
			   "media.port: ethdev needs media.device; conclave-dp --probe lists "
			   "devices");
}

void
dp_config_init(struct dp_config *config)
{
	const struct conf_section own[] = {
		{.name = "node", .options = conf_node_options, .into = &config->node},
		{.name = "log", .options = conf_log_options, .into = &config->log},
		{.name = "media", .options = dp_media_options, .into = &config->media},
		{.name = NULL},
	};

	memset(config, 0, sizeof(*config));
	conf_sections(config->sections, own);
}

int
dp_config_load(struct dp_config *config, const char *path, struct conf_errors *errors)
{
	int rc;

	dp_config_init(config);
	rc = conf_load(path, config->sections, errors);
	addresses_read(config, path, errors);
	cpus_read(config, path, errors);
	ports_check(config, path, errors);
	return rc == 0 && errors->count > 0 ? -EINVAL : rc;
}

void
dp_config_free(struct dp_config *config)
{
	conf_free(config->sections);
}
