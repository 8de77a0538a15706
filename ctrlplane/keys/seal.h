/* Secrets at rest: AES-256-GCM under a master key that lives in a file of its own. */
#ifndef CP_KEYS_SEAL_H
#define CP_KEYS_SEAL_H

#include <stddef.h>
#include <stdint.h>

#define CP_SEAL_KEY 32	    /* octets of a master key */
#define CP_SEAL_OVERHEAD 28 /* octets: a random nonce before, a tag behind */
#define CP_SEAL_MAX 256	    /* octets of plain text */

/* A master key in memory: locked, out of core dumps, wiped at destroy. Read-only once made. */
struct cp_seal;

/*
 * The master key of a file: 64 hexadecimal digits on its first line. -EPERM when others than its owner
 * can read or write it; -EINVAL when it holds no key; -errno. why says it for people.
 */
int cp_seal_open(struct cp_seal **out, const char *path, char *why, size_t size);
void cp_seal_close(struct cp_seal *seal);

/* A new file with a random key, mode 0600. -EEXIST: one is there, and stays. */
int cp_seal_make_file(const char *path, char *why, size_t size);

/* What a sealed value belongs to ("psk sip:alice@ims.example 256"): authenticated with it, so that
 * values cannot change places. */
struct cp_seal_text {
	const char *label;
	const uint8_t *octets;
	size_t len;
};

/* Writes text.len + CP_SEAL_OVERHEAD octets. 0, -EINVAL past CP_SEAL_MAX, -EIO. */
int cp_seal_wrap(uint8_t *out, const struct cp_seal *seal, struct cp_seal_text text);

/* Writes text.len - CP_SEAL_OVERHEAD octets. -EBADMSG: another master key, another label, or
 * tampered with; then out is wiped. */
int cp_seal_unwrap(uint8_t *out, const struct cp_seal *seal, struct cp_seal_text text);

#endif
