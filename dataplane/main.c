/* conclave-dp: the media plane. Reads its configuration, opens the port, starts the workers, serves the control socket. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include "configs/program/privilege.h"
#include "configs/program/program.h"
#include "dataplane/ctl/node.h"
#include "dataplane/ctl/server.h"
#include "dataplane/setup/config.h"
#include "dataplane/srtp/srtp.h"
#include "dataplane/stats/telemetry.h"
#include "dataplane/worker/worker.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"
#include "drivers/port/port.h"
#include "drivers/probe.h"

#define HANDOFF_RING 1024
#define STEP_MS 10
#define DRAIN_MS 2000
#define KEYS_PER_LEG 3 /* one each way, and one while they change */
#define FILES_BESIDE 256
#define TEXT 512

enum level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The whole program. */
struct program {
	struct dp_config config;
	struct drv_port *port;
	struct rte_mempool *pool[DRV_PORT_QUEUES_MAX];
	struct rte_ring *handoff[DRV_PORT_QUEUES_MAX];
	struct dp_worker *worker[DP_WORKERS_MAX];
	struct dp_node *node;
	unsigned launched;
	bool is_eal_up;
	char telemetry[32]; /* DPDK's name of this instance */
	char text[TEXT];
	const char *name; /* as we were called */
};

static volatile sig_atomic_t signalled;

static void
on_signal(int number)
{
	signalled = number;
}

static void __attribute__((format(printf, 3, 4)))
say(const struct program *p, enum level level, const char *format, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	va_list args;

	if ((int)level > p->config.log.level)
		return;
	va_start(args, format);
	if (p->config.log.sink == 1) {
		vsyslog(priorities[level], format, args);
	} else {
		fprintf(stderr, "conclave-dp: %s: ", names[level]);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	va_end(args);
}

/* DPDK's name of this instance (dpdk-telemetry.py -f NAME): the same at every start, another for a node of another folder. */
static void
telemetry_name(char *out, size_t size, const char *folder)
{
	uint32_t hash = 2166136261u;

	for (const char *c = folder; *c != 0; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	if (strcmp(folder, "/run/conclave") == 0)
		snprintf(out, size, "conclave");
	else
		snprintf(out, size, "conclave-%08x", hash);
}

/* DPDK would print its usage instead of a reason. */
static int
cpus_check(struct program *p)
{
	const struct dp_media *media = &p->config.media;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 0;
	for (int64_t q = -1; q < media->workers; q++) {
		int cpu = q < 0 ? (int)media->main_cpu : p->config.worker_cpu[q];

		if (cpu < 0 || CPU_ISSET((size_t)cpu, &set))
			continue;
		snprintf(p->text, sizeof(p->text),
			 "media.%s: CPU %d is not one that we may run on; nproc and lscpu show "
			 "which "
			 "are",
			 q < 0 ? "main_cpu" : "worker_cpus", cpu);
		return -EINVAL;
	}
	return 0;
}

static int
eal_start(struct program *p, const char *name)
{
	const struct dp_media *media = &p->config.media;
	static const int uses[] = {-1, 0, 1};
	const char *const allowed[] = {media->device,
				       NULL}; /* other cards stay with whom they are */
	struct drv_eal_conf conf = {
		.program = name,
		.file_prefix = p->telemetry,
		.main_cpu = (int)media->main_cpu,
		.workers = (uint16_t)media->workers,
		.huge_pages = uses[media->huge_pages],
		.memory_mb = (uint32_t)media->memory_mb,
		.telemetry = media->telemetry,
		.pci = media->port == 1 && strncmp(media->device, "net_", 4) != 0,
		.allowed = allowed,
	};

	telemetry_name(p->telemetry, sizeof(p->telemetry), p->config.node.runtime_dir);
	memcpy(conf.worker_cpu, p->config.worker_cpu, sizeof(conf.worker_cpu));
	return drv_eal_init(&conf, p->text, sizeof(p->text));
}

static int
port_start(struct program *p)
{
	static const int uses[] = {-1, 0, 1};
	const struct dp_media *media = &p->config.media;
	struct drv_port_conf conf = {
		.kind = media->port == 1 ? "ethdev" : "udp",
		.devargs = media->device,
		.vlan = (uint16_t)media->vlan,
		.queues = (uint16_t)media->workers,
		.local_count = p->config.local_count,
		.port_base = (uint16_t)media->port_first,
		.ports_per_queue = (uint16_t)media->ports_per_worker,
		.burst = (uint16_t)media->burst,
		.io_uring = uses[media->io_uring],
		.dscp = (uint8_t)media->dscp,
	};
	int rc;

	memcpy(conf.local, p->config.local, sizeof(conf.local));
	for (uint16_t q = 0; q < conf.queues; q++) {
		struct drv_mempool_conf pool = {
			.worker = q, .count = (uint32_t)media->packets, .node = -1};

		rc = drv_mempool_create(&p->pool[q], &pool, p->text, sizeof(p->text));
		if (rc != 0)
			return rc;
		conf.pool[q] = p->pool[q];
	}
	return drv_port_open(&p->port, &conf, p->text, sizeof(p->text));
}

/*
 * Sockets are their worker's. A device spreads packets by hash; one that took our rules brings nearly all where they belong: not what
 * came before the rules, nor IPv6 with extension headers.
 */
static int
handoff_make(struct program *p)
{
	if (p->config.media.workers == 1 || p->config.media.port == 0)
		return 0;
	for (unsigned q = 0; q < (unsigned)p->config.media.workers; q++) {
		char name[RTE_RING_NAMESIZE];

		snprintf(name, sizeof(name), "handoff_%u", q);
		p->handoff[q] = rte_ring_create(name, HANDOFF_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		if (p->handoff[q] == NULL) {
			snprintf(p->text, sizeof(p->text),
				 "no memory for hand-off rings; raise media.memory_mb");
			return -ENOMEM;
		}
	}
	return 0;
}

static int
workers_make(struct program *p)
{
	const struct dp_media *media = &p->config.media;
	uint64_t start_ns = drv_now_ns();

	for (unsigned q = 0; q < (unsigned)media->workers; q++) {
		struct dp_worker_conf conf = {
			.index = q,
			.workers = (unsigned)media->workers,
			.socket = SOCKET_ID_ANY,
			.port = p->port,
			.pool = p->pool[q],
			.port_base = (uint16_t)media->port_first,
			.ports_per_queue = (uint16_t)media->ports_per_worker,
			.confs_max = (uint32_t)media->conferences,
			.burst = (uint16_t)media->burst,
			.jbuf_min_ms = (uint16_t)media->jbuf_min_ms,
			.jbuf_max_ms = (uint16_t)media->jbuf_max_ms,
			.start_ns = start_ns,
		};
		int rc;

		memcpy(conf.handoff, p->handoff, sizeof(conf.handoff));
		rc = dp_worker_create(&p->worker[q], &conf, p->text, sizeof(p->text));
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
users_read(const struct dp_media *media, struct dp_ctl_server_conf *conf, char *text, size_t size)
{
	for (size_t i = 0; i < media->control_users.count && i < DP_CTL_UIDS_MAX; i++) {
		const struct passwd *entry = getpwnam(media->control_users.items[i]);

		if (entry == NULL) {
			snprintf(text, size, "media.control_users: no user \"%s\" on this machine",
				 media->control_users.items[i]);
			return -ENOENT;
		}
		conf->uids[conf->uid_count++] = entry->pw_uid;
	}
	if (media->control_group != NULL) {
		const struct group *entry = getgrnam(media->control_group);

		if (entry == NULL) {
			snprintf(text, size, "media.control_group: no group \"%s\" on this machine",
				 media->control_group);
			return -ENOENT;
		}
		conf->group = entry->gr_gid;
	}
	return 0;
}

/* That we make for the control socket; one that was named has its folder. */
static const char *
folder_of(const struct program *p)
{
	return p->config.node.media_socket == NULL ? p->config.node.runtime_dir : NULL;
}

static int
node_start(struct program *p)
{
	const struct dp_media *media = &p->config.media;
	char path[108];
	struct dp_ctl_server_conf socket = {.path = path, .mode = 0660, .group = (gid_t)-1};
	struct dp_node_conf conf = {
		.workers = (unsigned)media->workers,
		.port = p->port,
		.port_base = (uint16_t)media->port_first,
		.ports_per_queue = (uint16_t)media->ports_per_worker,
		.confs_max = (uint32_t)media->conferences,
		.local_count = p->config.local_count,
		.version = CONCLAVE_VERSION,
	};
	int rc = conf_node_path(path, sizeof(path), &p->config.node, p->config.node.media_socket,
				"media.sock");

	if (rc != 0) {
		snprintf(p->text, sizeof(p->text),
			 "node.runtime_dir: too long for a socket's path");
		return rc;
	}
	rc = users_read(media, &socket, p->text, sizeof(p->text));
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < p->config.local_count; i++)
		conf.local[i] = p->config.local[i].addr;
	memcpy(conf.worker, p->worker, sizeof(conf.worker));
	rc = dp_node_open(&p->node, &conf, &socket, p->text, sizeof(p->text));
	if (rc == 0)
		say(p, LOG_LEVEL_INFO, "control socket %s", path);
	return rc;
}

/* Counters go on without it: somebody else may own DPDK's folder. */
static void
telemetry_start(const struct program *p)
{
	char path[PATH_MAX];

	dp_telemetry_start(p->node, p->worker, (unsigned)p->config.media.workers);
	snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
	if (access(path, F_OK) == 0)
		say(p, LOG_LEVEL_INFO, "telemetry by dpdk-telemetry.py -f %s", p->telemetry);
	else
		say(p, LOG_LEVEL_WARN,
		    "no telemetry: DPDK could not make its folder; set XDG_RUNTIME_DIR to a folder "
		    "of ours, or media.telemetry: false");
}

/* Files for two sockets a leg and memory for its keys, while we may still raise the limits. */
static void
limits_raise(const struct program *p)
{
	uint64_t legs = (uint64_t)(p->config.media.workers * p->config.media.ports_per_worker / 2);
	uint64_t wanted = p->config.media.port == 0 ? legs * 2 + FILES_BESIDE : FILES_BESIDE;
	uint64_t files = conf_privilege_files(wanted);
	size_t held = 0;

	conf_privilege_hide();
	if (files < wanted)
		say(p, LOG_LEVEL_WARN,
		    "only %lu open files allowed: about %lu participants instead of %lu; raise "
		    "ulimit -n",
		    (unsigned long)files,
		    (unsigned long)(files > FILES_BESIDE ? (files - FILES_BESIDE) / 2 : 0),
		    (unsigned long)legs);
	if (dp_srtp_keys_reserve(&held, legs * KEYS_PER_LEG) != 0 || held < legs * KEYS_PER_LEG)
		say(p, LOG_LEVEL_INFO,
		    "only %zu keys fit into locked memory, %lu are wanted; raise ulimit -l", held,
		    (unsigned long)legs * KEYS_PER_LEG);
}

static int
start(struct program *p, const char *name)
{
	int rc;

	limits_raise(p);
	rc = cpus_check(p);
	if (rc == 0)
		rc = eal_start(p, name);
	p->is_eal_up = rc == 0;
	if (rc == 0)
		rc = port_start(p);
	if (rc == 0)
		rc = handoff_make(p);
	if (rc == 0)
		rc = workers_make(p);
	if (rc == 0)
		rc = conf_privilege_folder(folder_of(p), p->config.node.user, p->text,
					   sizeof(p->text));
	if (rc == 0)
		rc = conf_privilege_drop(p->config.node.user, p->text, sizeof(p->text));
	if (rc == 0)
		rc = node_start(p);
	if (rc == 0 && p->config.media.telemetry)
		telemetry_start(p);
	for (unsigned q = 0; rc == 0 && q < (unsigned)p->config.media.workers; q++) {
		rc = rte_eal_remote_launch(dp_worker_run, p->worker[q], DRV_EAL_LCORE(q));
		if (rc != 0)
			snprintf(p->text, sizeof(p->text), "worker %u: its core does not start", q);
		else
			p->launched++;
	}
	return rc;
}

static void
stop(struct program *p)
{
	if (p->node != NULL && p->launched > 0)
		dp_node_drain(p->node, DRAIN_MS);
	dp_telemetry_stop();
	for (unsigned q = 0; q < p->launched; q++)
		dp_worker_stop(p->worker[q]);
	for (unsigned q = 0; q < p->launched; q++)
		rte_eal_wait_lcore(DRV_EAL_LCORE(q));
	dp_node_close(p->node);
	for (unsigned q = 0; q < DP_WORKERS_MAX; q++)
		dp_worker_destroy(p->worker[q]);
	if (p->port != NULL)
		drv_port_close(p->port);
	if (p->is_eal_up)
		drv_eal_fini();
}

static int
run(struct program *p, const char *name)
{
	struct sigaction action = {.sa_handler = on_signal};
	int rc = start(p, name);

	if (rc == 0) {
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGINT, &action, NULL);
		signal(SIGPIPE, SIG_IGN);
		say(p, LOG_LEVEL_INFO,
		    "version %s: %ld workers, %s port (%s), UDP ports %ld to %ld", CONCLAVE_VERSION,
		    (long)p->config.media.workers, p->config.media.port == 1 ? "ethdev" : "udp",
		    drv_port_engine(p->port), (long)p->config.media.port_first,
		    (long)(p->config.media.port_first +
			   p->config.media.workers * p->config.media.ports_per_worker - 1));
		while (signalled == 0)
			dp_node_step(p->node, STEP_MS);
		say(p, LOG_LEVEL_INFO, "signal %d: saying BYE to all legs", (int)signalled);
	} else {
		say(p, LOG_LEVEL_ERROR, "%s", p->text);
	}
	stop(p);
	return rc == 0 ? 0 : 1;
}

static int
load(void *arg, const char *path, struct conf_errors *errors)
{
	struct program *p = arg;

	return dp_config_load(&p->config, path, errors);
}

static int
run_loaded(void *arg)
{
	struct program *p = arg;

	return run(p, p->name);
}

static int
probe(void)
{
	return drv_probe(stdout, "") == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static struct program program;
	static struct dp_config defaults;
	const struct conf_program what = {
		.name = "conclave-dp",
		.about = "The media plane of Conclave: decrypts, mixes, encrypts.",
		.signals = "SIGTERM and SIGINT end it; all legs are told.",
		.sections = defaults.sections,
		.extra = {"probe", "say what this machine has, what would be used, what to mend",
			  probe},
		.load = load,
		.run = run_loaded,
		.arg = &program,
	};
	int status;

	program.name = argv[0];
	dp_config_init(&defaults);
	status = conf_program_main(&what, argc, argv);
	dp_config_free(&program.config);
	return status;
}
