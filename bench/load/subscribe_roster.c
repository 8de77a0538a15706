/* What NOTIFY brings: opened, held against its version, put into the roster; and what is told of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/bench.h"
#include "bench/load/subscribe_state.h"
#include "ctrlplane/cms/entity.h"

#define DOCUMENT "application/conference-info+xml"

static void
fail(struct ue_sub *s, const char *what)
{
	s->failures++;
	snprintf(s->last_error, sizeof(s->last_error), "%s", what);
}

static void
document_take(struct ue_sub *s, const char *text, size_t len)
{
	enum cp_copy_verdict verdict;
	int err = cp_copy_take(&verdict, &s->copy, text, len);

	if (err) {
		fail(s, err == -E2BIG ? "the document is past a limit" : "no document");
		return;
	}
	s->full += verdict == CP_COPY_FULL;
	s->partial += verdict == CP_COPY_PARTIAL;
	s->old += verdict == CP_COPY_OLD;
	s->gaps += verdict == CP_COPY_GAP;
	if (s->copy.user_count > s->most && s->copy.count >= s->copy.user_count)
		s->most = s->copy.user_count;
	if (verdict == CP_COPY_GAP)
		s->refresh_ns = bench_now_ns(); /* RFC 4575 4.6: ask for a full one */
	if (!s->first_ns && s->copy.has_version)
		s->first_ns = bench_now_ns();
}

static void
cms_take(struct ue_sub *s, const char *body, size_t len)
{
	const struct cp_cms_key key = {.kek = s->kek, .id = cp_slice_text(s->key_id)};
	uint8_t *room = malloc(len);
	struct cp_slice type, octets;
	size_t n = 0;
	int err = room && s->kek ? cp_cms_open(room, len, &n, s->cms, &key, cp_slice(body, len))
				 : -ENOKEY;

	if (err == 0)
		err = cp_cms_entity_decode(&type, &octets, cp_slice((char *)room, n));
	if (err)
		fail(s, err == -ENOKEY	       ? "under a key that we do not have"
			: err == -EKEYREJECTED ? "not opened by our key"
					       : "no CMS message");
	else if (!cp_slice_is_nocase(type, DOCUMENT))
		fail(s, "something else was protected");
	else
		document_take(s, octets.ptr, octets.len);
	s->protected += err == 0;
	free(room);
}

void
ue_sub_take(struct ue_sub *s, const char *body, size_t len, bool is_cms)
{
	enum ue_watch_wrong wrong = s->call->shared->options->watch_wrong;

	s->octets += len;
	if (wrong == UE_WATCH_GAP && !s->has_lost && s->full > 0) {
		s->has_lost = true; /* as if it had never come */
		return;
	}
	if (is_cms)
		cms_take(s, body, len);
	else
		document_take(s, body, len);
}

static json_t *
text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *
endpoint_json(const struct cp_copy_endpoint *e)
{
	const struct cp_copy_media *m = TAILQ_FIRST(&e->media);
	json_t *j = json_object();

	json_object_set_new(j, "entity", text_or_null(e->entity));
	json_object_set_new(j, "status", text_or_null(e->status));
	json_object_set_new(j, "joining", text_or_null(e->joining));
	json_object_set_new(j, "leaving", text_or_null(e->leaving));
	json_object_set_new(j, "left_reason", text_or_null(e->left.reason));
	json_object_set_new(j, "referred_by", text_or_null(e->referred.by));
	json_object_set_new(j, "media", text_or_null(m ? m->status : NULL));
	json_object_set_new(j, "src_id", text_or_null(m ? m->src_id : NULL));
	return j;
}

static json_t *
users_json(const struct cp_copy *copy)
{
	json_t *users = json_array();
	const struct cp_copy_user *u;
	const struct cp_copy_endpoint *e;

	TAILQ_FOREACH (u, &copy->users, entry) {
		json_t *j = json_object(), *endpoints = json_array();

		json_object_set_new(j, "entity", json_string(u->entity));
		json_object_set_new(j, "display", text_or_null(u->display));
		json_object_set_new(j, "roles", text_or_null(u->roles));
		TAILQ_FOREACH (e, &u->endpoints, entry)
			json_array_append_new(endpoints, endpoint_json(e));
		json_object_set_new(j, "endpoints", endpoints);
		json_array_append_new(users, j);
	}
	return users;
}

json_t *
ue_sub_json(const struct ue_call *c)
{
	const struct ue_sub *s = c->sub;
	json_t *j;

	if (!s)
		return json_null();
	j = json_pack("{s:i, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:i}", "status",
		      s->status, "protected", s->protected > 0, "notifies", (int)s->notifies,
		      "full", (int)s->full, "partial", (int)s->partial, "discarded", (int)s->old,
		      "gaps", (int)s->gaps, "refreshes", (int)s->refreshes, "failures",
		      (int)s->failures, "octets", (json_int_t)s->octets, "expires",
		      (int)s->expires_s);
	json_object_set_new(j, "warning", text_or_null(s->warning));
	json_object_set_new(j, "error", text_or_null(s->last_error));
	json_object_set_new(j, "ended", text_or_null(s->ended));
	json_object_set_new(j, "key", text_or_null(s->key_id));
	json_object_set_new(j, "first_ms",
			    s->first_ns ? json_real((double)(s->first_ns - s->asked_ns) / 1e6)
					: json_null());
	json_object_set_new(j, "version", json_integer(s->copy.version));
	json_object_set_new(j, "conference", text_or_null(s->copy.entity));
	json_object_set_new(j, "subject", text_or_null(s->copy.subject));
	json_object_set_new(j, "deleted", json_boolean(s->copy.is_deleted));
	json_object_set_new(j, "locked", json_boolean(s->copy.is_locked));
	json_object_set_new(j, "user_count", json_integer(s->copy.user_count));
	json_object_set_new(j, "users_most", json_integer(s->most));
	json_object_set_new(j, "users", users_json(&s->copy));
	return j;
}

void
ue_sub_add(struct ue_sub_totals *t, const struct ue_call *c, unsigned users)
{
	const struct ue_sub *s = c->sub;

	if (!s)
		return;
	t->subscribed += s->status >= 200 && s->status < 300;
	t->refused += s->status >= 300;
	t->complete += s->most >= users;
	t->notifies += s->notifies;
	t->full += s->full;
	t->partial += s->partial;
	t->gaps += s->gaps;
	t->failures += s->failures;
	t->octets += s->octets;
}
