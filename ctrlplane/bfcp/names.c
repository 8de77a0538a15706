/* What RFC 8855 calls its numbers, and the error that answers a request. */
#include "ctrlplane/bfcp/msg.h"

static const char *const primitives[CP_BFCP_PRIMITIVES] = {
	[CP_BFCP_FLOOR_REQUEST] = "FloorRequest",
	[CP_BFCP_FLOOR_RELEASE] = "FloorRelease",
	[CP_BFCP_FLOOR_REQUEST_QUERY] = "FloorRequestQuery",
	[CP_BFCP_FLOOR_REQUEST_STATUS] = "FloorRequestStatus",
	[CP_BFCP_USER_QUERY] = "UserQuery",
	[CP_BFCP_USER_STATUS] = "UserStatus",
	[CP_BFCP_FLOOR_QUERY] = "FloorQuery",
	[CP_BFCP_FLOOR_STATUS] = "FloorStatus",
	[CP_BFCP_CHAIR_ACTION] = "ChairAction",
	[CP_BFCP_CHAIR_ACTION_ACK] = "ChairActionAck",
	[CP_BFCP_HELLO] = "Hello",
	[CP_BFCP_HELLO_ACK] = "HelloAck",
	[CP_BFCP_ERROR] = "Error",
};

static const char *const statuses[CP_BFCP_STATUSES] = {
	[CP_BFCP_PENDING] = "Pending",	   [CP_BFCP_ACCEPTED] = "Accepted",
	[CP_BFCP_GRANTED] = "Granted",	   [CP_BFCP_DENIED] = "Denied",
	[CP_BFCP_CANCELLED] = "Cancelled", [CP_BFCP_RELEASED] = "Released",
	[CP_BFCP_REVOKED] = "Revoked",
};

static const char *const errors[CP_BFCP_ERRORS] = {
	[CP_BFCP_NO_CONFERENCE] = "Conference does not exist",
	[CP_BFCP_NO_USER] = "User does not exist",
	[CP_BFCP_UNKNOWN_PRIMITIVE] = "Unknown primitive",
	[CP_BFCP_UNKNOWN_MANDATORY] = "Unknown mandatory attribute",
	[CP_BFCP_UNAUTHORISED] = "Unauthorised operation",
	[CP_BFCP_NO_FLOOR] = "Invalid floor ID",
	[CP_BFCP_NO_REQUEST] = "Floor request ID does not exist",
	[CP_BFCP_TOO_MANY] = "Maximum number of ongoing floor requests reached",
	[CP_BFCP_USE_TLS] = "Use TLS",
	[CP_BFCP_UNPARSABLE] = "Unable to parse message",
	[CP_BFCP_USE_DTLS] = "Use DTLS",
	[CP_BFCP_BAD_VERSION] = "Unsupported version",
	[CP_BFCP_BAD_LENGTH] = "Incorrect message length",
	[CP_BFCP_GENERIC] = "Generic error",
};

static const char *
name_of(const char *const *names, unsigned int count, unsigned int number)
{
	return number < count && names[number] ? names[number] : "unknown";
}

const char *
cp_bfcp_primitive_name(unsigned int primitive)
{
	return name_of(primitives, CP_BFCP_PRIMITIVES, primitive);
}

const char *
cp_bfcp_status_name(unsigned int status)
{
	return name_of(statuses, CP_BFCP_STATUSES, status);
}

const char *
cp_bfcp_error_text(unsigned int error)
{
	return name_of(errors, CP_BFCP_ERRORS, error);
}

void
cp_bfcp_make_error(struct cp_bfcp_msg *out, const struct cp_bfcp_msg *request,
		   enum cp_bfcp_error error, const char *info)
{
	struct cp_bfcp_msg answer = {
		.primitive = CP_BFCP_ERROR,
		.conf = request->conf,
		.transaction = request->transaction,
		.user = request->user,
		.error = (uint8_t)error,
		.error_info = cp_slice_text(info),
	};

	/* 5.2.6.1: the types, each with a reserved bit behind it. */
	if (error == CP_BFCP_UNKNOWN_MANDATORY) {
		for (size_t i = 0; i < request->unknown_count; i++)
			answer.unknown[i] = (uint8_t)(request->unknown[i] << 1);
		answer.unknown_count = request->unknown_count;
	}
	*out = answer;
	if (answer.unknown_count > 0)
		out->error_details = cp_slice((const char *)out->unknown, out->unknown_count);
}
