/* How the parts of the probe speak: a heading, then lines marked ok, note (as it is, for your information) or mend. */
#ifndef DRV_PROBE_STATE_H
#define DRV_PROBE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <rte_common.h>

#define PROBE_TEXT_MAX 256
#define PROBE_VFIO_MAX 16

struct probe {
	FILE *out;
	const char *root;
	int problems;
	int vfio_devices; /* network devices that stand ready for DPDK */
	int user_devices; /* those, and the ones under uio or shared with the kernel */
	char vfio_address[PROBE_VFIO_MAX][32];
};

void probe_heading(const struct probe *p, const char *text);
void probe_ok(struct probe *p, const char *format, ...) __rte_format_printf(2, 3);
void probe_note(struct probe *p, const char *format, ...) __rte_format_printf(2, 3);
void probe_mend(struct probe *p, const char *format, ...) __rte_format_printf(2, 3);

/* First line of the file of that name below root, without its end; false when there is none. */
bool probe_read(const struct probe *p, char *out, size_t size, const char *format, ...)
	__rte_format_printf(4, 5);

/* Number of entries in a folder below root, -1 when there is none. */
int probe_entries(const struct probe *p, const char *folder);

/* probe_pci.c: network devices on the PCI bus. */
void probe_pci(struct probe *p);

#endif
