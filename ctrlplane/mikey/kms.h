/*
 * The KMS's side of Ticket Request and Ticket Resolve, RFC 6043 sections 4.2.1 and 4.2.3: octets in,
 * octets out. Keys and permissions come from functions of the caller; nothing is kept here.
 */
#ifndef CP_MIKEY_KMS_H
#define CP_MIKEY_KMS_H

#include "ctrlplane/mikey/base.h"
#include "ctrlplane/mikey/policy.h"
#include "ctrlplane/mikey/replay.h"

/* A pre-shared key and whose it is. */
struct cp_mikey_psk {
	struct cp_mikey_name owner; /* the user it was given to */
	struct cp_mikey_key key;
};

/* A ticket protection key. owner len 0: the KMS's own; else the user who may make tickets under it
 * (mode 3). */
struct cp_mikey_tpk {
	struct cp_mikey_name id, owner; /* id: the IDRpsk of the ticket, a byte string */
	struct cp_mikey_key key;
};

/*
 * The caller's store. Each gives 0 or -errno: -ENOENT nobody or nothing of that name (also: disabled),
 * -EACCES not allowed, -EAGAIN not now (limit of rate), others are the KMS's own trouble. Keys are
 * copied into what is passed and wiped by cp_mikey_kms_handle.
 */
struct cp_mikey_kms_ops {
	void *arg;
	/* By the name of a key (IDRpsk) where there is one, else by identity. The other may be empty. */
	int (*find_psk)(void *arg, struct cp_mikey_psk *psk, struct cp_mikey_id psk_id,
			struct cp_mikey_id user, enum cp_mikey_set set);
	/* May the owner of the key speak as user? Called even when they are the same. */
	int (*may_act_for)(void *arg, struct cp_mikey_id owner, struct cp_mikey_id user);
	/* May user ask for this ticket? May narrow it: flags (K is set for it), end; change nothing
	 * else. ceiling and defaults of struct cp_mikey_kms_config have been applied. NULL: all may. */
	int (*may_request)(void *arg, struct cp_mikey_id user, struct cp_mikey_policy *policy);
	/* May user, who is on the ticket, resolve it? NULL: all may. */
	int (*may_resolve)(void *arg, struct cp_mikey_id user,
			   const struct cp_mikey_policy *policy);
	/* The key for new tickets, and the key of a ticket. */
	int (*current_tpk)(void *arg, struct cp_mikey_tpk *tpk, enum cp_mikey_set set);
	int (*find_tpk)(void *arg, struct cp_mikey_tpk *tpk, struct cp_mikey_id id,
			enum cp_mikey_set set);
	/* Remember an authenticated message: results of cp_mikey_replay_put. */
	int (*remember)(void *arg, const struct cp_mikey_replay_key *key, uint64_t now,
			uint64_t until);
};

struct cp_mikey_kms_config {
	struct cp_mikey_id id; /* sip:kms.example */
	struct cp_mikey_limits limits;
	uint32_t default_validity_s, max_validity_s;
	uint16_t flags_set, flags_clear; /* forced upon every ticket; K says so */
};

struct cp_mikey_kms_config cp_mikey_kms_config_default(struct cp_mikey_id id);

/* One message. expected: CP_MIKEY_REQUEST_INIT_PSK or CP_MIKEY_RESOLVE_INIT_PSK, by the request's URI;
 * 0: either. */
struct cp_mikey_kms_call {
	struct cp_mikey_octets in;
	uint8_t expected;
};

/* What happened: for the audit log and the counters. No key is in it. */
struct cp_mikey_kms_report {
	uint8_t data_type;
	uint32_t csb_id;
	enum cp_mikey_set set;
	bool is_granted;
	struct cp_mikey_fault fault; /* where not granted */
	struct cp_mikey_name owner;  /* of the PSK; len 0: not authenticated */
	struct cp_mikey_name user;   /* for whom: IDRi of a request, IDRr of a resolve */
	struct cp_mikey_name initiator,
		responder;   /* of the ticket; the first responder on it, or who resolved it */
	uint64_t start, end; /* of the ticket, Unix << 32 */
	uint16_t flags;	     /* granted, or of the resolved ticket */
};

/*
 * Answers one message. 0: out holds the answer, a response or an error message: the report says
 * which. -EBADMSG: no MIKEY message (HTTP 400), nothing to send. -ENOSPC: out is too small (give
 * CP_MIKEY_MSG_MAX). Thread-safe as far as ops are.
 */
int cp_mikey_kms_handle(struct cp_mikey_out *out, struct cp_mikey_kms_report *report,
			const struct cp_mikey_kms_config *config,
			const struct cp_mikey_kms_ops *ops, const struct cp_mikey_env *env,
			struct cp_mikey_kms_call call);

#endif
