/* Floor and chat on a call's way: which of them its conference has, what became of their m-lines in an exchange, and what our next
 * offer is to say of them. */
#include "ctrlplane/app/app_state.h"

#include <string.h>

#include "ctrlplane/base/log.h"

void
cp_call_stream_policy(struct cp_sdp_policy *policy, const struct cp_call *call,
		      const struct cp_conf *conf)
{
	const bool has[CP_SDP_SERVICES] = {
		[CP_SDP_FLOOR] = conf && conf->floors.count > 0,
		[CP_SDP_CHAT] = conf ? conf->has_chat : call->factory && call->factory->chat,
	};

	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		policy->takes[i] = has[i] && call->app->streams;
		policy->is_lost[i] = cp_streams_is_lost(call, i);
		policy->wants[i] = call->wants_stream[i];
		policy->ends[i] = cp_streams_is_given_up(call, i);
	}
}

/* Where we listen for what goes into the text; what cannot be had is not said. */
static void
settle_local(struct cp_call *call)
{
	struct cp_sdp_session *sdp = &call->sdp;
	bool is_any = false;

	for (int i = 0; i < CP_SDP_SERVICES; i++)
		is_any |= cp_sdp_stream_mode(sdp, (enum cp_sdp_service)i) != CP_SDP_STREAM_NONE;
	if (is_any)
		cp_streams_local(call, &call->local);
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		enum cp_sdp_service service = (enum cp_sdp_service)i;

		if (cp_sdp_stream_mode(sdp, service) == CP_SDP_STREAM_NONE ||
		    call->local.streams[i].family != DP_FAMILY_NONE)
			continue;
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s: its %s is refused: there is no port for it",
		       call->uri, cp_sdp_service_name(service));
		if (sdp->phase == CP_SDP_OFFERED)
			sdp->proposed[i] = (struct cp_sdp_stream_offer){0};
		else
			sdp->streams[i] = (struct cp_sdp_stream){0};
	}
}

int
cp_call_encode(char *text, size_t size, struct cp_call *call)
{
	settle_local(call);
	return cp_sdp_encode(text, size, &call->sdp, &call->local);
}

void
cp_call_commit(struct cp_call *call)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++)
		if (call->next.stream_why[i])
			cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: its %s is refused: %s", call->uri,
			       cp_sdp_service_name((enum cp_sdp_service)i),
			       call->next.stream_why[i]);
	cp_sdp_commit(&call->sdp, &call->next);
	call->has_next = false;
}

void
cp_call_streams_answered(struct cp_call *call)
{
	if (call->app->streams)
		cp_streams_answering(call->app);
	memset(call->wants_stream, 0, sizeof(call->wants_stream));
	if (!call->next.has_orphan)
		return;
	/* Once anew, as what keys the call now would have it; what does not fit then either ends. */
	for (int i = 0; i < CP_SDP_SERVICES; i++)
		call->wants_stream[i] = !call->has_renewed_streams &&
					call->sdp.proposed[i].mode != CP_SDP_STREAM_NONE &&
					call->next.next.streams[i].mode == CP_SDP_STREAM_NONE;
	call->has_renewed_streams = true;
	call->is_reoffer_due = true;
}

void
cp_call_streams_agreed(struct cp_call *call)
{
	if (call->app->streams && call->sdp.phase == CP_SDP_AGREED)
		cp_streams_agreed(call);
}
