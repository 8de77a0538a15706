/* What a participant heard, as a WAV file (PCM, 16 bits, mono, 8000 Hz), in its own time: what did not come is silence. */
#ifndef BENCH_LOAD_RECORD_H
#define BENCH_LOAD_RECORD_H

#include <stddef.h>
#include <stdint.h>

struct ue_record;

/* %d in path is number. 0 or -errno. */
int ue_record_open(struct ue_record **out, const char *path, unsigned number);

/* Samples of a packet with RTP timestamp ts; what is older than the last ones is left out. */
void ue_record_add(struct ue_record *record, uint32_t ts, const int16_t *pcm, size_t samples);

void ue_record_close(struct ue_record *record); /* NULL: nothing */

#endif
