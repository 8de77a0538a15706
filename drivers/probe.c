/* The probe: processor, memory, devices, kernel, limits; for each problem what to do about it. */
#include "drivers/probe.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_ethdev.h>
#include "drivers/caps.h"
#include "drivers/eal.h"
#include "drivers/numa.h"
#include "drivers/probe_state.h"

#define FILES_WANTED 4096
#define SOCKET_OCTETS 65536

void
probe_heading(const struct probe *p, const char *text)
{
	fprintf(p->out, "%s\n", text);
}

static __rte_format_printf(3, 0) void line(const struct probe *p, const char *mark,
					   const char *format, va_list args)
{
	fprintf(p->out, "  %-5s", mark);
	vfprintf(p->out, format, args);
	fputc('\n', p->out);
}

void
probe_ok(struct probe *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(p, "ok", format, args);
	va_end(args);
}

void
probe_note(struct probe *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(p, "note", format, args);
	va_end(args);
}

void
probe_mend(struct probe *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(p, "mend", format, args);
	va_end(args);
	p->problems++;
}

bool
probe_read(const struct probe *p, char *out, size_t size, const char *format, ...)
{
	char path[2 * PROBE_TEXT_MAX];
	int n = snprintf(path, sizeof(path), "%s", p->root);
	va_list args;
	FILE *file;
	bool is_read;

	va_start(args, format);
	vsnprintf(path + n, sizeof(path) - (size_t)n, format, args);
	va_end(args);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	is_read = fgets(out, (int)size, file) != NULL;
	if (is_read)
		out[strcspn(out, "\n")] = '\0';
	fclose(file);
	return is_read;
}

int
probe_entries(const struct probe *p, const char *folder)
{
	char path[PROBE_TEXT_MAX];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", p->root, folder);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* The line of a file of "name<separator>rest" lines; returns rest or NULL. */
static const char *
find_line(const struct probe *p, const char *file_name, const char *name, char *out, size_t size)
{
	char path[PROBE_TEXT_MAX];
	const char *found = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", p->root, file_name);
	file = fopen(path, "r");
	while (file != NULL && found == NULL && fgets(out, (int)size, file) != NULL)
		if (strncmp(out, name, strlen(name)) == 0)
			found = out + strlen(name);
	if (file != NULL)
		fclose(file);
	return found;
}

static bool
has_flag(const char *flags, const char *flag)
{
	size_t n = strlen(flag);

	for (const char *at = strstr(flags, flag); at != NULL; at = strstr(at + 1, flag))
		if (at > flags && at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n' || at[n] == '\0'))
			return true;
	return false;
}

static void
processor(struct probe *p)
{
	static char text[8192];
	const char *flags = find_line(p, "/proc/cpuinfo", "flags", text, sizeof(text));

	probe_heading(p, "Processor");
	if (flags == NULL) {
		probe_note(p, "no flags in /proc/cpuinfo");
		return;
	}
	if (!has_flag(flags, "aes"))
		probe_mend(p, "no AES-NI: AES in plain code is ten times slower; in a virtual "
			      "machine pass the host's CPU on");
	else if (has_flag(flags, "avx512bw") && has_flag(flags, "avx512vl"))
		probe_ok(p, "AES-NI, AVX-512%s: ipsec-mb runs its widest code",
			 has_flag(flags, "vaes") ? ", VAES" : " (no VAES: AES blocks one by one)");
	else if (has_flag(flags, "avx2"))
		probe_ok(p, "AES-NI, AVX2: ipsec-mb hashes 8 packets at a time");
	else
		probe_ok(p, "AES-NI, no AVX2: ipsec-mb hashes 4 packets at a time");
	if (drv_numa_count(p->root) > 1)
		probe_note(
			p,
			"%d NUMA nodes: give a card's workers CPUs of its node (node of CPU 0: %d)",
			drv_numa_count(p->root), drv_numa_of_cpu(p->root, 0));
}

static void
huge_pages(struct probe *p)
{
	uint64_t octets = drv_eal_huge_free(p->root);

	probe_heading(p, "Memory");
	if (octets > 0)
		probe_ok(p, "huge pages: %lu MB free", (unsigned long)(octets >> 20));
	else if (p->user_devices > 0)
		probe_mend(p, "no huge pages are free, and network cards need them: sysctl "
			      "vm.nr_hugepages=512 (1 GB; to keep it: "
			      "/etc/sysctl.d/conclave.conf)");
	else
		probe_note(p, "no huge pages: the udp port needs none; for network cards: sysctl "
			      "vm.nr_hugepages=512");
}

static void
iommu(struct probe *p)
{
	int groups = probe_entries(p, "/sys/kernel/iommu_groups");
	bool has_vfio = probe_entries(p, "/sys/module/vfio_pci") >= 0;
	char text[16];

	probe_heading(p, "Direct access to devices");
	if (groups > 0)
		probe_ok(p, "IOMMU: %d groups; vfio-pci is safe to use%s", groups,
			 has_vfio ? "" : " after modprobe vfio-pci");
	else if (p->vfio_devices > 0 &&
		 !(probe_read(p, text, sizeof(text),
			      "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") &&
		   text[0] == 'Y'))
		probe_mend(
			p,
			"vfio-pci without an IOMMU: switch it on (BIOS: VT-d or AMD-Vi; kernel: "
			"intel_iommu=on iommu=pt), or, "
			"unsafe: echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	else
		probe_note(p,
			   "no IOMMU: network cards would need intel_iommu=on, or uio_pci_generic");
}

static void
io_uring(struct probe *p)
{
	char release[64] = "", off[16] = "0";
	unsigned major = 0, minor = 0;

	probe_read(p, release, sizeof(release), "/proc/sys/kernel/osrelease");
	sscanf(release, "%u.%u", &major, &minor);
	probe_read(p, off, sizeof(off), "/proc/sys/kernel/io_uring_disabled");
	if (major < 6 || (major == 6 && minor < 1))
		probe_note(p,
			   "Linux %s: io_uring needs 6.1; the udp port uses epoll, which costs a "
			   "third more a packet",
			   release);
	else if (off[0] != '0')
		probe_mend(p, "io_uring is off: the udp port uses epoll, which costs a third more "
			      "a packet; sysctl "
			      "kernel.io_uring_disabled=0");
	else
		probe_ok(p, "Linux %s: the udp port uses io_uring", release);
}

/* Soft and hard limit of /proc/self/limits; "unlimited" is the largest number. */
static bool
limit(const struct probe *p, const char *name, unsigned long *soft, unsigned long *hard)
{
	char text[PROBE_TEXT_MAX], first[32], second[32];
	const char *rest = find_line(p, "/proc/self/limits", name, text, sizeof(text));

	if (rest == NULL || sscanf(rest, " %31s %31s", first, second) != 2)
		return false;
	*soft = first[0] == 'u' ? ~0ul : strtoul(first, NULL, 10);
	*hard = second[0] == 'u' ? ~0ul : strtoul(second, NULL, 10);
	return true;
}

static void
limits(struct probe *p)
{
	unsigned long soft, hard, octets;
	char text[32];

	probe_heading(p, "Kernel and limits");
	io_uring(p);
	if (limit(p, "Max open files", &soft, &hard)) {
		if (hard < FILES_WANTED)
			probe_mend(p,
				   "at most %lu open files: enough for %lu participants on the udp "
				   "port; ulimit -n 65536, or "
				   "LimitNOFILE= in the unit",
				   hard, hard > 256 ? (hard - 256) / 2 : 0);
		else
			probe_ok(p, "open files: %lu, raised to %lu when needed", soft, hard);
	}
	if (limit(p, "Max locked memory", &soft, &hard)) {
		if (hard < 1024 * 1024)
			probe_mend(p,
				   "only %lu kB may be locked, and keys live in locked memory; "
				   "ulimit -l 65536, or LimitMEMLOCK= "
				   "in the unit",
				   hard / 1024);
		else
			probe_ok(p, "locked memory: enough for keys");
	}
	if (probe_read(p, text, sizeof(text), "/proc/sys/net/core/rmem_max")) {
		octets = strtoul(text, NULL, 10);
		if (octets < SOCKET_OCTETS)
			probe_mend(p,
				   "sockets hold at most %lu octets; sysctl net.core.rmem_max=%u",
				   octets, 4 * SOCKET_OCTETS);
		else
			probe_ok(p, "receive buffers of sockets: up to %lu octets", octets);
	}
}

/*
 * Cards under vfio-pci are asked by starting them; the kernel refuses that for one that somebody uses. Those under uio
 * have no such guard and are left alone.
 */
static void
cards_start(struct probe *p)
{
	const char *allowed[PROBE_VFIO_MAX + 1] = {NULL};
	const struct drv_eal_conf conf = {.program = "probe",
					  .file_prefix = "conclave-probe",
					  .main_cpu = -1,
					  .memory_mb = 64,
					  .pci = true,
					  .allowed = allowed};
	char text[PROBE_TEXT_MAX];

	for (int i = 0; i < p->vfio_devices; i++)
		allowed[i] = p->vfio_address[i];
	if (drv_eal_init(&conf, text, sizeof(text)) != 0)
		probe_note(p, "the cards' features are not known: %s", text);
}

/* Devices that DPDK has started, with what they can do. */
static void
ethdevs(struct probe *p)
{
	uint16_t device;

	if (p->vfio_devices > 0 && p->root[0] == '\0' && geteuid() == 0)
		cards_start(p);
	if (rte_eth_dev_count_avail() == 0)
		return;
	probe_heading(p, "DPDK devices");
	RTE_ETH_FOREACH_DEV (device) {
		char name[RTE_ETH_NAME_MAX_LEN];
		struct drv_caps caps;

		if (rte_eth_dev_get_name_by_port(device, name) != 0 ||
		    drv_caps_get(&caps, device) != 0)
			continue;
		fprintf(p->out, "  ok   %s: ", name);
		drv_caps_print(p->out, &caps);
	}
}

int
drv_probe(FILE *out, const char *root)
{
	struct probe p = {.out = out, .root = root};

	processor(&p);
	probe_pci(&p);
	ethdevs(&p);
	huge_pages(&p);
	iommu(&p);
	limits(&p);
	probe_heading(&p, "What would be used");
	if (p.user_devices > 0)
		probe_ok(&p, "a network card named in the configuration (port.device), or the udp "
			     "port, the default");
	else
		probe_ok(&p, "the udp port: kernel sockets on any interface, no root needed");
	return p.problems;
}
