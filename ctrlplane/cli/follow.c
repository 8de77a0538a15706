/* The commands "events" and "conference events": server-sent events (WHATWG HTML 9.2.6) as they come. */
#include "ctrlplane/cli/follow.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "ctrlplane/cli/client.h"
#include "ctrlplane/cli/show.h"

#define LINE_LIMIT (1 << 20)

/* The stream as it is being read. */
struct stream {
	const struct cp_cli *cli;
	char *line; /* begun, not ended */
	size_t len;
	char id[CP_CLI_EVENT_ID_MAX], name[64];
	json_t *data;
	cp_cli_event_fn take; /* NULL: events are printed */
	void *arg;
};

static const char *
text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text != NULL ? text : "";
}

/* " stage: ann, 2 wait" */
static void
print_floor(const json_t *floor, FILE *out)
{
	const json_t *list = json_object_get(floor, "requests"), *r;
	size_t i, holders = 0;

	if (floor == NULL)
		return;
	fprintf(out, " %s: ", text_of(floor, "name"));
	json_array_foreach (list, i, r) {
		if (strcmp(text_of(r, "status"), "granted") == 0)
			fprintf(out, "%s%s", holders++ > 0 ? ", " : "", text_of(r, "name"));
	}
	fprintf(out, "%s", holders > 0 ? "" : "free");
	if (json_array_size(list) > holders)
		fprintf(out, ", %zu waiting", json_array_size(list) - holders);
}

void
cp_cli_print_clean(const char *text, FILE *out)
{
	for (; text != NULL && *text != '\0'; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, out);
}

void
cp_cli_print_said(const json_t *data, FILE *out)
{
	const json_t *text = json_object_get(data, "text");
	const char *who = text_of(data, "nickname");

	cp_cli_print_clean(*who ? who : text_of(data, "from"), out);
	fputs(": ", out);
	if (json_is_string(text))
		cp_cli_print_clean(json_string_value(text), out);
	else
		fprintf(out, "(%s, %lld octets)", text_of(data, "type"),
			(long long)json_integer_value(json_object_get(data, "size")));
}

/* Who or what it is about, in a few words. */
static void
print_subject(const json_t *data, FILE *out)
{
	const json_t *participant = json_object_get(data, "participant");
	const json_t *conference = json_object_get(data, "conference");
	const json_t *talkers = json_object_get(data, "talkers"), *talker;
	size_t i;

	if (json_is_object(participant))
		fprintf(out, "%s: %s (%lld)", text_of(participant, "conference"),
			cp_cli_who(participant),
			(long long)json_integer_value(json_object_get(participant, "id")));
	else if (json_is_object(conference))
		fprintf(out, "%s", text_of(conference, "id"));
	else if (conference != NULL)
		fprintf(out, "%s:", json_string_value(conference));
	else
		fprintf(out, "%s%s", text_of(data, "id"), text_of(data, "state"));
	json_array_foreach (talkers, i, talker) {
		fprintf(out, "%s %s", i > 0 ? "," : "", text_of(talker, "name"));
	}
	print_floor(json_object_get(data, "floor"), out);
	if (json_object_get(data, "recipients") != NULL) {
		fputc(' ', out);
		cp_cli_print_said(data, out);
	}
	if (json_is_string(json_object_get(data, "key")))
		fprintf(out, " %lld pressed %s", (long long)json_integer_value(participant),
			text_of(data, "key"));
}

static void
print_event(const struct stream *s)
{
	const char *reason = text_of(s->data, "reason"), *by = text_of(s->data, "by");
	char clock[16];
	time_t now = time(NULL);
	struct tm parts;

	localtime_r(&now, &parts);
	strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
	printf("%s  %-20s ", clock, s->name);
	print_subject(s->data, stdout);
	if (reason[0] != '\0')
		printf(", %s", reason);
	if (by[0] != '\0')
		printf(", by %s", by);
	putchar('\n');
}

static void
finish_event(struct stream *s)
{
	json_t *whole;

	if (s->data != NULL && s->take != NULL) {
		s->take(s->arg, s->name, s->data);
	} else if (s->data != NULL && s->cli->is_json) {
		whole = json_pack("{s:s, s:s, s:O}", "event", s->name, "id", s->id, "data",
				  s->data);
		json_dumpf(whole, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10));
		putchar('\n');
		json_decref(whole);
	} else if (s->data != NULL && strcmp(s->name, "hello") != 0) {
		print_event(s);
	}
	fflush(stdout);
	json_decref(s->data);
	s->data = NULL;
	s->name[0] = '\0';
}

static void
take_line(struct stream *s, const char *line)
{
	if (line[0] == '\0')
		finish_event(s);
	else if (strncmp(line, "id: ", 4) == 0)
		snprintf(s->id, sizeof(s->id), "%s", line + 4);
	else if (strncmp(line, "event: ", 7) == 0)
		snprintf(s->name, sizeof(s->name), "%s", line + 7);
	else if (strncmp(line, "data: ", 6) == 0 && s->data == NULL)
		s->data = json_loads(line + 6, JSON_DECODE_ANY, NULL);
}

static bool
on_data(void *arg, const char *text, size_t len)
{
	struct stream *s = arg;
	char *grown = s->len + len <= LINE_LIMIT ? realloc(s->line, s->len + len + 1) : NULL;
	char *end, *at;

	if (grown == NULL)
		return false;
	s->line = grown;
	memcpy(grown + s->len, text, len);
	s->len += len;
	grown[s->len] = '\0';
	for (at = grown; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		*end = '\0';
		take_line(s, at);
	}
	s->len -= (size_t)(at - grown);
	memmove(grown, at, s->len + 1);
	return !ferror(stdout);
}

static long
elapsed_ms(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)((now.tv_sec - begin->tv_sec) * 1000 +
		      (now.tv_nsec - begin->tv_nsec) / 1000000);
}

/* Once connected, a break is no end: the program may have been restarted. */
static bool
goes_on(struct stream *s, const struct cp_cli_answer *answer, bool was_connected)
{
	s->len = 0;
	json_decref(s->data);
	s->data = NULL;
	if (ferror(stdout) || (answer->status != 200 && !(answer->status == 0 && was_connected)))
		return false;
	sleep(1);
	return true;
}

int
cp_cli_follow(const struct cp_cli *cli)
{
	long long seconds = json_integer_value(json_object_get(cli->params, "for"));
	struct stream s = {.cli = cli};
	struct cp_cli_answer answer = {0};
	struct timespec begin;
	bool was_connected = false;
	long left = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		left = seconds > 0 ? (long)seconds * 1000 - elapsed_ms(&begin) : 0;
		if (seconds > 0 && left <= 0)
			break;
		if (s.id[0] != '\0')
			json_object_set_new(cli->params, "last_event_id", json_string(s.id));
		json_decref(answer.json);
		cp_cli_stream(&answer, cli, on_data, &s, left);
		was_connected = was_connected || answer.status == 200;
	} while (goes_on(&s, &answer, was_connected));
	free(s.line);
	if (was_connected && (answer.status == 0 || answer.status == 200))
		answer.status = 200;
	return cp_cli_report(cli, &answer);
}

void
cp_cli_listen(const struct cp_cli *cli, char id[CP_CLI_EVENT_ID_MAX], long ms, cp_cli_event_fn take,
	      void *arg)
{
	struct cp_cli events = {
		.socket = cli->socket,
		.command = &cp_commands[CP_COMMAND_CONFERENCE_EVENTS],
		.params = json_pack("{s:O}", "conference",
				    json_object_get(cli->params, "conference")),
	};
	struct stream s = {.cli = &events, .take = take, .arg = arg};
	struct cp_cli_answer answer = {0};
	struct timespec begin;
	long left;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	snprintf(s.id, sizeof(s.id), "%s", id);
	if (id[0] != '\0')
		json_object_set_new(events.params, "last_event_id", json_string(id));
	cp_cli_stream(&answer, &events, on_data, &s, ms);
	snprintf(id, CP_CLI_EVENT_ID_MAX, "%s", s.id);
	json_decref(answer.json);
	json_decref(events.params);
	json_decref(s.data);
	free(s.line);
	left = ms - elapsed_ms(&begin);
	if (left > 0)
		usleep((unsigned int)left * 1000);
}
