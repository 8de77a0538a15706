/* Reading and writing a=crypto lines (RFC 4568 sections 4, 6 and 9). */
#include "ctrlplane/sdp/sdes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/base/base64.h"

#define LIFETIME_BITS_MAX 48 /* RFC 3711 9.2: 2^48 packets for all our suites (RFC 7714 too) */
#define MKI_LEN_MAX 128	     /* RFC 4568 6.1 */
#define WINDOW_MIN 64	     /* RFC 3711 3.3.2 */
#define KDR_MAX 24

static enum cp_sdes_verdict
is_bad(struct cp_sdes *out, const char *why)
{
	out->why = why;
	return CP_SDES_INVALID;
}

static enum cp_sdes_verdict
is_beyond_us(struct cp_sdes *out, const char *why)
{
	out->why = why;
	return CP_SDES_UNSUPPORTED;
}

/* Digits without a leading zero, 1 to max. */
static int
decode_positive(uint64_t *out, struct cp_slice text, uint64_t max)
{
	if (text.len == 0 || text.ptr[0] == '0')
		return -EINVAL;
	return cp_slice_number(out, text, max);
}

static int
decode_lifetime(struct cp_key *key, struct cp_slice text)
{
	uint64_t number;

	if (cp_slice_has_prefix(text, "2^")) {
		text = cp_slice(text.ptr + 2, text.len - 2);
		if (decode_positive(&number, text, LIFETIME_BITS_MAX) < 0)
			return -EINVAL;
		key->lifetime = 1ULL << number;
		return 0;
	}
	return decode_positive(&key->lifetime, text, 1ULL << LIFETIME_BITS_MAX);
}

/* A decimal number of any length into len octets, big-endian. -ERANGE when it does not fit. */
static int
decode_mki_value(uint8_t *mki, size_t len, struct cp_slice digits)
{
	memset(mki, 0, len);
	for (size_t i = 0; i < digits.len; i++) {
		unsigned carry = (unsigned char)digits.ptr[i] - '0';

		if (carry > 9)
			return -EINVAL;
		for (size_t at = len; at-- > 0;) {
			carry += mki[at] * 10u;
			mki[at] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry != 0)
			return -ERANGE;
	}
	return 0;
}

static enum cp_sdes_verdict
decode_mki(struct cp_sdes *out, struct cp_key *key, struct cp_slice text)
{
	struct cp_slice digits;
	uint64_t len;

	if (!cp_slice_split(&text, ':', &digits) || digits.len == 0 || digits.ptr[0] == '0')
		return is_bad(out, "the MKI is no positive number");
	if (decode_positive(&len, text, MKI_LEN_MAX) < 0)
		return is_bad(out, "the length of the MKI is not 1 to 128");
	if (len > DP_SRTP_MKI_MAX)
		return is_beyond_us(out, "an MKI longer than 16 octets");
	if (decode_mki_value(key->mki, (size_t)len, digits) < 0)
		return is_bad(out, "the MKI is no number that fits its length");
	key->mki_len = (uint8_t)len;
	return CP_SDES_FINE;
}

static enum cp_sdes_verdict
decode_key_salt(struct cp_sdes *out, struct cp_key *key, struct cp_slice text)
{
	const struct dp_suite_info *info = dp_suite_info(out->suite);
	uint8_t octets[CP_SECRET_MAX];
	enum cp_sdes_verdict verdict = CP_SDES_FINE;
	int len = cp_base64_decode(octets, sizeof(octets), text);

	if (len == -EINVAL)
		return is_bad(out, "key and salt are not base64");
	if (len != info->key + info->salt)
		verdict = is_bad(out, "key and salt have not the length of the suite");
	else if (cp_secret_create(&key->octets, octets, (size_t)len) < 0)
		verdict = is_beyond_us(out, "no locked memory for the key");
	cp_wipe(octets, sizeof(octets));
	key->suite = out->suite;
	return verdict;
}

/* key-salt ["|" lifetime] ["|" MKI ":" length] */
static enum cp_sdes_verdict
decode_key_info(struct cp_sdes *out, struct cp_key *key, struct cp_slice info)
{
	struct cp_slice part;
	enum cp_sdes_verdict verdict;

	if (info.len > 0 && info.ptr[info.len - 1] == '|')
		return is_bad(out, "nothing after |");
	if (!cp_slice_split(&info, '|', &part))
		return is_bad(out, "no key after inline:");
	verdict = decode_key_salt(out, key, part);
	if (verdict != CP_SDES_FINE || !cp_slice_split(&info, '|', &part))
		return verdict;
	if (memchr(part.ptr, ':', part.len) == NULL) {
		if (decode_lifetime(key, part) < 0)
			return is_bad(out, "the lifetime is no number, or beyond 2^48");
		if (!cp_slice_split(&info, '|', &part))
			return CP_SDES_FINE;
	}
	if (info.len > 0)
		return is_bad(out, "more than key, lifetime and MKI");
	return decode_mki(out, key, part);
}

/* More than one key: each with an MKI, all of one length, all different (section 6.1). */
static enum cp_sdes_verdict
check_keys(struct cp_sdes *out)
{
	const struct cp_key *a = &out->keys[0], *b = &out->keys[1];

	if (out->key_count < 2)
		return CP_SDES_FINE;
	if (a->mki_len == 0 || b->mki_len == 0)
		return is_bad(out, "several keys, and one has no MKI");
	if (a->mki_len != b->mki_len)
		return is_bad(out, "MKIs of different lengths");
	if (memcmp(a->mki, b->mki, a->mki_len) == 0 || cp_secret_is_same(a->octets, b->octets))
		return is_bad(out, "the same key or MKI twice");
	return CP_SDES_FINE;
}

static bool
is_token(struct cp_slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '_'))
			return false;
	}
	return name.len > 0;
}

static enum cp_sdes_verdict
decode_keys(struct cp_sdes *out, struct cp_slice params)
{
	struct cp_slice param, method;
	enum cp_sdes_verdict verdict;
	bool is_ended = false, has_method;

	while (!is_ended && cp_slice_split(&params, ';', &param)) {
		is_ended = param.ptr + param.len == params.ptr;
		has_method =
			cp_slice_split(&param, ':', &method) && param.ptr > method.ptr + method.len;
		if (!has_method || !is_token(method))
			return is_bad(out, "no key method");
		if (!cp_slice_is(method, "inline"))
			return is_beyond_us(out, "another key method than inline");
		if (out->key_count == CP_SDES_KEYS_MAX)
			return is_beyond_us(out, "more than two keys");
		verdict = decode_key_info(out, &out->keys[out->key_count++], param);
		if (verdict != CP_SDES_FINE)
			return verdict;
	}
	return is_ended ? check_keys(out) : is_bad(out, "nothing after ;");
}

/* KDR is declarative: the peer derives session keys anew every 2^n packets, which we do not. */
static enum cp_sdes_verdict
decode_kdr(struct cp_sdes *out, struct cp_slice text)
{
	uint64_t number;

	if (cp_slice_is(text, "0"))
		return CP_SDES_FINE;
	if (decode_positive(&number, text, KDR_MAX) < 0)
		return is_bad(out, "KDR is not 0 to 24");
	return is_beyond_us(out, "a key derivation rate other than 0");
}

static enum cp_sdes_verdict
decode_session_param(struct cp_sdes *out, struct cp_slice param)
{
	struct cp_slice name, value = param;
	uint64_t number;

	if (cp_slice_is(param, "UNENCRYPTED_SRTP"))
		out->flags |= CP_SDES_PLAIN_SRTP;
	else if (cp_slice_is(param, "UNENCRYPTED_SRTCP"))
		out->flags |= CP_SDES_PLAIN_SRTCP;
	else if (cp_slice_is(param, "UNAUTHENTICATED_SRTP"))
		out->flags |= CP_SDES_UNAUTHENTICATED;
	else if (param.ptr[0] != '-') {
		cp_slice_split(&value, '=', &name);
		if (cp_slice_is(name, "KDR"))
			return decode_kdr(out, value);
		if (cp_slice_is(name, "FEC_ORDER"))
			return cp_slice_is(value, "FEC_SRTP") || cp_slice_is(value, "SRTP_FEC")
				       ? CP_SDES_FINE
				       : is_bad(out, "an unknown FEC_ORDER");
		if (cp_slice_is(name, "FEC_KEY"))
			return is_beyond_us(out, "forward error correction under a key of its own");
		if (cp_slice_is(name, "WSH"))
			return decode_positive(&number, value, UINT32_MAX) == 0 &&
					       number >= WINDOW_MIN
				       ? CP_SDES_FINE
				       : is_bad(out, "WSH is not 64 or more");
		return is_bad(out, "an unknown session parameter that is not optional");
	}
	return CP_SDES_FINE;
}

static enum dp_suite
find_suite(struct cp_slice name)
{
	for (int suite = DP_SUITE_NONE + 1; suite < DP_SUITE_COUNT; suite++)
		if (cp_slice_is(name, dp_suite_info((enum dp_suite)suite)->name))
			return (enum dp_suite)suite;
	return DP_SUITE_NONE;
}

static bool
is_visible(struct cp_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] > '~' ||
		    ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t'))
			return false;
	return true;
}

static enum cp_sdes_verdict
decode(struct cp_sdes *out, struct cp_slice value)
{
	struct cp_slice tag, suite, keys, param;
	enum cp_sdes_verdict verdict;
	uint64_t number;

	if (!is_visible(value))
		return is_bad(out, "characters that do not print");
	if (!cp_slice_word(&value, &tag) || tag.len > 9 ||
	    cp_slice_number(&number, tag, 999999999) < 0 || (tag.len > 1 && tag.ptr[0] == '0'))
		return is_bad(out, "the tag is no number of up to nine digits");
	out->tag = (uint32_t)number;
	if (!cp_slice_word(&value, &suite) || !is_token(suite))
		return is_bad(out, "no crypto suite");
	if (!cp_slice_word(&value, &keys))
		return is_bad(out, "no key");
	out->suite = find_suite(suite);
	if (out->suite == DP_SUITE_NONE)
		return is_beyond_us(out, "a suite that we do not have");
	verdict = decode_keys(out, keys);
	while (verdict == CP_SDES_FINE && cp_slice_word(&value, &param))
		verdict = decode_session_param(out, param);
	return verdict;
}

enum cp_sdes_verdict
cp_sdes_decode(struct cp_sdes *out, struct cp_slice value)
{
	enum cp_sdes_verdict verdict;

	memset(out, 0, sizeof(*out));
	verdict = decode(out, value);
	if (verdict != CP_SDES_FINE)
		cp_sdes_drop(out);
	return verdict;
}

void
cp_sdes_drop(struct cp_sdes *sdes)
{
	for (int i = 0; i < CP_SDES_KEYS_MAX; i++)
		cp_key_drop(&sdes->keys[i]);
	sdes->key_count = 0;
}

/* An MKI in decimal; 16 octets are 39 digits. Returns the digits within room. */
static const char *
encode_mki_value(char room[40], const uint8_t *mki, size_t len)
{
	uint8_t rest[DP_SRTP_MKI_MAX];
	char *at = room + 39;
	bool is_zero;

	memcpy(rest, mki, len);
	*at = '\0';
	do {
		unsigned remainder = 0;

		is_zero = true;
		for (size_t i = 0; i < len; i++) {
			remainder = remainder << 8 | rest[i];
			rest[i] = (uint8_t)(remainder / 10);
			remainder %= 10;
			is_zero &= rest[i] == 0;
		}
		*--at = (char)('0' + remainder);
	} while (!is_zero);
	return at;
}

int
cp_sdes_encode(char *text, size_t size, uint32_t tag, const struct cp_key *key, uint8_t flags)
{
	char octets[CP_BASE64_LEN(CP_SECRET_MAX) + 1], lifetime[24] = "", mki[48] = "", digits[40];
	int len;

	cp_base64_encode(octets, cp_secret_octets(key->octets), cp_secret_len(key->octets));
	if (key->lifetime != 0)
		snprintf(lifetime, sizeof(lifetime), "|%" PRIu64, key->lifetime);
	if (key->mki_len != 0)
		snprintf(mki, sizeof(mki), "|%s:%u",
			 encode_mki_value(digits, key->mki, key->mki_len), key->mki_len);
	len = snprintf(text, size, "%" PRIu32 " %s inline:%s%s%s%s%s%s", tag,
		       dp_suite_info(key->suite)->name, octets, lifetime, mki,
		       flags & CP_SDES_PLAIN_SRTP ? " UNENCRYPTED_SRTP" : "",
		       flags & CP_SDES_PLAIN_SRTCP ? " UNENCRYPTED_SRTCP" : "",
		       flags & CP_SDES_UNAUTHENTICATED ? " UNAUTHENTICATED_SRTP" : "");
	cp_wipe(octets, sizeof(octets));
	if (len < 0 || (size_t)len >= size) {
		cp_wipe(text, size);
		return -ENOSPC;
	}
	return len;
}
