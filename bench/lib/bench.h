/*
 * Harness of the benchmark programs: a table of named cases, one line of JSON a result, the host
 * beside each number.
 *
 * A program is: a table of struct bench_case and `return bench_main(argc, argv, table, count)`. Its
 * arguments: --list prints the names; names, or prefixes that end in '.' or '*', choose; none runs
 * all cases that are not is_optional. The exit code is 1 when a result is not verified, 2 when a
 * case could not run or a name is unknown.
 */
#ifndef BENCH_LIB_BENCH_H
#define BENCH_LIB_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_EXTRA_MAX 1024 /* octets of additional JSON members */

/* Filled by a case. name and unit are its row's already. */
struct bench_result {
	const char *name;
	const char *unit;
	double value; /* what is compared: as a rule the median */
	double p50;
	double p99;
	bool is_verified; /* the case checked what it produced, outside of the measured time */
	char extra[BENCH_EXTRA_MAX];
};

struct bench_case;

/* 0, or -errno when it could not run: then nothing is printed but a line on stderr. */
typedef int (*bench_run_fn)(const struct bench_case *row, struct bench_result *out);

struct bench_case {
	const char *name; /* dotted, stable */
	const char *unit; /* "ns/packet", "participants" */
	bench_run_fn run;
	const void *arg;  /* the case's own parameters */
	bool is_optional; /* only when asked for by name */
};

int bench_main(int argc, char **argv, const struct bench_case *cases, size_t count);

/* More members of the JSON line; both keys and texts must not need escapes. */
void bench_extra_number(struct bench_result *r, const char *key, double value);
void bench_extra_text(struct bench_result *r, const char *key, const char *text);

/* Repeated timing: prepare (may be NULL, not timed), then round (timed), over and over. */
struct bench_plan {
	void (*prepare)(void *arg);
	void (*round)(void *arg);
	void *arg;
	double items;	     /* per round: times are given per item; 0: 1 */
	unsigned min_rounds; /* 0: 30 */
	unsigned warm_up;    /* rounds not counted; 0: 3 */
	unsigned budget_ms;  /* go on this long once min_rounds are done; 0: 300 */
};

/* In nanoseconds per item. */
struct bench_timing {
	double min;
	double p50;
	double p99;
	unsigned rounds;
};

/* 0 or -ENOMEM. */
int bench_time(struct bench_timing *out, const struct bench_plan *plan);

/* value and p50 from the median, p99, and the extra members "min" and "rounds". */
void bench_result_set(struct bench_result *r, const struct bench_timing *t);

/* The q-th quantile (0 to 1) of n values, which are sorted in place; nearest rank. 0 of none. */
double bench_quantile(double *values, size_t n, double q);

/* CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/* Time stamp counter, for spans under a microsecond; bench_tsc_hz calibrates once (50 ms). */
uint64_t bench_tsc(void);
double bench_tsc_hz(void);

/* Pin the calling thread to one CPU; 0 or -errno. */
int bench_pin(unsigned cpu);

/* Keeps a value alive against the optimiser. */
static inline void
bench_keep(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

#endif
