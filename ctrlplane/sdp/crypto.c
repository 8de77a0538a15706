/* Choosing among a=crypto lines, and what a change of keys or addresses means (RFC
 * 4568 5.1.2, 6.4, 7.1). */
#include "ctrlplane/sdp/peer.h"

#include <stdio.h>

#define TAGS_MAX 32

/* Where the policy has this suite; the most wanted is 0. -1: not at all. */
static int
rank_of(const struct cp_sdp_policy *policy, enum dp_suite suite)
{
	for (int i = 0; i < policy->suite_count; i++)
		if (policy->suites[i] == suite)
			return i;
	return -1;
}

/* NULL: the policy takes this line. */
static const char *
may_take(const struct cp_sdp_policy *policy, const struct cp_sdes *sdes)
{
	if (rank_of(policy, sdes->suite) < 0)
		return "a suite that the policy does not allow";
	if (sdes->flags & CP_SDES_PLAIN_SRTP)
		return "UNENCRYPTED_SRTP, which the policy does not allow";
	if (sdes->flags & CP_SDES_UNAUTHENTICATED)
		return "UNAUTHENTICATED_SRTP, which the policy does not allow";
	if ((sdes->flags & CP_SDES_PLAIN_SRTCP) && !policy->may_plain_srtcp)
		return "UNENCRYPTED_SRTCP, which the policy does not allow";
	return NULL;
}

/* Tags are unique on an m-line (section 4.1): the second line with a tag is invalid. */
struct tags {
	int count;
	uint32_t tags[TAGS_MAX];
};

static bool
is_seen(struct tags *seen, uint32_t tag)
{
	for (int i = 0; i < seen->count; i++)
		if (seen->tags[i] == tag)
			return true;
	if (seen->count < TAGS_MAX)
		seen->tags[seen->count++] = tag;
	return false;
}

/* The line that is to be used into best, whose tag is then set. Returns why the first of the others
 * was not taken. */
static const char *
choose(struct cp_sdes *best, bool *has_best, struct cp_slice lines,
       const struct cp_sdp_policy *policy, int *line_count)
{
	struct tags seen = {0};
	struct cp_slice value;
	const char *first = NULL, *why;

	*has_best = false;
	for (*line_count = 0; *line_count < TAGS_MAX && cp_desc_attribute(&lines, "crypto", &value);
	     ++*line_count) {
		struct cp_sdes sdes;

		why = cp_sdes_decode(&sdes, value) == CP_SDES_FINE ? may_take(policy, &sdes)
								   : sdes.why;
		if (why == NULL && is_seen(&seen, sdes.tag))
			why = "a tag that another line has";
		if (why == NULL &&
		    (!*has_best || (policy->ranks_suites &&
				    rank_of(policy, sdes.suite) < rank_of(policy, best->suite)))) {
			if (*has_best)
				cp_sdes_drop(best);
			*best = sdes;
			*has_best = true;
			continue;
		}
		if (first == NULL)
			first = why;
		cp_sdes_drop(&sdes);
	}
	return first;
}

int
cp_sdp_choose_crypto(struct cp_sdp_media *media, struct cp_sdp_result *out,
		     const struct cp_desc_media *section, const struct cp_sdp_policy *policy)
{
	struct cp_sdes best;
	bool has_best;
	int line_count;
	const char *why = choose(&best, &has_best, section->lines, policy, &line_count);
	char text[sizeof(out->text)];

	if (line_count == 0)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER,
				     "no a=crypto line (SDES, RFC 4568) with the audio, and there "
				     "is no call without keys");
	if (!has_best) {
		snprintf(
			text, sizeof(text),
			"no a=crypto line (SDES, RFC 4568) that is accepted here; the first has %s",
			why ? why : "no use");
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER, text);
	}
	media->suite = best.suite;
	media->crypto_tag = best.tag;
	media->is_srtcp_plain = (best.flags & CP_SDES_PLAIN_SRTCP) != 0;
	media->rx_key_count = best.key_count;
	for (int i = 0; i < best.key_count; i++)
		media->rx_keys[i] = cp_key_copy(&best.keys[i]);
	cp_sdes_drop(&best);
	return 0;
}

bool
cp_sdp_has_key(const struct cp_desc *desc, const struct cp_key *key)
{
	bool has = false;

	for (size_t m = 0; m < desc->media_count; m++) {
		struct cp_slice lines = desc->media[m].lines, value;
		struct cp_sdes sdes;

		while (cp_desc_attribute(&lines, "crypto", &value)) {
			cp_sdes_decode(&sdes, value);
			for (int i = 0; i < sdes.key_count; i++)
				has |= cp_secret_is_same(sdes.keys[i].octets, key->octets);
			cp_sdes_drop(&sdes);
		}
	}
	return has;
}

void
cp_sdp_set_mki(struct cp_key *key, uint8_t len, const struct cp_key *before)
{
	key->mki_len = len;
	if (before != NULL && before->mki_len == len)
		memcpy(key->mki, before->mki, len);
	for (int at = len - 1; at >= 0; at--)
		if (++key->mki[at] != 0)
			return;
	if (len > 0)
		key->mki[len - 1] = 1; /* it went round */
}

static bool
has_same_formats(const struct cp_sdp_media *a, const struct cp_sdp_media *b)
{
	if (a->rx_count != b->rx_count || a->tx.codec != b->tx.codec || a->tx.pt != b->tx.pt ||
	    a->dtmf_pt != b->dtmf_pt)
		return false;
	for (int i = 0; i < a->rx_count; i++)
		if (a->rx[i].codec != b->rx[i].codec || a->rx[i].pt != b->rx[i].pt)
			return false;
	return true;
}

static bool
has_same_rx_keys(const struct cp_sdp_media *a, const struct cp_sdp_media *b)
{
	bool is_same = a->rx_key_count == b->rx_key_count;

	for (int i = 0; i < a->rx_key_count && is_same; i++)
		is_same = cp_key_is_same(&a->rx_keys[i], &b->rx_keys[i]);
	return is_same;
}

/*
 * A new key under the same suite and address continues the stream (RFC 3711 8.1: SSRC, ROC and
 * replay state go on); with another address or suite it begins a new context (RFC 4568 7.1.4). An
 * unchanged key never resets anything, wherever it comes from: a reset replay window would let old
 * packets in again.
 */
uint32_t
cp_sdp_changes(const struct cp_sdp_media *before, const struct cp_sdp_media *now)
{
	bool is_secure = now->suite != DP_SUITE_NONE, has_moved;
	uint32_t changes = 0, fresh;

	if (before == NULL)
		return CP_SDP_CHANGE_MEDIA |
		       (is_secure ? CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY : 0) |
		       (now->is_held ? CP_SDP_CHANGE_HOLD : 0);
	has_moved = !dp_addr_is_same(&before->remote_rtp, &now->remote_rtp);
	if (has_moved)
		changes |= CP_SDP_CHANGE_ADDRESS | CP_SDP_CHANGE_MEDIA;
	if (before->dirs != now->dirs || before->ptime_ms != now->ptime_ms ||
	    before->has_mux != now->has_mux || before->has_rtcp != now->has_rtcp ||
	    before->is_srtcp_plain != now->is_srtcp_plain ||
	    !dp_addr_is_same(&before->remote_rtcp, &now->remote_rtcp) ||
	    !has_same_formats(before, now))
		changes |= CP_SDP_CHANGE_MEDIA;
	if (before->is_held != now->is_held)
		changes |= CP_SDP_CHANGE_HOLD;
	if ((before->suite != DP_SUITE_NONE) != is_secure ||
	    (has_moved && before->remote_rtp.family != now->remote_rtp.family &&
	     before->remote_rtp.family != DP_FAMILY_NONE &&
	     now->remote_rtp.family != DP_FAMILY_NONE))
		return changes | CP_SDP_CHANGE_SECURITY | CP_SDP_CHANGE_MEDIA |
		       (is_secure ? CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY : 0);
	fresh = has_moved || before->suite != now->suite;
	if (!has_same_rx_keys(before, now))
		changes |= CP_SDP_CHANGE_RX_KEY | (fresh ? CP_SDP_CHANGE_RX_FRESH : 0);
	if (!cp_key_is_same(&before->tx_key, &now->tx_key))
		changes |= CP_SDP_CHANGE_TX_KEY | (fresh ? CP_SDP_CHANGE_TX_FRESH : 0);
	return changes;
}
