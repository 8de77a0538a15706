/* What an HTTP request to the KMS says: profile section 3. Pure: header fields in, a verdict out. */
#ifndef CP_KMS_BODY_H
#define CP_KMS_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/mikey/codes.h"

/* Octets of a body: a message in base64 with line breaks. */
#define CP_KMS_BODY_MAX (CP_MIKEY_MSG_MAX / 3 * 4 + CP_MIKEY_MSG_MAX / 16)

/* The fields of a request that matter; NULL: not there. */
struct cp_kms_head {
	const char *method, *path;
	const char *request_type; /* of the query */
	const char *length, *transfer_encoding;
	const char *type, *encoding; /* Content-Type, Content-Transfer-Encoding */
};

/* What to do with it. */
struct cp_kms_verdict {
	unsigned status;   /* 0: read the body; 200: the status is asked for; else refused */
	const char *text;  /* why, where refused */
	const char *allow; /* with 405 */
	uint8_t expected;  /* data type of the message */
	bool is_base64;
	size_t length;
};

struct cp_kms_verdict cp_kms_judge(const struct cp_kms_head *head);

/* Base64 with blanks and line breaks, in place. The number of octets, or -EINVAL. */
int cp_kms_body_decode(uint8_t *body, size_t len);

#endif
