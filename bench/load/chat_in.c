/* A participant's chat: what it receives. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bench/lib/bench.h"
#include "bench/load/chat_state.h"
#include "ctrlplane/stream/stream.h"

void
ue_incoming_free(struct ue_chat *c, struct ue_incoming *m)
{
	TAILQ_REMOVE(&c->open, m, next);
	c->open_count--;
	EVP_MD_CTX_free(m->digest);
	free(m);
}

static void
code_count(struct ue_chat *c, unsigned code)
{
	unsigned i = 0;

	while (i < c->code_count && c->code[i].code != code)
		i++;
	if (i == UE_CHAT_CODES_MAX)
		return;
	c->code[i].code = code;
	c->code[i].count++;
	c->code_count += i == c->code_count;
}

static void
response_came(struct ue_chat *c, const struct cp_msrp_head *head)
{
	if (cp_slice_is(head->transaction, c->nickname_transaction)) {
		c->nickname_status = head->code;
		return;
	}
	c->outstanding -= c->outstanding > 0;
	code_count(c, head->code);
}

/* The message whose chunk this is; a new one where it begins. NULL: none that we follow. */
static struct ue_incoming *
incoming_of(struct ue_chat *c, const struct cp_msrp_head *head)
{
	bool is_first = !head->range.is_there || head->range.start <= 1;
	struct ue_incoming *m;

	TAILQ_FOREACH (m, &c->open, next)
		if (cp_slice_is(head->message_id, m->id))
			return m;
	if (!is_first || c->open_count == UE_CHAT_OPEN_MAX)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	snprintf(m->id, sizeof(m->id), "%.*s", (int)head->message_id.len, head->message_id.ptr);
	m->digest = EVP_MD_CTX_new();
	if (m->digest)
		EVP_DigestInit_ex(m->digest, EVP_sha256(), NULL);
	TAILQ_INSERT_TAIL(&c->open, m, next);
	c->open_count++;
	return m;
}

static void
request_came(struct ue_chat *c, const struct cp_msrp_head *head)
{
	unsigned code = head->error ? head->error : CP_MSRP_OK;
	ssize_t len;

	c->reply_len = 0;
	c->current = NULL;
	if (head->method == CP_MSRP_REPORT) {
		c->reports++;
		return;
	}
	if (head->method != CP_MSRP_SEND && !head->error)
		code = CP_MSRP_NO_METHOD;
	if (cp_msrp_may_answer(head, code)) {
		len = cp_msrp_encode_response(c->reply, sizeof(c->reply), head,
					      cp_slice_text(c->ours), code);
		c->reply_len = len > 0 ? (size_t)len : 0;
	}
	if (head->method == CP_MSRP_SEND && head->has_body && !head->error)
		c->current = incoming_of(c, head);
	c->broken += head->method == CP_MSRP_SEND && head->has_body && !c->current;
}

static void
text_keep(char *out, size_t size, struct cp_slice value)
{
	if (cp_cpim_text(out, size, value) < 0)
		snprintf(out, size, "%.*s", (int)(value.len < size ? value.len : size - 1),
			 value.ptr);
}

static void
content_came(struct ue_incoming *m, const char *octets, size_t len)
{
	size_t room = sizeof(m->text) - 1 - m->text_len;
	size_t shown = len < room ? len : room;

	memcpy(m->text + m->text_len, octets, shown);
	m->text_len += shown;
	m->octets += len;
	if (m->digest)
		EVP_DigestUpdate(m->digest, octets, len);
}

/* Octets of a message: its CPIM headers first. */
static void
body_came(struct ue_incoming *m, const char *octets, size_t len)
{
	size_t room = sizeof(m->head) - m->head_len, take = len < room ? len : room;
	struct cp_cpim cpim;
	ssize_t at;

	if (m->has_head) {
		content_came(m, octets, len);
		return;
	}
	memcpy(m->head + m->head_len, octets, take);
	m->head_len += take;
	at = cp_cpim_decode(&cpim, m->head, m->head_len);
	m->is_broken |= at < 0;
	if (at <= 0)
		return;
	m->has_head = true;
	text_keep(m->from, sizeof(m->from), cpim.from.uri);
	text_keep(m->name, sizeof(m->name), cpim.from.name);
	text_keep(m->to, sizeof(m->to), cpim.to[0].uri);
	text_keep(m->type, sizeof(m->type), cpim.media);
	content_came(m, m->head + at, m->head_len - (size_t)at);
	if (take < len)
		content_came(m, octets + take, len - take);
}

/* "#NUMBER SEQUENCE …": of the load of another participant, which counts from 1. */
static void
order_watch(struct ue_chat *c, const struct ue_incoming *m)
{
	unsigned number, sequence;

	if (sscanf(m->text, "#%u %u ", &number, &sequence) != 2 || number >= UE_CHAT_SPEAKERS)
		return;
	if (sequence <= c->heard[number])
		c->unordered++;
	else
		c->missing += sequence - c->heard[number] - 1;
	if (sequence > c->heard[number])
		c->heard[number] = sequence;
}

static void
message_end(struct ue_chat *c, struct ue_incoming *m)
{
	struct ue_shown *s = &c->shown[c->shown_count];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (m->is_broken || !m->has_head) {
		c->broken++;
		return;
	}
	c->last_ns = bench_now_ns();
	c->first_ns = c->received ? c->first_ns : c->last_ns;
	c->received++;
	c->octets += m->octets;
	c->composing += strcmp(m->type, "application/im-iscomposing+xml") == 0;
	order_watch(c, m);
	if (c->shown_count == UE_CHAT_SHOWN_MAX)
		return;
	memcpy(s->from, m->from, sizeof(s->from));
	memcpy(s->to, m->to, sizeof(s->to));
	memcpy(s->name, m->name, sizeof(s->name));
	memcpy(s->type, m->type, sizeof(s->type));
	memcpy(s->text, m->text, sizeof(s->text));
	s->octets = m->octets;
	if (m->digest && EVP_DigestFinal_ex(m->digest, digest, &len) == 1)
		for (unsigned i = 0; i < len; i++)
			snprintf(s->sha256 + 2 * i, 3, "%02x", digest[i]);
	c->shown_count++;
}

static void
request_end(struct ue_chat *c, const struct cp_msrp_event *event)
{
	if (c->reply_len && c->stream)
		cp_stream_send(c->stream, c->reply, c->reply_len);
	c->reply_len = 0;
	if (!c->current || event->flag == '+')
		return;
	if (event->flag == '$')
		message_end(c, c->current);
	ue_incoming_free(c, c->current);
	c->current = NULL;
}

size_t
ue_chat_received(struct ue_chat *c, const uint8_t *octets, size_t len)
{
	struct cp_msrp_event event;
	size_t taken = 0;

	do {
		taken += cp_msrp_next(&c->in, &event, (const char *)octets + taken, len - taken);
		if (event.kind == CP_MSRP_HEAD && event.head.method == CP_MSRP_RESPONSE)
			response_came(c, &event.head);
		else if (event.kind == CP_MSRP_HEAD)
			request_came(c, &event.head);
		else if (event.kind == CP_MSRP_BODY && c->current)
			body_came(c->current, event.body.ptr, event.body.len);
		else if (event.kind == CP_MSRP_END)
			request_end(c, &event);
	} while (c->stream && event.kind != CP_MSRP_MORE && event.kind != CP_MSRP_BROKEN);
	if (event.kind == CP_MSRP_BROKEN) {
		c->broken++;
		taken = len;
	}
	ue_chat_pump(c);
	return taken;
}
