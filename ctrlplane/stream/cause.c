/* Names of why a stream was refused or lost: for the log, for status, for telemetry. */
#include "ctrlplane/stream/stream.h"

static const char *const names[CP_STREAM_CAUSES] = {
	[CP_STREAM_ENDED] = "ended",
	[CP_STREAM_CUT] = "cut",
	[CP_STREAM_UNREACHABLE] = "unreachable",
	[CP_STREAM_LATE] = "late",
	[CP_STREAM_STALLED] = "stalled",
	[CP_STREAM_LONG] = "too-long",
	[CP_STREAM_FULL] = "full",
	[CP_STREAM_SOURCE] = "source-limit",
	[CP_STREAM_CROWDED_OUT] = "crowded-out",
	[CP_STREAM_NOT_TLS] = "not-tls",
	[CP_STREAM_NO_KEY] = "unknown-identity",
	[CP_STREAM_OTHERS_KEY] = "others-identity",
	[CP_STREAM_KEY_IN_USE] = "identity-in-use",
	[CP_STREAM_WRONG_KEY] = "wrong-key",
	[CP_STREAM_CERTIFICATE_OTHER] = "certificate",
	[CP_STREAM_TLS] = "tls",
	[CP_STREAM_REFUSED] = "refused",
	[CP_STREAM_TROUBLE] = "trouble",
};

const char *
cp_stream_cause_name(enum cp_stream_cause cause)
{
	return cause < CP_STREAM_CAUSES ? names[cause] : "";
}
