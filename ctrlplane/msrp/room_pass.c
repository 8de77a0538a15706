/* A message passes through: from the chunks of its sender into one parcel for all who get it. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include "ctrlplane/msrp/room_state.h"

struct cp_room_pass *
cp_room_pass_create(struct cp_room *room, struct cp_room_member *from)
{
	struct cp_room_pass *pass = calloc(1, sizeof(*pass));

	if (pass == NULL)
		return NULL;
	pass->room = room;
	pass->from = from;
	pass->comes = true;
	if (from == NULL)
		return pass;
	pass->next = from->state->passes;
	pass->link = &from->state->passes;
	if (pass->next != NULL)
		pass->next->link = &pass->next;
	*pass->link = pass;
	return pass;
}

static void
unlink_pass(struct cp_room_pass *pass)
{
	if (pass->link == NULL)
		return;
	*pass->link = pass->next;
	if (pass->next != NULL)
		pass->next->link = pass->link;
	pass->link = NULL;
	pass->from = NULL;
}

void
cp_room_pass_check(struct cp_room_pass *pass)
{
	if (pass->comes || pass->deliveries != NULL)
		return;
	unlink_pass(pass);
	cp_msrp_parcel_put(pass->parcel);
	free(pass->head);
	free(pass->text);
	free(pass);
}

void
cp_room_pass_forget_sender(struct cp_room_member *from)
{
	while (from->state->passes != NULL)
		unlink_pass(from->state->passes);
}

/* The head of CPIM is gathered, for what lies in one piece is enough in most cases. */
static int
gather(struct cp_room_pass *pass, struct cp_slice octets)
{
	char *more;

	if (pass->head_len + octets.len > CP_CPIM_HEAD_MAX + octets.len)
		return -EMSGSIZE;
	more = realloc(pass->head, pass->head_len + octets.len);
	if (more == NULL)
		return -ENOMEM;
	memcpy(more + pass->head_len, octets.ptr, octets.len);
	pass->head = more;
	pass->head_len += octets.len;
	return 0;
}

int
cp_room_make_parcel(struct cp_room_pass *pass, uint64_t total, size_t hint)
{
	struct cp_room *room = pass->room;
	uint8_t luck[16];
	bool is_small = total == CP_MSRP_OPEN || total <= CP_ROOM_HISTORY_OCTETS;

	room->events->luck(room->arg, luck, sizeof(luck));
	return cp_msrp_parcel_create(
		&pass->parcel,
		&(struct cp_msrp_parcel_settings){
			.luck = luck,
			.content_type = cp_slice_text("message/cpim"),
			.failure = CP_MSRP_PARTIAL,
			.total = total,
			.is_kept = room->history_max > 0 && !pass->is_private && is_small,
			.hint = hint,
			.held = &room->held,
		});
}

static bool
is_addressed(const struct cp_room_pass *pass, const struct cp_room_member *to)
{
	if (!to->is_bound || to->state->drop != NULL || !cp_room_takes(to, pass->type))
		return false;
	if (to->state->size_max > 0 && pass->parcel->total != CP_MSRP_OPEN &&
	    pass->parcel->total > to->state->size_max)
		return false;
	if (pass->is_private)
		return to->takes_private && cp_room_is_named(pass->room, to, pass->to_uri);
	return to != pass->from;
}

bool
cp_room_address(struct cp_room_pass *pass)
{
	for (struct cp_room_member *to = pass->room->members; to != NULL; to = to->next) {
		if (!is_addressed(pass, to))
			continue;
		if (cp_room_deliver(pass, to) < 0)
			return false;
		pass->recipients++;
	}
	return true;
}

/* What who watches is shown. */
static void
show(struct cp_room_pass *pass, uint64_t at, struct cp_slice octets)
{
	size_t skip = at <= pass->content_at ? (size_t)(pass->content_at + 1 - at) : 0;

	if (pass->text == NULL || skip >= octets.len)
		return;
	if (at + skip != pass->content_at + 1 + pass->text_len ||
	    octets.len - skip > CP_ROOM_TEXT_MAX - pass->text_len) {
		free(pass->text); /* out of order, or too long */
		pass->text = NULL;
		return;
	}
	memcpy(pass->text + pass->text_len, octets.ptr + skip, octets.len - skip);
	pass->text_len += octets.len - skip;
}

int
cp_room_append(struct cp_room_pass *pass, uint64_t at, struct cp_slice octets)
{
	struct cp_msrp_parcel *parcel = pass->parcel;
	int error;

	if (octets.len == 0)
		return 0;
	error = cp_msrp_parcel_append(parcel, at, octets);
	if (error < 0)
		return error;
	if (parcel->first != NULL && parcel->len > CP_ROOM_HISTORY_OCTETS)
		cp_msrp_parcel_let_go(parcel);
	show(pass, at, octets);
	for (struct cp_room_delivery *d = pass->deliveries; d != NULL; d = d->next) {
		cp_room_more(d, octets.len);
		if (d->to->state->size_max > 0 && parcel->at - 1 > d->to->state->size_max)
			cp_msrp_session_give_up(d->to->state->session, &d->out);
	}
	cp_room_relieve(pass->room);
	if (parcel->len < CP_MSRP_CHUNK)
		return 0; /* goes as one chunk, when it is whole */
	for (struct cp_room_delivery *d = pass->deliveries, *next; d != NULL; d = next) {
		struct cp_room_member *to = d->to;

		next = d->next;
		cp_room_pump(to);
	}
	return 0;
}

/* The head of CPIM is whole: it is known whom it is for. */
static unsigned int
open_pass(struct cp_room_pass *pass, const struct cp_msrp_incoming *in, const struct cp_cpim *cpim,
	  size_t content_at)
{
	unsigned int status = cp_room_judge(pass->from, pass, cpim);
	size_t hint = pass->head_len;

	if (status != 0)
		return status;
	if (in->total != CP_MSRP_OPEN)
		hint = in->total < CP_MSRP_PIECE_MAX ? (size_t)in->total : CP_MSRP_PIECE_MAX;
	pass->content_at = content_at;
	if (!pass->is_private && cp_slice_is_nocase(cpim->media, "text/plain"))
		pass->text = malloc(CP_ROOM_TEXT_MAX);
	if (cp_room_make_parcel(pass, in->total, hint) < 0 || !cp_room_address(pass))
		return CP_MSRP_STOP;
	return 0;
}

static unsigned int
read_head(struct cp_room_pass *pass, const struct cp_msrp_incoming *in)
{
	struct cp_cpim cpim;
	ssize_t content_at = cp_cpim_decode(&cpim, pass->head, pass->head_len);
	struct cp_slice head;
	unsigned int status;
	int error;

	if (content_at == 0)
		return 0;
	if (content_at < 0)
		return CP_MSRP_BAD_REQUEST;
	status = open_pass(pass, in, &cpim, (size_t)content_at);
	if (status != 0)
		return status;
	head = cp_slice(pass->head, pass->head_len);
	error = cp_room_append(pass, 1, head);
	free(pass->head);
	pass->head = NULL;
	pass->head_len = 0;
	return error < 0 ? CP_MSRP_STOP : 0;
}

static bool
was_done(const struct cp_room_member *from, struct cp_slice message_id)
{
	for (size_t i = 0; i < CP_ROOM_DONE; i++)
		if (cp_slice_is(message_id, from->state->done[i]))
			return true;
	return false;
}

unsigned int
cp_room_on_begin(void *arg, struct cp_msrp_incoming *in)
{
	struct cp_room_member *from = arg;

	if (!cp_slice_is_nocase(in->media, "message/cpim"))
		return CP_MSRP_BAD_MEDIA;
	if (was_done(from, in->message_id))
		return 0; /* a duplicate: answered, and passed on to nobody */
	in->user = cp_room_pass_create(from->room, from);
	return in->user != NULL ? 0 : CP_MSRP_STOP;
}

unsigned int
cp_room_on_body(void *arg, struct cp_msrp_incoming *in, uint64_t at, struct cp_slice octets)
{
	struct cp_room_member *from = arg;
	struct cp_room_pass *pass = in->user;

	if (pass == NULL)
		return 0;
	if (!from->may_send || from->is_muted)
		return CP_MSRP_FORBIDDEN;
	if (pass->parcel != NULL)
		return cp_room_append(pass, at, octets) < 0 ? CP_MSRP_STOP : 0;
	if (at != pass->head_len + 1)
		return CP_MSRP_STOP; /* nobody knows for whom */
	if (gather(pass, octets) < 0)
		return CP_MSRP_BAD_REQUEST;
	return read_head(pass, in);
}

static void
remember(struct cp_room_member *from, struct cp_slice message_id)
{
	struct cp_room_member_state *s = from->state;

	cp_slice_copy(s->done[s->done_at % CP_ROOM_DONE], sizeof(s->done[0]), message_id);
	s->done_at++;
}

/* RFC 7701 section 6.2: a report of a private message says of whom and to whom it was. */
static void
prepare_report(struct cp_room_member *from, const struct cp_room_pass *pass)
{
	ssize_t len = cp_cpim_encode(from->state->report, sizeof(from->state->report),
				     &(struct cp_cpim_out){
					     .from_uri = cp_slice_text(pass->from_uri),
					     .to_uri = cp_slice_text(pass->to_uri),
					     .content_type = cp_slice_text("text/plain"),
				     });

	from->state->report_len = len > 0 ? (size_t)len : 0;
}

static void
tell(struct cp_room_pass *pass, uint64_t total)
{
	struct cp_room *room = pass->room;
	struct cp_slice text = cp_slice(pass->text, pass->text_len);

	if (pass->is_private)
		return;
	room->events->message(room->arg,
			      &(struct cp_room_message){
				      .from = pass->from,
				      .from_uri = pass->from_uri,
				      .type = cp_slice_text(pass->type),
				      .size = total - pass->content_at,
				      .text = pass->text != NULL ? text : cp_slice(NULL, 0),
				      .recipients = pass->recipients,
			      });
}

void
cp_room_finish(struct cp_room_pass *pass, uint64_t total, bool is_aborted)
{
	struct cp_room *room = pass->room;

	pass->comes = false;
	if (pass->parcel != NULL) {
		cp_msrp_parcel_finish(pass->parcel, total, is_aborted);
		if (is_aborted)
			room->counts.aborted++;
		else {
			room->counts.messages++;
			room->counts.octets += total;
			cp_room_keep(pass);
			tell(pass, total);
		}
	}
	for (struct cp_room_delivery *d = pass->deliveries, *next; d != NULL; d = next) {
		struct cp_room_member *to = d->to;
		bool is_last = d->next == NULL;

		next = d->next;
		cp_room_pump(to); /* may be the end of d, and of pass with the last one */
		if (is_last)
			return;
	}
	cp_room_pass_check(pass);
}

unsigned int
cp_room_on_end(void *arg, struct cp_msrp_incoming *in, bool is_aborted)
{
	struct cp_room_member *from = arg;
	struct cp_room_pass *pass = in->user;

	if (pass == NULL)
		return 0;
	in->user = NULL;
	if (!is_aborted && pass->parcel == NULL) {
		cp_room_finish(pass, 0, true);
		return CP_MSRP_BAD_REQUEST; /* no whole head of CPIM */
	}
	if (!is_aborted) {
		remember(from, in->message_id);
		from->sent++;
		if (pass->is_private)
			prepare_report(from, pass);
	}
	cp_room_finish(pass, in->total, is_aborted);
	return 0;
}
