/*
 * Messages of the Binary Floor Control Protocol (RFC 8855 section 5) over TCP, version 1: pure codec. Decoders borrow from
 * the input; what belongs to UDP (version 2, fragments, the acknowledgements 14 to 17) is not ours.
 */
#ifndef CP_BFCP_MSG_H
#define CP_BFCP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "ctrlplane/base/slice.h"

#define CP_BFCP_HEADER 12	/* octets */
#define CP_BFCP_MAX 16384	/* octets of a message that we take or make */
#define CP_BFCP_FLOORS_MAX 8	/* in a message, and in a floor request */
#define CP_BFCP_REQUESTS_MAX 64 /* floor requests in a status message */
#define CP_BFCP_UNKNOWN_MAX 16	/* types of unknown mandatory attributes that are told */

enum cp_bfcp_primitive {
	CP_BFCP_FLOOR_REQUEST = 1,
	CP_BFCP_FLOOR_RELEASE,
	CP_BFCP_FLOOR_REQUEST_QUERY,
	CP_BFCP_FLOOR_REQUEST_STATUS,
	CP_BFCP_USER_QUERY,
	CP_BFCP_USER_STATUS,
	CP_BFCP_FLOOR_QUERY,
	CP_BFCP_FLOOR_STATUS,
	CP_BFCP_CHAIR_ACTION,
	CP_BFCP_CHAIR_ACTION_ACK,
	CP_BFCP_HELLO,
	CP_BFCP_HELLO_ACK,
	CP_BFCP_ERROR,
	CP_BFCP_PRIMITIVES, /* those above 13 are for UDP only */
};

enum cp_bfcp_attribute {
	CP_BFCP_BENEFICIARY_ID = 1,
	CP_BFCP_FLOOR_ID,
	CP_BFCP_FLOOR_REQUEST_ID,
	CP_BFCP_PRIORITY,
	CP_BFCP_REQUEST_STATUS,
	CP_BFCP_ERROR_CODE,
	CP_BFCP_ERROR_INFO,
	CP_BFCP_PARTICIPANT_PROVIDED_INFO,
	CP_BFCP_STATUS_INFO,
	CP_BFCP_SUPPORTED_ATTRIBUTES,
	CP_BFCP_SUPPORTED_PRIMITIVES,
	CP_BFCP_USER_DISPLAY_NAME,
	CP_BFCP_USER_URI,
	CP_BFCP_BENEFICIARY_INFORMATION,
	CP_BFCP_FLOOR_REQUEST_INFORMATION,
	CP_BFCP_REQUESTED_BY_INFORMATION,
	CP_BFCP_ONE_FLOOR_STATUS, /* FLOOR-REQUEST-STATUS, the attribute */
	CP_BFCP_OVERALL_REQUEST_STATUS,
	CP_BFCP_ATTRIBUTES,
};

/* REQUEST-STATUS, 5.2.5 */
enum cp_bfcp_status {
	CP_BFCP_PENDING = 1,
	CP_BFCP_ACCEPTED,
	CP_BFCP_GRANTED,
	CP_BFCP_DENIED,
	CP_BFCP_CANCELLED,
	CP_BFCP_RELEASED,
	CP_BFCP_REVOKED,
	CP_BFCP_STATUSES,
};

/* ERROR-CODE, 5.2.6 */
enum cp_bfcp_error {
	CP_BFCP_OK = 0,
	CP_BFCP_NO_CONFERENCE,
	CP_BFCP_NO_USER,
	CP_BFCP_UNKNOWN_PRIMITIVE,
	CP_BFCP_UNKNOWN_MANDATORY,
	CP_BFCP_UNAUTHORISED,
	CP_BFCP_NO_FLOOR,
	CP_BFCP_NO_REQUEST,
	CP_BFCP_TOO_MANY,
	CP_BFCP_USE_TLS,
	CP_BFCP_UNPARSABLE,
	CP_BFCP_USE_DTLS,
	CP_BFCP_BAD_VERSION,
	CP_BFCP_BAD_LENGTH,
	CP_BFCP_GENERIC,
	CP_BFCP_ERRORS,
};

#define CP_BFCP_PRIORITY_NORMAL 2
#define CP_BFCP_PRIORITY_HIGHEST 4

/* A user as statuses tell of it; id 0 with is_there false: it is not told of. */
struct cp_bfcp_user {
	bool is_there;
	uint16_t id;
	struct cp_slice display, uri; /* empty: absent */
};

struct cp_bfcp_floor_state {
	uint16_t floor;
	bool has_status;
	uint8_t status, queue; /* enum cp_bfcp_status; place from 1, 0: none */
	struct cp_slice info;
};

/* FLOOR-REQUEST-INFORMATION */
struct cp_bfcp_request {
	uint16_t id;
	bool has_overall;      /* OVERALL-REQUEST-STATUS is there */
	bool has_status;       /* and in it a REQUEST-STATUS */
	uint8_t status, queue; /* of all its floors together */
	struct cp_slice status_info;
	size_t floor_count; /* at least 1 */
	struct cp_bfcp_floor_state floors[CP_BFCP_FLOORS_MAX];
	struct cp_bfcp_user beneficiary, requested_by;
	bool has_priority;
	uint8_t priority; /* 0 lowest … 4 highest */
	struct cp_slice info;
};

struct cp_bfcp_msg {
	uint8_t primitive; /* may be one that we do not know */
	uint32_t conf;
	uint16_t transaction, user;
	size_t floor_count;
	uint16_t floors[CP_BFCP_FLOORS_MAX];
	bool has_beneficiary, has_request_id, has_priority;
	uint16_t beneficiary, request_id;
	uint8_t priority;
	struct cp_slice info;	   /* PARTICIPANT-PROVIDED-INFO */
	struct cp_bfcp_user about; /* UserStatus */
	size_t request_count;
	struct cp_bfcp_request requests[CP_BFCP_REQUESTS_MAX];
	uint8_t error; /* enum cp_bfcp_error, or what a peer says */
	struct cp_slice error_details, error_info;
	struct cp_slice attributes, primitives; /* HelloAck: as on the wire */
	size_t unknown_count;			/* mandatory attributes that we do not know */
	uint8_t unknown[CP_BFCP_UNKNOWN_MAX];
};

/*
 * The length of the message that begins at octets: 0 when more must come to tell, -EMSGSIZE when it is longer than
 * CP_BFCP_MAX: the stream cannot be followed any more.
 */
ssize_t cp_bfcp_frame(const uint8_t *octets, size_t len);

/*
 * One whole message, as framed. CP_BFCP_OK, or the error to answer with; out then holds the header as far as it goes, for
 * the answer. Not checked here: whether conference and user are right. Also an error are attributes that the primitive must
 * have and has not.
 */
enum cp_bfcp_error cp_bfcp_decode(struct cp_bfcp_msg *out, const uint8_t *octets, size_t len);

/*
 * Into out of size octets; the length. -EMSGSIZE: does not fit. Where a group would be longer than its length field can
 * say (255 octets) names and texts for people are left out of it, the least needed first.
 */
ssize_t cp_bfcp_encode(uint8_t *out, size_t size, const struct cp_bfcp_msg *msg);

/* The error that answers a request; details of unknown attributes are taken from it. */
void cp_bfcp_make_error(struct cp_bfcp_msg *out, const struct cp_bfcp_msg *request,
			enum cp_bfcp_error error, const char *info);

const char *cp_bfcp_primitive_name(unsigned int primitive); /* as the RFC writes it; "unknown" */
const char *cp_bfcp_status_name(unsigned int status);	    /* Pending … */
const char *cp_bfcp_error_text(unsigned int error);

#endif
