/* All participants of one process, from the first INVITE to the last line of JSON. */
#ifndef BENCH_LOAD_APP_H
#define BENCH_LOAD_APP_H

#include <stdint.h>
#include "bench/load/call.h"

struct ue_app;

enum ue_exit {
	UE_EXIT_OK = 0,
	UE_EXIT_NOT_HEARD = 1,
	UE_EXIT_USAGE = 2,
	UE_EXIT_NOT_ADMITTED = 3,
	UE_EXIT_START = 4,
};

/* Runs to the end and reports. Returns enum ue_exit. */
int ue_app_run(const struct ue_options *o);

/* report.c: what a participant saw. stats and ear are snapshots, or the leg's own when the media thread has ended. */
struct ue_report {
	const struct ue_call *call;
	const struct ue_leg_stats *stats;
	const struct ue_ear *ear;
};

/* True: all that it should hear it hears at the right level, and not itself. */
bool ue_report_is_heard(const struct ue_report *r);
void ue_report_print(const struct ue_report *r, bool is_progress);

/* One line for all; join_seconds: from the first INVITE to the last answer. */
void ue_report_summary(const struct ue_call *calls, unsigned count, double join_seconds);

#endif
