/* What a session is made of; for session*.c and their tests. */
#ifndef CP_MSRP_SESSION_STATE_H
#define CP_MSRP_SESSION_STATE_H

#include "ctrlplane/msrp/session.h"

#define CP_MSRP_RANGES_MAX 8	  /* runs of a message that are there */
#define CP_MSRP_CONTROL_MAX 16384 /* octets of answers that wait; above, nothing more is read */
#define CP_MSRP_ID_SIZE (CP_MSRP_SEED + 8 + 1)

/* A message that comes, or one that was refused and may go on coming. */
struct cp_msrp_coming {
	struct cp_msrp_incoming in;
	struct cp_msrp_coming *next;
	char message_id[CP_MSRP_IDENT_MAX + 1];
	char content_type[CP_MSRP_TYPE_MAX];
	unsigned int status; /* it was refused so; 0: it was not */
	uint64_t got;	     /* octets, each once */
	uint64_t end; /* of the message, once the chunk with '$' has come; CP_MSRP_OPEN before */
	size_t range_count;
	struct {
		uint64_t from, to; /* from 1; to: the first that is not there */
	} ranges[CP_MSRP_RANGES_MAX];
	int64_t last_ms;
};

/* The request that is being read. */
struct cp_msrp_request {
	struct cp_msrp_head head; /* its slices point to what follows, and a wish or two more */
	char transaction[CP_MSRP_IDENT_MAX + 1], message_id[CP_MSRP_IDENT_MAX + 1];
	char from_path[CP_MSRP_PATH_TEXT_MAX];
	struct cp_msrp_coming *coming;
	uint64_t at;	     /* where its next octet belongs */
	unsigned int status; /* that answers it; 0: none yet */
	bool is_there, is_answered;
};

/* A transaction of ours that must be answered. */
struct cp_msrp_waiting {
	struct cp_msrp_waiting *next;
	char transaction[CP_MSRP_ID_SIZE];
	char message_id[CP_MSRP_IDENT_MAX + 1];
	int64_t until_ms;
};

/* Messages of ours that go one after the other. */
struct cp_msrp_lane {
	struct cp_msrp_lane *next;
	const void *key;
	struct cp_msrp_out *first, *last;
};

struct cp_msrp_session {
	const struct cp_msrp_session_events *events;
	void *arg;
	char *self, *peer; /* paths */
	struct cp_slice self_session;
	bool is_active, has_cema, is_bound, is_broken;
	bool is_blocked; /* there was no room for what it has to write */
	uint64_t size_max;
	int64_t idle_ms;
	const char *why;
	/* in */
	struct cp_msrp_stream stream;
	struct cp_msrp_request request;
	struct cp_msrp_coming *coming;
	size_t coming_count;
	/* out */
	char *prefix; /* of a SEND, as far as From-Path */
	size_t prefix_len;
	char seed[CP_MSRP_SEED + 1];
	uint32_t counter; /* of transactions and ids */
	char *control;	  /* answers, reports, requests without a body */
	size_t control_len, control_at, control_size;
	struct cp_msrp_lane *lanes, *lanes_last;
	struct cp_msrp_out *open; /* its chunk has begun and not ended */
	char open_id[CP_MSRP_ID_SIZE];
	size_t out_count;
	struct cp_msrp_waiting *waiting, *waiting_last;
};

/* session_in.c */
void cp_msrp_in_head(struct cp_msrp_session *s, const struct cp_msrp_head *head, int64_t now_ms);
void cp_msrp_in_body(struct cp_msrp_session *s, struct cp_slice octets, int64_t now_ms);
void cp_msrp_in_end(struct cp_msrp_session *s, const struct cp_msrp_event *event, int64_t now_ms);
void cp_msrp_in_expire(struct cp_msrp_session *s, int64_t now_ms);
void cp_msrp_in_fini(struct cp_msrp_session *s);

/* session_range.c */
/* Of len octets at: how many are there already, and how many behind those are not. */
void cp_msrp_coming_fresh(const struct cp_msrp_coming *c, uint64_t at, uint64_t len, size_t *old,
			  size_t *fresh);
/* Octets that are fresh are there now. False: too many runs. */
bool cp_msrp_coming_note(struct cp_msrp_coming *c, uint64_t at, uint64_t len);

/* session_control.c: what is said beside messages */
/* Room for len more octets; NULL: no memory, the session is broken then. commit: so many were written. */
char *cp_msrp_control_room(struct cp_msrp_session *s, size_t len);
void cp_msrp_control_commit(struct cp_msrp_session *s, ssize_t len);
void cp_msrp_control_answer(struct cp_msrp_session *s, unsigned int code);
void cp_msrp_control_report(struct cp_msrp_session *s, const struct cp_msrp_coming *c,
			    uint64_t octets);
int cp_msrp_control_bind(struct cp_msrp_session *s, int64_t now_ms);
/* A transaction that is answered until, or else failed. */
int cp_msrp_wait(struct cp_msrp_session *s, const char *transaction, const char *message_id,
		 int64_t now_ms);
void cp_msrp_answered(struct cp_msrp_session *s, const struct cp_msrp_head *answer);
void cp_msrp_reported(struct cp_msrp_session *s, const struct cp_msrp_head *report);
void cp_msrp_wait_expire(struct cp_msrp_session *s, int64_t now_ms);
void cp_msrp_next_id(struct cp_msrp_session *s, char out[CP_MSRP_ID_SIZE], const char *seed);

/* session_out.c */
void cp_msrp_out_fini(struct cp_msrp_session *s);
struct cp_msrp_out *cp_msrp_out_by_seed(struct cp_msrp_session *s, struct cp_slice transaction);

#endif
