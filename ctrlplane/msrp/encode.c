/* Requests, chunks, responses and reports of MSRP put together (RFC 4975 sections 7.1 to 7.2). */
#include "ctrlplane/msrp/msg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "ctrlplane/msrp/chars.h"
#include "ctrlplane/msrp/writer.h"

static void
put_number(struct cp_msrp_writer *w, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	cp_msrp_put_text(w, digits);
}

/* Three digits. */
static void
put_code(struct cp_msrp_writer *w, unsigned int code)
{
	if (code < 100 || code > 999)
		w->error = -EINVAL;
	else
		put_number(w, code);
}

static void
put_header(struct cp_msrp_writer *w, const char *name, struct cp_slice value)
{
	if (value.len == 0)
		return;
	if (!cp_msrp_is_text(value))
		w->error = -EINVAL;
	cp_msrp_put_text(w, name);
	cp_msrp_put_text(w, ": ");
	cp_msrp_put(w, value);
	cp_msrp_put_text(w, "\r\n");
}

static void
put_position(struct cp_msrp_writer *w, uint64_t position)
{
	if (position == CP_MSRP_OPEN)
		cp_msrp_put_text(w, "*");
	else
		put_number(w, position);
}

static void
put_range(struct cp_msrp_writer *w, const struct cp_msrp_range *range)
{
	if (!range->is_there)
		return;
	cp_msrp_put_text(w, "Byte-Range: ");
	put_number(w, range->start);
	cp_msrp_put_text(w, "-");
	put_position(w, range->end);
	cp_msrp_put_text(w, "/");
	put_position(w, range->total);
	cp_msrp_put_text(w, "\r\n");
}

static void
put_comment(struct cp_msrp_writer *w, struct cp_slice comment)
{
	if (comment.len == 0)
		return;
	if (!cp_msrp_is_text(comment))
		w->error = -EINVAL;
	cp_msrp_put_text(w, " ");
	cp_msrp_put(w, comment);
}

static void
put_start(struct cp_msrp_writer *w, const struct cp_msrp_head *head)
{
	static const char *const methods[] = {[CP_MSRP_SEND] = "SEND",
					      [CP_MSRP_REPORT] = "REPORT",
					      [CP_MSRP_NICKNAME] = "NICKNAME"};

	if (!cp_msrp_is_ident(head->transaction))
		w->error = -EINVAL;
	cp_msrp_put_text(w, "MSRP ");
	cp_msrp_put(w, head->transaction);
	cp_msrp_put_text(w, " ");
	if (head->method == CP_MSRP_RESPONSE) {
		put_code(w, head->code);
		put_comment(w, head->comment);
	} else if (head->method == CP_MSRP_OTHER) {
		if (!cp_msrp_is_token(head->method_name))
			w->error = -EINVAL;
		cp_msrp_put(w, head->method_name);
	} else {
		cp_msrp_put_text(w, methods[head->method]);
	}
	cp_msrp_put_text(w, "\r\n");
}

static void
put_wish(struct cp_msrp_writer *w, const char *name, enum cp_msrp_wish wish)
{
	static const char *const words[] = {"", "yes", "no", "partial"};

	put_header(w, name, cp_slice_text(words[wish]));
}

static void
put_status(struct cp_msrp_writer *w, const struct cp_msrp_head *head)
{
	if (head->status == 0)
		return;
	cp_msrp_put_text(w, "Status: 000 ");
	put_code(w, head->status);
	put_comment(w, head->status_comment);
	cp_msrp_put_text(w, "\r\n");
}

ssize_t
cp_msrp_encode_head(char *out, size_t size, const struct cp_msrp_head *head)
{
	struct cp_msrp_writer w = {out, size < CP_MSRP_HEAD_MAX ? size : CP_MSRP_HEAD_MAX, 0, 0};

	if (head->to_path.len == 0 || head->from_path.len == 0 ||
	    head->has_body != (head->content_type.len > 0))
		return -EINVAL;
	put_start(&w, head);
	put_header(&w, "To-Path", head->to_path);
	put_header(&w, "From-Path", head->from_path);
	if (head->message_id.len > 0 && !cp_msrp_is_ident(head->message_id))
		return -EINVAL;
	put_header(&w, "Message-ID", head->message_id);
	put_range(&w, &head->range);
	put_wish(&w, "Success-Report", head->success);
	put_wish(&w, "Failure-Report", head->failure);
	put_status(&w, head);
	if (head->has_nickname)
		put_header(&w, "Use-Nickname", head->nickname);
	put_header(&w, "Content-Type", head->content_type);
	if (head->has_body)
		cp_msrp_put_text(&w, "\r\n");
	return w.error ? w.error : (ssize_t)w.len;
}

ssize_t
cp_msrp_encode_end(char *out, size_t size, struct cp_slice transaction, bool has_body, char flag)
{
	struct cp_msrp_writer w = {out, size, 0, 0};

	if (!cp_msrp_is_ident(transaction) || memchr("$+#", flag, 3) == NULL)
		return -EINVAL;
	if (has_body)
		cp_msrp_put_text(&w, "\r\n");
	cp_msrp_put_text(&w, "-------");
	cp_msrp_put(&w, transaction);
	cp_msrp_put(&w, cp_slice(&flag, 1));
	cp_msrp_put_text(&w, "\r\n");
	return w.error ? w.error : (ssize_t)w.len;
}

/* A head without a body, and its end-line. */
static ssize_t
encode_whole(char *out, size_t size, const struct cp_msrp_head *head)
{
	ssize_t len = cp_msrp_encode_head(out, size, head), end;

	if (len < 0)
		return len;
	end = cp_msrp_encode_end(out + len, size - (size_t)len, head->transaction, false, '$');
	return end < 0 ? end : len + end;
}

ssize_t
cp_msrp_encode_response(char *out, size_t size, const struct cp_msrp_head *request,
			struct cp_slice self, unsigned int code)
{
	struct cp_msrp_head head = {.transaction = request->transaction,
				    .code = code,
				    .comment = cp_slice_text(cp_msrp_status_text(code)),
				    .to_path = request->from_path,
				    .from_path = self};

	if (request->from_count == 0)
		return -EINVAL;
	if (request->method == CP_MSRP_SEND)
		head.to_path = request->from[0];
	return encode_whole(out, size, &head);
}

ssize_t
cp_msrp_encode_report(char *out, size_t size, const struct cp_msrp_head *send,
		      const struct cp_msrp_report *report)
{
	struct cp_msrp_head head = {
		.transaction = report->transaction,
		.method = CP_MSRP_REPORT,
		.to_path = send->from_path,
		.from_path = report->self,
		.message_id = send->message_id,
		.range = report->range,
		.status = report->status,
		.status_comment = cp_slice_text(cp_msrp_status_text(report->status)),
	};

	if (send->from_count == 0 || send->message_id.len == 0 || report->status == 0)
		return -EINVAL;
	return encode_whole(out, size, &head);
}

void
cp_msrp_ident(char *out, const uint8_t *random, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	if (len > CP_MSRP_IDENT_MAX / 2)
		len = CP_MSRP_IDENT_MAX / 2;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[random[i] >> 4];
		out[2 * i + 1] = digits[random[i] & 15];
	}
	out[2 * len] = '\0';
}
