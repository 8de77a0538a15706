/* The doctor's look at the network: socket buffers, network cards and their drivers. */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctrlplane/cli/doctor.h"

#define BUFFER_WANTED (4 << 20)

static void
check_buffers(struct cp_doctor *doctor)
{
	char line[64];
	long octets = cp_doctor_read(doctor, "/proc/sys/net/core/rmem_max", line, sizeof(line))
			      ? atol(line)
			      : 0;

	cp_doctor_find(
		doctor, octets >= BUFFER_WANTED ? CP_FINDING_OK : CP_FINDING_NOTE, "socket buffers",
		"sysctl net.core.rmem_max=4194304 net.core.wmem_max=4194304",
		octets >= BUFFER_WANTED ? "%ld octets"
					: "%ld octets: bursts may be lost on a loaded udp port",
		octets);
}

/* Last part of where the link points. */
static bool
read_link_name(const struct cp_doctor *doctor, const char *path, char *name, size_t size)
{
	char full[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t len;

	snprintf(full, sizeof(full), "%s%s", doctor->root, path);
	len = readlink(full, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%.60s", slash != NULL ? slash + 1 : target);
	return true;
}

static bool
is_for_dpdk(const char *driver)
{
	static const char *const names[] = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core",
					    "mlx4_core"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

static bool
check_card(struct cp_doctor *doctor, const char *address)
{
	char path[300], class[32], driver[64] = "none", mend[320];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.80s/class", address);
	if (!cp_doctor_read(doctor, path, class, sizeof(class)) || strncmp(class, "0x0200", 6) != 0)
		return false;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.80s/driver", address);
	read_link_name(doctor, path, driver, sizeof(driver));
	snprintf(mend, sizeof(mend),
		 "to give it to DPDK: dpdk-devbind.py --bind=vfio-pci %.80s (the kernel loses it); "
		 "see conclave-dp --probe",
		 address);
	if (is_for_dpdk(driver))
		cp_doctor_find(doctor, CP_FINDING_OK, "network card", NULL,
			       "%.80s: %s, a DPDK port can take it", address, driver);
	else
		cp_doctor_find(doctor, CP_FINDING_NOTE, "network card", mend,
			       "%.80s: driver %s; fine for the udp port", address, driver);
	return true;
}

static void
check_cards(struct cp_doctor *doctor)
{
	char path[300];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", doctor->root);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			count += check_card(doctor, entry->d_name);
	if (dir != NULL)
		closedir(dir);
	if (count == 0)
		cp_doctor_find(doctor, CP_FINDING_OK, "network card", NULL,
			       "none on PCI: the udp port uses the kernel's");
}

void
cp_doctor_network(struct cp_doctor *doctor)
{
	check_buffers(doctor);
	check_cards(doctor);
}
