/* Our own re-INVITEs: new keys in time, and what became of them (RFC 4568 6.4, RFC 3261 14). */
#include "ctrlplane/app/app_state.h"

#include "ctrlplane/base/log.h"

#define REKEY_RETRY_MS 2000 /* RFC 3261 14.1: who does not own the Call-ID waits 0 to 2 s */

/* With new keys: when they are due, and where a stream that is offered anew has to be keyed. */
static bool
wants_new_key(const struct cp_call *call)
{
	bool wants_stream = call->wants_stream[CP_SDP_FLOOR] || call->wants_stream[CP_SDP_CHAT];

	return call->is_rekey_due ||
	       (wants_stream && call->sdp.media.keying == CP_SDP_MIKEY_TICKET);
}

/* Our re-INVITE; when it cannot be now, a tick tries again. */
static void
reoffer(struct cp_call *call)
{
	bool with_key = wants_new_key(call);
	struct cp_sdp_result r;
	char text[CP_SDP_TEXT_MAX];
	int len;

	call->rekey_ms = cp_app_now_ms() + REKEY_RETRY_MS;
	if (!cp_sdp_has_audio(&call->sdp)) { /* nothing of it is to be said anew */
		call->is_rekey_due = call->is_reoffer_due = false;
		call->keys_end_ms = 0;
		return;
	}
	if (!call->is_connected || call->step != CP_STEP_NONE || call->has_next ||
	    call->sdp.phase != CP_SDP_AGREED)
		return;
	if (with_key && cp_keying_needs_ticket(call)) {
		cp_call_ask_ticket(call);
		return;
	}
	if (cp_sdp_offer(&r, cp_call_policy(call, call->conf, with_key), &call->sdp) != 0) {
		cp_sdp_drop(&r);
		return;
	}
	cp_sdp_commit(&call->sdp, &r);
	if (call->sdp.has_mikey && cp_keying_update(call) != 0) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "participant %u cannot be given new keys",
		       call->leg);
		call->is_rekey_due = call->is_reoffer_due = false;
		cp_sdp_withdraw(&call->sdp);
		cp_keying_withdraw(call);
		return;
	}
	len = cp_call_encode(text, sizeof(text), call);
	if (len < 0 || cp_sip_reoffer(call->sip, cp_slice(text, (size_t)len)) != 0) {
		cp_sdp_withdraw(&call->sdp);
		cp_keying_withdraw(call);
	} else
		call->is_rekey_due = call->is_reoffer_due = false;
	cp_wipe(text, sizeof(text));
}

/* With a new key (RFC 4568 6.4, 7.1.4). */
void
cp_call_rekey(struct cp_call *call)
{
	call->is_rekey_due = true;
	reoffer(call);
}

void
cp_call_on_reoffer_failed(void *ctx, struct cp_sip_call *sip, int status)
{
	struct cp_call *call = cp_sip_call_owner(sip);
	bool had_keys = call->sdp.has_mikey;

	if (!call->is_connected) { /* nobody took our call: its end follows */
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s answered our call with %d", call->uri, status);
		call->end_status = status;
		cp_redirect_learn(call);
		return;
	}
	cp_sdp_withdraw(&call->sdp);
	cp_keying_withdraw(call);
	if (status == 491) {
		call->is_rekey_due = true;
		call->rekey_ms = cp_app_now_ms() + REKEY_RETRY_MS;
	} else if (status == 488 && had_keys && call->sdp.media.keying == CP_SDP_MIKEY_TICKET) {
		cp_call_hang_up(call, 488, "New keys were refused"); /* RFC 4567 4.1.2 */
	} else {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "participant %u refused our re-INVITE with %d",
		       call->leg, status);
	}
}

void
cp_call_tick(struct cp_app *app)
{
	int64_t now = cp_app_now_ms();

	for (size_t b = 0; b < app->calls.bucket_count; b++)
		for (struct cp_map_node *n = app->calls.buckets[b]; n; n = n->next) {
			struct cp_call *call = CP_CONTAINER(n, struct cp_call, by_leg);

			if (call->keys_end_ms && now >= call->keys_end_ms)
				call->is_rekey_due = true;
			if ((call->is_rekey_due || call->is_reoffer_due) && call->sip &&
			    now >= call->rekey_ms)
				reoffer(call);
		}
}
