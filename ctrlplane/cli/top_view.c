/* The picture that "top" shows. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctrlplane/cli/top.h"

#define BARS 10
#define HEAD_LINES 8 /* what stands above the conferences, without the workers */

static double
number(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static const char *
text(const json_t *object, const char *name)
{
	const char *found = json_string_value(json_object_get(object, name));

	return found != NULL ? found : "";
}

static double
rate_of(const json_t *now, const json_t *before, const char *name, double seconds)
{
	double difference = number(now, name) - number(before, name);

	return before != NULL && seconds > 0 && difference > 0 ? difference / seconds : 0;
}

static const json_t *
total_of(const json_t *node)
{
	return json_object_get(json_object_get(node, "media"), "total");
}

json_t *
cp_top_rates(const struct cp_top *top)
{
	static const char *const names[] = {"packets_rx", "packets_tx", "octets_rx", "octets_tx"};
	const json_t *now = total_of(top->node), *before = total_of(top->before);
	json_t *json = json_object();

	if (top->before == NULL) {
		json_decref(json);
		return json_null();
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s_s", names[i]);
		json_object_set_new(json, name,
				    json_real(rate_of(now, before, names[i], top->seconds)));
	}
	return json;
}

static void
print_duration(FILE *file, long long seconds)
{
	if (seconds >= 86400)
		fprintf(file, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
	else if (seconds >= 3600)
		fprintf(file, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
	else
		fprintf(file, "%lld min %lld s", seconds / 60, seconds % 60);
}

static void
print_head(const struct cp_top *top, const struct cp_cli_out *out)
{
	const char *state = text(top->node, "state");
	const json_t *calls = json_object_get(top->node, "calls");
	char clock[16];
	time_t now = time(NULL);
	struct tm parts;

	localtime_r(&now, &parts);
	strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
	fprintf(out->file, "%s  conclave %s, %s%s%s, up ", clock, text(top->node, "version"),
		cp_cli_colour(out, strcmp(state, "ok") == 0 ? "32" : "31"), state,
		cp_cli_colour(out, "0"));
	print_duration(out->file, (long long)number(top->node, "uptime_s"));
	fprintf(out->file, "%s\n", top->is_paused ? "  (paused)" : "");
	if (top->why[0] != '\0')
		fprintf(out->file, "%s%s%s\n", cp_cli_colour(out, "31"), top->why,
			cp_cli_colour(out, "0"));
	fprintf(out->file,
		"%.0f participants in %.0f conferences, %.0f calls accepted, %.0f refused\n",
		number(top->node, "participants"), number(top->node, "conferences"),
		number(calls, "accepted"), number(calls, "refused"));
}

static void
print_traffic(const struct cp_top *top, const struct cp_cli_out *out)
{
	const json_t *blames =
		json_object_get(json_object_get(top->node, "media"), "drops_by_blame");
	const json_t *was =
		json_object_get(json_object_get(top->before, "media"), "drops_by_blame");
	json_t *rates = cp_top_rates(top), *count;
	const char *blame;
	bool has_any = false;

	if (json_is_null(rates))
		fprintf(out->file, "in and out: measured from the next picture on\n");
	else
		fprintf(out->file,
			"in %.0f packets/s %.2f Mbit/s, out %.0f packets/s %.2f Mbit/s\n",
			number(rates, "packets_rx_s"), number(rates, "octets_rx_s") * 8 / 1e6,
			number(rates, "packets_tx_s"), number(rates, "octets_tx_s") * 8 / 1e6);
	json_decref(rates);
	fprintf(out->file, "drops");
	json_object_foreach ((json_t *)blames, blame, count) {
		if (json_integer_value(count) == 0)
			continue;
		fprintf(out->file, "%s %s %lld (%.0f/s)", has_any ? "," : "", blame,
			(long long)json_integer_value(count),
			rate_of(blames, was, blame, top->seconds));
		has_any = true;
	}
	fprintf(out->file, "%s\n", has_any ? "" : " none");
}

static void
bar_of(double percent, char *out)
{
	int filled = (int)(percent * BARS / 100 + 0.5);

	out[0] = '\0';
	for (int i = 0; i < BARS; i++)
		strcat(out, i < filled ? "▮" : "▯");
}

static void
print_workers(const struct cp_top *top, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "WORKER", .align = CP_TABLE_RIGHT},
		{.title = "LOAD", .spare = 1},
		{.title = "BUSY %", .align = CP_TABLE_RIGHT},
		{.title = "LATE %", .align = CP_TABLE_RIGHT, .spare = 5},
		{.title = "PARTICIPANTS", .align = CP_TABLE_RIGHT, .spare = 4},
		{.title = "IN/S", .align = CP_TABLE_RIGHT, .spare = 3},
		{.title = "OUT/S", .align = CP_TABLE_RIGHT, .spare = 2},
	};
	const json_t *all = json_object_get(json_object_get(top->node, "media"), "workers"), *w;
	const json_t *was = json_object_get(json_object_get(top->before, "media"), "workers");
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	size_t i;

	json_array_foreach (all, i, w) {
		const json_t *before = json_array_get(was, i);
		char cells[7][64];

		snprintf(cells[0], sizeof(cells[0]), "%zu", i);
		bar_of(number(w, "busy_percent"), cells[1]);
		snprintf(cells[2], sizeof(cells[2]), "%.1f", number(w, "busy_percent"));
		snprintf(cells[3], sizeof(cells[3]), "%.1f", number(w, "late_percent"));
		snprintf(cells[4], sizeof(cells[4]), "%.0f", number(w, "participants"));
		snprintf(cells[5], sizeof(cells[5]), "%.0f",
			 rate_of(w, before, "packets_rx", top->seconds));
		snprintf(cells[6], sizeof(cells[6]), "%.0f",
			 rate_of(w, before, "packets_tx", top->seconds));
		cp_table_add(&table, (const char *[]){cells[0], cells[1], cells[2], cells[3],
						      cells[4], cells[5], cells[6]});
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static int
compare(const json_t *a, const json_t *b, enum cp_top_sort sort)
{
	double difference = 0;

	if (sort == CP_TOP_BY_PARTICIPANTS)
		difference = number(b, "participants") - number(a, "participants");
	else if (sort == CP_TOP_BY_TALKERS)
		difference = (double)json_array_size(json_object_get(b, "talkers")) -
			     (double)json_array_size(json_object_get(a, "talkers"));
	else if (sort == CP_TOP_BY_AGE)
		return strcmp(text(a, "created_at"), text(b, "created_at"));
	if (difference != 0)
		return difference < 0 ? -1 : 1;
	return strcmp(text(a, "id"), text(b, "id"));
}

static int
compare_items(const void *a, const void *b, void *sort)
{
	return compare(*(json_t *const *)a, *(json_t *const *)b, *(enum cp_top_sort *)sort);
}

static void
talkers_of(const json_t *conference, char *out, size_t size)
{
	const json_t *talker;
	size_t i, len = 0;

	snprintf(out, size, "-");
	json_array_foreach (json_object_get(conference, "talkers"), i, talker) {
		if (len < size)
			len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? ", " : "",
						text(talker, "name"));
	}
}

static void
add_conference(struct cp_table *table, const json_t *c)
{
	char participants[32], talkers[256];

	snprintf(participants, sizeof(participants), "%.0f", number(c, "participants"));
	talkers_of(c, talkers, sizeof(talkers));
	cp_table_add(table,
		     (const char *[]){
			     text(c, "id"), text(c, "title"), participants, text(c, "security"),
			     json_is_true(json_object_get(c, "locked")) ? "locked" : "-", talkers});
}

static void
print_conferences(const struct cp_top *top, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "CONFERENCE"},
		{.title = "TITLE", .align = CP_TABLE_FLEX, .spare = 4},
		{.title = "PARTICIPANTS", .align = CP_TABLE_RIGHT},
		{.title = "SECURITY", .spare = 2},
		{.title = "LOCKED", .spare = 1},
		{.title = "TALKING", .align = CP_TABLE_FLEX, .spare = 3},
	};
	size_t count = json_array_size(top->conferences), shown = count;
	size_t above =
		HEAD_LINES +
		json_array_size(json_object_get(json_object_get(top->node, "media"), "workers"));
	json_t **items = calloc(count + 1, sizeof(*items));
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	enum cp_top_sort sort = top->sort;

	if (items == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		items[i] = json_array_get(top->conferences, i);
	qsort_r(items, count, sizeof(*items), compare_items, &sort);
	if (top->lines > 0)
		shown = top->lines > above ? top->lines - above : 0;
	for (size_t i = 0; i < count && i < shown; i++)
		add_conference(&table, items[i]);
	cp_table_print(&table, out);
	if (shown < count)
		fprintf(out->file, "… and %zu more\n", count - shown);
	cp_table_fini(&table);
	free(items);
}

void
cp_top_print(struct cp_top *top, const struct cp_cli_out *out)
{
	print_head(top, out);
	if (json_is_null(json_object_get(top->node, "media"))) {
		fprintf(out->file, "the media plane does not answer\n\n");
	} else {
		print_traffic(top, out);
		fputc('\n', out->file);
		print_workers(top, out);
		fputc('\n', out->file);
	}
	print_conferences(top, out);
}
