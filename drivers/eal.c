/* DPDK's environment from our options: argument list, error texts. */
#include "drivers/eal.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#define ARGS_MAX 96
#define ARG_OCTETS 64

struct arguments {
	int count;
	char text[ARGS_MAX][ARG_OCTETS];
	char *list[ARGS_MAX + 1];
};

/* rte_eal_init keeps pointers into its arguments. */
static struct arguments arguments;
static bool huge_pages;
static char runtime_dir[256]; /* empty once telemetry has taken its sockets away */

static __rte_format_printf(2, 3) void add(struct arguments *args, const char *format, ...)
{
	va_list list;

	if (args->count == ARGS_MAX)
		return;
	va_start(list, format);
	vsnprintf(args->text[args->count], ARG_OCTETS, format, list);
	va_end(list);
	args->list[args->count] = args->text[args->count];
	args->list[++args->count] = NULL;
}

static uint64_t
read_number(const char *path)
{
	uint64_t value = 0;
	FILE *file = fopen(path, "r");

	if (file != NULL) {
		if (fscanf(file, "%lu", &value) != 1)
			value = 0;
		fclose(file);
	}
	return value;
}

uint64_t
drv_eal_huge_free(const char *root)
{
	char path[512];
	uint64_t sum = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/mm/hugepages", root);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		unsigned long kilo;

		if (sscanf(entry->d_name, "hugepages-%lukB", &kilo) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/sys/kernel/mm/hugepages/%s/free_hugepages", root,
			 entry->d_name);
		sum += read_number(path) * kilo * 1024;
	}
	closedir(dir);
	return sum;
}

/* The n-th CPU that the process may run on, counted round. */
static int
nth_cpu(int n)
{
	cpu_set_t set;
	int count;

	if (sched_getaffinity(0, sizeof(set), &set) != 0 || (count = CPU_COUNT(&set)) == 0)
		return 0;
	n %= count;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && n-- == 0)
			return cpu;
	return 0;
}

/* "0@(0,1),1@1,2@0": lcore 0 is the control thread, q + 1 worker q. */
static void
lcore_map(const struct drv_eal_conf *conf, char *out, size_t size)
{
	cpu_set_t set;
	size_t n = 0;
	bool first = true;

	CPU_ZERO(&set);
	if (conf->main_cpu >= 0)
		CPU_SET(conf->main_cpu, &set);
	else if (sched_getaffinity(0, sizeof(set), &set) != 0)
		CPU_SET(0, &set);
	n += (size_t)snprintf(out + n, size - n, "0@(");
	for (int cpu = 0; cpu < CPU_SETSIZE && n < size; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		n += (size_t)snprintf(out + n, size - n, first ? "%d" : ",%d", cpu);
		first = false;
	}
	if (n < size)
		n += (size_t)snprintf(out + n, size - n, ")");
	for (unsigned q = 0; q < conf->workers && n < size; q++) {
		int cpu = conf->worker_cpu[q] >= 0 ? conf->worker_cpu[q] : nth_cpu((int)q + 1);

		n += (size_t)snprintf(out + n, size - n, ",%u@%d", DRV_EAL_LCORE(q), cpu);
	}
}

bool
drv_eal_has_huge_pages(void)
{
	return huge_pages;
}

static void
runtime_dir_remove(void)
{
	rmdir(runtime_dir);
}

static void
explain(const struct drv_eal_conf *conf, int error, char *text, size_t size)
{
	const char *mend = "run with --log-level=debug for DPDK's own words";

	if (error == EALREADY)
		mend = "it was started before in this process";
	else if (error == EACCES || error == EPERM)
		mend = conf->pci ? "PCI devices and huge pages need root; start as root or use the "
				   "udp port"
				 : "no permission for huge pages or the runtime folder; set "
				   "huge_pages: never";
	else if (error == ENOMEM)
		mend = huge_pages ? "reserve more huge pages: sysctl vm.nr_hugepages=512"
				  : "lower the memory option";
	else if (error == EINVAL)
		mend = "a core of the worker list does not exist on this machine, or another "
		       "instance runs with the same "
		       "file prefix";
	snprintf(text, size, "DPDK did not start: %s; %s", rte_strerror(error), mend);
}

int
drv_eal_init(const struct drv_eal_conf *conf, char *text, size_t text_size)
{
	uint32_t memory = conf->memory_mb ? conf->memory_mb : 256 + 64u * conf->workers;
	uint64_t free_octets = drv_eal_huge_free("");
	static char map[4096]; /* one start a process; too long for an argument slot */
	struct arguments *args = &arguments;

	huge_pages = conf->huge_pages > 0 || (conf->huge_pages < 0 && geteuid() == 0 &&
					      free_octets >= (uint64_t)memory << 20);
	if (conf->huge_pages > 0 && free_octets < (uint64_t)memory << 20) {
		snprintf(text, text_size,
			 "huge pages: %lu MB are free, %u MB are needed; reserve them: sysctl "
			 "vm.nr_hugepages=%u, or set "
			 "huge_pages: auto",
			 (unsigned long)(free_octets >> 20), memory, memory / 2 + 16);
		return -ENOMEM;
	}
	args->count = 0;
	add(args, "%s", conf->program ? conf->program : "conclave-dp");
	add(args, "--file-prefix=%s", conf->file_prefix ? conf->file_prefix : "conclave");
	lcore_map(conf, map, sizeof(map));
	add(args, "--lcores");
	args->list[args->count] = map;
	args->list[++args->count] = NULL;
	add(args, "--main-lcore=0");
	/* --in-memory is for huge pages only, and --no-huge needs -m: the two never go together. */
	if (huge_pages) {
		add(args, "--in-memory");
	} else {
		add(args, "--no-huge");
		add(args, "-m");
		add(args, "%u", memory);
		add(args, "--no-shconf");
	}
	if (!conf->telemetry)
		add(args, "--no-telemetry");
	if (!conf->pci)
		add(args, "--no-pci");
	for (size_t i = 0; conf->pci && conf->allowed != NULL && conf->allowed[i] != NULL; i++)
		add(args, "--allow=%s", conf->allowed[i]);
	add(args, "--log-level=*:%s", "warning");
	/* Before DPDK's own at-exit handlers are set, and so run after them. */
	atexit(runtime_dir_remove);
	if (rte_eal_init(args->count, args->list) < 0) {
		int error = rte_errno ? rte_errno : EINVAL;

		explain(conf, error, text, text_size);
		return -error;
	}
	snprintf(runtime_dir, sizeof(runtime_dir), "%s", rte_eal_get_runtime_dir());
	return 0;
}

void
drv_eal_fini(void)
{
	rte_eal_cleanup();
}
