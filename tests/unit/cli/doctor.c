/* The doctor on machines made of files: what it finds and how it says to mend it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/cli/doctor.h"

struct fixture {
	char root[64];
	struct cp_doctor doctor;
};

static void
put(const struct fixture *f, const char *path, const char *text)
{
	char full[256], *slash;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", f->root, path);
	for (slash = full + strlen(f->root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->root, "/tmp/conclave-test.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	f->doctor.root = f->root;
	f->doctor.socket = "/nonexistent/api.sock";
	f->doctor.findings = json_array();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	int status;

	snprintf(command, sizeof(command), "rm -rf '%s'", f->root);
	status = system(command);
	json_decref(f->doctor.findings);
	free(f);
	return status;
}

static const char *
grade_of(const struct fixture *f, const char *what, const char *found)
{
	size_t i;
	json_t *finding;

	json_array_foreach (f->doctor.findings, i, finding) {
		const char *grade = json_string_value(json_object_get(finding, "grade"));

		if (strcmp(json_string_value(json_object_get(finding, "what")), what) != 0)
			continue;
		if (strstr(json_string_value(json_object_get(finding, "found")), found) == NULL)
			continue;
		assert_int_equal(json_is_string(json_object_get(finding, "mend")),
				 strcmp(grade, "ok") != 0);
		return grade;
	}
	return "absent";
}

static void
a_good_machine_is_good(void **state)
{
	struct fixture *f = *state;
	char driver[128];

	put(f, "/proc/cpuinfo",
	    "model name\t: Good\nflags\t\t: fpu aes ssse3 pclmulqdq avx2 avx512bw vaes\n");
	put(f, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	put(f, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
	put(f, "/proc/sys/net/core/rmem_max", "8388608\n");
	put(f, "/sys/bus/pci/devices/0000:3b:00.0/class", "0x020000\n");
	put(f, "/sys/bus/pci/drivers/vfio-pci/x", "");
	snprintf(driver, sizeof(driver), "%s/sys/bus/pci/devices/0000:3b:00.0/driver", f->root);
	assert_int_equal(symlink("../../drivers/vfio-pci", driver), 0);
	cp_doctor_machine(&f->doctor);
	cp_doctor_network(&f->doctor);
	assert_string_equal(grade_of(f, "processor", "Good: AES-NI, VAES, AVX-512"), "ok");
	assert_string_equal(grade_of(f, "clock", "tsc"), "ok");
	assert_string_equal(grade_of(f, "huge pages", "1024 MB"), "ok");
	assert_string_equal(grade_of(f, "socket buffers", "8388608"), "ok");
	assert_string_equal(grade_of(f, "network card", "0000:3b:00.0: vfio-pci"), "ok");
}

static void
a_poor_machine_is_told_how_to_mend(void **state)
{
	struct fixture *f = *state;

	put(f, "/proc/cpuinfo", "model name\t: Old\nflags\t\t: fpu aesx ssse3 pclmulqdq\n");
	put(f, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
	put(f, "/proc/sys/net/core/rmem_max", "212992\n");
	put(f, "/sys/bus/pci/devices/0000:3b:00.0/class", "0x020000\n");
	put(f, "/sys/bus/pci/devices/0000:3b:00.1/class", "0x030000\n");
	cp_doctor_machine(&f->doctor);
	cp_doctor_network(&f->doctor);
	assert_string_equal(grade_of(f, "processor", "no AES-NI"), "FAIL");
	assert_string_equal(grade_of(f, "clock", "hpet"), "note");
	assert_string_equal(grade_of(f, "huge pages", "0 MB"), "note");
	assert_string_equal(grade_of(f, "socket buffers", "212992"), "note");
	assert_string_equal(grade_of(f, "network card", "0000:3b:00.0: driver none"), "note");
	assert_string_equal(grade_of(f, "network card", "0000:3b:00.1"), "absent");
}

static void
a_node_that_does_not_run_is_noted(void **state)
{
	struct fixture *f = *state;

	f->doctor.config = "/nonexistent.yaml";
	cp_doctor_programs(&f->doctor);
	assert_string_equal(grade_of(f, "control plane", "not running"), "note");
	assert_string_equal(grade_of(f, "configuration", ""), "FAIL");
}

int
main(void)
{
#define DOCTOR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		DOCTOR_TEST(a_good_machine_is_good),
		DOCTOR_TEST(a_poor_machine_is_told_how_to_mend),
		DOCTOR_TEST(a_node_that_does_not_run_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
