/* The table of audio formats. */
#include "ctrlplane/sdp/codec.h"

static const struct cp_codec_info rows[] = {
	{DP_CODEC_PCMU, "PCMU", 8000, 0, true},
	{DP_CODEC_PCMA, "PCMA", 8000, 8, true},
	{DP_CODEC_L16, "L16", 8000, 96, false},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct cp_codec_info *
cp_codec_info(enum dp_codec_id codec)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].codec == codec)
			return &rows[i];
	return NULL;
}

/* "<name>/<clock>[/<channels>]" against one of ours; mono only. */
static bool
is_encoding(struct cp_slice rtpmap, const char *name, uint32_t clock_hz)
{
	struct cp_slice part;
	uint64_t number;

	rtpmap = cp_slice_trim(rtpmap);
	if (!cp_slice_split(&rtpmap, '/', &part) || !cp_slice_is_nocase(part, name))
		return false;
	if (!cp_slice_split(&rtpmap, '/', &part) ||
	    cp_slice_number(&number, part, UINT32_MAX) < 0 || number != clock_hz)
		return false;
	return rtpmap.len == 0 || cp_slice_is(rtpmap, "1");
}

enum dp_codec_id
cp_codec_find(uint8_t pt, struct cp_slice rtpmap)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rtpmap.len == 0 ? rows[i].is_static && rows[i].pt == pt
				    : is_encoding(rtpmap, rows[i].name, rows[i].clock_hz))
			return rows[i].codec;
	}
	return DP_CODEC_NONE;
}

bool
cp_codec_is_dtmf(struct cp_slice rtpmap)
{
	return is_encoding(rtpmap, "telephone-event", 8000);
}
