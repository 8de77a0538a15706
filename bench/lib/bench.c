/* Harness of the benchmark programs: choosing cases, timing rounds, printing one JSON line a
 * result. */
#include "bench/lib/bench.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 100000

uint64_t
bench_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
bench_tsc(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return bench_now_ns();
#endif
}

double
bench_tsc_hz(void)
{
	static double hz;

	if (hz == 0) {
		uint64_t t0 = bench_now_ns(), c0 = bench_tsc(), t1;

		do
			t1 = bench_now_ns();
		while (t1 - t0 < 50000000);
		hz = (double)(bench_tsc() - c0) * 1e9 / (double)(t1 - t0);
	}
	return hz;
}

int
bench_pin(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return -pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
bench_quantile(double *values, size_t n, double q)
{
	size_t rank;

	if (n == 0)
		return 0;
	qsort(values, n, sizeof(*values), compare_doubles);
	rank = (size_t)ceil(q * (double)n);
	return values[rank == 0 ? 0 : rank > n ? n - 1 : rank - 1];
}

int
bench_time(struct bench_timing *out, const struct bench_plan *plan)
{
	unsigned min_rounds = plan->min_rounds ? plan->min_rounds : 30;
	unsigned warm_up = plan->warm_up ? plan->warm_up : 3;
	uint64_t budget_ns = (plan->budget_ms ? plan->budget_ms : 300) * UINT64_C(1000000), end;
	double items = plan->items > 0 ? plan->items : 1;
	double *times = malloc(ROUNDS_MAX * sizeof(*times));
	unsigned n = 0;

	if (!times)
		return -ENOMEM;
	for (unsigned i = 0; i < warm_up; i++) {
		if (plan->prepare)
			plan->prepare(plan->arg);
		plan->round(plan->arg);
	}
	end = bench_now_ns() + budget_ns;
	while (n < ROUNDS_MAX && (n < min_rounds || bench_now_ns() < end)) {
		uint64_t t0;

		if (plan->prepare)
			plan->prepare(plan->arg);
		t0 = bench_now_ns();
		plan->round(plan->arg);
		times[n++] = (double)(bench_now_ns() - t0) / items;
	}
	out->p50 = bench_quantile(times, n, 0.5);
	out->p99 = bench_quantile(times, n, 0.99);
	out->min = times[0];
	out->rounds = n;
	free(times);
	return 0;
}

static void
extra_append(struct bench_result *r, const char *text)
{
	size_t used = strlen(r->extra), len = strlen(text);

	if (used + len < sizeof(r->extra))
		memcpy(r->extra + used, text, len + 1);
}

void
bench_extra_number(struct bench_result *r, const char *key, double value)
{
	char text[128];

	snprintf(text, sizeof(text), ",\"%s\":%.10g", key, isfinite(value) ? value : 0);
	extra_append(r, text);
}

void
bench_extra_text(struct bench_result *r, const char *key, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), ",\"%s\":\"%s\"", key, value);
	extra_append(r, text);
}

void
bench_result_set(struct bench_result *r, const struct bench_timing *t)
{
	r->value = r->p50 = t->p50;
	r->p99 = t->p99;
	bench_extra_number(r, "min", t->min);
	bench_extra_number(r, "rounds", t->rounds);
}

/* The "model name" of /proc/cpuinfo, without what JSON would need escaped. */
static void
cpu_model(char *out, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(out, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value += 1 + strspn(value + 1, " ");
		value[strcspn(value, "\n\"\\")] = '\0';
		snprintf(out, size, "%s", value);
		break;
	}
	if (f)
		fclose(f);
}

static void
result_print(const struct bench_result *r)
{
	char model[128];
	struct utsname un;

	cpu_model(model, sizeof(model));
	if (uname(&un) != 0)
		snprintf(un.release, sizeof(un.release), "unknown");
	printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"p50\":%.6g,\"p99\":%.6g,"
	       "\"verified\":%s%s,"
	       "\"host\":{\"cpu\":\"%s\",\"cores\":%ld,\"kernel\":\"%s\"}}\n",
	       r->name, r->value, r->unit, r->p50, r->p99, r->is_verified ? "true" : "false",
	       r->extra, model, sysconf(_SC_NPROCESSORS_ONLN), un.release);
	fflush(stdout);
}

static bool
is_chosen(const char *name, const char *want)
{
	size_t len = strlen(want);

	if (len > 0 && want[len - 1] == '*')
		return strncmp(name, want, len - 1) == 0;
	if (len > 0 && want[len - 1] == '.')
		return strncmp(name, want, len) == 0;
	return strcmp(name, want) == 0;
}

static bool
is_wanted(const struct bench_case *row, char **wants, int count)
{
	for (int i = 0; i < count; i++)
		if (is_chosen(row->name, wants[i]))
			return true;
	return count == 0 && !row->is_optional;
}

/* Adds to the exit code: 1 not verified, 2 could not run. */
static int
case_run(const struct bench_case *row)
{
	struct bench_result r = {.name = row->name, .unit = row->unit};
	int err = row->run(row, &r);

	if (err) {
		fprintf(stderr, "%s: could not run: %s\n", row->name, strerror(-err));
		return 2;
	}
	result_print(&r);
	if (!r.is_verified)
		fprintf(stderr, "%s: the output is wrong, the number does not count\n", row->name);
	return r.is_verified ? 0 : 1;
}

int
bench_main(int argc, char **argv, const struct bench_case *cases, size_t count)
{
	int code = 0, ran = 0;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < count; i++)
			printf("%s\n", cases[i].name);
		return 0;
	}
	if (argc > 1 && argv[1][0] == '-') {
		fprintf(stderr, "usage: %s [--list | NAME…]  (a NAME may end in '.' or '*')\n",
			argv[0]);
		return strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	for (size_t i = 0; i < count; i++) {
		int result;

		if (!is_wanted(&cases[i], argv + 1, argc - 1))
			continue;
		ran++;
		result = case_run(&cases[i]);
		code = result > code ? result : code;
	}
	if (ran == 0) {
		fprintf(stderr, "%s: no such benchmark; --list prints the names\n", argv[0]);
		return 2;
	}
	return code;
}
