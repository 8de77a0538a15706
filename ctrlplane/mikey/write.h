/* Writing: payloads into the caller's octets, each one patched into the Next Payload of the one
 * before. Overflow is remembered and told at the end. */
#ifndef CP_MIKEY_WRITE_H
#define CP_MIKEY_WRITE_H

#include "ctrlplane/mikey/msg.h"

#define CP_MIKEY_NO_NEXT SIZE_MAX

struct cp_mikey_writer {
	uint8_t *octets;
	size_t cap, len;
	size_t next_at; /* where the type of the next payload goes; CP_MIKEY_NO_NEXT: nowhere */
	bool is_full;
};

struct cp_mikey_writer cp_mikey_writer(uint8_t *octets, size_t cap);

void cp_mikey_put(struct cp_mikey_writer *w, struct cp_mikey_octets octets);
void cp_mikey_put_number(struct cp_mikey_writer *w, uint64_t number, size_t octets);
/* Two octets of length that are not known yet: their place, and then the length of what came since. */
size_t cp_mikey_put_len(struct cp_mikey_writer *w);
void cp_mikey_end_len(struct cp_mikey_writer *w, size_t at);

/* Starts a payload: names it in the one before and writes its Next Payload. */
void cp_mikey_put_next(struct cp_mikey_writer *w, uint8_t type);

/* The header: msg's data type, v_flag, prf, csb_id, map type and crypto sessions. */
void cp_mikey_put_hdr(struct cp_mikey_writer *w, const struct cp_mikey_msg *msg);
void cp_mikey_put_t(struct cp_mikey_writer *w, uint64_t time); /* NTP-UTC */
/* T (role 0) or TR of any type, its value as it stands. */
void cp_mikey_put_ts(struct cp_mikey_writer *w, const struct cp_mikey_ts *ts);
void cp_mikey_put_tr(struct cp_mikey_writer *w, uint8_t role, uint32_t ntp_s);
void cp_mikey_put_idr(struct cp_mikey_writer *w, uint8_t role, struct cp_mikey_id id);
void cp_mikey_put_randr(struct cp_mikey_writer *w, uint8_t role, struct cp_mikey_octets rand);
void cp_mikey_put_sp(struct cp_mikey_writer *w, const struct cp_mikey_sp *sp);
void cp_mikey_put_genext(struct cp_mikey_writer *w, uint8_t type, struct cp_mikey_octets data);
void cp_mikey_put_err(struct cp_mikey_writer *w, uint8_t error);
/* A payload as it came, but for its Next Payload. */
void cp_mikey_put_copy(struct cp_mikey_writer *w, const struct cp_mikey_payload *payload);
/* V with a MAC of zeros to be filled in: where it stands. */
size_t cp_mikey_put_v(struct cp_mikey_writer *w, uint8_t alg);

#endif
