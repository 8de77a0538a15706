/* A participant's floor control client (RFC 8855): asks for floors, waits, releases them, and as a chair decides. */
#ifndef BENCH_LOAD_FLOOR_H
#define BENCH_LOAD_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "bench/load/options.h"
#include "bench/load/sdp_stream.h"

struct cp_stream;
struct ue_floor;

/* NULL: no memory. number: of the participant. */
struct ue_floor *ue_floor_create(const struct ue_options *o, unsigned number);
void ue_floor_destroy(struct ue_floor *f);

/* What the focus's description says of conference, user and floors. */
void ue_floor_describe(struct ue_floor *f, const struct ue_stream_sdp *theirs);

/* The stream is there: greet, ask for the state of all floors, and for what was asked for meanwhile. */
void ue_floor_opened(struct ue_floor *f, struct cp_stream *stream);
size_t ue_floor_received(struct ue_floor *f, const uint8_t *octets, size_t len);
void ue_floor_closed(struct ue_floor *f);
void ue_floor_tick(struct ue_floor *f, uint64_t now_ns); /* floors that were held long enough */

/* floor 0: the first one. */
void ue_floor_ask(struct ue_floor *f, unsigned floor);
void ue_floor_release(struct ue_floor *f, unsigned floor);
/* The holder's queue place and so on are the server's; a chair takes the floor from whoever has it. */
void ue_floor_revoke(struct ue_floor *f, unsigned floor);

json_t *ue_floor_json(const struct ue_floor *f);

#endif
