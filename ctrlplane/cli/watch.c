/* The command "conference watch": who is in a conference, who is heard, who holds its floors, and what is said in its chat. */
#include "ctrlplane/cli/watch.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctrlplane/cli/client.h"
#include "ctrlplane/cli/follow.h"
#include "ctrlplane/cli/show.h"

#define ASK_MS 10000
#define TURN_MS 1000
#define SAID_MAX 4 /* lines of the chat */

/* What is shown. Answers are those of this turn, or NULL. */
struct watch {
	const struct cp_cli *cli;
	json_t *participants, *floors;
	char event[CP_CLI_EVENT_ID_MAX]; /* the last one seen */
	char *said[SAID_MAX];		 /* the latest last; NULL: none yet */
};

static void
take_event(void *arg, const char *name, const json_t *data)
{
	struct watch *w = arg;
	char *line = NULL;
	size_t len;
	FILE *out;

	if (strcmp(name, "chat-message") != 0)
		return;
	out = open_memstream(&line, &len);
	if (out == NULL)
		return;
	cp_cli_print_said(data, out);
	fclose(out);
	free(w->said[0]);
	memmove(w->said, w->said + 1, (SAID_MAX - 1) * sizeof(w->said[0]));
	w->said[SAID_MAX - 1] = line;
}

/* "Floor stage: ann for 7 s, then bob, eve" */
static void
print_floor(const json_t *floor, FILE *out)
{
	const json_t *list = json_object_get(floor, "requests"), *r;
	const char *between = "";
	size_t i;

	fprintf(out, "Floor %s: ", json_string_value(json_object_get(floor, "name")));
	if (json_array_size(list) == 0)
		fputs("nobody", out);
	json_array_foreach (list, i, r) {
		const json_t *held = json_object_get(r, "held_s");

		if (between[0] != '\0' && !json_is_integer(held))
			between = strcmp(between, ", then ") == 0 ? ", " : ", then ";
		fputs(between, out);
		cp_cli_print_clean(json_string_value(json_object_get(r, "name")), out);
		if (json_is_integer(held))
			fprintf(out, " for %lld s", (long long)json_integer_value(held));
		else if (strcmp(json_string_value(json_object_get(r, "status")), "pending") == 0)
			fputs(" (asks)", out);
		between = json_is_integer(held) ? " and " : ", then ";
	}
	fputc('\n', out);
}

static void
print_page(const struct watch *w, const struct cp_cli_out *out)
{
	const json_t *floors = json_object_get(w->floors, "floors"), *floor;
	char clock[16];
	time_t now = time(NULL);
	struct tm parts;
	size_t i;

	localtime_r(&now, &parts);
	strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
	fprintf(out->file, "%s  conference %s, %lld participants%s\n\n", clock,
		json_string_value(json_object_get(w->cli->params, "conference")),
		(long long)json_integer_value(json_object_get(w->participants, "total")),
		out->width > 0 ? " (Ctrl-C ends)" : "");
	cp_cli_show_participants(json_object_get(w->participants, "participants"), out);
	if (json_array_size(floors) > 0 || w->said[SAID_MAX - 1] != NULL)
		fputc('\n', out->file);
	json_array_foreach (floors, i, floor) {
		print_floor(floor, out->file);
	}
	for (i = 0; i < SAID_MAX; i++)
		if (w->said[i] != NULL)
			fprintf(out->file, "Chat %s\n", w->said[i]);
}

/* Over what stood there before, without a blank screen in between. */
static void
draw(const struct watch *w, const struct cp_cli_out *out, bool is_first)
{
	char *text = NULL, *rest, *line;
	size_t len;
	struct cp_cli_out page = *out;

	page.file = open_memstream(&text, &len);
	if (page.file == NULL)
		return;
	print_page(w, &page);
	fclose(page.file);
	rest = text;
	if (out->width > 0)
		fputs(is_first ? "\033[H\033[2J" : "\033[H", out->file);
	while (text != NULL && (line = strsep(&rest, "\n")) != NULL)
		fprintf(out->file, "%s%s%s", line, out->width > 0 ? "\033[K" : "",
			rest != NULL ? "\n" : "");
	fputs(out->width > 0 ? "\033[J" : "\n", out->file);
	fflush(out->file);
	free(text);
}

static void
ask(struct cp_cli_answer *answer, const struct cp_cli *cli, enum cp_command_id id)
{
	cp_cli_ask(answer, cp_cli_socket(cli->socket), &cp_commands[id], cli->params, ASK_MS);
}

static void
forget(struct watch *w)
{
	json_decref(w->participants);
	json_decref(w->floors);
	w->participants = w->floors = NULL;
}

/* One look, and the time until the next. The exit status where there is none. */
static int
look(struct watch *w, const struct cp_cli_out *out, bool is_first)
{
	struct cp_cli_answer answer;

	ask(&answer, w->cli, CP_COMMAND_PARTICIPANT_LIST);
	if (answer.status != 200)
		return cp_cli_report(w->cli, &answer);
	w->participants = answer.json;
	if (w->cli->is_json) {
		json_dumpf(answer.json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10));
		fputc('\n', stdout);
		fflush(stdout);
	} else {
		ask(&answer, w->cli, CP_COMMAND_FLOOR_LIST);
		w->floors = answer.json;
		draw(w, out, is_first);
	}
	forget(w);
	cp_cli_listen(w->cli, w->event, TURN_MS, take_event, w);
	return CP_CLI_OK;
}

int
cp_cli_watch(const struct cp_cli *cli)
{
	long long seconds = json_integer_value(json_object_get(cli->params, "for"));
	struct cp_cli_out out = cp_cli_stdout();
	struct watch w = {.cli = cli};
	int status = CP_CLI_OK;

	for (long long turn = 0; status == CP_CLI_OK && (seconds == 0 || turn < seconds); turn++)
		status = look(&w, &out, turn == 0);
	for (size_t i = 0; i < SAID_MAX; i++)
		free(w.said[i]);
	return status;
}
