/*
 * TLS keys of a call's streams by MIKEY-TICKET: crypto sessions in the message of the session, or an exchange of the m-line's own where
 * MIKEY stands at media level (RFC 4567 3.1, profile sections 4 and 6).
 */
#include "ctrlplane/app/keying_state.h"

#include <errno.h>
#include <string.h>

static const struct cp_mikey_session *
find_tls(const struct cp_mikey_csb *csb, uint8_t cs_id)
{
	const struct cp_mikey_session *s = csb ? cp_mikey_csb_find(csb, cs_id) : NULL;

	return s && s->use == CP_MIKEY_USE_TLS ? s : NULL;
}

const struct cp_mikey_session *
cp_keying_stream(const struct cp_call *call, enum cp_sdp_service service)
{
	const struct cp_sdp_stream *stream = &call->sdp.streams[service];
	const struct cp_keying *k = call->keying;

	if (!k || stream->mode != CP_SDP_STREAM_PSK)
		return NULL;
	return find_tls(stream->is_own_mikey ? k->streams[service].csb : k->csb, stream->cs_id);
}

static const struct cp_mikey_session *
named_in(const struct cp_mikey_csb *csb, const char *name)
{
	for (size_t i = 0; csb && i < cp_mikey_csb_count(csb); i++) {
		const struct cp_mikey_session *s = cp_mikey_csb_session(csb, i);

		if (s->use == CP_MIKEY_USE_TLS && strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

const struct cp_mikey_session *
cp_keying_tls_named(const struct cp_keying *k, const char *name)
{
	const struct cp_mikey_session *found = k ? named_in(k->csb, name) : NULL;

	for (int i = 0; k && !found && i < CP_SDP_SERVICES; i++)
		found = named_in(k->streams[i].csb, name);
	return found;
}

/* One that no other m-line has: an update may number its crypto sessions as it likes. */
static uint8_t
spare_tls(const struct cp_call *call, const struct cp_mikey_csb *csb, enum cp_sdp_service service)
{
	const struct cp_sdp_session *next = &call->next.next;

	for (size_t i = cp_mikey_csb_count(csb); i > 0; i--) {
		const struct cp_mikey_session *s = cp_mikey_csb_session(csb, i - 1);
		bool is_taken = false;

		for (int j = 0; j < CP_SDP_SERVICES; j++)
			is_taken |= j != (int)service &&
				    next->streams[j].mode == CP_SDP_STREAM_PSK &&
				    !next->streams[j].is_own_mikey &&
				    next->streams[j].cs_id == s->cs_id;
		if (s->use == CP_MIKEY_USE_TLS && !is_taken)
			return s->cs_id;
	}
	return 0;
}

void
cp_keying_check_streams(struct cp_call *call)
{
	const struct cp_keying *k = call->keying;

	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		struct cp_sdp_stream *stream = &call->next.next.streams[i];
		const struct cp_sdp_stream *before = &call->sdp.streams[i];
		const struct cp_keying_stream *own = k ? &k->streams[i] : NULL;
		const struct cp_mikey_csb *csb = NULL;

		if (stream->mode != CP_SDP_STREAM_PSK)
			continue;
		if (k && stream->is_own_mikey && !own->is_open && before->is_own_mikey)
			stream->cs_id = before->cs_id; /* the message of before */
		if (k && stream->is_own_mikey)
			csb = own->next_csb ? own->next_csb : own->csb;
		else if (k)
			csb = k->next_csb ? k->next_csb : k->csb;
		if (csb && (!find_tls(csb, stream->cs_id) || (own->is_open && own->is_update)))
			stream->cs_id = spare_tls(call, csb, (enum cp_sdp_service)i);
		if (!csb || stream->cs_id == 0)
			cp_sdp_refuse_stream(&call->next, (enum cp_sdp_service)i,
					     "its MIKEY message has no TLS crypto session for it");
	}
}

/* The message of the m-line into its exchange. Else the SIP status. */
static int
open_exchange(struct cp_keying *k, enum cp_sdp_service service)
{
	struct cp_keying_stream *s = &k->streams[service];
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len = cp_sdp_stream_mikey_octets(octets, sizeof(octets), &k->call->next, service);

	s->keying = k;
	if (len < 0 || !cp_keying_keep(&s->next.theirs, &s->next.theirs_len, octets, (size_t)len))
		return 503;
	s->is_open = true;
	s->is_update = false;
	return 0;
}

static int
fail(struct cp_keying_stream *s, int status)
{
	s->keying->stream_fault = s->resolve.fault;
	return status;
}

static int
answer_update(struct cp_keying_stream *s)
{
	const struct cp_mikey_update update = {0};
	uint8_t octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc = cp_mikey_update_answer(&out, s->csb, &update,
					cp_mikey_octets(s->next.theirs, s->next.theirs_len),
					&s->keying->call->app->mikey.env, &s->resolve.fault);

	s->is_update = true;
	if (rc != 0)
		return fail(s, cp_resolve_status(s->keying->resolve.user, &s->resolve.fault, rc));
	return cp_keying_keep(&s->next.ours, &s->next.ours_len, octets, out.len) ? 0 : 503;
}

/* Of a message on a call that runs: the same as before, an update, or one that wants the KMS (-EINPROGRESS). */
static int
reoffer(struct cp_keying_stream *s)
{
	struct cp_mikey_octets theirs = cp_mikey_octets(s->next.theirs, s->next.theirs_len);

	if (s->csb && s->texts.theirs &&
	    cp_mikey_is_same(theirs, cp_mikey_octets(s->texts.theirs, s->texts.theirs_len))) {
		s->is_open = false;
		cp_keying_drop_texts(&s->next);
		return 0;
	}
	return s->csb && cp_mikey_is_update(theirs) ? answer_update(s) : -EINPROGRESS;
}

int
cp_keying_streams_reoffer(struct cp_keying *k)
{
	int status = 0;

	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		int rc = 0;

		if (k->call->next.stream_mikey[i].len == 0)
			continue;
		rc = open_exchange(k, (enum cp_sdp_service)i);
		if (rc == 0)
			rc = reoffer(&k->streams[i]);
		if (rc > 0)
			return rc;
		if (rc == 0) /* settled */
			k->call->next.stream_mikey[i] = cp_slice(NULL, 0);
		status = rc != 0 ? rc : status;
	}
	return status;
}

static void
resolved(void *owner, int status)
{
	struct cp_keying_stream *s = owner;

	if (status != 0)
		fail(s, status);
	cp_keying_resolved(s->keying, status);
}

int
cp_keying_streams_open(struct cp_keying *k, const char *source)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		struct cp_keying_stream *s = &k->streams[i];
		int status = 0;

		s->source = source;
		if (!s->is_open && k->call->next.stream_mikey[i].len > 0)
			status = open_exchange(k, (enum cp_sdp_service)i);
		if (status != 0)
			return status;
		s->is_asking = s->is_open && !s->is_update;
	}
	return 0;
}

int
cp_keying_next_stream(struct cp_keying *k)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		struct cp_keying_stream *s = &k->streams[i];
		struct cp_resolve_how how = {.sdp_ids = k->call->next.protocols,
					     .source = s->source,
					     .done = resolved,
					     .owner = s};
		int status;

		if (!s->is_asking)
			continue;
		s->is_asking = false;
		cp_resolve_fini(&s->resolve);
		cp_resolve_init_as(&s->resolve, &k->resolve);
		status = cp_resolve_start(
			&s->resolve, cp_mikey_octets(s->next.theirs, s->next.theirs_len), &how);
		return status != 0 ? fail(s, status) : -EINPROGRESS;
	}
	return 0;
}

/* TRANSFER_RESP of one, from who sent that of the audio. */
static int
answer(struct cp_keying_stream *s, const char *initiator)
{
	const struct cp_mikey_line line = {.use = CP_MIKEY_USE_TLS, .cs_id = 1};
	uint8_t octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int status;

	if (strcmp(s->resolve.initiator, initiator) != 0) {
		cp_mikey_refuse(&s->resolve.fault, CP_MIKEY_ERR_ID,
				"the m-lines are keyed by different people");
		return fail(s, 403);
	}
	cp_mikey_csb_destroy(s->next_csb);
	s->next_csb = NULL;
	status = cp_resolve_answer(&s->next_csb, &out, &s->resolve, &line, 1);
	if (status != 0)
		return fail(s, status);
	if (cp_keying_is_name_taken(s->keying->call, s->next_csb)) {
		cp_mikey_refuse(&s->resolve.fault, CP_MIKEY_ERR_UNSPECIFIED,
				"the CSB ID is another call's; draw another one");
		return fail(s, 488);
	}
	return cp_keying_keep(&s->next.ours, &s->next.ours_len, octets, out.len) ? 0 : 503;
}

int
cp_keying_streams_answer(struct cp_keying *k)
{
	const char *initiator = cp_keying_initiator(k->call);

	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		struct cp_keying_stream *s = &k->streams[i];
		int status = s->is_open && !s->is_update ? answer(s, initiator) : 0;

		if (status != 0)
			return status;
	}
	return 0;
}

/* Where their messages of before stand, for a text that repeats them. */
static void
show_texts(struct cp_keying *k)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++)
		k->call->local.stream_mikey[i] = cp_slice((const char *)k->streams[i].texts.ours,
							  k->streams[i].texts.ours_len);
}

void
cp_keying_streams_commit(struct cp_keying *k)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		struct cp_keying_stream *s = &k->streams[i];
		const struct cp_sdp_stream *stream = &k->call->sdp.streams[i];
		bool is_in_use = stream->mode == CP_SDP_STREAM_PSK && stream->is_own_mikey;

		if (s->is_open && is_in_use) {
			cp_keying_drop_texts(&s->texts);
			s->texts = s->next;
			s->next = (struct cp_keying_texts){0};
		}
		if (s->next_csb && is_in_use) {
			cp_mikey_csb_destroy(s->csb);
			s->csb = s->next_csb;
			s->next_csb = NULL;
		}
		if (!is_in_use) {
			cp_mikey_csb_destroy(s->csb);
			s->csb = NULL;
			cp_keying_drop_texts(&s->texts);
		}
	}
}

void
cp_keying_streams_abort(struct cp_keying *k)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		struct cp_keying_stream *s = &k->streams[i];

		cp_resolve_fini(&s->resolve);
		cp_mikey_csb_destroy(s->next_csb);
		s->next_csb = NULL;
		cp_keying_drop_texts(&s->next);
		s->is_open = s->is_update = s->is_asking = false;
	}
	show_texts(k);
}

void
cp_keying_streams_free(struct cp_keying *k)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		cp_mikey_csb_destroy(k->streams[i].csb);
		cp_keying_drop_texts(&k->streams[i].texts);
		k->call->local.stream_mikey[i] = cp_slice(NULL, 0);
	}
}

size_t
cp_keying_offer_streams(struct cp_mikey_line *lines, struct cp_call *call, uint8_t first_free)
{
	const struct cp_keying *k = call->keying;
	size_t count = 0;

	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		struct cp_sdp_stream_offer *offer = &call->sdp.proposed[i];
		const struct cp_sdp_stream *stream = &call->sdp.streams[i];
		bool is_keyed = stream->mode == CP_SDP_STREAM_PSK;

		if (offer->mode != CP_SDP_STREAM_PSK || stream->is_own_mikey)
			continue;
		if (first_free == 0) { /* a bundle of its own: by the m-line's place */
			offer->cs_id = cp_sdp_first_cs(&call->sdp, offer->mline);
		} else if (is_keyed) {
			continue; /* an update lists what is new */
		} else {
			while (first_free < CP_MIKEY_CMS_CS &&
			       cp_mikey_csb_is_used(k->csb, first_free))
				first_free = (uint8_t)(first_free + 2);
			if (first_free >= CP_MIKEY_CMS_CS) {
				offer->mode = CP_SDP_STREAM_NONE;
				continue;
			}
			offer->cs_id = first_free;
			first_free = (uint8_t)(first_free + 2);
		}
		lines[count++] =
			(struct cp_mikey_line){.use = CP_MIKEY_USE_TLS, .cs_id = offer->cs_id};
	}
	return count;
}
