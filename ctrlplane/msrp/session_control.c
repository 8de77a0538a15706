/* What a session says beside messages: answers, reports, requests without a body; and which of ours are answered in time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ctrlplane/msrp/nickname.h"
#include "ctrlplane/msrp/session_state.h"

void
cp_msrp_next_id(struct cp_msrp_session *s, char out[CP_MSRP_ID_SIZE], const char *seed)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t number = s->counter++;

	memcpy(out, seed, CP_MSRP_SEED);
	for (int i = 7; i >= 0; i--, number >>= 4)
		out[CP_MSRP_SEED + i] = digits[number & 15];
	out[CP_MSRP_ID_SIZE - 1] = '\0';
}

char *
cp_msrp_control_room(struct cp_msrp_session *s, size_t len)
{
	if (s->control_size - s->control_len < len) {
		size_t size = 2 * s->control_size + len;
		char *more = realloc(s->control, size);

		if (more == NULL) {
			s->is_broken = true;
			s->why = "no memory";
			return NULL;
		}
		s->control = more;
		s->control_size = size;
	}
	return s->control + s->control_len;
}

void
cp_msrp_control_commit(struct cp_msrp_session *s, ssize_t len)
{
	if (len > 0)
		s->control_len += (size_t)len;
}

void
cp_msrp_control_answer(struct cp_msrp_session *s, unsigned int code)
{
	char *out;

	s->request.is_answered = true;
	if (!cp_msrp_may_answer(&s->request.head, code))
		return;
	out = cp_msrp_control_room(s, CP_MSRP_HEAD_MAX);
	if (out != NULL)
		cp_msrp_control_commit(s, cp_msrp_encode_response(out, CP_MSRP_HEAD_MAX,
								  &s->request.head,
								  cp_slice_text(s->self), code));
}

/* A report with a body says of which message it is (RFC 7701 section 6.2). */
static ssize_t
report_with_body(char *out, size_t size, const struct cp_msrp_head *head, struct cp_slice body)
{
	ssize_t len = cp_msrp_encode_head(out, size, head), end;

	if (len < 0 || size - (size_t)len < body.len)
		return len < 0 ? len : -EMSGSIZE;
	memcpy(out + len, body.ptr, body.len);
	len += (ssize_t)body.len;
	end = cp_msrp_encode_end(out + len, size - (size_t)len, head->transaction, true, '$');
	return end < 0 ? end : len + end;
}

void
cp_msrp_control_report(struct cp_msrp_session *s, const struct cp_msrp_coming *c, uint64_t octets)
{
	struct cp_msrp_report report = {
		.self = cp_slice_text(s->self),
		.status = CP_MSRP_OK,
		.range = {.is_there = true, .start = 1, .end = octets, .total = octets},
	};
	char id[CP_MSRP_ID_SIZE], body[2048], *out;
	size_t body_len = 0;

	if (!cp_msrp_may_report(&s->request.head, CP_MSRP_OK))
		return;
	out = cp_msrp_control_room(s, CP_MSRP_HEAD_MAX + sizeof(body));
	if (out == NULL)
		return;
	cp_msrp_next_id(s, id, s->seed);
	report.transaction = cp_slice_text(id);
	if (c != NULL && s->events->report_body != NULL)
		body_len = s->events->report_body(s->arg, &c->in, body, sizeof(body));
	if (body_len > 0) {
		struct cp_msrp_head head = {
			.transaction = report.transaction,
			.method = CP_MSRP_REPORT,
			.to_path = s->request.head.from_path,
			.from_path = report.self,
			.message_id = s->request.head.message_id,
			.range = report.range,
			.status = CP_MSRP_OK,
			.status_comment = cp_slice_text(cp_msrp_status_text(CP_MSRP_OK)),
			.content_type = cp_slice_text("message/cpim"),
			.has_body = true,
		};

		cp_msrp_control_commit(s, report_with_body(out, CP_MSRP_HEAD_MAX + sizeof(body),
							   &head, cp_slice(body, body_len)));
		return;
	}
	cp_msrp_control_commit(
		s, cp_msrp_encode_report(out, CP_MSRP_HEAD_MAX, &s->request.head, &report));
}

/* A request of ours without a body; its transaction is waited for. */
static int
send_request(struct cp_msrp_session *s, struct cp_msrp_head *head, const char *name, int64_t now_ms)
{
	char id[CP_MSRP_ID_SIZE], *out = cp_msrp_control_room(s, CP_MSRP_HEAD_MAX);
	ssize_t len, end;

	if (out == NULL)
		return -ENOMEM;
	cp_msrp_next_id(s, id, s->seed);
	head->transaction = cp_slice_text(id);
	head->to_path = cp_slice_text(s->peer);
	head->from_path = cp_slice_text(s->self);
	len = cp_msrp_encode_head(out, CP_MSRP_HEAD_MAX, head);
	if (len < 0)
		return (int)len;
	end = cp_msrp_encode_end(out + len, CP_MSRP_HEAD_MAX - (size_t)len, head->transaction,
				 false, '$');
	if (end < 0)
		return (int)end;
	if (cp_msrp_wait(s, id, name, now_ms) < 0)
		return -ENOMEM;
	cp_msrp_control_commit(s, len + end);
	return 0;
}

/* The first request, which says whose the connection is (RFC 4975 section 5.4). */
int
cp_msrp_control_bind(struct cp_msrp_session *s, int64_t now_ms)
{
	char id[CP_MSRP_ID_SIZE];
	struct cp_msrp_head head = {.method = CP_MSRP_SEND,
				    .range = {.is_there = true, .start = 1}};

	cp_msrp_next_id(s, id, s->seed);
	head.message_id = cp_slice_text(id);
	return send_request(s, &head, "", now_ms);
}

int
cp_msrp_session_nickname(struct cp_msrp_session *s, struct cp_slice name, int64_t now_ms)
{
	char value[2 * CP_MSRP_NICKNAME_MAX + 3] = "\"\"";
	ssize_t len = 2;
	struct cp_msrp_head head = {.method = CP_MSRP_NICKNAME, .has_nickname = true};

	if (!s->is_bound || s->is_broken)
		return -ENOTCONN;
	if (name.len > 0)
		len = cp_msrp_nickname_encode(value, sizeof(value), name);
	if (len < 0)
		return -EINVAL;
	head.nickname = cp_slice(value, (size_t)len);
	return send_request(s, &head, "nickname", now_ms);
}

int
cp_msrp_wait(struct cp_msrp_session *s, const char *transaction, const char *message_id,
	     int64_t now_ms)
{
	struct cp_msrp_waiting *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	memcpy(w->transaction, transaction, sizeof(w->transaction));
	snprintf(w->message_id, sizeof(w->message_id), "%s", message_id);
	w->until_ms = now_ms + CP_MSRP_TRANSACTION_MS;
	if (s->waiting_last != NULL)
		s->waiting_last->next = w;
	else
		s->waiting = w;
	s->waiting_last = w;
	return 0;
}

static struct cp_msrp_waiting *
take_waiting(struct cp_msrp_session *s, struct cp_slice transaction)
{
	struct cp_msrp_waiting **link = &s->waiting, *before = NULL, *found;

	while (*link != NULL && !cp_slice_is(transaction, (*link)->transaction)) {
		before = *link;
		link = &before->next;
	}
	found = *link;
	if (found == NULL)
		return NULL;
	*link = found->next;
	if (s->waiting_last == found)
		s->waiting_last = before;
	return found;
}

static void
tell(struct cp_msrp_session *s, const struct cp_msrp_outcome *outcome)
{
	if (s->events->outcome != NULL)
		s->events->outcome(s->arg, outcome);
}

/* A message that failed is not gone on with (RFC 4975 section 7.3.2). */
static void
fail(struct cp_msrp_session *s, struct cp_slice message_id)
{
	for (struct cp_msrp_lane *lane = s->lanes; lane != NULL; lane = lane->next)
		for (struct cp_msrp_out *out = lane->first; out != NULL; out = out->next)
			if (cp_slice_is(message_id, out->parcel->message_id))
				out->is_given_up = true;
}

void
cp_msrp_answered(struct cp_msrp_session *s, const struct cp_msrp_head *answer)
{
	struct cp_msrp_waiting *w = take_waiting(s, answer->transaction);
	struct cp_msrp_out *out;
	char message_id[CP_MSRP_IDENT_MAX + 1] = "";

	if (w != NULL) {
		memcpy(message_id, w->message_id, sizeof(message_id));
		free(w);
		if (answer->code == CP_MSRP_OK && strcmp(message_id, "nickname") != 0)
			return; /* a report tells of the message, not this */
	} else if (answer->code == CP_MSRP_OK) {
		return;
	} else {
		out = cp_msrp_out_by_seed(s, answer->transaction);
		if (out != NULL)
			memcpy(message_id, out->parcel->message_id, sizeof(message_id));
	}
	if (answer->code != CP_MSRP_OK && *message_id)
		fail(s, cp_slice_text(message_id));
	tell(s, &(struct cp_msrp_outcome){.message_id = message_id, .status = answer->code});
}

void
cp_msrp_reported(struct cp_msrp_session *s, const struct cp_msrp_head *report)
{
	char message_id[CP_MSRP_IDENT_MAX + 1];

	if (report->status == 0 ||
	    cp_slice_copy(message_id, sizeof(message_id), report->message_id) != 0)
		return;
	if (report->status != CP_MSRP_OK)
		fail(s, report->message_id);
	tell(s, &(struct cp_msrp_outcome){.message_id = message_id,
					  .status = report->status,
					  .range = report->range,
					  .is_report = true});
}

void
cp_msrp_wait_expire(struct cp_msrp_session *s, int64_t now_ms)
{
	while (s->waiting != NULL && s->waiting->until_ms <= now_ms) {
		struct cp_msrp_waiting *w = s->waiting;

		s->waiting = w->next;
		if (w->next == NULL)
			s->waiting_last = NULL;
		if (*w->message_id)
			fail(s, cp_slice_text(w->message_id));
		tell(s, &(struct cp_msrp_outcome){.message_id = w->message_id,
						  .status = CP_MSRP_TIMEOUT,
						  .is_expired = true});
		free(w);
	}
}
