/* Messages of RFC 8855 put together. */
#include "ctrlplane/bfcp/msg.h"

#include <errno.h>
#include <string.h>

#define LENGTH_MAX 255 /* an attribute's length field has 8 bits */

struct writer {
	uint8_t *out;
	size_t size, len;
	bool has_failed;
};

/* How much is said of people in a group; each step says less. */
enum detail {
	DETAIL_ALL = 0,
	DETAIL_NO_REQUESTER_NAMES,
	DETAIL_NO_URIS,
	DETAIL_NO_TEXTS,
	DETAILS,
};

static void
put(struct writer *w, const void *octets, size_t len)
{
	if (len > w->size - w->len) {
		w->has_failed = true;
		return;
	}
	if (len > 0)
		memcpy(w->out + w->len, octets, len);
	w->len += len;
}

static void
put8(struct writer *w, unsigned int value)
{
	put(w, &(uint8_t){(uint8_t)value}, 1);
}

static void
put16(struct writer *w, unsigned int value)
{
	put(w, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void
put_number(struct writer *w, unsigned int type, unsigned int value)
{
	put8(w, type << 1);
	put8(w, 4);
	put16(w, value);
}

/* Longer than the field can say: cut at a character of UTF-8. */
static void
put_octets(struct writer *w, unsigned int type, struct cp_slice text)
{
	static const uint8_t zero[3];
	size_t len = text.len;

	if (len > LENGTH_MAX - 2) {
		len = LENGTH_MAX - 2;
		while (len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80)
			len--;
	}
	put8(w, type << 1);
	put8(w, (unsigned int)len + 2);
	put(w, text.ptr, len);
	put(w, zero, (4 - (len + 2) % 4) % 4);
}

static void
put_text(struct writer *w, unsigned int type, struct cp_slice text)
{
	if (text.len > 0)
		put_octets(w, type, text);
}

static size_t
open_group(struct writer *w, unsigned int type, unsigned int number)
{
	size_t at = w->len;

	put_number(w, type, number);
	return at;
}

static bool
close_group(struct writer *w, size_t at)
{
	if (w->has_failed || w->len - at > LENGTH_MAX)
		return false;
	w->out[at + 1] = (uint8_t)(w->len - at);
	return true;
}

static bool
put_user(struct writer *w, unsigned int type, const struct cp_bfcp_user *user, enum detail detail)
{
	bool is_requester = type == CP_BFCP_REQUESTED_BY_INFORMATION;
	size_t at;

	if (!user->is_there)
		return true;
	at = open_group(w, type, user->id);
	if (detail < DETAIL_NO_TEXTS && !(is_requester && detail >= DETAIL_NO_REQUESTER_NAMES))
		put_text(w, CP_BFCP_USER_DISPLAY_NAME, user->display);
	if (detail < DETAIL_NO_URIS && !(is_requester && detail >= DETAIL_NO_REQUESTER_NAMES))
		put_text(w, CP_BFCP_USER_URI, user->uri);
	return close_group(w, at);
}

static bool
put_state(struct writer *w, size_t at, bool has_status, unsigned int status_and_queue,
	  struct cp_slice info)
{
	if (has_status)
		put_number(w, CP_BFCP_REQUEST_STATUS, status_and_queue);
	put_text(w, CP_BFCP_STATUS_INFO, info);
	return close_group(w, at);
}

static bool
put_request_with(struct writer *w, const struct cp_bfcp_request *request, enum detail detail)
{
	struct cp_slice none = {NULL, 0};
	bool has_texts = detail < DETAIL_NO_TEXTS;
	size_t at = open_group(w, CP_BFCP_FLOOR_REQUEST_INFORMATION, request->id);
	bool is_good = true;

	if (request->has_overall)
		is_good &= put_state(w, open_group(w, CP_BFCP_OVERALL_REQUEST_STATUS, request->id),
				     request->has_status,
				     (unsigned int)request->status << 8 | request->queue,
				     has_texts ? request->status_info : none);
	for (size_t i = 0; i < request->floor_count; i++) {
		const struct cp_bfcp_floor_state *floor = &request->floors[i];

		is_good &= put_state(w, open_group(w, CP_BFCP_ONE_FLOOR_STATUS, floor->floor),
				     floor->has_status,
				     (unsigned int)floor->status << 8 | floor->queue,
				     has_texts ? floor->info : none);
	}
	is_good &= put_user(w, CP_BFCP_BENEFICIARY_INFORMATION, &request->beneficiary, detail);
	is_good &= put_user(w, CP_BFCP_REQUESTED_BY_INFORMATION, &request->requested_by, detail);
	if (request->has_priority)
		put_number(w, CP_BFCP_PRIORITY, (unsigned int)request->priority << 13);
	put_text(w, CP_BFCP_PARTICIPANT_PROVIDED_INFO, has_texts ? request->info : none);
	return is_good && close_group(w, at);
}

/* With as much detail as the group's length field can say. */
static void
put_request(struct writer *w, const struct cp_bfcp_request *request)
{
	size_t at = w->len;

	for (enum detail detail = DETAIL_ALL; detail < DETAILS && !w->has_failed; detail++) {
		w->len = at;
		if (put_request_with(w, request, detail))
			return;
	}
	w->has_failed = true;
}

static void
put_error(struct writer *w, const struct cp_bfcp_msg *msg)
{
	uint8_t value[1 + LENGTH_MAX];
	size_t len = msg->error_details.len;

	if (len > LENGTH_MAX - 3)
		len = LENGTH_MAX - 3;
	value[0] = msg->error;
	if (len > 0)
		memcpy(value + 1, msg->error_details.ptr, len);
	put_octets(w, CP_BFCP_ERROR_CODE, cp_slice((char *)value, len + 1));
	put_text(w, CP_BFCP_ERROR_INFO, msg->error_info);
}

/* The order of 5.3: each primitive has its own attributes, and all agree on it. */
static void
put_attributes(struct writer *w, const struct cp_bfcp_msg *msg)
{
	if (msg->primitive == CP_BFCP_ERROR)
		put_error(w, msg);
	put_text(w, CP_BFCP_SUPPORTED_PRIMITIVES, msg->primitives);
	put_text(w, CP_BFCP_SUPPORTED_ATTRIBUTES, msg->attributes);
	for (size_t i = 0; i < msg->floor_count; i++)
		put_number(w, CP_BFCP_FLOOR_ID, msg->floors[i]);
	if (msg->has_request_id)
		put_number(w, CP_BFCP_FLOOR_REQUEST_ID, msg->request_id);
	if (msg->has_beneficiary)
		put_number(w, CP_BFCP_BENEFICIARY_ID, msg->beneficiary);
	if (!put_user(w, CP_BFCP_BENEFICIARY_INFORMATION, &msg->about, DETAIL_ALL) &&
	    !w->has_failed)
		w->has_failed = true;
	for (size_t i = 0; i < msg->request_count; i++)
		put_request(w, &msg->requests[i]);
	put_text(w, CP_BFCP_PARTICIPANT_PROVIDED_INFO, msg->info);
	if (msg->has_priority)
		put_number(w, CP_BFCP_PRIORITY, (unsigned int)msg->priority << 13);
}

ssize_t
cp_bfcp_encode(uint8_t *out, size_t size, const struct cp_bfcp_msg *msg)
{
	struct writer w = {.out = out, .size = size < CP_BFCP_MAX ? size : CP_BFCP_MAX};

	put8(&w, 1 << 5);
	put8(&w, msg->primitive);
	put16(&w, 0);
	put16(&w, msg->conf >> 16);
	put16(&w, msg->conf & 0xffff);
	put16(&w, msg->transaction);
	put16(&w, msg->user);
	put_attributes(&w, msg);
	if (w.has_failed)
		return -EMSGSIZE;
	out[2] = (uint8_t)((w.len - CP_BFCP_HEADER) / 4 >> 8);
	out[3] = (uint8_t)((w.len - CP_BFCP_HEADER) / 4);
	return (ssize_t)w.len;
}
