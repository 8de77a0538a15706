/* What an HTTP request to the KMS says. */
#include "ctrlplane/kms/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctrlplane/base/base64.h"
#include "ctrlplane/kms/setup/path.h"

#define MEDIA_TYPE "application/mikey"

static struct cp_kms_verdict
refuse(unsigned status, const char *text)
{
	return (struct cp_kms_verdict){.status = status, .text = text};
}

/* With parameters, of which none means anything. */
static bool
is_mikey(const char *type)
{
	size_t len = strlen(MEDIA_TYPE);

	if (type == NULL || strncasecmp(type, MEDIA_TYPE, len) != 0)
		return false;
	type += len + strspn(type + len, " \t");
	return *type == '\0' || *type == ';';
}

static struct cp_kms_verdict
judge_status(const struct cp_kms_head *head)
{
	struct cp_kms_verdict verdict = {.status = 200};

	if (strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0)
		return verdict;
	verdict = refuse(405, "The status is for GET.");
	verdict.allow = "GET, HEAD";
	return verdict;
}

/* A decimal of at most 18 digits, else -1. */
static long long
length_of(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 18 && text[digits] == '\0' ? atoll(text) : -1;
}

static struct cp_kms_verdict
judge_body(const struct cp_kms_head *head)
{
	struct cp_kms_verdict verdict = {0};
	long long length;

	if (head->length == NULL || head->transfer_encoding != NULL)
		return refuse(411, "A message must come with Content-Length.");
	length = length_of(head->length);
	if (length < 0)
		return refuse(400, "Content-Length is no number.");
	verdict.is_base64 = head->encoding != NULL && strcasecmp(head->encoding, "base64") == 0;
	if (length > (verdict.is_base64 ? (long long)CP_KMS_BODY_MAX : CP_MIKEY_MSG_MAX))
		return refuse(413, "A MIKEY message has at most 16384 octets here.");
	if (!is_mikey(head->type))
		return refuse(415, "Content-Type must be application/mikey.");
	if (head->encoding != NULL && !verdict.is_base64 &&
	    strcasecmp(head->encoding, "binary") != 0)
		return refuse(415, "Content-Transfer-Encoding must be binary or base64.");
	verdict.length = (size_t)length;
	return verdict;
}

struct cp_kms_verdict
cp_kms_judge(const struct cp_kms_head *head)
{
	struct cp_kms_verdict verdict;
	uint8_t expected = 0;

	if (strcmp(head->path, CP_KMS_STATUS_PATH) == 0)
		return judge_status(head);
	if (strcmp(head->path, CP_KMS_PATH) != 0)
		return refuse(404, "There is nothing here.");
	if (strcmp(head->method, "POST") != 0) {
		verdict = refuse(405, "Messages come by POST.");
		verdict.allow = "POST";
		return verdict;
	}
	if (head->request_type != NULL && strcmp(head->request_type, "ticketrequest") == 0)
		expected = CP_MIKEY_REQUEST_INIT_PSK;
	else if (head->request_type != NULL && strcmp(head->request_type, "ticketresolve") == 0)
		expected = CP_MIKEY_RESOLVE_INIT_PSK;
	else
		return refuse(404, "requesttype must be ticketrequest or ticketresolve.");
	verdict = judge_body(head);
	verdict.expected = expected;
	return verdict;
}

int
cp_kms_body_decode(uint8_t *body, size_t len)
{
	char text[CP_KMS_BODY_MAX];
	size_t kept = 0;
	int got;

	if (len > sizeof(text))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r\n", body[i]) == NULL || body[i] == '\0')
			text[kept++] = (char)body[i];
	got = cp_base64_decode(body, len, cp_slice(text, kept));
	return got < 0 ? -EINVAL : got;
}
