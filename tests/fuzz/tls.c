/*
 * A TLS server fed by somebody else. The first octet of the input says how: what follows is fed as it is, in pieces; or it is
 * laid (XOR) over what a client with the right key sends and gets, so that every message of the handshake is met half right.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IS_OVERLAID 1
#define IS_1_2 2
#define PIECES 4 /* and above: octets of a piece */

static struct cp_secret *key;

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	if (strcmp(identity, "cd177e50-1") != 0)
		return -1;
	*out = (struct cp_tls_key){.psk = key};
	return 0;
}

static void
drain(struct cp_tls *tls)
{
	uint8_t room[512];
	size_t len;

	while (cp_tls_read(&len, tls, room, sizeof(room)) == 0)
		if (len == 0 || len > sizeof(room))
			abort();
}

static void
feed(struct cp_tls *tls, const uint8_t *octets, size_t len, size_t piece)
{
	for (size_t at = 0, taken; at < len; at += taken) {
		size_t want = len - at < piece ? len - at : piece;

		if (cp_tls_feed(&taken, tls, octets + at, want) < 0 || taken == 0)
			break;
		if (taken > want)
			abort();
		drain(tls);
	}
}

/* From one end to the other under the next octets of the input; how many went. */
static size_t
carry(struct cp_tls *to, struct cp_tls *from, const uint8_t **data, size_t *size)
{
	struct cp_slice out = cp_tls_output(from);
	uint8_t octets[16384];
	size_t len = out.len < sizeof(octets) ? out.len : sizeof(octets);

	for (size_t i = 0; i < len; i++) {
		octets[i] = (uint8_t)out.ptr[i] ^ (*size > 0 ? **data : 0);
		*data += *size > 0;
		*size -= *size > 0;
	}
	cp_tls_sent(from, len);
	feed(to, octets, len, len);
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t octets[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	static struct cp_tls_context *context;
	struct cp_tls_params params = {.role = CP_TLS_SERVER, .deadline_ms = 1};
	struct cp_tls *server, *client = NULL;
	uint8_t how;

	if (!context && (cp_tls_context_create(&context, find, NULL) != 0 ||
			 cp_secret_create(&key, octets, sizeof(octets)) != 0))
		abort();
	if (size == 0)
		return 0;
	how = *data++;
	size--;
	if (cp_tls_create(&server, context, &params) != 0)
		abort();
	if (how & IS_OVERLAID) {
		params = (struct cp_tls_params){.identity = "cd177e50-1",
						.psk = key,
						.version = how & IS_1_2 ? CP_TLS_1_2 : CP_TLS_1_3};
		if (cp_tls_create(&client, context, &params) != 0)
			abort();
		while (carry(server, client, &data, &size) + carry(client, server, &data, &size) >
		       0)
			;
	} else {
		feed(server, data, size, how / PIECES + 1u);
		/* nobody gets in without the key */
		if (cp_tls_state(server) == CP_TLS_OPEN || cp_tls_identity(server)[0])
			abort();
	}
	cp_tls_tick(server, 2);
	if (cp_tls_state(server) == CP_TLS_HANDSHAKE)
		abort();
	if ((cp_tls_state(server) == CP_TLS_FAILED) != (cp_tls_reason(server)[0] != '\0'))
		abort();
	cp_tls_destroy(server);
	cp_tls_destroy(client);
	return 0;
}
