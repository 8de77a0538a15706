/* Making, copying and comparing SRTP master keys. */
#include "ctrlplane/keys/keys.h"

#include <errno.h>
#include <string.h>

int
cp_key_make(struct cp_key *out, enum dp_suite suite)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	struct cp_secret *octets;
	int error;

	if (info->key == 0)
		return -EINVAL;
	error = cp_secret_create_random(&octets, (size_t)info->key + info->salt);
	if (error < 0)
		return error;
	*out = (struct cp_key){.suite = suite, .octets = octets};
	return 0;
}

struct cp_key
cp_key_copy(const struct cp_key *key)
{
	struct cp_key copy = *key;

	cp_secret_get(copy.octets);
	return copy;
}

void
cp_key_drop(struct cp_key *key)
{
	cp_secret_put(key->octets);
	memset(key, 0, sizeof(*key));
}

bool
cp_key_is_same(const struct cp_key *a, const struct cp_key *b)
{
	return a->suite == b->suite && a->mki_len == b->mki_len &&
	       memcmp(a->mki, b->mki, a->mki_len) == 0 && cp_secret_is_same(a->octets, b->octets);
}
