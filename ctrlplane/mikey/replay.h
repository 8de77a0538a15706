/* A bounded memory of what has been accepted: authenticated messages, and tickets that must not be
 * used again. RFC 3830 section 5.4, RFC 6043 section 12.4. */
#ifndef CP_MIKEY_REPLAY_H
#define CP_MIKEY_REPLAY_H

#include "ctrlplane/mikey/base.h"

/* Owned by one loop; a program with threads locks around it. */
struct cp_mikey_replay;

/* Room for so many; all of it is allocated here. -ENOMEM. */
int cp_mikey_replay_create(struct cp_mikey_replay **out, size_t room);
void cp_mikey_replay_destroy(struct cp_mikey_replay *replay);

/* What makes a message: hashed, not kept. */
struct cp_mikey_replay_key {
	struct cp_mikey_octets sender;
	uint32_t csb_id;
	struct cp_mikey_octets t; /* TS value */
	struct cp_mikey_octets mac;
};

/* Const look: is it there and not yet forgotten? */
bool cp_mikey_replay_has(const struct cp_mikey_replay *replay,
			 const struct cp_mikey_replay_key *key, uint64_t now);

/* Remember until a time. 0; -EEXIST: it is there already; -ENOSPC: full of what cannot be forgotten
 * yet: refuse the message (RFC 3830 5.4). Times are Unix << 32. */
int cp_mikey_replay_put(struct cp_mikey_replay *replay, const struct cp_mikey_replay_key *key,
			uint64_t now, uint64_t until);

size_t cp_mikey_replay_count(const struct cp_mikey_replay *replay);

#endif
