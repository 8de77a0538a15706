/* The last messages, for who comes; and messages of the conference itself. */
#include <errno.h>
#include <stdlib.h>
#include "ctrlplane/msrp/room_state.h"

#define COMPOSING "application/im-iscomposing+xml" /* RFC 3994: of the moment */

static void
drop_oldest(struct cp_room *room)
{
	struct cp_room_kept *kept = room->history;

	room->history = kept->next;
	room->history_count--;
	cp_msrp_parcel_put(kept->parcel);
	free(kept);
}

void
cp_room_set_history(struct cp_room *room, unsigned int history)
{
	room->history_max = history;
	while (room->history_count > history)
		drop_oldest(room);
}

void
cp_room_keep(struct cp_room_pass *pass)
{
	struct cp_room *room = pass->room;
	struct cp_room_kept *kept, **end = &room->history;
	struct cp_slice type = cp_slice(pass->type, strcspn(pass->type, "; \t"));

	if (pass->parcel->first == NULL)
		return;
	if (room->history_max == 0 || pass->is_private || cp_slice_is_nocase(type, COMPOSING) ||
	    (kept = calloc(1, sizeof(*kept))) == NULL) {
		cp_msrp_parcel_let_go(pass->parcel);
		return;
	}
	kept->parcel = cp_msrp_parcel_get(pass->parcel);
	memcpy(kept->type, pass->type, sizeof(kept->type));
	while (*end != NULL)
		end = &(*end)->next;
	*end = kept;
	if (++room->history_count > room->history_max)
		drop_oldest(room);
}

void
cp_room_tell_history(struct cp_room_member *member)
{
	for (struct cp_room_kept *kept = member->room->history; kept != NULL; kept = kept->next) {
		uint64_t size_max = member->state->size_max;
		struct cp_room_pass *pass;

		if (!cp_room_takes(member, kept->type) ||
		    (size_max > 0 && kept->parcel->len > size_max))
			continue;
		pass = cp_room_pass_create(member->room, NULL);
		if (pass == NULL)
			return;
		pass->comes = false;
		pass->parcel = cp_msrp_parcel_get(kept->parcel);
		cp_room_deliver(pass, member);
		cp_room_pass_check(pass);
	}
}

/* The octets of the message: heads of CPIM, and the text. */
static ssize_t
write_message(char **out, size_t *head, const struct cp_room_say *say)
{
	struct cp_cpim_out cpim = {
		.from_name = cp_slice_text(say->from_name),
		.from_uri = cp_slice_text(say->from_uri),
		.to_uri = cp_slice_text(say->to_uri),
		.date_time = cp_slice_text(say->date_time),
		.content_type = cp_slice_text(say->type),
	};
	char *octets = malloc(CP_CPIM_HEAD_MAX + say->text.len);
	ssize_t len;

	if (octets == NULL)
		return -ENOMEM;
	len = cp_cpim_encode(octets, CP_CPIM_HEAD_MAX, &cpim);
	if (len < 0) {
		free(octets);
		return len;
	}
	*head = (size_t)len;
	if (say->text.len > 0)
		memcpy(octets + len, say->text.ptr, say->text.len);
	*out = octets;
	return len + (ssize_t)say->text.len;
}

static int
pass_on(struct cp_room_pass *pass, const struct cp_room_say *say, struct cp_slice octets)
{
	int error = cp_room_make_parcel(pass, octets.len, octets.len);

	if (error < 0)
		return error;
	if (say->to != NULL) {
		error = cp_room_deliver(pass, say->to);
		pass->recipients = 1;
	} else if (!cp_room_address(pass)) {
		error = -ENOMEM;
	}
	return error < 0 ? error : cp_room_append(pass, 1, octets);
}

int
cp_room_say(struct cp_room *room, const struct cp_room_say *say, int64_t now_ms)
{
	struct cp_room_pass *pass;
	char *octets = NULL;
	ssize_t len;
	size_t head = 0;
	int result;

	if (say->to != NULL && !say->to->is_bound)
		return -ENOTCONN;
	len = write_message(&octets, &head, say);
	if (len < 0)
		return (int)len;
	if (room->limits.size_max > 0 && (uint64_t)len > room->limits.size_max) {
		free(octets);
		return -EMSGSIZE;
	}
	pass = cp_room_pass_create(room, NULL);
	if (pass == NULL) {
		free(octets);
		return -ENOMEM;
	}
	room->now_ms = now_ms;
	pass->is_private = say->to != NULL;
	pass->content_at = head;
	cp_slice_copy(pass->type, sizeof(pass->type), cp_slice_text(say->type));
	cp_slice_copy(pass->from_uri, sizeof(pass->from_uri), cp_slice_text(say->from_uri));
	if (!pass->is_private)
		pass->text = malloc(CP_ROOM_TEXT_MAX);
	result = pass_on(pass, say, cp_slice(octets, (size_t)len));
	free(octets);
	if (result == 0)
		result = (int)pass->recipients;
	cp_room_finish(pass, (uint64_t)len, result < 0);
	cp_room_settle(room);
	return result;
}
