/*
 * Keys of protected NOTIFY bodies (profile section 7): by a TRANSFER_INIT in the SUBSCRIBE, with one crypto session for CMS, or from
 * the participant's call, whose bundle has one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/app/subscribe_state.h"
#include "ctrlplane/base/base64.h"
#include "ctrlplane/base/log.h"

static void
drop(struct cp_sub_key *key)
{
	cp_secret_put(key->kek);
	*key = (struct cp_sub_key){0};
}

static bool
take(struct cp_sub_key *key, const struct cp_mikey_session *session)
{
	if (!session || !session->secret || session->use != CP_MIKEY_USE_CMS ||
	    cp_secret_len(session->secret) != CP_CMS_KEK)
		return false;
	drop(key);
	key->kek = cp_secret_get(session->secret);
	snprintf(key->id, sizeof(key->id), "%s", session->name);
	return true;
}

static void
close_resolve(struct cp_sub *sub)
{
	if (sub->resolve)
		cp_resolve_fini(sub->resolve);
	free(sub->resolve);
	sub->resolve = NULL;
	free(sub->message);
	free(sub->answer);
	sub->message = sub->answer = NULL;
	sub->message_len = sub->answer_len = 0;
}

/* Base64 in lines, as mail has it: the characters alone, in place. */
static size_t
join_lines(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]) || text[i] == '\0')
			text[n++] = text[i];
	return n;
}

/* Binary, or base64 (RFC 3830 10.1): a message begins with its version, 1. */
static int
read_message(struct cp_sub *sub, struct cp_slice mikey)
{
	int len = (int)mikey.len;
	char *text;

	if (mikey.len > (size_t)CP_SUB_MIKEY_MAX * 2)
		return -EMSGSIZE;
	text = malloc(mikey.len);
	sub->message = malloc(mikey.len);
	if (!text || !sub->message) {
		free(text);
		return -ENOMEM;
	}
	memcpy(text, mikey.ptr, mikey.len);
	if (text[0] == 1)
		memcpy(sub->message, text, mikey.len);
	else
		len = cp_base64_decode(sub->message, mikey.len,
				       cp_slice(text, join_lines(text, mikey.len)));
	free(text);
	if (len < 0)
		return -EBADMSG;
	sub->message_len = (size_t)len;
	return 0;
}

/* One crypto session, for CMS: nothing else has a place in a SUBSCRIBE. */
static bool
is_for_cms(const struct cp_mikey_offer *offer)
{
	return offer->count == 1 && offer->sessions[0].use == CP_MIKEY_USE_CMS &&
	       offer->sessions[0].cs_id == CP_MIKEY_CMS_CS;
}

static void
resolved(void *owner, int status)
{
	struct cp_sub *sub = owner;

	sub->keys_done(sub, status);
}

int
cp_sub_keys_start(struct cp_sub *sub, struct cp_slice mikey,
		  void (*done)(struct cp_sub *sub, int status))
{
	struct cp_app *app = sub->app;
	const struct cp_conf *conf = cp_conf_by_user(app->focus, cp_slice_text(sub->user));
	const struct cp_resolve_how how = {.source = sub->source, .done = resolved, .owner = sub};
	int status, rc;

	if (!app->mikey.is_on || !conf || !cp_call_takes_mikey(app, conf->security))
		return 488;
	close_resolve(sub);
	rc = read_message(sub, mikey);
	if (rc != 0)
		return rc == -ENOMEM ? 503 : 400;
	sub->resolve = malloc(sizeof(*sub->resolve));
	if (!sub->resolve)
		return 503;
	if (cp_resolve_init(sub->resolve, &app->mikey, conf->user, 0) != 0)
		return 500;
	sub->keys_done = done;
	status = cp_resolve_start(sub->resolve, cp_mikey_octets(sub->message, sub->message_len),
				  &how);
	if (status == 0 && !is_for_cms(cp_mikey_responder_offer(sub->resolve->responder))) {
		cp_mikey_refuse(&sub->resolve->fault, CP_MIKEY_ERR_UNSPECIFIED,
				"a SUBSCRIBE is for one crypto session, of CMS");
		return 488;
	}
	return status;
}

static bool
keep_answer(struct cp_sub *sub, const struct cp_mikey_out *out)
{
	free(sub->answer);
	sub->answer = malloc(out->len);
	sub->answer_len = sub->answer ? out->len : 0;
	if (sub->answer)
		memcpy(sub->answer, out->octets, out->len);
	return sub->answer != NULL;
}

int
cp_sub_keys_answer(struct cp_sub *sub)
{
	const struct cp_mikey_line line = {.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS};
	uint8_t octets[CP_SUB_MIKEY_MAX];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	struct cp_mikey_csb *csb = NULL;
	int status = cp_resolve_answer(&csb, &out, sub->resolve, &line, 1);

	if (status == 0 && !take(&sub->next, cp_mikey_csb_find(csb, CP_MIKEY_CMS_CS)))
		status = 488;
	if (status == 0 && !keep_answer(sub, &out))
		status = 503;
	sub->next.is_own = status == 0;
	cp_mikey_csb_destroy(csb);
	return status;
}

void
cp_sub_keys_refused(struct cp_sub *sub)
{
	uint8_t octets[512];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};

	if (sub->resolve && sub->resolve->fault.text &&
	    cp_resolve_error(&out, sub->resolve, cp_mikey_octets(sub->message, sub->message_len)) ==
		    0)
		keep_answer(sub, &out);
}

static bool
take_of_leg(struct cp_sub *sub, uint32_t leg)
{
	const struct cp_call *call = cp_app_call(sub->app, leg);

	return call && take(&sub->next, cp_keying_session(call, CP_MIKEY_CMS_CS));
}

static bool
is_its(const struct cp_sub *sub, const struct cp_leg *leg)
{
	return leg->proof == CP_PROOF_KMS && *leg->person &&
	       (strcmp(leg->person, sub->identity) == 0 || strcmp(leg->person, sub->tel) == 0);
}

bool
cp_sub_keys_vouch(struct cp_sub *sub, const struct cp_conf *conf)
{
	if (sub->leg || sub->proof != CP_PROOF_NONE || *sub->kms || !*sub->identity ||
	    sub->is_plain_only || cp_conf_notify_policy(conf) == CP_NOTIFY_OFF)
		return false;
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next) {
		const struct cp_call *call = cp_app_call(sub->app, leg->id);

		if (call && is_its(sub, leg) && strcmp(call->source, sub->source) == 0 &&
		    take_of_leg(sub, leg->id)) {
			snprintf(sub->kms, sizeof(sub->kms), "%s", leg->person);
			sub->is_by_key = true;
			return true;
		}
	}
	return false;
}

bool
cp_sub_keys_of_call(struct cp_sub *sub, const struct cp_conf *conf)
{
	if (sub->key.kek && sub->key.is_own)
		return false; /* it brought its own, and expects that */
	if (sub->leg)
		return take_of_leg(sub, sub->leg);
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next)
		if (is_its(sub, leg) && take_of_leg(sub, leg->id))
			return true;
	return false;
}

void
cp_sub_keys_commit(struct cp_sub *sub)
{
	if (sub->next.kek) {
		drop(&sub->key);
		sub->key = sub->next;
		sub->next = (struct cp_sub_key){0};
	}
	close_resolve(sub);
}

void
cp_sub_keys_abort(struct cp_sub *sub)
{
	drop(&sub->next);
	close_resolve(sub);
}

void
cp_sub_keys_free(struct cp_sub *sub)
{
	cp_sub_keys_abort(sub);
	drop(&sub->key);
}
