/* Shape and ranges of the control socket's requests; what each field may hold stands in dataplane/api/ctl.h. */
#include "dataplane/ctl/validate.h"

#include <errno.h>
#include <stdbool.h>
#include "dataplane/api/ctl.h"

#define GAIN_MIN_CDB (-6000)
#define GAIN_MAX_CDB 2000
#define PTIME_MIN_MS 10
#define PTIME_MAX_MS 60
#define JBUF_BOUND_MS 1000
#define LEG_FLAGS                                                                     \
	(DP_LEG_RTCP_MUX | DP_LEG_SRTCP_PLAIN | DP_LEG_SRTP_PLAIN | DP_LEG_NO_LATCH | \
	 DP_LEG_RELATCH | DP_LEG_NO_RTCP | DP_LEG_PRIVATE)

static bool
is_text(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool
is_zero(const void *octets, size_t n)
{
	const uint8_t *p = octets;

	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static bool
is_addr(const struct dp_addr *addr)
{
	switch (addr->family) {
	case DP_FAMILY_NONE:
		return is_zero(addr, sizeof(*addr));
	case DP_FAMILY_IP4:
		return addr->zero == 0 && addr->port != 0 && is_zero(addr->ip + 4, 12);
	case DP_FAMILY_IP6:
		return addr->zero == 0 && addr->port != 0;
	default:
		return false;
	}
}

static bool
is_codec(const struct dp_ctl_codec *codec)
{
	return codec->codec > DP_CODEC_NONE && codec->codec < DP_CODEC_COUNT && codec->pt <= 127 &&
	       is_zero(codec->zero, sizeof(codec->zero));
}

/* RFC 5761 section 4: these would be taken for RTCP. */
static bool
is_pt_ambiguous(uint8_t pt)
{
	return pt >= 64 && pt <= 95;
}

static bool
may_receive(const struct dp_ctl_leg *leg)
{
	bool is_mux = (leg->flags & DP_LEG_RTCP_MUX) != 0;

	if (leg->rx_count > DP_CTL_CODECS_MAX)
		return false;
	for (unsigned i = 0; i < leg->rx_count; i++) {
		if (!is_codec(&leg->rx[i]) || (is_mux && is_pt_ambiguous(leg->rx[i].pt)))
			return false;
		if (leg->dtmf_pt != 0 && leg->rx[i].pt == leg->dtmf_pt)
			return false;
		for (unsigned j = 0; j < i; j++)
			if (leg->rx[j].pt == leg->rx[i].pt)
				return false;
	}
	return is_zero(&leg->rx[leg->rx_count],
		       (DP_CTL_CODECS_MAX - leg->rx_count) * sizeof(leg->rx[0]));
}

static int
check_leg(const void *msg)
{
	const struct dp_ctl_leg *leg = msg;

	if (leg->leg == 0 || leg->conf == 0 || (leg->flags & ~(uint32_t)LEG_FLAGS) != 0)
		return -EINVAL;
	if (leg->dirs > (DP_DIR_RECEIVE | DP_DIR_SEND) || leg->is_secure > 1 || leg->zero != 0 ||
	    leg->zero2 != 0)
		return -EINVAL;
	if (leg->dtmf_pt > 127 || (leg->dtmf_pt != 0 && (leg->flags & DP_LEG_RTCP_MUX) != 0 &&
				   is_pt_ambiguous(leg->dtmf_pt)))
		return -EINVAL;
	if (leg->ptime_ms < PTIME_MIN_MS || leg->ptime_ms > PTIME_MAX_MS ||
	    leg->ptime_ms % PTIME_MIN_MS != 0)
		return -EINVAL;
	if (!may_receive(leg) || !is_codec(&leg->tx))
		return -EINVAL;
	if (!is_addr(&leg->remote_rtp) || !is_addr(&leg->remote_rtcp))
		return -EINVAL;
	if (!is_text(leg->cname, sizeof(leg->cname)))
		return -EINVAL;
	if (leg->jbuf_max_ms > JBUF_BOUND_MS ||
	    (leg->jbuf_max_ms != 0 && leg->jbuf_min_ms > leg->jbuf_max_ms) ||
	    leg->jbuf_min_ms > JBUF_BOUND_MS)
		return -EINVAL;
	return 0;
}

static int
check_hello(const void *msg)
{
	const struct dp_ctl_hello *hello = msg;

	return hello->wants_events <= 1 && is_text(hello->client, sizeof(hello->client)) ? 0
											 : -EINVAL;
}

static int
check_conf(const void *msg)
{
	const struct dp_ctl_conf *conf = msg;

	return conf->conf != 0 && conf->rate_hz == 8000 && conf->zero == 0 ? 0 : -EINVAL;
}

static int
check_id(const void *msg)
{
	const struct dp_ctl_id *id = msg;

	return id->id != 0 && id->zero == 0 ? 0 : -EINVAL;
}

static int
check_leg_mix(const void *msg)
{
	const struct dp_ctl_leg_mix *mix = msg;

	return mix->leg != 0 && mix->gain_cdb >= GAIN_MIN_CDB && mix->gain_cdb <= GAIN_MAX_CDB &&
			       mix->is_muted <= 1 && mix->is_deaf <= 1
		       ? 0
		       : -EINVAL;
}

static int
check_key(const void *msg)
{
	const struct dp_ctl_key *key = msg;

	if (key->leg == 0 || (key->dir != DP_DIR_RECEIVE && key->dir != DP_DIR_SEND) ||
	    key->slot > DP_KEY_NEXT || key->suite == DP_SUITE_NONE || key->suite >= DP_SUITE_COUNT)
		return -EINVAL;
	if (key->mki_len > DP_SRTP_MKI_MAX ||
	    (key->flags & ~(uint32_t)(DP_KEY_FRESH | DP_KEY_ROC_ZERO)) != 0 || key->zero != 0 ||
	    !is_zero(key->zero2, sizeof(key->zero2)))
		return -EINVAL;
	return key->lifetime_rtp <= DP_SRTP_MAX_PACKETS &&
			       key->lifetime_rtcp <= DP_SRTCP_MAX_PACKETS
		       ? 0
		       : -EINVAL;
}

static int
check_key_ref(const void *msg)
{
	const struct dp_ctl_key_ref *ref = msg;

	return ref->leg != 0 && (ref->dir == DP_DIR_RECEIVE || ref->dir == DP_DIR_SEND) &&
			       ref->slot <= DP_KEY_PREVIOUS && is_zero(ref->zero, sizeof(ref->zero))
		       ? 0
		       : -EINVAL;
}

static int
check_clip(const void *msg)
{
	const struct dp_ctl_clip *clip = msg;

	return clip->clip != 0 && clip->samples > 0 && clip->samples <= DP_CTL_CLIP_SAMPLES_MAX
		       ? 0
		       : -EINVAL;
}

static int
check_clip_part(const void *msg)
{
	const struct dp_ctl_clip_part *part = msg;

	return part->clip != 0 && part->zero == 0 && part->count > 0 &&
			       part->count <= DP_CTL_CLIP_PART &&
			       part->offset <= DP_CTL_CLIP_SAMPLES_MAX - part->count
		       ? 0
		       : -EINVAL;
}

static int
check_play(const void *msg)
{
	const struct dp_ctl_play *play = msg;
	uint32_t flags = play->conf != 0 ? DP_PLAY_LOOP : DP_PLAY_LOOP | DP_PLAY_OVER;

	if (play->play == 0 || play->clip == 0 || (play->leg == 0 && play->conf == 0) ||
	    (play->flags & ~flags) != 0 || play->zero != 0)
		return -EINVAL;
	return play->gain_cdb >= GAIN_MIN_CDB && play->gain_cdb <= GAIN_MAX_CDB &&
			       play->offset < DP_CTL_CLIP_SAMPLES_MAX
		       ? 0
		       : -EINVAL;
}

static int
check_play_ref(const void *msg)
{
	const struct dp_ctl_play_ref *ref = msg;

	return ref->play != 0 && (ref->leg != 0) != (ref->conf != 0) && ref->zero == 0 ? 0
										       : -EINVAL;
}

static int
check_nothing(const void *msg)
{
	return 0;
}

static const struct {
	size_t len;
	int (*check)(const void *msg);
} requests[DP_CTL_REQUEST_END] = {
	[DP_CTL_HELLO] = {sizeof(struct dp_ctl_hello), check_hello},
	[DP_CTL_CONF_CREATE] = {sizeof(struct dp_ctl_conf), check_conf},
	[DP_CTL_CONF_UPDATE] = {sizeof(struct dp_ctl_conf), check_conf},
	[DP_CTL_CONF_DESTROY] = {sizeof(struct dp_ctl_id), check_id},
	[DP_CTL_LEG_ADD] = {sizeof(struct dp_ctl_leg), check_leg},
	[DP_CTL_LEG_UPDATE] = {sizeof(struct dp_ctl_leg), check_leg},
	[DP_CTL_LEG_REMOVE] = {sizeof(struct dp_ctl_id), check_id},
	[DP_CTL_LEG_MIX] = {sizeof(struct dp_ctl_leg_mix), check_leg_mix},
	[DP_CTL_KEY_INSTALL] = {sizeof(struct dp_ctl_key), check_key},
	[DP_CTL_KEY_RETIRE] = {sizeof(struct dp_ctl_key_ref), check_key_ref},
	[DP_CTL_LIST_CONFS] = {sizeof(struct dp_ctl_list), check_nothing},
	[DP_CTL_LIST_LEGS] = {sizeof(struct dp_ctl_list), check_nothing},
	[DP_CTL_LEG_SHOW] = {sizeof(struct dp_ctl_id), check_id},
	[DP_CTL_NODE_SHOW] = {sizeof(struct dp_ctl_hdr), check_nothing},
	[DP_CTL_CLIP_ADD] = {sizeof(struct dp_ctl_clip), check_clip},
	[DP_CTL_CLIP_FILL] = {sizeof(struct dp_ctl_clip_part), check_clip_part},
	[DP_CTL_CLIP_REMOVE] = {sizeof(struct dp_ctl_id), check_id},
	[DP_CTL_LIST_CLIPS] = {sizeof(struct dp_ctl_list), check_nothing},
	[DP_CTL_PLAY] = {sizeof(struct dp_ctl_play), check_play},
	[DP_CTL_STOP] = {sizeof(struct dp_ctl_play_ref), check_play_ref},
};

int
dp_ctl_validate(const void *msg, size_t len)
{
	const struct dp_ctl_hdr *hdr = msg;

	if (len < sizeof(*hdr))
		return -EBADMSG;
	if (hdr->version != DP_CTL_VERSION)
		return -EPROTONOSUPPORT;
	if (hdr->len != len || hdr->status != 0)
		return -EBADMSG;
	if (hdr->type >= DP_CTL_REQUEST_END || requests[hdr->type].check == NULL)
		return -EOPNOTSUPP;
	if (len != requests[hdr->type].len)
		return -EBADMSG;
	return requests[hdr->type].check(msg);
}
