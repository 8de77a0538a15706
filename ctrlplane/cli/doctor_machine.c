/* The doctor's look at the machine: processor, clock, memory, limits. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "ctrlplane/cli/doctor.h"

#define NOFILE_WANTED 65536
#define MEMLOCK_WANTED (64 << 20)

/* The words of the first line of /proc/cpuinfo that begins with key. */
static bool
read_cpuinfo(const struct cp_doctor *doctor, const char *key, char *line, size_t size)
{
	char path[512];
	FILE *file;
	bool is_found = false;

	snprintf(path, sizeof(path), "%s/proc/cpuinfo", doctor->root);
	file = fopen(path, "r");
	while (file != NULL && !is_found && fgets(line, (int)size, file) != NULL)
		is_found = strncmp(line, key, strlen(key)) == 0;
	if (file != NULL)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return is_found;
}

static bool
has_flag(const char *flags, const char *flag)
{
	size_t len = strlen(flag);

	for (const char *at = flags; (at = strstr(at, flag)) != NULL; at += len)
		if (at > flags && at[-1] == ' ' && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static void
check_processor(struct cp_doctor *doctor)
{
	static char flags[8192];
	char model[256] = "";
	const char *name;

	if (!read_cpuinfo(doctor, "flags", flags, sizeof(flags))) {
		cp_doctor_find(doctor, CP_FINDING_FAIL, "processor", "run on x86-64",
			       "its features cannot be read");
		return;
	}
	name = read_cpuinfo(doctor, "model name", model, sizeof(model)) ? strchr(model, ':') : NULL;
	name = name != NULL ? name + 2 : "unknown model";
	if (!has_flag(flags, "aes") || !has_flag(flags, "ssse3") || !has_flag(flags, "pclmulqdq"))
		cp_doctor_find(doctor, CP_FINDING_FAIL, "processor",
			       "run on a processor with AES-NI and PCLMULQDQ; in a virtual machine "
			       "pass the host's model through",
			       "%s has no AES-NI", name);
	else if (!has_flag(flags, "avx2"))
		cp_doctor_find(doctor, CP_FINDING_NOTE, "processor",
			       "in a virtual machine pass the host's model through",
			       "%s: AES-NI, but no AVX2: SRTP and mixing are slower", name);
	else
		cp_doctor_find(doctor, CP_FINDING_OK, "processor", NULL, "%s: AES-NI%s", name,
			       has_flag(flags, "vaes")	     ? ", VAES, AVX-512"
			       : has_flag(flags, "avx512bw") ? ", AVX-512"
							     : ", AVX2");
}

static void
check_cores(struct cp_doctor *doctor)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 2)
		cp_doctor_find(doctor, CP_FINDING_NOTE, "cores", "give the machine a second core",
			       "%ld: media and control share it", cores);
	else
		cp_doctor_find(doctor, CP_FINDING_OK, "cores", NULL, "%ld", cores);
}

static void
check_clock(struct cp_doctor *doctor)
{
	char source[64];

	if (!cp_doctor_read(doctor,
			    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
			    source, sizeof(source)))
		cp_doctor_find(doctor, CP_FINDING_NOTE, "clock", "mount /sys",
			       "its source cannot be read");
	else if (strcmp(source, "tsc") == 0 || strcmp(source, "kvm-clock") == 0 ||
		 strcmp(source, "arch_sys_counter") == 0)
		cp_doctor_find(doctor, CP_FINDING_OK, "clock", NULL, "%s", source);
	else
		cp_doctor_find(doctor, CP_FINDING_NOTE, "clock",
			       "boot with tsc=reliable where the processor's counter is constant",
			       "%s: reading the time costs a system call", source);
}

static void
check_hugepages(struct cp_doctor *doctor)
{
	long megabytes = 0;
	static const struct {
		const char *path;
		long megabytes;
	} sizes[] = {
		{"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", 2},
		{"/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", 1024},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char line[64];

		if (cp_doctor_read(doctor, sizes[i].path, line, sizeof(line)))
			megabytes += atol(line) * sizes[i].megabytes;
	}
	if (megabytes >= 512)
		cp_doctor_find(doctor, CP_FINDING_OK, "huge pages", NULL, "%ld MB reserved",
			       megabytes);
	else
		cp_doctor_find(
			doctor, CP_FINDING_NOTE, "huge pages",
			"sysctl vm.nr_hugepages=1024 (and in /etc/sysctl.d to keep it)",
			"%ld MB reserved: enough for the udp port, a NIC wants 512 MB or more",
			megabytes);
}

static void
check_limit(struct cp_doctor *doctor, int resource, const char *what, rlim_t wanted,
	    const char *mend)
{
	struct rlimit limit;
	bool is_ok = getrlimit(resource, &limit) == 0 &&
		     (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted);

	if (is_ok && limit.rlim_max == RLIM_INFINITY)
		cp_doctor_find(doctor, CP_FINDING_OK, what, NULL, "unlimited");
	else
		cp_doctor_find(doctor, is_ok ? CP_FINDING_OK : CP_FINDING_NOTE, what, mend,
			       "%llu%s", (unsigned long long)limit.rlim_max,
			       is_ok ? "" : ": too few for many calls");
}

void
cp_doctor_machine(struct cp_doctor *doctor)
{
	check_processor(doctor);
	check_cores(doctor);
	check_clock(doctor);
	check_hugepages(doctor);
	check_limit(doctor, RLIMIT_MEMLOCK, "locked memory", MEMLOCK_WANTED,
		    "LimitMEMLOCK=infinity in the unit (as installed), or ulimit -l; keys are kept "
		    "in locked memory");
	check_limit(doctor, RLIMIT_NOFILE, "open files", NOFILE_WANTED,
		    "LimitNOFILE=1048576 in the unit (as installed), or ulimit -n; the udp port "
		    "opens two a participant");
}
