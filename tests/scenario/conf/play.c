/*
 * Plays scenario files against the focus: a line is done, and the lines "=> …" behind it are what it must come to; a line
 * without one must come to nothing. CONF_SCENARIO_PRINT=1 prints what comes instead, to write a scenario with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/scenario/conf/world.h"

#define LINE_MAX_OCTETS 2048
#define FILES_MAX 32

/* Lines of what must come follow each other, joined by ", ". */
struct player {
	struct world world;
	const char *path;
	int number; /* of the line that was done */
	char wanted[WORLD_TEXT_MAX];
	bool prints, is_waiting;
};

static void
compare(struct player *p)
{
	if (!p->is_waiting)
		return;
	p->is_waiting = false;
	if (p->prints) {
		if (*p->world.text)
			printf("=> %s\n", p->world.text);
		return;
	}
	if (strcmp(p->world.text, p->wanted) != 0)
		fail_msg("%s:%d\n  is:     %s\n  wanted: %s", p->path, p->number, p->world.text,
			 p->wanted);
}

static void
want(struct player *p, const char *text)
{
	size_t len = strlen(p->wanted);

	snprintf(p->wanted + len, sizeof(p->wanted) - len, "%s%s", len ? ", " : "", text);
}

static void
take_line(struct player *p, char *line, int number)
{
	line[strcspn(line, "\r\n")] = '\0';
	if (strncmp(line, "=> ", 3) == 0) {
		want(p, line + 3);
		return;
	}
	compare(p);
	if (p->prints)
		printf("%s\n", line);
	if (*line == '\0' || *line == '#')
		return;
	p->wanted[0] = '\0';
	p->number = number;
	p->is_waiting = true;
	if (!world_do(&p->world, line))
		fail_msg("%s:%d: not understood", p->path, number);
}

static void
play(void **state)
{
	struct player *p = calloc(1, sizeof(*p));
	char line[LINE_MAX_OCTETS];
	FILE *file;
	int number = 0;

	p->path = *state;
	p->prints = getenv("CONF_SCENARIO_PRINT") != NULL;
	file = fopen(p->path, "r");
	assert_non_null(file);
	world_init(&p->world);
	while (fgets(line, sizeof(line), file) != NULL)
		take_line(p, line, ++number);
	compare(p);
	assert_true(number > 0);
	fclose(file);
	world_fini(&p->world);
	free(p);
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[FILES_MAX];
	int count = 0;

	for (int i = 1; i < argc && count < FILES_MAX; i++)
		tests[count++] = (struct CMUnitTest){
			.name = argv[i], .test_func = play, .initial_state = argv[i]};
	assert_true(count > 0);
	return _cmocka_run_group_tests("scenarios of the focus", tests, (size_t)count, NULL, NULL);
}
