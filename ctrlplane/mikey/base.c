/* Small things that every part of MIKEY-TICKET uses. */
#include "ctrlplane/mikey/base.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "ctrlplane/keys/secret.h"

static const struct cp_mikey_set_info sets[] = {
	[CP_MIKEY_SET_128] = {"128", CP_MIKEY_PRF_MIKEY_1, CP_MIKEY_ENCR_AES_CM_128,
			      CP_MIKEY_MAC_HMAC_SHA_1_160, 16, 20, 16},
	[CP_MIKEY_SET_256] = {"256", CP_MIKEY_PRF_HMAC_SHA_256, CP_MIKEY_ENCR_AES_CM_256,
			      CP_MIKEY_MAC_HMAC_SHA_256_256, 32, 32, 32},
};

bool
cp_mikey_is_same(struct cp_mikey_octets a, struct cp_mikey_octets b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

struct cp_mikey_id
cp_mikey_id_uri(const char *text)
{
	return (struct cp_mikey_id){CP_MIKEY_ID_URI, cp_mikey_octets(text, strlen(text))};
}

struct cp_mikey_id
cp_mikey_id_bytes(const char *text)
{
	return (struct cp_mikey_id){CP_MIKEY_ID_BYTES, cp_mikey_octets(text, strlen(text))};
}

bool
cp_mikey_id_is_same(struct cp_mikey_id a, struct cp_mikey_id b)
{
	return a.type == b.type && cp_mikey_is_same(a.data, b.data);
}

int
cp_mikey_name_set(struct cp_mikey_name *name, struct cp_mikey_id id)
{
	if (id.data.len > CP_MIKEY_ID_MAX)
		return -ENAMETOOLONG;
	*name = (struct cp_mikey_name){.type = id.type, .len = (uint8_t)id.data.len};
	if (id.data.len > 0)
		memcpy(name->text, id.data.at, id.data.len);
	return 0;
}

struct cp_mikey_id
cp_mikey_name_id(const struct cp_mikey_name *name)
{
	return (struct cp_mikey_id){name->type, cp_mikey_octets(name->text, name->len)};
}

void
cp_mikey_key_set(struct cp_mikey_key *key, const uint8_t *octets, size_t len)
{
	key->len = len > CP_MIKEY_KEY_MAX ? 0 : (uint8_t)len;
	memcpy(key->octets, octets, key->len);
}

void
cp_mikey_key_wipe(struct cp_mikey_key *key)
{
	cp_wipe(key, sizeof(*key));
}

const struct cp_mikey_set_info *
cp_mikey_set_info(enum cp_mikey_set set)
{
	return &sets[set];
}

int
cp_mikey_set_of_prf(enum cp_mikey_set *set, uint8_t prf)
{
	if (prf > CP_MIKEY_PRF_HMAC_SHA_256)
		return -EPROTO;
	*set = prf == CP_MIKEY_PRF_HMAC_SHA_256 ? CP_MIKEY_SET_256 : CP_MIKEY_SET_128;
	return 0;
}

static uint64_t
system_now(void *arg)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec << 32 | ((uint64_t)now.tv_nsec << 32) / 1000000000;
}

static int
system_random(void *arg, uint8_t *octets, size_t len)
{
	return getrandom(octets, len, 0) == (ssize_t)len ? 0 : -EIO;
}

struct cp_mikey_env
cp_mikey_env_system(void)
{
	return (struct cp_mikey_env){system_now, system_random, NULL};
}

int
cp_mikey_refuse(struct cp_mikey_fault *fault, uint8_t error, const char *text)
{
	*fault = (struct cp_mikey_fault){.error = error, .text = text};
	return -EPROTO;
}

struct cp_mikey_limits
cp_mikey_limits_default(void)
{
	return (struct cp_mikey_limits){
		.skew_s = 300, .start_tolerance_s = 300, .min_set = CP_MIKEY_SET_128};
}
