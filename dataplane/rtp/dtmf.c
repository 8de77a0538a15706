/* telephone-event, receive side: RFC 4733 2.3, 2.5. */
#include "dataplane/rtp/dtmf.h"
#include "dataplane/rtp/rtp.h"

#define BLOCK_OCTETS 4
#define BLOCKS_MAX 4
#define SEGMENT_MAX 0xffff

/* Close the event under way. */
static unsigned
tell(struct dp_dtmf *dtmf, uint8_t volume, uint32_t clock_hz, struct dp_dtmf_event *out)
{
	if (!dtmf->is_open)
		return 0;
	dtmf->is_open = 0;
	*out = (struct dp_dtmf_event){
		.code = dtmf->event,
		.volume = volume,
		.duration_ms = (uint32_t)((uint64_t)(dtmf->base + dtmf->duration) * 1000 /
					  (clock_hz ? clock_hz : 8000)),
	};
	return 1;
}

/* 2.5.1.3: an event longer than 0xFFFF goes on as a new segment, which begins where the last one ended. */
static bool
is_next_segment(const struct dp_dtmf *dtmf, uint8_t event, uint32_t ts)
{
	return dtmf->is_open && event == dtmf->event && ts - dtmf->ts == SEGMENT_MAX;
}

/* One 4-octet block whose event began at ts. */
static unsigned
put_block(struct dp_dtmf *dtmf, const struct dp_dtmf_packet *packet, const uint8_t *p, uint32_t ts,
	  struct dp_dtmf_event *out)
{
	uint8_t event = p[0];
	bool is_end = p[1] & 0x80;
	uint8_t volume = p[1] & 0x3f;
	uint16_t duration = dp_rtp_get16(p + 2);
	unsigned told = 0;

	if (dtmf->is_seen && (int32_t)(ts - dtmf->ts) < 0)
		return 0; /* a straggler of an event before this one */
	if (!dtmf->is_seen || ts != dtmf->ts || event != dtmf->event) {
		if (is_next_segment(dtmf, event, ts)) {
			dtmf->base += SEGMENT_MAX;
		} else {
			told = tell(dtmf, 0, packet->clock_hz, out);
			dtmf->base = 0;
		}
		dtmf->ts = ts;
		dtmf->event = event;
		dtmf->duration = 0;
		dtmf->is_open = dtmf->is_seen = 1;
	}
	if (!dtmf->is_open)
		return told; /* another copy of an end that was told */
	dtmf->last_ns = packet->arrival_ns;
	if (duration > dtmf->duration)
		dtmf->duration = duration;
	return told + (is_end ? tell(dtmf, volume, packet->clock_hz, out + told) : 0);
}

unsigned
dp_dtmf_put(struct dp_dtmf *dtmf, const struct dp_dtmf_packet *packet, struct dp_dtmf_event *out)
{
	uint32_t ts = packet->ts;
	unsigned told = 0;

	if (packet->len == 0 || packet->len % BLOCK_OCTETS)
		return 0;
	/* 2.5.1.5: several events in one packet, each beginning where the one before ended */
	for (unsigned i = 0; i < packet->len / BLOCK_OCTETS && i < BLOCKS_MAX; i++) {
		const uint8_t *p = packet->payload + (size_t)i * BLOCK_OCTETS;

		told += put_block(dtmf, packet, p, ts, out + told);
		ts += dp_rtp_get16(p + 2);
	}
	return told;
}

unsigned
dp_dtmf_expire(struct dp_dtmf *dtmf, uint64_t now_ns, uint32_t clock_hz, struct dp_dtmf_event *out)
{
	if (!dtmf->is_open || now_ns < dtmf->last_ns + DP_DTMF_TIMEOUT_MS * 1000000ULL)
		return 0;
	return tell(dtmf, 0, clock_hz, out);
}
