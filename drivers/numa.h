/* Which memory is near which core. */
#ifndef DRV_NUMA_H
#define DRV_NUMA_H

/* NUMA node of a CPU, or -1 where the machine has none. root: "" or a fake tree in tests. */
int drv_numa_of_cpu(const char *root, int cpu);

/* Number of nodes, at least 1. */
int drv_numa_count(const char *root);

#endif
