/* The findings of the doctor: collected and printed. The checks are in doctor_machine, doctor_network, doctor_programs, doctor_kms. */
#include "ctrlplane/cli/doctor.h"
#include <stdarg.h>
#include <string.h>

static const char *const grades[] = {"ok", "note", "FAIL"};

void
cp_doctor_find(struct cp_doctor *doctor, enum cp_finding_grade grade, const char *what,
	       const char *mend, const char *format, ...)
{
	char found[512];
	va_list args;

	va_start(args, format);
	vsnprintf(found, sizeof(found), format, args);
	va_end(args);
	json_array_append_new(doctor->findings,
			      json_pack("{s:s, s:s, s:s, s:s?}", "grade", grades[grade], "what",
					what, "found", found, "mend",
					grade != CP_FINDING_OK ? mend : NULL));
}

bool
cp_doctor_read(const struct cp_doctor *doctor, const char *path, char *line, size_t size)
{
	char full[512];
	FILE *file;
	bool has_line;

	snprintf(full, sizeof(full), "%s%s", doctor->root, path);
	file = fopen(full, "r");
	if (file == NULL)
		return false;
	has_line = fgets(line, (int)size, file) != NULL;
	fclose(file);
	if (!has_line)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

enum cp_finding_grade
cp_doctor_examine(struct cp_doctor *doctor)
{
	enum cp_finding_grade worst = CP_FINDING_OK;
	size_t i;
	json_t *finding;

	doctor->findings = json_array();
	cp_doctor_machine(doctor);
	cp_doctor_network(doctor);
	cp_doctor_programs(doctor);
	cp_doctor_kms(doctor);
	json_array_foreach (doctor->findings, i, finding) {
		const char *grade = json_string_value(json_object_get(finding, "grade"));

		if (strcmp(grade, grades[CP_FINDING_FAIL]) == 0)
			worst = CP_FINDING_FAIL;
		else if (strcmp(grade, grades[CP_FINDING_NOTE]) == 0 && worst == CP_FINDING_OK)
			worst = CP_FINDING_NOTE;
	}
	return worst;
}

void
cp_doctor_print(const struct cp_doctor *doctor, const struct cp_cli_out *out)
{
	size_t i;
	json_t *finding;

	json_array_foreach (doctor->findings, i, finding) {
		const char *grade = json_string_value(json_object_get(finding, "grade"));
		const char *mend = json_string_value(json_object_get(finding, "mend"));
		const char *colour = grade[0] == 'o' ? "32" : grade[0] == 'n' ? "33" : "31";

		fprintf(out->file, "%s%-4s%s  %-14s %s\n", cp_cli_colour(out, colour), grade,
			cp_cli_colour(out, "0"),
			json_string_value(json_object_get(finding, "what")),
			json_string_value(json_object_get(finding, "found")));
		if (mend != NULL)
			fprintf(out->file, "%-20s  mend: %s\n", "", mend);
	}
}
