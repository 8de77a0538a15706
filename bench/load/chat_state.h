/* Layout of a participant's chat: sending in chat.c, receiving in chat_in.c. */
#ifndef BENCH_LOAD_CHAT_STATE_H
#define BENCH_LOAD_CHAT_STATE_H

#include <sys/queue.h>
#include <stdio.h>
#include <openssl/evp.h>
#include "bench/load/chat.h"
#include "ctrlplane/msrp/cpim.h"
#include "ctrlplane/msrp/msg.h"
#include "ctrlplane/msrp/nickname.h"

#define UE_CHAT_CODES_MAX 16
#define UE_CHAT_SHOWN_MAX 32  /* messages that are told of whole */
#define UE_CHAT_TEXT_MAX 128  /* octets of them */
#define UE_CHAT_OPEN_MAX 64   /* messages of which chunks are still to come */
#define UE_CHAT_SPEAKERS 8192 /* participants whose order is watched */
#define UE_CHAT_URI_MAX 256

/* A message on its way out: CPIM headers, then text or file. */
struct ue_note {
	TAILQ_ENTRY(ue_note) next;
	char id[CP_MSRP_IDENT_MAX + 1];
	char *head; /* with the text behind it, where there is no file */
	size_t head_len;
	FILE *file;
	uint64_t total, sent;
};

/* A message that is coming in, by its Message-ID. */
struct ue_incoming {
	TAILQ_ENTRY(ue_incoming) next;
	char id[CP_MSRP_IDENT_MAX + 1];
	char head[CP_CPIM_HEAD_MAX];
	size_t head_len;
	bool has_head, is_broken;
	char from[UE_CHAT_URI_MAX], to[UE_CHAT_URI_MAX], type[64], name[UE_CHAT_TEXT_MAX];
	char text[UE_CHAT_TEXT_MAX];
	size_t text_len;
	uint64_t octets;
	EVP_MD_CTX *digest;
};

struct ue_shown {
	char from[UE_CHAT_URI_MAX], to[UE_CHAT_URI_MAX], type[64], name[UE_CHAT_TEXT_MAX];
	char text[UE_CHAT_TEXT_MAX];
	uint64_t octets;
	char sha256[65];
};

struct ue_chat {
	const struct ue_options *o;
	unsigned number;
	char identity[UE_CHAT_URI_MAX], room[UE_CHAT_URI_MAX];
	char ours[UE_STREAM_PATH_MAX], theirs[UE_STREAM_PATH_MAX];
	struct cp_stream *stream;
	bool is_bound, is_stalled;
	/* out */
	TAILQ_HEAD(, ue_note) notes;
	unsigned outstanding; /* SENDs without an answer */
	unsigned load_left, load_next;
	uint64_t load_due_ns;
	char nickname[CP_MSRP_NICKNAME_MAX + 1];
	char nickname_transaction[CP_MSRP_IDENT_MAX + 1];
	bool wants_nickname;
	unsigned nickname_status;
	/* in */
	struct cp_msrp_stream in;
	char reply[CP_MSRP_HEAD_MAX]; /* to the request that is being read */
	size_t reply_len;
	struct ue_incoming
		*current; /* of the SEND that is being read; NULL: it has no body for us */
	TAILQ_HEAD(, ue_incoming) open;
	unsigned open_count;
	uint32_t *heard; /* by participant: the last message of its load */
	/* what came of it */
	unsigned connections, sent, received, composing, reports, broken, unordered, missing;
	uint64_t octets;
	unsigned code_count;
	struct {
		unsigned code, count;
	} code[UE_CHAT_CODES_MAX];
	unsigned shown_count;
	struct ue_shown *shown;
	uint64_t first_ns, last_ns; /* of what was received */
};

/* chat.c */
void ue_chat_pump(struct ue_chat *c); /* what can go out */
/* chat_in.c */
void ue_incoming_free(struct ue_chat *c, struct ue_incoming *m);

#endif
