/* A WAV file that grows; its head is right when it is closed. */
#include "bench/load/record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 8000
#define GAP_MAX (10 * RATE) /* more than that is another stream */
#define HEAD_OCTETS 44

struct ue_record {
	FILE *file;
	uint32_t next_ts;
	uint32_t samples;
	bool has_begun;
};

static void
put32(uint8_t *p, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(x >> 8 * i);
}

static void
write_head(const struct ue_record *r)
{
	uint8_t head[HEAD_OCTETS] = "RIFF....WAVEfmt ....\1\0\1\0........\2\0\20\0data";

	put32(head + 4, HEAD_OCTETS - 8 + r->samples * 2);
	put32(head + 16, 16);
	put32(head + 24, RATE);
	put32(head + 28, RATE * 2);
	put32(head + 40, r->samples * 2);
	rewind(r->file);
	fwrite(head, 1, sizeof(head), r->file);
}

static void
write_samples(struct ue_record *r, const int16_t *pcm, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		uint16_t x = pcm != NULL ? (uint16_t)pcm[i] : 0;

		fputc(x & 0xff, r->file);
		fputc(x >> 8, r->file);
	}
	r->samples += (uint32_t)samples;
}

int
ue_record_open(struct ue_record **out, const char *path, unsigned number)
{
	const char *mark = strstr(path, "%d");
	struct ue_record *r = calloc(1, sizeof(*r));
	char name[1024];

	if (r == NULL)
		return -ENOMEM;
	if (mark != NULL)
		snprintf(name, sizeof(name), "%.*s%u%s", (int)(mark - path), path, number,
			 mark + 2);
	else
		snprintf(name, sizeof(name), "%s", path);
	r->file = fopen(name, "wb");
	if (r->file == NULL) {
		int err = -errno;

		free(r);
		return err;
	}
	write_head(r);
	*out = r;
	return 0;
}

void
ue_record_add(struct ue_record *r, uint32_t ts, const int16_t *pcm, size_t samples)
{
	uint32_t gap = ts - r->next_ts;

	if (r->has_begun && -gap <= GAP_MAX && gap != 0)
		return;
	if (r->has_begun && gap <= GAP_MAX)
		write_samples(r, NULL, gap);
	write_samples(r, pcm, samples);
	r->next_ts = ts + (uint32_t)samples;
	r->has_begun = true;
}

void
ue_record_close(struct ue_record *r)
{
	if (r == NULL)
		return;
	write_head(r);
	fclose(r->file);
	free(r);
}
