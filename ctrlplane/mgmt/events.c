/* Live events: the ring that remembers the latest, and the streams that read it. */
#include "ctrlplane/mgmt/events.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOW "slow-reader"

void
cp_events_init(struct cp_events *events, uint64_t boot)
{
	memset(events, 0, sizeof(*events));
	events->boot = boot;
	events->first = events->next = 2; /* so that there is an id before the first */
}

static void
put(struct cp_events_text *text)
{
	if (text != NULL && --text->users == 0)
		free(text);
}

static size_t
octets_of(const struct cp_events_item *item)
{
	return (item->text != NULL ? item->text->len : 0) +
	       (item->bare != NULL ? item->bare->len : 0);
}

static void
forget_first(struct cp_events *events)
{
	struct cp_events_item *item = &events->items[events->first++ % CP_EVENTS_KEPT];

	events->octets -= octets_of(item);
	put(item->text);
	put(item->bare);
	*item = (struct cp_events_item){0};
}

void
cp_events_fini(struct cp_events *events)
{
	while (events->first != events->next)
		forget_first(events);
}

/* "id: …", "event: …", "data: …" and an empty line. number 0: without an id. */
static struct cp_events_text *
format(const struct cp_events *events, uint64_t number, const char *name, const json_t *data)
{
	char *json = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(10)), id[64] = "";
	size_t room = json != NULL ? strlen(json) + strlen(name) + 128 : 0;
	struct cp_events_text *text = json != NULL ? malloc(sizeof(*text) + room) : NULL;

	if (number != 0)
		snprintf(id, sizeof(id), "id: %" PRIx64 "-%" PRIu64 "\n", events->boot, number);
	if (text != NULL) {
		text->users = 1;
		text->len = (size_t)snprintf(text->text, room, "%sevent: %s\ndata: %s\n\n", id,
					     name, json);
	}
	free(json);
	return text;
}

void
cp_events_add(struct cp_events *events, uint32_t conf, const char *name, json_t *data, json_t *bare)
{
	uint64_t number = events->next;
	struct cp_events_item item = {
		.conf = conf,
		.text = data != NULL ? format(events, number, name, data) : NULL,
		.bare = bare != NULL ? format(events, number, name, bare) : NULL,
	};
	bool has_failed = item.text == NULL || (bare != NULL && item.bare == NULL);

	json_decref(data);
	json_decref(bare);
	if (has_failed) { /* who follows sees a gap, and begins anew */
		put(item.text);
		put(item.bare);
		while (events->first != events->next)
			forget_first(events);
		events->first = ++events->next;
		return;
	}
	if (events->next - events->first == CP_EVENTS_KEPT)
		forget_first(events);
	events->items[number % CP_EVENTS_KEPT] = item;
	events->octets += octets_of(&item);
	events->next++;
	while (events->octets > CP_EVENTS_OCTETS_MAX && events->next - events->first > 1)
		forget_first(events);
}

/* The number behind that of the id; 0: it is none of this life, or of what is remembered. */
static uint64_t
after_id(const struct cp_events *events, const char *id)
{
	uint64_t boot, number;
	char end;

	if (sscanf(id, "%" SCNx64 "-%" SCNu64 "%c", &boot, &number, &end) != 2 ||
	    boot != events->boot || number >= events->next || number + 1 < events->first)
		return 0;
	return number + 1;
}

/*
 * The first thing that is sent: hello with the id of the latest event, so that also who saw none goes on from here; with
 * is_complete false events were missed, and the state has to be read anew.
 */
int
cp_events_follow(struct cp_events_stream *stream, const char *last_id)
{
	const struct cp_events *events = stream->events;
	uint64_t after = last_id != NULL ? after_id(events, last_id) : 0;
	json_t *data;

	stream->next = after != 0 ? after : events->next;
	data = json_pack("{s:b}", "complete", last_id == NULL || after != 0);
	stream->current = data != NULL ? format(events, stream->next - 1, "hello", data) : NULL;
	json_decref(data);
	return stream->current != NULL ? 0 : -ENOMEM;
}

static bool
is_behind(const struct cp_events_stream *stream)
{
	return stream->next < stream->events->first;
}

/* The next event that its owner may see, else NULL. */
static struct cp_events_text *
take_next(struct cp_events_stream *stream)
{
	struct cp_events *events = stream->events;

	while (stream->next < events->next) {
		struct cp_events_item *item = &events->items[stream->next++ % CP_EVENTS_KEPT];

		if (stream->sees(stream->arg, item->conf)) {
			struct cp_events_text *text =
				stream->is_bare && item->bare != NULL ? item->bare : item->text;

			text->users++;
			return text;
		}
	}
	return NULL;
}

static struct cp_events_text *
farewell(struct cp_events_stream *stream)
{
	json_t *data = json_pack("{s:s}", "reason", stream->end);
	struct cp_events_text *text = data != NULL ? format(stream->events, 0, "end", data) : NULL;

	json_decref(data);
	stream->has_ended = true;
	return text;
}

static ssize_t
send_current(struct cp_events_stream *stream, char *out, size_t size, int64_t now_ms)
{
	size_t len = stream->current->len - stream->sent;

	if (len > size)
		len = size;
	memcpy(out, stream->current->text + stream->sent, len);
	stream->sent += len;
	stream->sent_ms = now_ms;
	if (stream->sent == stream->current->len) {
		put(stream->current);
		stream->current = NULL;
		stream->sent = 0;
	}
	return (ssize_t)len;
}

ssize_t
cp_events_read(struct cp_events_stream *stream, char *out, size_t size, int64_t now_ms)
{
	static const char heartbeat[] = ": heartbeat\n\n";

	if (stream->current == NULL) {
		if (stream->has_ended)
			return -1;
		if (is_behind(stream) && stream->end == NULL)
			stream->end = SLOW;
		stream->current = stream->end != NULL ? farewell(stream) : take_next(stream);
	}
	if (stream->current != NULL)
		return send_current(stream, out, size, now_ms);
	if (stream->has_ended)
		return -1;
	if (now_ms - stream->sent_ms < CP_EVENTS_HEARTBEAT_MS || size < sizeof(heartbeat) - 1)
		return 0;
	stream->sent_ms = now_ms;
	memcpy(out, heartbeat, sizeof(heartbeat) - 1);
	return sizeof(heartbeat) - 1;
}

bool
cp_events_is_due(const struct cp_events_stream *stream, int64_t now_ms)
{
	return stream->current != NULL || stream->end != NULL ||
	       stream->next != stream->events->next ||
	       now_ms - stream->sent_ms >= CP_EVENTS_HEARTBEAT_MS;
}

void
cp_events_unfollow(struct cp_events_stream *stream)
{
	put(stream->current);
	stream->current = NULL;
}
