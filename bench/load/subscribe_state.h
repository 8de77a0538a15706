/* Layout of a subscription: dialog in subscribe.c, keys in subscribe_keys.c, documents in subscribe_roster.c. */
#ifndef BENCH_LOAD_SUBSCRIBE_STATE_H
#define BENCH_LOAD_SUBSCRIBE_STATE_H

#include "bench/load/call.h"
#include "bench/load/subscribe.h"
#include "ctrlplane/cms/cms.h"
#include "ctrlplane/event/copy.h"
#include "ctrlplane/mikey/csb.h"

enum ue_sub_state {
	UE_SUB_IDLE,
	UE_SUB_TICKET, /* waits for the KMS */
	UE_SUB_ASKING, /* the first SUBSCRIBE is out */
	UE_SUB_ACTIVE,
	UE_SUB_ENDING, /* SUBSCRIBE with Expires 0 is out, or its NOTIFY awaited */
	UE_SUB_OVER,
};

struct ue_sub {
	struct ue_call *call;
	enum ue_sub_state state;
	struct ue_mikey *mikey; /* of its own ticket; NULL: none */
	struct nta_leg_s *leg;	/* of its own dialog; NULL: the call's */
	struct nta_outgoing_s *orq;
	bool is_refreshing, was_challenged;
	uint64_t refresh_ns, end_ns;
	/* key */
	struct cp_cms *cms;
	struct cp_secret *kek;
	char key_id[CP_MIKEY_SESSION_NAME];
	/* a NOTIFY that came before the key */
	char *held;
	size_t held_len;
	/* what came of it */
	struct cp_copy copy;
	int status;
	char warning[200], ended[64]; /* ended: reason of the last NOTIFY */
	unsigned expires_s;
	uint32_t most; /* users at a time */
	unsigned notifies, full, partial, old, gaps, refreshes, protected, failures;
	bool has_lost; /* --watch-wrong gap: one has been lost on purpose */
	uint64_t octets;
	uint64_t asked_ns, first_ns;
	char last_error[80];
};

/* subscribe_keys.c */
/* The call's crypto session for CMS into the key. -ENOENT: it has none. */
int ue_sub_key_of_call(struct ue_sub *s);
/* Our TRANSFER_INIT with one session, for CMS: its length, or -errno. */
int ue_sub_key_offer(struct ue_sub *s, uint8_t *octets, size_t size);
int ue_sub_key_answered(struct ue_sub *s, const uint8_t *octets, size_t len);

/* subscribe_roster.c */
/* The body of a NOTIFY. */
void ue_sub_take(struct ue_sub *s, const char *body, size_t len, bool is_cms);

#endif
