/* Answering an offer (RFC 3264 section 6, RFC 4568 5.1.2 and 7.1.2): the first acceptable audio
 * m-line is taken, floor and chat beside it (stream.c), all others get port 0. */
#include "ctrlplane/sdp/sdp.h"

#include "ctrlplane/sdp/keymgmt.h"
#include "ctrlplane/sdp/peer.h"
#include "ctrlplane/sdp/stream.h"

#define KEY_ATTEMPTS 8

/* One offer under decision. */
struct decision {
	struct cp_sdp_result *out;
	const struct cp_desc *desc;
	const struct cp_sdp_policy *policy;
	const struct cp_sdp_media *before; /* NULL: nothing agreed yet */
	size_t audio;			   /* the m-line of before */
};

static int
copy_mlines(struct cp_sdp_result *out, const struct cp_desc *desc)
{
	struct cp_sdp_session *next = &out->next;

	if (desc->media_count > CP_SDP_MLINES_MAX)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER, "more than 8 m-lines");
	for (size_t i = 0; i < desc->media_count; i++) {
		const struct cp_desc_media *m = &desc->media[i];
		struct cp_sdp_mline *line = &next->mlines[i];
		struct cp_slice rest = m->formats, format = {0};

		cp_slice_word(&rest, &format);
		if (cp_slice_copy(line->media, sizeof(line->media), m->media) < 0 ||
		    cp_slice_copy(line->proto, sizeof(line->proto), m->proto) < 0 ||
		    cp_slice_copy(line->format, sizeof(line->format), format) < 0)
			return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER,
					     "an m-line with words longer than we keep");
	}
	next->mline_count = (uint8_t)desc->media_count;
	return 0;
}

/* The same suite, the same peer: our key goes on, unless the peer has it as its own. */
static bool
may_keep_key(const struct decision *d, const struct cp_sdp_media *media)
{
	const struct cp_sdp_media *before = d->before;

	return before != NULL && before->suite == media->suite &&
	       before->tx_key.mki_len == media->rx_keys[0].mki_len &&
	       dp_addr_is_same(&before->remote_rtp, &media->remote_rtp) &&
	       !cp_sdp_has_key(d->desc, &before->tx_key);
}

static int
make_tx_key(const struct decision *d, struct cp_sdp_media *media)
{
	if (may_keep_key(d, media)) {
		media->tx_key = cp_key_copy(&d->before->tx_key);
		return 0;
	}
	for (int attempt = 0; attempt < KEY_ATTEMPTS; attempt++) {
		if (d->policy->make_key(&media->tx_key, media->suite) < 0)
			break;
		if (!cp_sdp_has_key(d->desc, &media->tx_key)) {
			cp_sdp_set_mki(&media->tx_key, media->rx_keys[0].mki_len,
				       d->before ? &d->before->tx_key : NULL);
			return 0;
		}
		cp_key_drop(&media->tx_key);
	}
	return cp_sdp_refuse(d->out, 500, CP_SDP_WARN_OTHER, "no key could be made");
}

static int
refuse_without_mikey(const struct decision *d)
{
	return cp_sdp_refuse(d->out, 488, CP_SDP_WARN_ATTRIBUTE,
			     "this conference wants RTP/SAVP with a=key-mgmt:mikey (RFC 4567, "
			     "MIKEY-TICKET)");
}

static int
refuse_profile(const struct decision *d, bool wants_secure)
{
	if (d->policy->security == CP_SDP_MIKEY)
		return refuse_without_mikey(d);
	return cp_sdp_refuse(d->out, 488, CP_SDP_WARN_TRANSPORT,
			     wants_secure ? "the audio is offered without SRTP; this conference "
					    "wants RTP/SAVP with a=crypto (RFC 4568)"
					  : "the audio is offered with SRTP; this conference takes "
					    "plain RTP/AVP only");
}

/* A call stays with what keyed it first: a message in the middle of a call would change who it is. */
static bool
may_mikey(const struct decision *d)
{
	if (d->before != NULL)
		return d->before->keying == CP_SDP_MIKEY_TICKET;
	return d->policy->security == CP_SDP_MIKEY ||
	       (d->policy->security == CP_SDP_EITHER && d->policy->may_mikey);
}

/* Keys for an m-line with SRTP: MIKEY goes before SDES. */
static int
key_mline(const struct decision *d, const struct cp_desc_media *section, struct cp_sdp_media *media)
{
	const struct cp_sdp_policy *policy = d->policy;
	int status;

	if (may_mikey(d)) {
		bool is_same = section == &d->desc->media[d->audio];

		status = cp_sdp_choose_mikey(media, d->out, d->desc, section,
					     is_same ? d->before : NULL);
		if (status != 0 || media->keying == CP_SDP_MIKEY_TICKET)
			return status;
	}
	if (policy->security == CP_SDP_MIKEY)
		return refuse_without_mikey(d);
	status = cp_sdp_choose_crypto(media, d->out, section, policy);
	if (status == 0)
		status = make_tx_key(d, media);
	if (status == 0)
		media->keying = CP_SDP_SDES;
	return status;
}

/* Try one m-line. Returns 0 with media filled, or the refusal in out. */
static int
try_mline(const struct decision *d, const struct cp_desc_media *section, bool wants_secure,
	  struct cp_sdp_media *media)
{
	int status;

	d->out->mikey = cp_slice(NULL, 0);
	d->out->next.has_mikey = d->out->next.is_mikey_of_session = false;
	if (section->port == 0)
		return cp_sdp_refuse(d->out, 488, CP_SDP_WARN_MEDIA,
				     "the audio is offered with port 0");
	status = cp_sdp_read_peer(media, d->out, d->desc, section, d->policy, d->before);
	if (status == 0 && cp_sdp_profile_is_secure(media->profile) != wants_secure)
		status = refuse_profile(d, wants_secure);
	if (status == 0 && wants_secure)
		status = key_mline(d, section, media);
	if (status != 0)
		cp_sdp_media_drop(media);
	return status;
}

static void
copy_refusal(struct cp_sdp_result *into, const struct cp_sdp_result *from)
{
	into->status = from->status;
	into->warning = from->warning;
	memcpy(into->text, from->text, sizeof(into->text));
}

/* The first audio m-line that fits; the refusal of the first one that does not, which says most. */
static int
pick(const struct decision *d, bool wants_secure)
{
	struct cp_sdp_session *next = &d->out->next;
	struct cp_sdp_result first = {0};
	int status;

	for (size_t i = 0; i < d->desc->media_count; i++) {
		if (!cp_slice_is_nocase(d->desc->media[i].media, "audio"))
			continue;
		status = try_mline(d, &d->desc->media[i], wants_secure, &next->media);
		if (status == 0) {
			next->audio = (uint8_t)i;
			return 0;
		}
		if (first.status == 0)
			copy_refusal(&first, d->out);
	}
	if (first.status == 0)
		return cp_sdp_refuse(d->out, 488, CP_SDP_WARN_MEDIA, "no audio m-line");
	copy_refusal(d->out, &first);
	return first.status;
}

/* Either: an m-line with SRTP goes before one without, wherever it stands; what was wrong with its keys is said rather than the rest. */
static int
pick_by_policy(const struct decision *d)
{
	struct cp_sdp_result secure = {0};
	int status = 0;

	if (d->policy->security != CP_SDP_PLAIN) {
		status = pick(d, true);
		copy_refusal(&secure, d->out);
	}
	if (d->policy->security == CP_SDP_PLAIN ||
	    (d->policy->security == CP_SDP_EITHER && status == 488))
		status = pick(d, false);
	if (status == 0)
		cp_sdp_refuse(d->out, 0, 0, "");
	else if (secure.status != 0 && secure.warning != CP_SDP_WARN_TRANSPORT)
		copy_refusal(d->out, &secure);
	return status == 0 ? 0 : d->out->status;
}

/* RFC 3264 section 8: a version that stays says that the text has stayed. */
static bool
is_same_answer(const struct cp_sdp_session *a, const struct cp_sdp_session *b)
{
	return !a->is_offer && a->mline_count == b->mline_count && a->audio == b->audio &&
	       memcmp(a->mlines, b->mlines, sizeof(a->mlines)) == 0 &&
	       a->has_mikey == b->has_mikey && !b->has_mikey &&
	       a->media.crypto_tag == b->media.crypto_tag && a->media.profile == b->media.profile &&
	       a->media.tx_dtmf_pt == b->media.tx_dtmf_pt && cp_sdp_streams_are_same_text(a, b) &&
	       (cp_sdp_changes(&a->media, &b->media) &
		~(uint32_t)(CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_RX_FRESH)) == 0;
}

int
cp_sdp_answer(struct cp_sdp_result *out, struct cp_slice offer, const struct cp_sdp_policy *policy,
	      const struct cp_sdp_session *previous)
{
	struct cp_desc desc;
	struct decision d = {.out = out,
			     .desc = &desc,
			     .policy = policy,
			     .before = previous->was_agreed ? &previous->media : NULL,
			     .audio = previous->audio};
	bool is_alone;
	int status;

	memset(out, 0, sizeof(*out));
	if (offer.len > CP_SDP_INPUT_MAX)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER, "a longer SDP than we read");
	if (cp_desc_decode(&desc, offer) < 0)
		return cp_sdp_refuse_malformed(out, &desc);
	is_alone = cp_sdp_is_alone(&desc, policy, previous);
	status = copy_mlines(out, &desc);
	if (status == 0 && may_mikey(&d))
		status = cp_keymgmt_check(out, &desc);
	if (status == 0 && is_alone)
		status = cp_sdp_answer_alone(out, &desc, policy, d.before, may_mikey(&d));
	else if (status == 0)
		status = pick_by_policy(&d);
	if (status == 0)
		cp_sdp_answer_streams(out, &desc, policy, previous);
	if (status == 0 && is_alone && d.before == NULL)
		status = cp_sdp_check_alone(out);
	if (status != 0) {
		cp_sdp_drop(out);
		return status;
	}
	out->next.phase = CP_SDP_AGREED;
	out->next.was_agreed = true;
	out->next.id = previous->version ? previous->id : policy->make_session_id();
	out->next.version = previous->version;
	out->changes = cp_sdp_changes(d.before, &out->next.media);
	out->changes |= cp_sdp_stream_changes(previous, &out->next);
	if (d.before == NULL || !is_same_answer(previous, &out->next))
		out->next.version++;
	return 0;
}
