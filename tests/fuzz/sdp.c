/*
 * Offers and answers of any content. Whatever is agreed must be written, and what is written must read as a session description whose
 * audio is what was agreed; nothing may leak a key.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/sdp/desc.h"
#include "ctrlplane/sdp/sdes.h"
#include "ctrlplane/sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cp_sdp_local local = {
	.rtp = {.family = DP_FAMILY_IP4, .port = 26000, .ip = {127, 0, 0, 1}},
	.rtcp = {.family = DP_FAMILY_IP4, .port = 26001, .ip = {127, 0, 0, 1}},
	.mikey = {"MIKEY message", 13},
	.streams = {{.family = DP_FAMILY_IP4, .port = 5070, .ip = {127, 0, 0, 1}},
		    {.family = DP_FAMILY_IP6, .port = 2855, .ip = {0x20, 1, [15] = 1}}},
	.stream_mikey = {{"floor", 5}, {"chat", 4}},
	.fingerprint = "sha-256 AA:BB",
	.floor_count = 2,
	.floors = {{.id = 1, .has_audio = true}, {.id = 2, .has_chat = true}},
	.path = "msrp://[2001::1]:2855/s;tcp",
};

static uint8_t key_octet;

static int
next_key(struct cp_key *out, enum dp_suite suite)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	uint8_t octets[CP_SECRET_MAX];

	memset(octets, ++key_octet, sizeof(octets));
	*out = (struct cp_key){.suite = suite};
	return cp_secret_create(&out->octets, octets, (size_t)info->key + info->salt);
}

static uint64_t
fixed_id(void)
{
	return 1;
}

static void
must(bool is_so)
{
	if (!is_so)
		abort();
}

/* An m-line that is a stream is written as one where it was agreed, and as nothing else. */
static void
check_streams(const struct cp_sdp_session *session, const struct cp_desc *desc)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		const struct cp_sdp_stream *s = &session->streams[i];
		struct cp_slice rest, value;

		if (s->mode == CP_SDP_STREAM_NONE)
			continue;
		must(s->mline < desc->media_count && s->mline != session->audio);
		must(desc->media[s->mline].port ==
		     (s->setup == CP_SDP_HOLDCONN || s->setup == CP_SDP_ACTIVE
			      ? 9
			      : local.streams[i].port));
		must(!s->is_new || !s->is_active || s->remote.family != DP_FAMILY_NONE);
		must((s->mode == CP_SDP_STREAM_PSK) ==
		     (session->media.keying == CP_SDP_MIKEY_TICKET));
		must(s->mode != CP_SDP_STREAM_PSK || s->cs_id % 2 == 1);
		must(s->mode != CP_SDP_STREAM_PLAIN || session->media.keying == CP_SDP_UNKEYED);
		rest = desc->media[s->mline].lines;
		must(cp_desc_attribute(&rest, "fingerprint", &value) ==
		     (s->mode == CP_SDP_STREAM_CERTIFICATE));
	}
}

/* What we wrote, read again. */
static void
check_text(const struct cp_sdp_session *session)
{
	const struct cp_sdp_media *media = &session->media;
	char text[CP_SDP_TEXT_MAX];
	int len = cp_sdp_encode(text, sizeof(text), session, &local);
	struct cp_desc desc;
	struct cp_slice rest, value;
	struct cp_sdes sdes;

	must(len > 0);
	must(cp_desc_decode(&desc, cp_slice(text, (size_t)len)) == 0);
	must(desc.media_count == session->mline_count);
	check_streams(session, &desc);
	if (!cp_sdp_has_audio(session))
		return;
	must(desc.media[session->audio].port == 26000);
	rest = desc.media[session->audio].lines;
	if (media->keying != CP_SDP_SDES) {
		must(!cp_desc_attribute(&rest, "crypto", &value));
		return;
	}
	must(cp_desc_attribute(&rest, "crypto", &value));
	must(cp_sdes_decode(&sdes, value) == CP_SDES_FINE);
	must(sdes.tag == media->crypto_tag && cp_key_is_same(&sdes.keys[0], &media->tx_key));
	must(!cp_secret_is_same(media->rx_keys[0].octets, media->tx_key.octets));
	cp_sdes_drop(&sdes);
}

static void
check_media(const struct cp_sdp_media *media, bool has_audio)
{
	must(media->rx_count >= 1 && media->rx_count <= CP_SDP_CODECS_MAX);
	must(media->ptime_ms >= 10 && media->ptime_ms <= 60 && media->ptime_ms % 10 == 0);
	must(media->tx.pt < 128 && media->dtmf_pt < 128);
	must((media->suite == DP_SUITE_NONE) == (media->rx_key_count == 0));
	must(!has_audio || (media->suite == DP_SUITE_NONE) == (media->keying == CP_SDP_UNKEYED));
	must(has_audio || (media->suite == DP_SUITE_NONE && media->dirs == 0));
}

/* What an exchange would give. */
static void
set_keys(struct cp_sdp_result *r, const struct cp_sdp_session *session)
{
	struct cp_key rx, tx;
	uint8_t octets[CP_SDP_MIKEY_MAX], kept = key_octet;

	if (r->mikey.len == 0 || !cp_sdp_has_audio(&r->next))
		return;
	must(cp_sdp_mikey_octets(octets, sizeof(octets), r) > 0);
	must(r->cs_id % 2 == 1 && strstr(r->protocols, "mikey") != NULL);
	key_octet = 200;
	must(next_key(&rx, DP_SUITE_AEAD_AES_128_GCM) == 0);
	must(next_key(&tx, DP_SUITE_AEAD_AES_128_GCM) == 0);
	key_octet = kept;
	cp_sdp_set_keys(r, session, &rx, &tx, false);
	cp_key_drop(&rx);
	cp_key_drop(&tx);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum cp_sdp_security securities[] = {CP_SDP_SECURE, CP_SDP_EITHER,
							  CP_SDP_PLAIN, CP_SDP_MIKEY};
	struct cp_slice input = cp_slice((const char *)data, size);
	struct cp_sdp_policy policy;
	struct cp_sdp_result r;

	cp_sdp_policy_default(&policy);
	policy.make_key = next_key;
	policy.make_session_id = fixed_id;
	policy.may_mikey = policy.takes[CP_SDP_FLOOR] = policy.takes[CP_SDP_CHAT] = true;
	for (int i = 0; i < 4; i++) {
		struct cp_sdp_session session = {0};

		policy.security = securities[i];
		for (int round = 0; round < 2; round++) { /* the second time it changes nothing */
			if (cp_sdp_answer(&r, input, &policy, &session) != 0) {
				must(r.status >= 400 && r.text[0] != '\0');
				must(round == 0);
				break;
			}
			set_keys(&r, &session);
			must(securities[i] != CP_SDP_SECURE ||
			     r.next.media.suite != DP_SUITE_NONE || !cp_sdp_has_audio(&r.next));
			must(round == 0 || (r.changes & ~(uint32_t)CP_SDP_CHANGE_HOLD) == 0);
			check_media(&r.next.media, cp_sdp_has_audio(&r.next));
			check_text(&r.next);
			cp_sdp_commit(&session, &r);
		}
		/* the same octets as an answer to an offer of ours, on that session or a new one */
		if (cp_sdp_offer(&r, &policy, &session) != 0) {
			must(!cp_sdp_has_audio(&session));
			cp_sdp_fini(&session);
			continue;
		}
		cp_sdp_commit(&session, &r);
		if (cp_sdp_accept(&r, input, &policy, &session) == 0) {
			set_keys(&r, &session);
			check_media(&r.next.media, cp_sdp_has_audio(&r.next));
			cp_sdp_refuse_stream(&r, CP_SDP_CHAT, "none");
			check_text(&r.next);
			cp_sdp_drop(&r);
		}
		cp_sdp_fini(&session);
	}
	must(cp_secret_count() == 0);
	return 0;
}
