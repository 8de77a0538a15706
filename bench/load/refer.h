/* REFER of a participant: asking the focus, and being asked. */
#ifndef BENCH_LOAD_REFER_H
#define BENCH_LOAD_REFER_H

#include <stdbool.h>

struct nta_incoming_s;
struct sip_s;
struct ue_call;

/* REFER within the call, for target: a URI, with its method and headers. */
void ue_refer_send(struct ue_call *c, const char *target);

/* A NOTIFY that says what came of it? */
bool ue_refer_notified(struct ue_call *c, const struct sip_s *sip);

/* A REFER out of a dialog: c, which waited to be called, dials where it is asked to. NULL: nobody waits. The status to answer with, 0:
 * it was answered. */
int ue_refer_came(struct ue_call *c, struct nta_incoming_s *irq, const struct sip_s *sip);
/* Its call got a final answer: who asked hears of it, once. */
void ue_refer_report(struct ue_call *c);

void ue_refer_fini(struct ue_call *c);

#endif
