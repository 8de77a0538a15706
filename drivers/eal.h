/* DPDK's environment: memory, cores, telemetry. Once per process, before anything else of drivers/.
 */
#ifndef DRV_EAL_H
#define DRV_EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRV_WORKERS_MAX 32

struct drv_eal_conf {
	const char *program;	 /* argv[0] */
	const char *file_prefix; /* one a running instance; NULL: "conclave" */
	int main_cpu;		 /* CPU of the control thread, -1: wherever the kernel likes */
	uint16_t workers;	 /* worker q runs as lcore DRV_EAL_LCORE(q) */
	int worker_cpu[DRV_WORKERS_MAX]; /* -1: the CPUs of the process in turn */
	int huge_pages;			 /* -1 when enough are free, 0 never, 1 must */
	uint32_t memory_mb;		 /* 0: 256, and 64 for each worker */
	bool telemetry;
	bool pci;		    /* look for PCI devices; needs root */
	const char *const *allowed; /* PCI addresses to use (all others stay with the kernel),
				       NULL-terminated */
};

/* The lcore of worker q, for rte_eal_remote_launch. The main lcore is 0. */
#define DRV_EAL_LCORE(q) ((unsigned int)(q) + 1)

/* 0 or -errno; on failure text says what, why and how to mend. */
int drv_eal_init(const struct drv_eal_conf *conf, char *text, size_t text_size);
void drv_eal_fini(void);

/* True when memory came from huge pages. */
bool drv_eal_has_huge_pages(void);

/* Free huge pages in octets, over all sizes and nodes under root ("" or a fake tree in tests). */
uint64_t drv_eal_huge_free(const char *root);

#endif
