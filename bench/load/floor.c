/* The floor control client of a participant. */
#include "bench/load/floor.h"
#include <stdlib.h>
#include <string.h>
#include "bench/lib/bench.h"
#include "ctrlplane/bfcp/msg.h"
#include "ctrlplane/stream/stream.h"

#define ERRORS_MAX 8
#define HOLDERS_MAX 8

/* One floor as this participant knows it. */
struct seat {
	uint16_t floor, request; /* request: ours, 0: none that goes on */
	uint16_t asking;	 /* transaction of a FloorRequest without an answer; 0: none */
	uint8_t status, queue;	 /* of ours, the last that was told */
	bool is_wanted;		 /* asked for before there was a stream */
	uint64_t asked_ns, granted_ns;
	unsigned holder_count, changes;
	uint16_t holder[HOLDERS_MAX], holding[HOLDERS_MAX]; /* users; their requests */
};

struct ue_floor {
	const struct ue_options *o;
	unsigned number;
	struct cp_stream *stream;
	uint32_t conf;
	uint16_t user, transaction;
	unsigned count;
	struct seat seat[UE_STREAM_FLOORS_MAX];
	/* what came of it */
	unsigned connections, asked, granted, denied, revoked, cancelled, released, decided, broken;
	unsigned error_count;
	unsigned error[ERRORS_MAX];
	double grant_ms; /* from FloorRequest to Granted, the last one */
	bool has_hello;
	struct cp_bfcp_msg in, out; /* large */
};

struct ue_floor *
ue_floor_create(const struct ue_options *o, unsigned number)
{
	struct ue_floor *f = calloc(1, sizeof(*f));

	if (f) {
		f->o = o;
		f->number = number;
		f->grant_ms = -1;
	}
	return f;
}

void
ue_floor_destroy(struct ue_floor *f)
{
	free(f);
}

void
ue_floor_describe(struct ue_floor *f, const struct ue_stream_sdp *theirs)
{
	f->conf = theirs->confid;
	f->user = theirs->userid;
	for (unsigned i = f->count; i < theirs->floor_count; i++)
		f->seat[i].floor = theirs->floor[i].id;
	f->count = theirs->floor_count > f->count ? theirs->floor_count : f->count;
}

static struct seat *
seat_of(struct ue_floor *f, unsigned floor)
{
	for (unsigned i = 0; i < f->count; i++)
		if (floor == 0 || f->seat[i].floor == floor)
			return &f->seat[i];
	return NULL;
}

/* A request of ours, but for what the primitive carries. */
static struct cp_bfcp_msg *
begin(struct ue_floor *f, enum cp_bfcp_primitive primitive)
{
	memset(&f->out, 0, sizeof(f->out));
	f->transaction = (uint16_t)(f->transaction + 1 ? f->transaction + 1 : 1);
	f->out.primitive = (uint8_t)primitive;
	f->out.conf = f->conf;
	f->out.user = f->user;
	f->out.transaction = f->transaction;
	return &f->out;
}

static void
send_out(struct ue_floor *f)
{
	uint8_t octets[CP_BFCP_MAX];
	ssize_t len = cp_bfcp_encode(octets, sizeof(octets), &f->out);

	if (len > 0 && f->stream)
		cp_stream_send(f->stream, octets, (size_t)len);
}

static void
ask(struct ue_floor *f, struct seat *s)
{
	struct cp_bfcp_msg *m = begin(f, CP_BFCP_FLOOR_REQUEST);

	m->floor_count = 1;
	m->floors[0] = s->floor;
	s->asking = m->transaction;
	s->is_wanted = false;
	s->asked_ns = bench_now_ns();
	f->asked++;
	send_out(f);
}

void
ue_floor_ask(struct ue_floor *f, unsigned floor)
{
	struct seat *s = seat_of(f, floor);

	if (s && f->stream)
		ask(f, s);
	else if (s)
		s->is_wanted = true;
	else
		f->broken++;
}

void
ue_floor_release(struct ue_floor *f, unsigned floor)
{
	struct seat *s = seat_of(f, floor);
	struct cp_bfcp_msg *m;

	if (!s || !s->request)
		return;
	m = begin(f, CP_BFCP_FLOOR_RELEASE);
	m->has_request_id = true;
	m->request_id = s->request;
	send_out(f);
}

/* A chair's word about one request on one floor. */
static void
decide(struct ue_floor *f, uint16_t request, uint16_t floor, enum cp_bfcp_status status)
{
	struct cp_bfcp_msg *m = begin(f, CP_BFCP_CHAIR_ACTION);

	m->request_count = 1;
	m->requests[0].id = request;
	m->requests[0].floor_count = 1;
	m->requests[0].floors[0] = (struct cp_bfcp_floor_state){
		.floor = floor, .has_status = true, .status = (uint8_t)status};
	f->decided++;
	send_out(f);
}

void
ue_floor_revoke(struct ue_floor *f, unsigned floor)
{
	struct seat *s = seat_of(f, floor);

	for (unsigned i = 0; s && i < s->holder_count; i++)
		decide(f, s->holding[i], s->floor, CP_BFCP_REVOKED);
}

void
ue_floor_tick(struct ue_floor *f, uint64_t now_ns)
{
	uint64_t for_ns = (uint64_t)(f->o->floor_for * 1e9);

	for (unsigned i = 0; for_ns && i < f->count; i++) {
		struct seat *s = &f->seat[i];

		if (s->status != CP_BFCP_GRANTED || !s->granted_ns ||
		    now_ns < s->granted_ns + for_ns)
			continue;
		s->granted_ns = 0; /* asked for once */
		ue_floor_release(f, s->floor);
	}
}

void
ue_floor_opened(struct ue_floor *f, struct cp_stream *stream)
{
	struct cp_bfcp_msg *m;

	f->stream = stream;
	f->connections++;
	begin(f, CP_BFCP_HELLO);
	send_out(f);
	m = begin(f, CP_BFCP_FLOOR_QUERY);
	for (unsigned i = 0; i < f->count; i++)
		m->floors[m->floor_count++] = f->seat[i].floor;
	send_out(f);
	for (unsigned i = 0; i < f->count; i++)
		if (f->seat[i].is_wanted)
			ask(f, &f->seat[i]);
}

void
ue_floor_closed(struct ue_floor *f)
{
	f->stream = NULL;
}

/* Our request has come to another status. */
static void
status_take(struct ue_floor *f, struct seat *s, uint8_t status, uint8_t queue)
{
	bool is_new = s->status != status;

	s->status = status;
	s->queue = queue;
	if (!is_new)
		return;
	switch (status) {
	case CP_BFCP_GRANTED:
		f->granted++;
		s->granted_ns = bench_now_ns();
		f->grant_ms = (double)(s->granted_ns - s->asked_ns) / 1e6;
		return;
	case CP_BFCP_DENIED:
		f->denied++;
		break;
	case CP_BFCP_CANCELLED:
		f->cancelled++;
		break;
	case CP_BFCP_RELEASED:
		f->released++;
		break;
	case CP_BFCP_REVOKED:
		f->revoked++;
		break;
	default:
		return;
	}
	s->request = 0; /* it is over */
	if (f->o->asks_again && status == CP_BFCP_RELEASED)
		ask(f, s);
}

static uint8_t
overall(const struct cp_bfcp_request *r)
{
	return r->has_status ? r->status : r->floor_count ? r->floors[0].status : 0;
}

static void
request_status_came(struct ue_floor *f, const struct cp_bfcp_msg *m)
{
	for (size_t i = 0; i < m->request_count; i++) {
		const struct cp_bfcp_request *r = &m->requests[i];

		for (unsigned k = 0; k < f->count; k++) {
			struct seat *s = &f->seat[k];

			if (m->transaction != 0 && s->asking == m->transaction) {
				s->asking = 0;
				s->request = r->id;
				s->status = 0;
			}
			if (s->request == r->id)
				status_take(f, s, overall(r), r->queue);
		}
	}
}

/* The chair's answer to what waits. */
static void
pending_take(struct ue_floor *f, const struct seat *s, const struct cp_bfcp_request *r)
{
	if (f->o->chair == UE_CHAIR_GRANT)
		decide(f, r->id, s->floor, CP_BFCP_GRANTED);
	else if (f->o->chair == UE_CHAIR_DENY)
		decide(f, r->id, s->floor, CP_BFCP_DENIED);
}

static void
floor_status_came(struct ue_floor *f, const struct cp_bfcp_msg *m)
{
	struct seat *s = m->floor_count ? seat_of(f, m->floors[0]) : NULL;
	uint16_t before[HOLDERS_MAX];

	if (!s)
		return;
	memcpy(before, s->holder, sizeof(before));
	memset(s->holder, 0, sizeof(s->holder));
	s->holder_count = 0;
	for (size_t i = 0; i < m->request_count; i++) {
		const struct cp_bfcp_request *r = &m->requests[i];

		if (overall(r) == CP_BFCP_PENDING && f->o->chair != UE_CHAIR_NOT) {
			pending_take(f, s, r);
		} else if (overall(r) == CP_BFCP_GRANTED && s->holder_count < HOLDERS_MAX) {
			s->holding[s->holder_count] = r->id;
			s->holder[s->holder_count++] =
				r->beneficiary.is_there ? r->beneficiary.id : 0;
		}
	}
	s->changes += memcmp(before, s->holder, sizeof(before)) != 0;
}

static void
message_came(struct ue_floor *f, const uint8_t *octets, size_t len)
{
	if (cp_bfcp_decode(&f->in, octets, len) != CP_BFCP_OK) {
		f->broken++;
		return;
	}
	switch (f->in.primitive) {
	case CP_BFCP_FLOOR_REQUEST_STATUS:
		request_status_came(f, &f->in);
		break;
	case CP_BFCP_FLOOR_STATUS:
		floor_status_came(f, &f->in);
		break;
	case CP_BFCP_HELLO_ACK:
		f->has_hello = true;
		break;
	case CP_BFCP_ERROR:
		if (f->error_count < ERRORS_MAX)
			f->error[f->error_count] = f->in.error;
		f->error_count++;
		break;
	default:
		break;
	}
}

size_t
ue_floor_received(struct ue_floor *f, const uint8_t *octets, size_t len)
{
	size_t taken = 0;

	while (taken < len && f->stream) {
		ssize_t n = cp_bfcp_frame(octets + taken, len - taken);

		if (n < 0) { /* nothing that follows can be understood */
			f->broken++;
			return len;
		}
		if (n == 0 || (size_t)n > len - taken)
			break;
		message_came(f, octets + taken, (size_t)n);
		taken += (size_t)n;
	}
	return taken;
}

static json_t *
seat_json(const struct seat *s)
{
	json_t *holders = json_array();

	for (unsigned i = 0; i < s->holder_count; i++)
		json_array_append_new(holders, json_integer(s->holder[i]));
	return json_pack("{s:i, s:s, s:i, s:b, s:o, s:i}", "floor", (int)s->floor, "status",
			 s->status ? cp_bfcp_status_name(s->status) : "none", "queue",
			 (int)s->queue, "holds", s->status == CP_BFCP_GRANTED, "holders", holders,
			 "changes", (int)s->changes);
}

json_t *
ue_floor_json(const struct ue_floor *f)
{
	json_t *floors = json_array(), *errors = json_array();

	for (unsigned i = 0; i < f->count; i++)
		json_array_append_new(floors, seat_json(&f->seat[i]));
	for (unsigned i = 0; i < f->error_count && i < ERRORS_MAX; i++)
		json_array_append_new(errors, json_integer(f->error[i]));
	return json_pack("{s:I, s:i, s:i, s:b, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, "
			 "s:i, s:o}",
			 "conference", (json_int_t)f->conf, "user", (int)f->user, "connections",
			 (int)f->connections, "hello", f->has_hello, "floors", floors, "asked",
			 (int)f->asked, "granted", (int)f->granted, "denied", (int)f->denied,
			 "revoked", (int)f->revoked, "cancelled", (int)f->cancelled, "released",
			 (int)f->released, "decided", (int)f->decided, "grant_ms",
			 f->grant_ms >= 0 ? json_real(f->grant_ms) : json_null(), "broken",
			 (int)f->broken, "errors", errors);
}
