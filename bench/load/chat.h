/* A participant's side of a chat room (RFC 4975, RFC 7701): sends, receives, counts what it was promised. */
#ifndef BENCH_LOAD_CHAT_H
#define BENCH_LOAD_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "bench/load/options.h"
#include "bench/load/sdp_stream.h"

struct cp_stream;
struct ue_chat;

/* NULL: no memory. identity: our URI, room: the conference's; both copied. */
struct ue_chat *ue_chat_create(const struct ue_options *o, unsigned number, const char *identity,
			       const char *room);
void ue_chat_destroy(struct ue_chat *c);

/* Our path and the focus's, and what the focus takes. */
void ue_chat_describe(struct ue_chat *c, const char *ours, const struct ue_stream_sdp *theirs);

void ue_chat_opened(struct ue_chat *c, struct cp_stream *stream);
size_t ue_chat_received(struct ue_chat *c, const uint8_t *octets, size_t len);
void ue_chat_writable(struct ue_chat *c);
void ue_chat_closed(struct ue_chat *c);
void ue_chat_tick(struct ue_chat *c, uint64_t now_ns); /* messages of a load that are due */

/* to NULL: to the room. What cannot be sent yet waits. 0 or -errno. */
int ue_chat_text(struct ue_chat *c, const char *to, const char *text);
int ue_chat_file(struct ue_chat *c, const char *path);
void ue_chat_nickname(struct ue_chat *c, const char *name); /* empty: give it up */
void ue_chat_stall(struct ue_chat *c, bool on);		    /* read no more */

json_t *ue_chat_json(const struct ue_chat *c);

#endif
