/* The life of a session's state: defaults, commit, withdrawal, end. Keys are counted, so copies are
 * made here only. */
#include "ctrlplane/sdp/sdp.h"

#include <sys/random.h>
#include "ctrlplane/sdp/peer.h"

/* 62 bits: digits of an o= line that every parser reads (RFC 8866 5.2 wants it unique, not secret).
 */
static uint64_t
random_session_id(void)
{
	uint64_t id = 0;

	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return 0;
	return id >> 2;
}

void
cp_sdp_policy_default(struct cp_sdp_policy *policy)
{
	*policy = (struct cp_sdp_policy){
		.security = CP_SDP_SECURE,
		.suite_count = 5,
		.suites = {DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_SUITE_AES_CM_128_HMAC_SHA1_32,
			   DP_SUITE_AES_256_CM_HMAC_SHA1_80, DP_SUITE_AEAD_AES_128_GCM,
			   DP_SUITE_AEAD_AES_256_GCM},
		.codec_count = 3,
		.codecs = {DP_CODEC_PCMU, DP_CODEC_PCMA, DP_CODEC_L16},
		.has_ip4 = true,
		.has_ip6 = true,
		.may_mux = true,
		.ptime_ms = 20,
		.make_key = cp_key_make,
		.make_session_id = random_session_id,
	};
}

void
cp_sdp_media_drop(struct cp_sdp_media *media)
{
	for (int i = 0; i < CP_SDP_RX_KEYS_MAX; i++)
		cp_key_drop(&media->rx_keys[i]);
	cp_key_drop(&media->tx_key);
	memset(media, 0, sizeof(*media));
}

struct cp_sdp_media
cp_sdp_media_copy(const struct cp_sdp_media *media)
{
	struct cp_sdp_media copy = *media;

	for (int i = 0; i < CP_SDP_RX_KEYS_MAX; i++)
		cp_secret_get(copy.rx_keys[i].octets);
	cp_secret_get(copy.tx_key.octets);
	return copy;
}

static void
drop_offered(struct cp_sdp_session *session)
{
	for (int i = 0; i < CP_SDP_SUITES_MAX; i++)
		cp_key_drop(&session->offered[i].key);
	session->offered_count = 0;
	cp_sdp_media_drop(&session->proposal);
}

void
cp_sdp_commit(struct cp_sdp_session *session, struct cp_sdp_result *result)
{
	cp_sdp_fini(session);
	*session = result->next;
	memset(result, 0, sizeof(*result));
}

void
cp_sdp_drop(struct cp_sdp_result *result)
{
	cp_sdp_fini(&result->next);
}

void
cp_sdp_withdraw(struct cp_sdp_session *session)
{
	drop_offered(session);
	memset(session->proposed, 0, sizeof(session->proposed));
	session->phase = session->was_agreed ? CP_SDP_AGREED : CP_SDP_IDLE;
}

void
cp_sdp_fini(struct cp_sdp_session *session)
{
	drop_offered(session);
	cp_sdp_media_drop(&session->media);
	memset(session, 0, sizeof(*session));
}
