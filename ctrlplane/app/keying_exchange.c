/* MIKEY on a running call: the same message again, CSB updates from either side (RFC 6043 5.2, profile section 4). */
#include "ctrlplane/app/keying_state.h"

#include <errno.h>
#include <string.h>

/*
 * The pair of their update that is the audio's: of the new ones, when there are as many as in the exchange, that in the same place, else
 * the first. Without new ones the keys stay, and so they do where as many m-lines were added as pairs: those are theirs.
 */
static uint8_t
pair_of(const struct cp_keying *k)
{
	uint8_t pairs[CP_MIKEY_CS_MAX];
	size_t count = cp_mikey_update_pairs(pairs,
					     cp_mikey_octets(k->next.theirs, k->next.theirs_len)),
	       fresh = 0;

	for (size_t i = 0; i < count; i++)
		if (!cp_mikey_csb_is_used(k->csb, pairs[i]))
			pairs[fresh++] = pairs[i];
	if (fresh == 0 || fresh + k->srtp_lines <= k->call->next.srtp_lines)
		return k->cs_id;
	return pairs[k->rank < fresh ? k->rank : 0];
}

/* Their CSB update: new CS IDs, theirs to choose. */
static int
answer_update(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t pair = pair_of(k), octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_line line = cp_keying_line(call, pair, true);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc = cp_mikey_update_answer(&out, k->csb, &update,
					cp_mikey_octets(k->next.theirs, k->next.theirs_len),
					&call->app->mikey.env, &k->resolve.fault);

	if (rc != 0)
		return cp_keying_status(k, rc);
	if (!cp_keying_keep(&k->next.ours, &k->next.ours_len, octets, out.len))
		return 503;
	k->next_lines = call->next.srtp_lines;
	k->next_cs_id = pair;
	return cp_keying_set(call, k->csb, pair);
}

static int
reoffer_audio(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len = cp_sdp_mikey_octets(octets, sizeof(octets), &call->next);

	if (!k->csb || len < 0)
		return 488;
	if ((size_t)len == k->texts.theirs_len &&
	    memcmp(octets, k->texts.theirs, (size_t)len) == 0) {
		if (cp_sdp_has_audio(&call->sdp))
			cp_sdp_set_keys(&call->next, &call->sdp, &call->sdp.media.rx_keys[0],
					&call->sdp.media.tx_key, false);
		return 0;
	}
	k->resolve.fault = (struct cp_mikey_fault){0};
	if (!cp_mikey_is_update(cp_mikey_octets(octets, (size_t)len)))
		return -EINPROGRESS;
	if (!cp_keying_keep(&k->next.theirs, &k->next.theirs_len, octets, (size_t)len))
		return 503;
	return answer_update(call);
}

int
cp_keying_reoffer(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	int status = 0, of_streams;

	if (!k)
		return 488;
	k->stream_fault = (struct cp_mikey_fault){0};
	if (call->next.mikey.len > 0)
		status = reoffer_audio(call);
	k->is_audio_settled = status == 0;
	if (status != 0 && status != -EINPROGRESS)
		return status;
	of_streams = cp_keying_streams_reoffer(k);
	if (of_streams != 0)
		return of_streams;
	if (status == 0)
		cp_keying_check_streams(call);
	return status;
}

bool
cp_keying_needs_ticket(const struct cp_call *call)
{
	const struct cp_keying *k = call->keying;

	return k && k->csb && !k->ticket && cp_mikey_csb_free_pair(k->csb) == 0;
}

/* Streams under the session's message: a new one has to key them as well. Else the audio's alone, whose crypto sessions count from 1. */
static bool
has_keyed_streams(const struct cp_call *call)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++)
		if (call->sdp.proposed[i].mode == CP_SDP_STREAM_PSK &&
		    !call->sdp.streams[i].is_own_mikey)
			return true;
	return false;
}

int
cp_keying_update(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t pair = cp_mikey_csb_free_pair(k->csb), octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_line lines[1 + CP_SDP_SERVICES] = {cp_keying_line(call, pair, true)};
	struct cp_mikey_update update = {.lines = lines, .count = 1};
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc;

	if (k->ticket) {
		call->sdp.is_mikey_of_session &= has_keyed_streams(call);
		return cp_keying_transfer(call) ? -EPROTO : 0;
	}
	if (pair == 0)
		return -ENOSPC;
	update.count += cp_keying_offer_streams(lines + 1, call, (uint8_t)(pair + 2));
	rc = cp_mikey_update_make(&out, k->csb, &update, &call->app->mikey.env, &k->resolve.fault);
	if (rc == 0 && !cp_keying_keep(&k->next.ours, &k->next.ours_len, octets, out.len)) {
		cp_mikey_update_cancel(k->csb);
		rc = -ENOMEM;
	}
	if (rc != 0)
		return rc;
	k->next_cs_id = pair;
	call->local.mikey = cp_slice((const char *)k->next.ours, k->next.ours_len);
	return 0;
}

void
cp_keying_withdraw(struct cp_call *call)
{
	if (!call->keying)
		return;
	if (call->keying->csb)
		cp_mikey_update_cancel(call->keying->csb);
	cp_keying_abort(call);
}
