/* MIKEY messages in whatever people have: octets, hexadecimal, base64, an SDP body. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/base/base64.h"
#include "ctrlplane/cli/mikey_state.h"

#define ATTRIBUTE "key-mgmt:mikey"

void
cp_cli_mikey_drop(struct cp_cli_mikey_input *inputs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(inputs[i].octets);
}

static int
keep(struct cp_cli_mikey_input *input, const uint8_t *octets, size_t len)
{
	input->octets = malloc(len == 0 ? 1 : len);
	if (input->octets == NULL)
		return -ENOMEM;
	memcpy(input->octets, octets, len);
	input->len = len;
	return 0;
}

/* Without the blanks and line ends that mail and terminals put in. */
static size_t
squeeze(char *out, const uint8_t *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		if (!isspace(text[i]) && text[i] != ':' && text[i] != '"')
			out[count++] = (char)text[i];
	return count;
}

static int
from_hex(struct cp_cli_mikey_input *input, const char *text, size_t len)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];

	if (len == 0 || len % 2 != 0 || len / 2 > sizeof(octets))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int digit = isdigit((unsigned char)text[i])
				    ? text[i] - '0'
				    : tolower((unsigned char)text[i]) - 'a' + 10;

		if (!isxdigit((unsigned char)text[i]))
			return -EINVAL;
		octets[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : octets[i / 2] | digit);
	}
	return keep(input, octets, len / 2);
}

static int
from_base64(struct cp_cli_mikey_input *input, const char *text, size_t len)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	int count =
		len == 0 ? -EINVAL : cp_base64_decode(octets, sizeof(octets), cp_slice(text, len));

	return count < 0 ? count : keep(input, octets, (size_t)count);
}

/* Every key-mgmt line of a body. */
static int
from_sdp(struct cp_cli_mikey_input *inputs, const char *text, size_t len)
{
	struct cp_slice rest = cp_slice(text, len), line;
	int count = 0;

	while (cp_slice_line(&rest, &line)) {
		const char *at = memmem(line.ptr, line.len, ATTRIBUTE, strlen(ATTRIBUTE));
		struct cp_slice words, word;

		if (at == NULL || count == CP_CLI_MIKEY_MAX)
			continue;
		at += strlen(ATTRIBUTE);
		words = cp_slice(at, line.len - (size_t)(at - line.ptr));
		if (cp_slice_word(&words, &word) &&
		    from_base64(&inputs[count], word.ptr, word.len) == 0)
			count++;
	}
	return count;
}

int
cp_cli_mikey_find(struct cp_cli_mikey_input inputs[CP_CLI_MIKEY_MAX], const uint8_t *text,
		  size_t len)
{
	char *squeezed;
	size_t count;
	int error;

	if (len == 0)
		return -EINVAL;
	if (text[0] == 1) /* version 1: no text starts with that */
		return keep(&inputs[0], text, len) < 0 ? -ENOMEM : 1;
	if (memmem(text, len, ATTRIBUTE, strlen(ATTRIBUTE)) != NULL) {
		error = from_sdp(inputs, (const char *)text, len);
		return error > 0 ? error : -EINVAL;
	}
	squeezed = malloc(len);
	if (squeezed == NULL)
		return -ENOMEM;
	count = squeeze(squeezed, text, len);
	error = from_hex(&inputs[0], squeezed, count);
	if (error == -EINVAL)
		error = from_base64(&inputs[0], squeezed, count);
	free(squeezed);
	return error < 0 ? -EINVAL : 1;
}
