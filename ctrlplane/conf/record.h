/*
 * What is kept of the past: a record of each participation (who, when, how joined, how left, protection, statistics) and
 * the audit of who changed what. Strings are borrowed and never NULL; times are Unix milliseconds.
 */
#ifndef CP_CONF_RECORD_H
#define CP_CONF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One participation: a leg from its joining to its end. */
struct cp_record {
	int64_t id;	  /* counts up; pages are asked for by it */
	const char *conf; /* user part */
	const char *title;
	uint32_t leg;
	const char *identity; /* canonical, also of those who were private; empty: anonymous */
	const char *tel;
	const char *display;
	bool is_private;
	const char *role, *method; /* names as in policy.h and conf.h */
	const char *proof;	   /* none, digest, asserted, kms */
	const char *protection;	   /* for people */
	const char *suite;
	int64_t joined_ms, connected_ms, left_ms; /* connected 0: never was; left 0: goes on */
	const char *departure; /* departed, booted, failed, busy; empty: goes on */
	int status;	       /* SIP status of a failed call; 0: none */
	const char *reason, *left_by, *join_by, *referred_by;
	const char *via, *call_id, *agent;
	/* from the media plane at its end; all 0: it was not asked in time */
	bool has_stats;
	uint64_t packets_rx, packets_tx, octets_rx, octets_tx, lost, concealed, auth_failures,
		replays;
	uint32_t jitter_us, round_trip_us;
};

struct cp_record_query {
	const char *conf;     /* user part; NULL: all */
	const char *identity; /* canonical; NULL: all */
	int64_t before;	      /* id; 0: from the latest on */
	int64_t since_ms;     /* that ended then or later, or go on; 0: all */
	uint32_t count;	      /* at most; 0: 100, at most 1000 */
};

/* One change. */
struct cp_audit_entry {
	int64_t id, at_ms;
	const char *by;	  /* a token's name, an identity, "operator"; empty: policy itself */
	const char *conf; /* user part; empty: the node */
	uint32_t leg;	  /* 0: none */
	const char *what; /* "settings: title, end"; never a PIN or key */
};

struct cp_audit_query {
	const char *conf;
	const char *by;
	int64_t before;
	uint32_t count; /* as of struct cp_record_query */
};

/* The newest first; of status < 0 (-errno) there are none. The arrays are gone when it returns. */
typedef void (*cp_records_fn)(void *arg, int status, const struct cp_record *records, size_t count);
typedef void (*cp_audits_fn)(void *arg, int status, const struct cp_audit_entry *entries,
			     size_t count);

#endif
