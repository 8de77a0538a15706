/* The probe's look at the PCI bus: network devices, who drives them, and how to hand one over. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "drivers/probe_state.h"

#define DEVICES "/sys/bus/pci/devices"
#define CLASS_NETWORK 0x02

struct device {
	char address[32];
	char driver[64]; /* "" none */
	char interface[64];
	char node[16];
	unsigned vendor, product;
};

static unsigned
read_hex(const struct probe *p, const char *address, const char *name)
{
	char text[32];

	return probe_read(p, text, sizeof(text), DEVICES "/%s/%s", address, name)
		       ? (unsigned)strtoul(text, NULL, 16)
		       : 0;
}

static void
driver_of(const struct probe *p, struct device *d)
{
	char path[PROBE_TEXT_MAX], target[PROBE_TEXT_MAX];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "%s" DEVICES "/%s/driver", p->root, d->address);
	n = readlink(path, target, sizeof(target) - 1);
	d->driver[0] = '\0';
	if (n <= 0)
		return;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(d->driver, sizeof(d->driver), "%.63s", slash != NULL ? slash + 1 : target);
}

/* The first network interface below the folder; virtio keeps it one level deeper. */
static void
interface_of(const struct probe *p, struct device *d, const char *below)
{
	char path[PROBE_TEXT_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" DEVICES "/%s%s", p->root, d->address, below);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (strstr(below, "net") != NULL) {
			snprintf(d->interface, sizeof(d->interface), "%.63s", entry->d_name);
			break;
		}
		if (strncmp(entry->d_name, "virtio", 6) == 0) {
			char deeper[64];

			snprintf(deeper, sizeof(deeper), "/%.40s/net", entry->d_name);
			interface_of(p, d, deeper);
			break;
		}
	}
	if (dir != NULL)
		closedir(dir);
}

static bool
is_one_of(const char *driver, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(driver, *list) == 0)
			return true;
	return false;
}

static void
report(struct probe *p, const struct device *d)
{
	static const char *const user[] = {"vfio-pci", "uio_pci_generic", "igb_uio", NULL};
	static const char *const shared[] = {"mlx4_core", "mlx5_core", "mana", NULL};
	char head[PROBE_TEXT_MAX];

	snprintf(head, sizeof(head), "%.31s %04x:%04x, NUMA node %.15s, driver %.63s%s%.63s",
		 d->address, d->vendor, d->product, d->node, d->driver[0] ? d->driver : "none",
		 d->interface[0] ? ", interface " : "", d->interface);
	if (is_one_of(d->driver, user)) {
		p->user_devices++;
		if (strcmp(d->driver, "vfio-pci") == 0 && p->vfio_devices < PROBE_VFIO_MAX)
			memcpy(p->vfio_address[p->vfio_devices++], d->address, sizeof(d->address));
		probe_ok(p, "%s: ready; use it with device: \"%s\"", head, d->address);
	} else if (is_one_of(d->driver, shared)) {
		p->user_devices++;
		probe_ok(p, "%s: kernel and DPDK share it; use it with device: \"%s\"", head,
			 d->address);
	} else if (d->driver[0] == '\0') {
		probe_note(p,
			   "%s: unused; to use it: modprobe vfio-pci && dpdk-devbind.py -b "
			   "vfio-pci %s",
			   head, d->address);
	} else {
		probe_note(p,
			   "%s: the kernel has it: the udp port works over it as it is. To give it "
			   "to Conclave alone, if you "
			   "do not log in over it: modprobe vfio-pci && dpdk-devbind.py -b "
			   "vfio-pci %s",
			   head, d->address);
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->address, ((const struct device *)b)->address);
}

void
probe_pci(struct probe *p)
{
	static struct device found[64]; /* the probe runs once, in one thread */
	char path[PROBE_TEXT_MAX];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	probe_heading(p, "Network devices on PCI");
	snprintf(path, sizeof(path), "%s" DEVICES, p->root);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL && count < RTE_DIM(found)) {
		struct device *d = &found[count];

		if (entry->d_name[0] == '.' ||
		    read_hex(p, entry->d_name, "class") >> 16 != CLASS_NETWORK)
			continue;
		memset(d, 0, sizeof(*d));
		snprintf(d->address, sizeof(d->address), "%.31s", entry->d_name);
		d->vendor = read_hex(p, d->address, "vendor");
		d->product = read_hex(p, d->address, "device");
		if (!probe_read(p, d->node, sizeof(d->node), DEVICES "/%s/numa_node", d->address))
			strcpy(d->node, "-1");
		driver_of(p, d);
		interface_of(p, d, "/net");
		if (d->interface[0] == '\0')
			interface_of(p, d, "");
		count++;
	}
	if (dir != NULL)
		closedir(dir);
	qsort(found, count, sizeof(found[0]), by_name);
	for (size_t i = 0; i < count; i++)
		report(p, &found[i]);
	if (count == 0)
		probe_note(p, "none; the udp port needs none");
}
