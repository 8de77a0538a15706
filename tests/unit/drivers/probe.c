/* The probe on machines made of files: what it says, and what it counts as a problem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <rte_dev.h>
#include "drivers/eal.h"
#include "drivers/numa.h"
#include "drivers/probe.h"

static char root[] = "/tmp/conclave-probe-XXXXXX";

static void
shell(const char *format, ...)
{
	char command[2048];
	va_list args;
	int n = snprintf(command, sizeof(command), "cd %s && ", root);

	va_start(args, format);
	vsnprintf(command + n, sizeof(command) - (size_t)n, format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static void
file(const char *path, const char *text)
{
	shell("mkdir -p $(dirname ./%s) && printf '%s\\n' > ./%s", path, text, path);
}

static void
device(const char *address, const char *class, const char *driver)
{
	char path[256];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/class", address);
	file(path, class);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vendor", address);
	file(path, "0x8086");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/device", address);
	file(path, "0x1572");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/numa_node", address);
	file(path, "1");
	if (driver != NULL)
		shell("ln -s ../../../bus/pci/drivers/%s sys/bus/pci/devices/%s/driver", driver,
		      address);
}

static int
probe(char *out, size_t size)
{
	FILE *stream = fmemopen(out, size, "w");
	int problems;

	assert_non_null(stream);
	problems = drv_probe(stream, root);
	fclose(stream);
	return problems;
}

static void
expect(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static int
machine_make(void **state)
{
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	file("proc/cpuinfo", "flags\\t\\t: fpu aes avx2 avx512bw avx512vl");
	file("proc/self/limits", "Max open files            1024      1048576   files\\nMax locked "
				 "memory  unlimited unlimited bytes");
	file("proc/sys/kernel/osrelease", "6.1.0-18-amd64");
	file("proc/sys/net/core/rmem_max", "212992");
	return 0;
}

static int
machine_remove(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void
plain_machine_has_no_problem(void **state)
{
	char text[8192];

	assert_int_equal(probe(text, sizeof(text)), 0);
	expect(text, "AVX-512");
	expect(text, "no VAES");
	expect(text, "no huge pages: the udp port needs none");
	expect(text, "Linux 6.1.0-18-amd64: the udp port uses io_uring");
	expect(text, "raised to 1048576");
	expect(text, "the udp port: kernel sockets");
	assert_null(strstr(text, "mend"));
}

static void
devices_are_named_with_their_driver(void **state)
{
	char text[8192];

	device("0000:3b:00.0", "0x020000", "i40e");
	shell("mkdir -p sys/bus/pci/devices/0000:3b:00.0/net/ens1f0");
	device("0000:3b:00.1", "0x020000", NULL);
	device("0000:5e:00.0", "0x020000", "virtio-pci");
	shell("mkdir -p sys/bus/pci/devices/0000:5e:00.0/virtio3/net/ens5");
	device("0000:00:1f.0", "0x010601", "ahci"); /* a disk */
	assert_int_equal(probe(text, sizeof(text)), 0);
	expect(text, "0000:3b:00.0 8086:1572, NUMA node 1, driver i40e, interface ens1f0: the "
		     "kernel has it");
	expect(text, "dpdk-devbind.py -b vfio-pci 0000:3b:00.0");
	expect(text, "0000:3b:00.1 8086:1572, NUMA node 1, driver none: unused");
	expect(text, "driver virtio-pci, interface ens5");
	assert_null(strstr(text, "ahci"));
}

static void
card_without_huge_pages_and_iommu_is_two_problems(void **state)
{
	char text[8192];

	device("0000:3b:00.0", "0x020000", "vfio-pci");
	assert_int_equal(probe(text, sizeof(text)), 2);
	expect(text, "ready; use it with device: \"0000:3b:00.0\"");
	expect(text, "mend no huge pages are free");
	expect(text, "sysctl vm.nr_hugepages=512");
	expect(text, "mend vfio-pci without an IOMMU");
	shell("mkdir -p sys/kernel/iommu_groups/0 sys/kernel/iommu_groups/1 sys/module/vfio_pci");
	file("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512");
	assert_int_equal(probe(text, sizeof(text)), 0);
	expect(text, "huge pages: 1024 MB free");
	expect(text, "IOMMU: 2 groups");
}

static void
poor_limits_are_problems(void **state)
{
	char text[8192];

	file("proc/cpuinfo", "flags\\t\\t: fpu vaes");
	file("proc/self/limits",
	     "Max open files   512  1024 files\\nMax locked memory  65536 65536 bytes");
	file("proc/sys/kernel/io_uring_disabled", "2");
	file("proc/sys/net/core/rmem_max", "4096");
	assert_int_equal(probe(text, sizeof(text)), 5);
	expect(text, "no AES-NI");
	expect(text, "enough for 384 participants");
	expect(text, "only 64 kB may be locked");
	expect(text, "kernel.io_uring_disabled=0");
	expect(text, "net.core.rmem_max=262144");
	file("proc/sys/kernel/osrelease", "5.10.0");
	assert_int_equal(probe(text, sizeof(text)), 4);
	expect(text, "io_uring needs 6.1");
}

static void
empty_tree_is_survived(void **state)
{
	char text[8192];

	shell("rm -r proc");
	assert_int_equal(probe(text, sizeof(text)), 0);
}

static void
numa_nodes_are_found(void **state)
{
	assert_int_equal(drv_numa_count(root), 1);
	assert_int_equal(drv_numa_of_cpu(root, 3), -1);
	shell("mkdir -p sys/devices/system/node/node0 sys/devices/system/node/node1 "
	      "sys/devices/system/node/nodes "
	      "sys/devices/system/cpu/cpu3/node1");
	assert_int_equal(drv_numa_count(root), 2);
	assert_int_equal(drv_numa_of_cpu(root, 3), 1);
}

static void
started_devices_tell_their_features(void **state)
{
	char text[8192];

	assert_int_equal(rte_eal_hotplug_add("vdev", "net_ring_probe", "nodeaction=probe:0:CREATE"),
			 0);
	assert_int_equal(probe(text, sizeof(text)), 0);
	expect(text, "DPDK devices");
	expect(text, "ok   probe: net_ring, ");
	expect(text, "checksums software/software, VLAN software, spreading none");
	assert_int_equal(rte_eal_hotplug_remove("vdev", "net_ring_probe"), 0);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, machine_make, machine_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(plain_machine_has_no_problem),
		ROW(devices_are_named_with_their_driver),
		ROW(card_without_huge_pages_and_iommu_is_two_problems),
		ROW(poor_limits_are_problems),
		ROW(empty_tree_is_survived),
		ROW(numa_nodes_are_found),
		ROW(started_devices_tell_their_features),
	};
	const struct drv_eal_conf conf = {.program = "test",
					  .file_prefix = "conclave-test-probe",
					  .main_cpu = -1,
					  .memory_mb = 64};
	char text[256];

	if (drv_eal_init(&conf, text, sizeof(text)) != 0) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}

	return cmocka_run_group_tests(tests, NULL, NULL);
}
