/* NUMA nodes from sysfs. */
#include "drivers/numa.h"

#include <dirent.h>
#include <stdio.h>

/* The number in the last entry "node<number>" of the folder, and how many such there are. */
static int
scan(const char *folder, int *count)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int found = -1, number, end;

	*count = 0;
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		end = 0;
		if (sscanf(entry->d_name, "node%d%n", &number, &end) == 1 && end > 0 &&
		    entry->d_name[end] == '\0') {
			found = number;
			(*count)++;
		}
	}
	closedir(dir);
	return found;
}

int
drv_numa_of_cpu(const char *root, int cpu)
{
	char path[512];
	int count;

	snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpu%d", root, cpu);
	return scan(path, &count);
}

int
drv_numa_count(const char *root)
{
	char path[512];
	int count;

	snprintf(path, sizeof(path), "%s/sys/devices/system/node", root);
	scan(path, &count);
	return count > 0 ? count : 1;
}
