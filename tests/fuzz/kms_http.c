/* Heads and bodies of HTTP requests to the KMS: fields, each with its NUL (an empty one is not there), then the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/kms/body.h"

#define FIELDS 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL at the end of what there is, and for empty fields. */
static const char *
next_field(const uint8_t **at, size_t *left)
{
	const char *text = (const char *)*at;
	size_t len = strnlen(text, *left);

	if (len == *left)
		return NULL;
	*at += len + 1;
	*left -= len + 1;
	return len > 0 ? text : NULL;
}

static void
try_body(const uint8_t *body, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	int got;

	if (copy == NULL)
		return;
	memcpy(copy, body, len);
	got = cp_kms_body_decode(copy, len);
	if (got > (int)(len / 4 * 3 + 3))
		abort();
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *field[FIELDS];
	struct cp_kms_verdict v;

	for (size_t i = 0; i < FIELDS; i++)
		field[i] = next_field(&data, &size);
	v = cp_kms_judge(&(struct cp_kms_head){field[0] != NULL ? field[0] : "",
					       field[1] != NULL ? field[1] : "", field[2], field[3],
					       field[4], field[5], field[6]});
	if (v.status != 0 && v.status != 200 && v.text == NULL)
		abort();
	if (v.status == 0 && (v.expected == 0 || v.length > CP_KMS_BODY_MAX))
		abort();
	if (size <= CP_KMS_BODY_MAX + 1)
		try_body(data, size);
	return 0;
}
