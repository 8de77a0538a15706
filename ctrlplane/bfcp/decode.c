/* Messages of RFC 8855 taken apart. Every length is checked before it is followed. */
#include "ctrlplane/bfcp/msg.h"

#include <errno.h>

struct reader {
	const uint8_t *at;
	size_t left;
};

struct attribute {
	uint8_t type;
	bool is_mandatory;
	const uint8_t *value;
	size_t len;
};

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static struct cp_slice
text_of(const struct attribute *a)
{
	return cp_slice((const char *)a->value, a->len);
}

/* The next attribute and its padding. false with *error OK: there is none. */
static bool
next(struct reader *r, struct attribute *a, enum cp_bfcp_error *error)
{
	size_t len, padded;

	if (r->left == 0)
		return false;
	*error = CP_BFCP_UNPARSABLE;
	if (r->left < 4)
		return false;
	len = r->at[1];
	padded = (len + 3) & ~(size_t)3;
	if (len < 2 || padded > r->left)
		return false;
	a->type = r->at[0] >> 1;
	a->is_mandatory = r->at[0] & 1;
	a->value = r->at + 2;
	a->len = len - 2;
	r->at += padded;
	r->left -= padded;
	*error = CP_BFCP_OK;
	return true;
}

/* What a group holds behind the number in its header. */
static bool
open_group(struct reader *inner, uint16_t *number, const struct attribute *a)
{
	if (a->len < 2)
		return false;
	*number = get16(a->value);
	inner->at = a->value + 2;
	inner->left = a->len - 2;
	return inner->left % 4 == 0;
}

/* An attribute that does not belong here: passed over, and remembered where it must be understood. */
static void
note_unknown(struct cp_bfcp_msg *msg, const struct attribute *a)
{
	if (a->type > 0 && a->type < CP_BFCP_ATTRIBUTES)
		return;
	if (a->is_mandatory && msg->unknown_count < CP_BFCP_UNKNOWN_MAX)
		msg->unknown[msg->unknown_count++] = a->type;
}

static bool
read_user(struct cp_bfcp_msg *msg, struct cp_bfcp_user *user, const struct attribute *group)
{
	enum cp_bfcp_error error = CP_BFCP_OK;
	struct attribute a;
	struct reader r;

	if (!open_group(&r, &user->id, group))
		return false;
	user->is_there = true;
	while (next(&r, &a, &error)) {
		if (a.type == CP_BFCP_USER_DISPLAY_NAME)
			user->display = text_of(&a);
		else if (a.type == CP_BFCP_USER_URI)
			user->uri = text_of(&a);
		else
			note_unknown(msg, &a);
	}
	return error == CP_BFCP_OK;
}

struct state {
	bool has_status;
	uint8_t status, queue;
	struct cp_slice info;
};

/* Behind the header of FLOOR-REQUEST-STATUS and OVERALL-REQUEST-STATUS. */
static bool
read_state(struct cp_bfcp_msg *msg, struct state *state, struct reader *r)
{
	enum cp_bfcp_error error = CP_BFCP_OK;
	struct attribute a;

	*state = (struct state){0};
	while (next(r, &a, &error)) {
		if (a.type == CP_BFCP_REQUEST_STATUS) {
			if (a.len != 2)
				return false;
			state->has_status = true;
			state->status = a.value[0];
			state->queue = a.value[1];
		} else if (a.type == CP_BFCP_STATUS_INFO) {
			state->info = text_of(&a);
		} else {
			note_unknown(msg, &a);
		}
	}
	return error == CP_BFCP_OK;
}

static bool
read_overall(struct cp_bfcp_msg *msg, struct cp_bfcp_request *request,
	     const struct attribute *group)
{
	struct reader r;
	struct state state;
	uint16_t id;

	if (!open_group(&r, &id, group) || !read_state(msg, &state, &r))
		return false;
	request->has_overall = true;
	request->has_status = state.has_status;
	request->status = state.status;
	request->queue = state.queue;
	request->status_info = state.info;
	return true;
}

static bool
read_floor(struct cp_bfcp_msg *msg, struct cp_bfcp_request *request, const struct attribute *group)
{
	struct cp_bfcp_floor_state *floor;
	struct reader r;
	struct state state;

	if (request->floor_count == CP_BFCP_FLOORS_MAX)
		return false;
	floor = &request->floors[request->floor_count];
	if (!open_group(&r, &floor->floor, group) || !read_state(msg, &state, &r))
		return false;
	floor->has_status = state.has_status;
	floor->status = state.status;
	floor->queue = state.queue;
	floor->info = state.info;
	request->floor_count++;
	return true;
}

/* 3 bits; values above the highest mean the highest (5.2.4). */
static bool
read_priority(uint8_t *priority, const struct attribute *a)
{
	if (a->len != 2)
		return false;
	*priority = a->value[0] >> 5;
	if (*priority > CP_BFCP_PRIORITY_HIGHEST)
		*priority = CP_BFCP_PRIORITY_HIGHEST;
	return true;
}

static bool
read_of_request(struct cp_bfcp_msg *msg, struct cp_bfcp_request *request, const struct attribute *a)
{
	switch (a->type) {
	case CP_BFCP_OVERALL_REQUEST_STATUS:
		return read_overall(msg, request, a);
	case CP_BFCP_ONE_FLOOR_STATUS:
		return read_floor(msg, request, a);
	case CP_BFCP_BENEFICIARY_INFORMATION:
		return read_user(msg, &request->beneficiary, a);
	case CP_BFCP_REQUESTED_BY_INFORMATION:
		return read_user(msg, &request->requested_by, a);
	case CP_BFCP_PRIORITY:
		request->has_priority = true;
		return read_priority(&request->priority, a);
	case CP_BFCP_PARTICIPANT_PROVIDED_INFO:
		request->info = text_of(a);
		return true;
	default:
		note_unknown(msg, a);
		return true;
	}
}

static bool
read_request(struct cp_bfcp_msg *msg, const struct attribute *group)
{
	enum cp_bfcp_error error = CP_BFCP_OK;
	struct cp_bfcp_request *request;
	struct attribute a;
	struct reader r;

	if (msg->request_count == CP_BFCP_REQUESTS_MAX)
		return false;
	request = &msg->requests[msg->request_count];
	*request = (struct cp_bfcp_request){0};
	if (!open_group(&r, &request->id, group))
		return false;
	while (next(&r, &a, &error))
		if (!read_of_request(msg, request, &a))
			return false;
	if (error != CP_BFCP_OK || request->floor_count == 0)
		return false;
	msg->request_count++;
	return true;
}

static bool
read_error(struct cp_bfcp_msg *msg, const struct attribute *a)
{
	if (a->len < 1)
		return false;
	msg->error = a->value[0];
	msg->error_details = cp_slice((const char *)a->value + 1, a->len - 1);
	return true;
}

/* A number of 16 bits that the message may hold once. */
static bool
read_number(uint16_t *out, bool *has, const struct attribute *a)
{
	if (a->len != 2)
		return false;
	*out = get16(a->value);
	*has = true;
	return true;
}

static bool
read_floor_id(struct cp_bfcp_msg *msg, const struct attribute *a)
{
	if (a->len != 2 || msg->floor_count == CP_BFCP_FLOORS_MAX)
		return false;
	msg->floors[msg->floor_count++] = get16(a->value);
	return true;
}

static bool
read_attribute(struct cp_bfcp_msg *msg, const struct attribute *a)
{
	switch (a->type) {
	case CP_BFCP_BENEFICIARY_ID:
		return read_number(&msg->beneficiary, &msg->has_beneficiary, a);
	case CP_BFCP_FLOOR_ID:
		return read_floor_id(msg, a);
	case CP_BFCP_FLOOR_REQUEST_ID:
		return read_number(&msg->request_id, &msg->has_request_id, a);
	case CP_BFCP_PRIORITY:
		msg->has_priority = true;
		return read_priority(&msg->priority, a);
	case CP_BFCP_ERROR_CODE:
		return read_error(msg, a);
	case CP_BFCP_ERROR_INFO:
		msg->error_info = text_of(a);
		return true;
	case CP_BFCP_PARTICIPANT_PROVIDED_INFO:
		msg->info = text_of(a);
		return true;
	case CP_BFCP_SUPPORTED_ATTRIBUTES:
		msg->attributes = text_of(a);
		return true;
	case CP_BFCP_SUPPORTED_PRIMITIVES:
		msg->primitives = text_of(a);
		return true;
	case CP_BFCP_BENEFICIARY_INFORMATION:
		return read_user(msg, &msg->about, a);
	case CP_BFCP_FLOOR_REQUEST_INFORMATION:
		return read_request(msg, a);
	default:
		note_unknown(msg, a);
		return true;
	}
}

/* 5.3: what the primitive cannot be without. */
static bool
is_complete(const struct cp_bfcp_msg *msg)
{
	switch (msg->primitive) {
	case CP_BFCP_FLOOR_REQUEST:
		return msg->floor_count > 0;
	case CP_BFCP_FLOOR_RELEASE:
	case CP_BFCP_FLOOR_REQUEST_QUERY:
		return msg->has_request_id;
	case CP_BFCP_FLOOR_REQUEST_STATUS:
	case CP_BFCP_CHAIR_ACTION:
		return msg->request_count == 1;
	case CP_BFCP_ERROR:
		return msg->error != 0;
	default:
		return true;
	}
}

ssize_t
cp_bfcp_frame(const uint8_t *octets, size_t len)
{
	size_t whole;

	if (len < 4)
		return 0;
	whole = CP_BFCP_HEADER + (size_t)get16(octets + 2) * 4;
	return whole > CP_BFCP_MAX ? -EMSGSIZE : (ssize_t)whole;
}

enum cp_bfcp_error
cp_bfcp_decode(struct cp_bfcp_msg *out, const uint8_t *octets, size_t len)
{
	enum cp_bfcp_error error = CP_BFCP_OK;
	struct attribute a;
	struct reader r;

	*out = (struct cp_bfcp_msg){.priority = CP_BFCP_PRIORITY_NORMAL};
	if (len < CP_BFCP_HEADER)
		return CP_BFCP_BAD_LENGTH;
	out->primitive = octets[1];
	out->conf = (uint32_t)get16(octets + 4) << 16 | get16(octets + 6);
	out->transaction = get16(octets + 8);
	out->user = get16(octets + 10);
	if (octets[0] >> 5 != 1)
		return CP_BFCP_BAD_VERSION;
	if (len != CP_BFCP_HEADER + (size_t)get16(octets + 2) * 4)
		return CP_BFCP_BAD_LENGTH;
	if (out->primitive == 0 || out->primitive >= CP_BFCP_PRIMITIVES)
		return CP_BFCP_UNKNOWN_PRIMITIVE;
	r = (struct reader){octets + CP_BFCP_HEADER, len - CP_BFCP_HEADER};
	while (next(&r, &a, &error))
		if (!read_attribute(out, &a))
			return CP_BFCP_UNPARSABLE;
	if (error != CP_BFCP_OK)
		return error;
	if (out->unknown_count > 0)
		return CP_BFCP_UNKNOWN_MANDATORY;
	return is_complete(out) ? CP_BFCP_OK : CP_BFCP_UNPARSABLE;
}
