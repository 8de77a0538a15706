/* Dialogs that are named: those whose place a call takes (RFC 3891) or whose conference it joins (RFC 3911), and our own for others. */
#ifndef BENCH_LOAD_DIALOG_H
#define BENCH_LOAD_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include "bench/load/options.h"

struct sip_s;
struct ue_call;

/* The header of our first INVITE into out, as a line; the empty text where there is none. Returns its length. */
size_t ue_dialog_header(char *out, size_t size, const struct ue_call *c);

/* Our dialog as the other side is told it: CALL-ID;to-tag=THEIRS;from-tag=OURS. False: there is none yet. */
bool ue_dialog_name(char out[UE_DIALOG_MAX], const struct ue_call *c);

/* The call is up: its name goes into --dialog-file, and whose place it takes gets BYE. */
void ue_dialog_up(struct ue_call *c);

/* The call of ours that an INVITE wants to replace. 0, also where it names none; else the status to answer with (RFC 3891 3). */
int ue_dialog_find(struct ue_call **out, struct ue_call *calls, unsigned count,
		   const struct sip_s *sip);

#endif
