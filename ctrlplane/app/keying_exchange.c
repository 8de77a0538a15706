/* MIKEY on a running call: the same message again, CSB updates from either side (RFC 6043 5.2, profile section 4). */
#include "ctrlplane/app/keying_state.h"

#include <errno.h>
#include <string.h>

/* The CSB ID of a message, network order: RFC 3830 6.1. */
static bool
is_of(const struct cp_mikey_csb *csb, const uint8_t *octets, size_t len)
{
	uint32_t id = cp_mikey_csb_id(csb);
	const uint8_t want[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
				 (uint8_t)id};

	return len >= 8 && memcmp(octets + 4, want, sizeof(want)) == 0;
}

/* Their CSB update: new CS IDs, the next free pair on both sides. */
static int
answer_update(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t pair = cp_mikey_csb_free_pair(k->csb), octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_line line = cp_keying_line(call, pair);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc;

	if (pair == 0) {
		cp_mikey_refuse(&k->resolve.fault, CP_MIKEY_ERR_UNSPECIFIED,
				"no CS ID is left; send a new ticket");
		return 488;
	}
	rc = cp_mikey_update_answer(&out, k->csb, &update,
				    cp_mikey_octets(k->next.theirs, k->next.theirs_len),
				    &call->app->mikey.env, &k->resolve.fault);
	if (rc != 0)
		return cp_keying_status(k, rc);
	if (!cp_keying_keep(&k->next.ours, &k->next.ours_len, octets, out.len))
		return 503;
	k->next_cs_id = pair;
	return cp_keying_set(call, k->csb, pair);
}

int
cp_keying_reoffer(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len = cp_sdp_mikey_octets(octets, sizeof(octets), &call->next);

	if (!k || !k->csb || len < 0)
		return 488;
	if ((size_t)len == k->texts.theirs_len &&
	    memcmp(octets, k->texts.theirs, (size_t)len) == 0) {
		cp_sdp_set_keys(&call->next, &call->sdp, &call->sdp.media.rx_keys[0],
				&call->sdp.media.tx_key);
		return 0;
	}
	k->resolve.fault = (struct cp_mikey_fault){0};
	if (!is_of(k->csb, octets, (size_t)len))
		return -EINPROGRESS;
	if (!cp_keying_keep(&k->next.theirs, &k->next.theirs_len, octets, (size_t)len))
		return 503;
	return answer_update(call);
}

int
cp_keying_update(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t pair = cp_mikey_csb_free_pair(k->csb), octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_line line = cp_keying_line(call, pair);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc;

	if (pair == 0)
		return -ENOSPC;
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

int
cp_keying_updated(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len = cp_sdp_mikey_octets(octets, sizeof(octets), &call->next), rc;

	if (len < 0)
		return 488;
	rc = cp_mikey_update_finish(k->csb, cp_mikey_octets(octets, (size_t)len),
				    &call->app->mikey.env, &k->resolve.fault);
	return rc ? cp_keying_status(k, rc) : cp_keying_set(call, k->csb, k->next_cs_id);
}

void
cp_keying_withdraw(struct cp_call *call)
{
	if (!call->keying || !call->keying->csb)
		return;
	cp_mikey_update_cancel(call->keying->csb);
	cp_keying_abort(call);
}
