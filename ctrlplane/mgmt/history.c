/* Handlers about the past: who took part, and who changed what. */
#include <errno.h>
#include "ctrlplane/mgmt/request.h"
#include "ctrlplane/mgmt/text.h"
#include "ctrlplane/mgmt/time.h"

#define PAGE 100

static json_t *
view_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : cp_json_text(text);
}

static json_t *
view_time(int64_t unix_ms)
{
	char text[CP_TIME_TEXT];

	if (unix_ms == 0)
		return json_null();
	cp_time_print(text, unix_ms);
	return json_string(text);
}

static json_t *
view_stats(const struct cp_record *r)
{
	if (!r->has_stats)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o}", "packets_rx",
			 (json_int_t)r->packets_rx, "packets_tx", (json_int_t)r->packets_tx,
			 "octets_rx", (json_int_t)r->octets_rx, "octets_tx",
			 (json_int_t)r->octets_tx, "lost", (json_int_t)r->lost, "concealed_frames",
			 (json_int_t)r->concealed, "auth_failures", (json_int_t)r->auth_failures,
			 "replays", (json_int_t)r->replays, "jitter_ms",
			 (double)(r->jitter_us / 100) / 10, "round_trip_ms",
			 r->round_trip_us > 0 ? json_real((double)(r->round_trip_us / 100) / 10)
					      : json_null());
}

static json_t *
view_record(const struct cp_record *r)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{"title", r->title},	  {"identity", r->identity},
		{"tel", r->tel},	  {"display", r->display},
		{"suite", r->suite},	  {"departure", r->departure},
		{"reason", r->reason},	  {"left_by", r->left_by},
		{"join_by", r->join_by},  {"referred_by", r->referred_by},
		{"via", r->via},	  {"call_id", r->call_id},
		{"user_agent", r->agent},
	};
	json_t *json = json_pack(
		"{s:I, s:o, s:I, s:b, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
		(json_int_t)r->id, "conference", cp_json_text(r->conf), "participant",
		(json_int_t)r->leg, "private", r->is_private, "role", r->role, "method", r->method,
		"verified_by", r->proof, "protection", r->protection, "joined_at",
		view_time(r->joined_ms), "connected_at", view_time(r->connected_ms), "left_at",
		view_time(r->left_ms), "status",
		r->status != 0 ? json_integer(r->status) : json_null(), "stats", view_stats(r));

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_object_set_new(json, texts[i].name, view_text(texts[i].text));
	return json;
}

static void
finish(struct cp_mgmt_request *request, int status, json_t *json)
{
	if (status < 0) {
		cp_problem_errno(&request->problem, status, "The store does not answer");
		json_decref(json);
	} else {
		request->status = 200;
		request->json = json;
	}
	cp_request_done_one(request);
}

static json_t *
next_before(size_t count, uint32_t wanted, int64_t last)
{
	return count > 0 && count == wanted ? json_integer((json_int_t)last) : json_null();
}

static void
on_records(void *arg, int status, const struct cp_record *records, size_t count)
{
	struct cp_mgmt_request *request = arg;
	json_t *list = json_array();

	for (size_t i = 0; status >= 0 && i < count; i++)
		json_array_append_new(list, view_record(&records[i]));
	finish(request, status,
	       json_pack("{s:o, s:o}", "records", list, "next_before",
			 next_before(status < 0 ? 0 : count, request->page,
				     count > 0 ? records[count - 1].id : 0)));
}

static void
on_audits(void *arg, int status, const struct cp_audit_entry *entries, size_t count)
{
	struct cp_mgmt_request *request = arg;
	json_t *list = json_array();

	for (size_t i = 0; status >= 0 && i < count; i++) {
		const struct cp_audit_entry *e = &entries[i];

		json_array_append_new(
			list, json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)e->id,
					"at", view_time(e->at_ms), "by", view_text(e->by),
					"conference", view_text(e->conf), "participant",
					e->leg != 0 ? json_integer(e->leg) : json_null(), "what",
					cp_json_text(e->what)));
	}
	finish(request, status,
	       json_pack("{s:o, s:o}", "entries", list, "next_before",
			 next_before(status < 0 ? 0 : count, request->page,
				     count > 0 ? entries[count - 1].id : 0)));
}

static const char *
text_of(const struct cp_mgmt_request *request, const char *name)
{
	return json_string_value(json_object_get(request->params, name));
}

static uint32_t
page_of(const struct cp_mgmt_request *request)
{
	const json_t *limit = json_object_get(request->params, "limit");

	return limit != NULL ? (uint32_t)json_integer_value(limit) : PAGE;
}

/* The question was asked, or there is nobody to ask. */
static void
ask(struct cp_mgmt_request *request, int status)
{
	if (status == -ENOTSUP)
		cp_problem_set(&request->problem, 503, "no-store",
			       "The node keeps no records: there is no store.");
	else if (status != 0)
		cp_problem_errno(&request->problem, status, "The store cannot be asked");
	if (status != 0)
		request->pending--;
}

/* Who stands for a participant: those of a conference whose policy lets it change it. */
static bool
may_see_records(struct cp_mgmt_request *request, const char *user)
{
	const struct cp_conf *conf =
		user != NULL ? cp_conf_by_user(request->ops->focus, cp_slice_text(user)) : NULL;

	if (conf != NULL && cp_conf_may(conf, request->access.identity, CP_ACTION_POLICY))
		return true;
	cp_problem_set(&request->problem, 403, "forbidden",
		       "A token that stands for a participant sees the records of conferences that "
		       "it may change; name one that is there.");
	return false;
}

void
cp_handle_records(struct cp_mgmt_request *request)
{
	const struct cp_mgmt_ops *ops = request->ops;
	const char *identity = text_of(request, "identity"), *since = text_of(request, "since");
	struct cp_record_query query = {
		.conf = text_of(request, "conference"),
		.before = json_integer_value(json_object_get(request->params, "before")),
		.count = page_of(request),
	};
	char canonical[CP_IDENTITY_MAX];

	if (cp_access_is_bound(&request->access) && !may_see_records(request, query.conf))
		return;
	if (identity != NULL && cp_identity(canonical, cp_slice_text(identity)) != 0) {
		cp_problem_add(&request->problem, "?identity", "must be a SIP or tel URI");
		return;
	}
	query.identity = identity != NULL ? canonical : NULL;
	if (since != NULL)
		cp_time_parse(&query.since_ms, since);
	request->page = query.count;
	request->pending++;
	ask(request,
	    ops->records != NULL ? ops->records(ops->app, &query, on_records, request) : -ENOTSUP);
}

void
cp_handle_audit(struct cp_mgmt_request *request)
{
	const struct cp_mgmt_ops *ops = request->ops;
	struct cp_audit_query query = {
		.conf = text_of(request, "conference"),
		.by = text_of(request, "by"),
		.before = json_integer_value(json_object_get(request->params, "before")),
		.count = page_of(request),
	};

	request->page = query.count;
	request->pending++;
	ask(request,
	    ops->audits != NULL ? ops->audits(ops->app, &query, on_audits, request) : -ENOTSUP);
}
