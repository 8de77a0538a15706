/* A KMS, its users, a clock that counts and randomness that is known: what the tests of MIKEY-TICKET
 * share. */
#ifndef TESTS_SCENARIO_MIKEY_WORLD_H
#define TESTS_SCENARIO_MIKEY_WORLD_H

#include "ctrlplane/mikey/kms.h"
#include "ctrlplane/mikey/transfer.h"

#define WORLD_USERS 8
#define WORLD_TPKS 4
#define WORLD_DRAWS 64

struct world_user {
	char identity[64], acts_for[64];
	struct cp_secret *psk[2];
	char tpk_id[32]; /* mode 3; "" none */
	struct cp_secret *tpk[2];
};

struct world_tpk {
	char id[32];
	struct cp_secret *key[2];
};

struct world {
	uint64_t start; /* Unix << 32 */
	uint64_t reads; /* each later reading is 1/1024 s later */
	struct {
		uint8_t octets[64];
		size_t len;
	} draws[WORLD_DRAWS]; /* in this order; behind them a generator goes on */
	size_t draw_count, drawn;
	uint64_t seed;
	bool mismatch; /* a draw of another length than the list has */
	struct world_user users[WORLD_USERS];
	size_t user_count;
	struct world_tpk tpks[WORLD_TPKS];
	size_t tpk_count;
	struct cp_mikey_env env;
	struct cp_mikey_kms_config config;
	struct cp_mikey_kms_ops ops;
	struct cp_mikey_replay *remembered;
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out; /* into octets */
	struct cp_mikey_fault fault;
	struct cp_mikey_kms_report report;
};

/* Empty, or with alice, bob, carol, the focus and a TPK, whose keys follow from their names. */
void world_init(struct world *w);
void world_people(struct world *w);
void world_fini(struct world *w);

struct world_user *world_user(struct world *w, const char *identity);
struct cp_mikey_account world_account(struct world *w, const char *user, const char *psk_of,
				      enum cp_mikey_set set);

/* A policy of the profile for initiator and one responder, valid for an hour from now. */
struct cp_mikey_policy world_policy(struct world *w, enum cp_mikey_set set, const char *initiator,
				    const char *responder);

/* The KMS answers what stands in w->out, into it: of 0 the report tells more. */
int world_kms(struct world *w);

static inline struct cp_mikey_octets
world_in(const struct world *w)
{
	return cp_mikey_octets(w->octets, w->out.len);
}

/* A whole ticket request; NULL: refused, see fault and report. */
struct cp_mikey_ticket *world_ticket(struct world *w, const struct cp_mikey_account *account,
				     const struct cp_mikey_policy *policy);

/* What a call of alice to the focus says: one audio line, or audio and the CMS session. */
extern const char *const world_conf; /* sip:conf-7f3a@focus.example */
size_t world_lines(struct cp_mikey_line *lines);
struct cp_mikey_responder_config world_focus(struct world *w);

/* TRANSFER_INIT of alice to the conference in w->octets; NULL: refused. */
struct cp_mikey_initiator *world_call(struct world *w, struct cp_mikey_ticket *ticket);
/* The focus up to and with resolve; NULL: refused, see fault. */
struct cp_mikey_responder *world_resolved(struct world *w,
					  const struct cp_mikey_responder_config *config);

struct world_call {
	struct cp_mikey_ticket *ticket;
	struct cp_mikey_csb *alice, *focus;
};

/* A call that is up, with these flags more and less. */
void world_up(struct world *w, struct world_call *call, enum cp_mikey_set set, uint16_t more,
	      uint16_t less);
void world_down(struct world_call *call);

#endif
