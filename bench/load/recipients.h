/* A list of people in an INVITE (RFC 5366): the body with our offer and the list. */
#ifndef BENCH_LOAD_RECIPIENTS_H
#define BENCH_LOAD_RECIPIENTS_H

/* Content-Type of that body. */
extern const char ue_recipients_type[];

/* list: URIs with commas between them. The caller frees it, after wiping: the offer has keys. NULL: no memory. */
char *ue_recipients_body(const char *list, const char *sdp);

#endif
