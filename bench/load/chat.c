/* A participant's chat: what it sends, and what is told of it. */
#include "bench/load/chat.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include "bench/lib/bench.h"
#include "bench/load/chat_state.h"
#include "ctrlplane/stream/stream.h"

#define CHUNK 8192    /* octets of a body in one SEND */
#define OVERHEAD 1024 /* of heads around them */
#define WINDOW 32     /* SENDs without an answer, of a load */
#define HEAD_MAX 2048 /* of CPIM */

struct ue_chat *
ue_chat_create(const struct ue_options *o, unsigned number, const char *identity, const char *room)
{
	struct ue_chat *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->o = o;
	c->number = number;
	snprintf(c->identity, sizeof(c->identity), "%s", identity);
	snprintf(c->room, sizeof(c->room), "%.*s", (int)strcspn(room, ";?"), room);
	TAILQ_INIT(&c->notes);
	TAILQ_INIT(&c->open);
	c->load_left = o->chat_messages;
	c->heard = calloc(UE_CHAT_SPEAKERS, sizeof(*c->heard));
	c->shown = calloc(UE_CHAT_SHOWN_MAX, sizeof(*c->shown));
	if (!c->heard || !c->shown) {
		ue_chat_destroy(c);
		return NULL;
	}
	if (o->nickname) {
		ue_number_put(c->nickname, sizeof(c->nickname), o->nickname, number);
		c->wants_nickname = true;
	}
	return c;
}

static void
note_free(struct ue_chat *c, struct ue_note *n)
{
	TAILQ_REMOVE(&c->notes, n, next);
	if (n->file)
		fclose(n->file);
	free(n->head);
	free(n);
}

void
ue_chat_destroy(struct ue_chat *c)
{
	if (!c)
		return;
	while (!TAILQ_EMPTY(&c->notes))
		note_free(c, TAILQ_FIRST(&c->notes));
	while (!TAILQ_EMPTY(&c->open))
		ue_incoming_free(c, TAILQ_FIRST(&c->open));
	free(c->heard);
	free(c->shown);
	free(c);
}

void
ue_chat_describe(struct ue_chat *c, const char *ours, const struct ue_stream_sdp *theirs)
{
	snprintf(c->ours, sizeof(c->ours), "%s", ours);
	snprintf(c->theirs, sizeof(c->theirs), "%s", theirs->path);
}

static void
ident_make(char out[CP_MSRP_IDENT_MAX + 1])
{
	uint8_t luck[8] = {0};

	(void)!getrandom(luck, sizeof(luck), 0);
	cp_msrp_ident(out, luck, sizeof(luck));
}

/* A request of ours without a body: the SEND that binds the connection, or NICKNAME. */
static void
bare_send(struct ue_chat *c, enum cp_msrp_method method, const char *transaction,
	  const char *nickname)
{
	char out[CP_MSRP_HEAD_MAX], quoted[2 * CP_MSRP_NICKNAME_MAX + 3];
	struct cp_msrp_head head = {
		.transaction = cp_slice_text(transaction),
		.method = method,
		.to_path = cp_slice_text(c->theirs),
		.from_path = cp_slice_text(c->ours),
	};
	ssize_t len, end;

	if (nickname) {
		len = cp_msrp_nickname_encode(quoted, sizeof(quoted), cp_slice_text(nickname));
		if (len < 0)
			return;
		head.has_nickname = true;
		head.nickname = cp_slice(quoted, (size_t)len);
	} else {
		head.message_id = head.transaction;
		head.range = (struct cp_msrp_range){.is_there = true, .start = 1};
	}
	len = cp_msrp_encode_head(out, sizeof(out), &head);
	end = len < 0 ? len
		      : cp_msrp_encode_end(out + len, sizeof(out) - (size_t)len, head.transaction,
					   false, '$');
	if (end > 0)
		cp_stream_send(c->stream, out, (size_t)(len + end));
}

static void
nickname_send(struct ue_chat *c)
{
	c->wants_nickname = false;
	ident_make(c->nickname_transaction);
	bare_send(c, CP_MSRP_NICKNAME, c->nickname_transaction, c->nickname);
}

void
ue_chat_nickname(struct ue_chat *c, const char *name)
{
	snprintf(c->nickname, sizeof(c->nickname), "%s", name);
	c->wants_nickname = true;
	ue_chat_pump(c);
}

/* The CPIM headers of a message, and what it is in all. */
static struct ue_note *
note_create(struct ue_chat *c, const char *to, const char *type, size_t text_len)
{
	struct ue_note *n = calloc(1, sizeof(*n));
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	ssize_t len;
	struct cp_cpim_out out = {
		.from_uri = cp_slice_text(c->identity),
		.to_uri = cp_slice_text(to ? to : c->room),
		.content_type = cp_slice_text(type),
	};

	if (!n)
		return NULL;
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	out.date_time = cp_slice_text(when);
	n->head = malloc(HEAD_MAX + text_len);
	len = n->head ? cp_cpim_encode(n->head, HEAD_MAX, &out) : -ENOMEM;
	if (len < 0) {
		free(n->head);
		free(n);
		return NULL;
	}
	n->head_len = (size_t)len;
	ident_make(n->id);
	return n;
}

int
ue_chat_text(struct ue_chat *c, const char *to, const char *text)
{
	size_t len = strlen(text);
	struct ue_note *n = note_create(c, to, "text/plain;charset=utf-8", len);

	if (!n)
		return -EINVAL;
	memcpy(n->head + n->head_len, text, len);
	n->head_len += len;
	n->total = n->head_len;
	TAILQ_INSERT_TAIL(&c->notes, n, next);
	ue_chat_pump(c);
	return 0;
}

int
ue_chat_file(struct ue_chat *c, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct ue_note *n = file ? note_create(c, NULL, "application/octet-stream", 0) : NULL;
	struct stat about;

	if (!n || fstat(fileno(file), &about) != 0) {
		int err = file ? -EINVAL : -errno;

		if (file)
			fclose(file);
		if (n)
			free(n->head);
		free(n);
		return err;
	}
	n->file = file;
	n->total = n->head_len + (uint64_t)about.st_size;
	TAILQ_INSERT_TAIL(&c->notes, n, next);
	ue_chat_pump(c);
	return 0;
}

/* Up to size octets of the message from where it stands. */
static size_t
note_read(struct ue_note *n, char *out, size_t size)
{
	size_t len = 0;

	if (n->sent < n->head_len) {
		len = n->head_len - (size_t)n->sent;
		len = len < size ? len : size;
		memcpy(out, n->head + n->sent, len);
	} else if (n->file && fseek(n->file, (long)(n->sent - n->head_len), SEEK_SET) == 0) {
		len = fread(out, 1, size, n->file);
	}
	return len;
}

/* The next chunk. False: it cannot be read to its end any more. */
static bool
chunk_send(struct ue_chat *c, struct ue_note *n)
{
	char body[CHUNK], out[CHUNK + CP_MSRP_HEAD_MAX], transaction[CP_MSRP_IDENT_MAX + 1];
	size_t len = note_read(n, body, sizeof(body));
	bool is_first = n->sent == 0;
	struct cp_msrp_head head = {
		.method = CP_MSRP_SEND,
		.to_path = cp_slice_text(c->theirs),
		.from_path = cp_slice_text(c->ours),
		.message_id = cp_slice_text(n->id),
		.range = {.is_there = true, .start = n->sent + 1, .total = n->total},
		.success = c->o->chat_wants_reports ? CP_MSRP_YES : CP_MSRP_UNSAID,
		.content_type = cp_slice_text("message/cpim"),
		.has_body = true,
	};
	struct cp_msrp_guard guard;
	ssize_t at, end;

	if (len == 0 && !(is_first && n->total == 0))
		return false;
	ident_make(transaction);
	head.transaction = cp_slice_text(transaction);
	cp_msrp_guard_init(&guard, head.transaction);
	len = cp_msrp_guard_pass(&guard, cp_slice(body, len));
	head.range.end = n->total > CP_MSRP_CHUNK ? CP_MSRP_OPEN : n->sent + len;
	at = cp_msrp_encode_head(out, sizeof(out), &head);
	if (at < 0 || (size_t)at + len + CP_MSRP_END_MAX > sizeof(out))
		return false;
	memcpy(out + at, body, len);
	n->sent += len;
	end = cp_msrp_encode_end(out + at + len, sizeof(out) - (size_t)at - len, head.transaction,
				 true, n->sent == n->total ? '$' : '+');
	if (end < 0)
		return false;
	cp_stream_send(c->stream, out, (size_t)at + len + (size_t)end);
	c->outstanding++;
	return true;
}

/* One more message of the load, marked by who it is from and which it is. */
static void
load_next(struct ue_chat *c)
{
	size_t size = c->o->chat_size > 32 ? c->o->chat_size : 32;
	char *text = malloc(size + 1);

	if (!text)
		return;
	memset(text, '.', size);
	text[size] = '\0';
	text[snprintf(text, size, "#%u %u ", c->number, c->load_next + 1)] = '.';
	c->load_left--;
	c->load_next++;
	if (c->o->chat_rate > 0)
		c->load_due_ns += (uint64_t)(1e9 / c->o->chat_rate);
	(void)ue_chat_text(c, NULL, text);
	free(text);
}

void
ue_chat_pump(struct ue_chat *c)
{
	struct ue_note *n;

	if (!c->stream || !c->is_bound)
		return;
	if (c->wants_nickname && cp_stream_room(c->stream) > CP_MSRP_HEAD_MAX)
		nickname_send(c);
	while ((n = TAILQ_FIRST(&c->notes)) != NULL &&
	       cp_stream_room(c->stream) >= CHUNK + OVERHEAD) {
		bool is_well = chunk_send(c, n);

		if (is_well && n->sent < n->total)
			continue;
		c->sent += is_well;
		c->broken += !is_well;
		note_free(c, n);
	}
}

void
ue_chat_tick(struct ue_chat *c, uint64_t now_ns)
{
	while (c->stream && c->is_bound && c->load_left && TAILQ_EMPTY(&c->notes) &&
	       c->outstanding < WINDOW && now_ns >= c->load_due_ns)
		load_next(c);
}

void
ue_chat_opened(struct ue_chat *c, struct cp_stream *stream)
{
	char transaction[CP_MSRP_IDENT_MAX + 1];

	c->stream = stream;
	c->connections++;
	memset(&c->in, 0, sizeof(c->in));
	c->outstanding = 0;
	if (!c->load_due_ns)
		c->load_due_ns = bench_now_ns() + (uint64_t)(c->o->chat_delay * 1e9);
	ident_make(transaction);
	/* who opened it names the session at once (RFC 4975 5.4); the other side waits for that */
	bare_send(c, CP_MSRP_SEND, transaction, NULL);
	c->is_bound = true;
	ue_chat_pump(c);
}

void
ue_chat_writable(struct ue_chat *c)
{
	ue_chat_pump(c);
}

void
ue_chat_closed(struct ue_chat *c)
{
	c->stream = NULL;
	c->is_bound = false;
}

void
ue_chat_stall(struct ue_chat *c, bool on)
{
	c->is_stalled = on;
	if (c->stream)
		cp_stream_pause(c->stream, on);
}

static json_t *
string(const char *text)
{
	json_t *j = json_string(text);

	return j ? j : json_string("(not UTF-8)");
}

static json_t *
shown_json(const struct ue_shown *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:s}", "from", string(s->from), "to",
			 string(s->to), "name", string(s->name), "type", string(s->type), "text",
			 string(s->text), "octets", (json_int_t)s->octets, "sha256", s->sha256);
}

json_t *
ue_chat_json(const struct ue_chat *c)
{
	json_t *answers = json_object(), *messages = json_array();
	char code[12];

	for (unsigned i = 0; i < c->code_count; i++) {
		snprintf(code, sizeof(code), "%u", c->code[i].code);
		json_object_set_new(answers, code, json_integer(c->code[i].count));
	}
	for (unsigned i = 0; i < c->shown_count; i++)
		json_array_append_new(messages, shown_json(&c->shown[i]));
	return json_pack("{s:i, s:i, s:o, s:i, s:I, s:i, s:i, s:i, s:i, s:i, s:o, s:i, s:f, s:o}",
			 "connections", (int)c->connections, "sent", (int)c->sent, "answers",
			 answers, "received", (int)c->received, "octets", (json_int_t)c->octets,
			 "missing", (int)c->missing, "unordered", (int)c->unordered, "composing",
			 (int)c->composing, "reports", (int)c->reports, "broken", (int)c->broken,
			 "nickname", c->nickname[0] ? string(c->nickname) : json_null(),
			 "nickname_status", (int)c->nickname_status, "seconds",
			 c->received ? (double)(c->last_ns - c->first_ns) / 1e9 : 0.0, "messages",
			 messages);
}
