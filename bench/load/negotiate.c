/* Offer and answer of a participant (RFC 3264, RFC 4568): from descriptions to what the media leg does. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load/call_state.h"
#include "bench/load/streams.h"

#define DTMF_PT 101

static int
key_random(struct ue_call *c, struct ue_sdes *key, enum dp_suite suite, unsigned tag)
{
	const struct ue_options *o = c->shared->options;
	int err = ue_sdes_random(key, suite, tag);

	key->mki = o->mki;
	key->mki_len = o->mki_len;
	return err;
}

static int
ours_begin(struct ue_call *c)
{
	const struct ue_options *o = c->shared->options;
	struct ue_sdp *s = &c->ours;
	int err = 0;

	snprintf(s->addr, sizeof(s->addr), "%s", c->shared->local);
	s->port = ue_leg_rtp_port(c->media);
	s->rtcp_port = ue_leg_rtcp_port(c->media);
	s->is_secure = !o->is_plain;
	s->has_mux = o->has_mux;
	s->dir = "sendrecv";
	s->ptime = o->ptime;
	s->codec_count = o->codec_count;
	for (unsigned i = 0; i < o->codec_count; i++) {
		s->codec[i] = o->codec[i];
		s->pt[i] = ue_codec_pt(o->codec[i]);
	}
	s->dtmf_pt = DTMF_PT;
	s->session = 4000000000u + c->number;
	s->lifetime = o->lifetime;
	s->params = o->params;
	s->is_mikey_at_session = o->is_mikey_at_session;
	s->line_count = o->line_count;
	s->own = o->own_line;
	memcpy(s->line, o->line, sizeof(s->line));
	ue_streams_offer(c);
	if (o->is_plain || (c->mikey && !o->has_sdes_too))
		return 0;
	for (unsigned i = 0; i < o->suite_count && !err; i++)
		err = key_random(c, &s->key[s->key_count++], o->suite[i], i + 1);
	return err;
}

static void
mikey_set(struct ue_call *c, const char *text)
{
	c->ours.mikey = text;
	c->ours.mikey_len = text ? strlen(text) : 0;
	for (unsigned i = 0; !text && i < c->ours.line_count; i++)
		c->ours.line[i].mikey = NULL;
}

int
ue_call_offer(struct ue_call *c, char text[UE_SDP_MAX])
{
	bool is_first = c->ours.version == 0;
	int err = is_first ? ours_begin(c) : 0;

	if (!err && is_first && c->mikey)
		err = ue_mikey_offer(c->mikey, c->ssrc, &c->ours);
	c->ours.version++;
	if (!err && ue_sdp_write(text, &c->ours) == 0)
		err = -ENOSPC;
	return err;
}

void
ue_call_rekey(struct ue_call *c)
{
	struct ue_sdes key[2];
	const char *mikey;

	if (c->mikey && ue_mikey_is_keyed(c->mikey, key)) {
		explicit_bzero(key, sizeof(key));
		if (ue_mikey_update(c->mikey, c->ssrc, &mikey) == 0)
			mikey_set(c, mikey);
		return;
	}
	for (unsigned i = 0; i < c->ours.key_count; i++)
		(void)key_random(c, &c->ours.key[i], c->ours.key[i].suite, c->ours.key[i].tag);
}

int
ue_call_rekey_full(struct ue_call *c)
{
	mikey_set(c, NULL);
	return ue_mikey_offer(c->mikey, c->ssrc, &c->ours);
}

static int
address_set(union ue_sockaddr *out, const char *text, uint16_t port)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &out->ip4.sin_addr) == 1) {
		out->ip4.sin_family = AF_INET;
		out->ip4.sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &out->ip6.sin6_addr) == 1) {
		out->ip6.sin6_family = AF_INET6;
		out->ip6.sin6_port = htons(port);
		return 0;
	}
	return -EBADMSG;
}

static struct dp_srtp_key *
key_expand(const struct ue_sdes *key, const char *params)
{
	struct dp_srtp_key_conf conf = {.suite = key->suite, .mki_len = key->mki_len};
	struct dp_srtp_key *made;

	conf.is_srtp_plain = params && strstr(params, "UNENCRYPTED_SRTP");
	conf.is_srtcp_plain = params && strstr(params, "UNENCRYPTED_SRTCP");
	for (unsigned i = 0; i < key->mki_len; i++)
		conf.mki[i] = (uint8_t)(key->mki >> 8 * (key->mki_len - 1 - i));
	memcpy(conf.key, key->key, sizeof(conf.key));
	memcpy(conf.salt, key->salt, sizeof(conf.salt));
	made = dp_srtp_key_create(&conf);
	explicit_bzero(&conf, sizeof(conf));
	return made;
}

static bool
key_is_same(const struct ue_sdes *a, const struct ue_sdes *b)
{
	return a->suite == b->suite && memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       memcmp(a->salt, b->salt, sizeof(a->salt)) == 0;
}

/* Keys that changed since the last time, expanded for the leg. */
static int
keys_take(struct ue_call *c, struct ue_leg_setup *setup, const struct ue_sdes *tx,
	  const struct ue_sdes *rx)
{
	if (!c->has_keys || !key_is_same(tx, &c->tx_key)) {
		setup->tx_key = key_expand(tx, c->ours.params);
		if (!setup->tx_key)
			return -ENOMEM;
	}
	if (!c->has_keys || !key_is_same(rx, &c->rx_key)) {
		setup->rx_key = key_expand(rx, c->ours.params);
		if (!setup->rx_key) {
			dp_srtp_key_destroy(setup->tx_key);
			return -ENOMEM;
		}
	}
	c->tx_key = *tx;
	c->rx_key = *rx;
	c->has_keys = true;
	return 0;
}

/* The first codec of theirs that we have; false: none. */
static bool
codec_choose(struct ue_call *c, const struct ue_sdp *theirs, struct ue_leg_setup *setup)
{
	for (unsigned i = 0; i < theirs->codec_count; i++) {
		for (unsigned k = 0; k < c->ours.codec_count; k++) {
			if (theirs->codec[i] == DP_CODEC_NONE ||
			    theirs->codec[i] != c->ours.codec[k])
				continue;
			c->codec = theirs->codec[i];
			setup->pt = theirs->pt[i];
			return true;
		}
	}
	return false;
}

/* Our key and theirs that go together; false: none do. */
static bool
keys_match(const struct ue_sdp *ours, const struct ue_sdp *theirs, unsigned *our_index,
	   unsigned *their_index)
{
	for (unsigned i = 0; i < theirs->key_count; i++) {
		for (unsigned k = 0; k < ours->key_count; k++) {
			if (theirs->key[i].tag != ours->key[k].tag ||
			    theirs->key[i].suite != ours->key[k].suite)
				continue;
			*our_index = k;
			*their_index = i;
			return true;
		}
	}
	return false;
}

static unsigned
sound_place(const struct ue_call *c)
{
	return c->hz || c->shared->options->wav ? c->place % UE_TONES_MAX : UE_TONES_MAX;
}

static int
media_apply(struct ue_call *c, const struct ue_sdp *theirs, struct ue_leg_setup *setup)
{
	bool they_send =
		strcmp(theirs->dir, "sendrecv") == 0 || strcmp(theirs->dir, "sendonly") == 0;
	bool they_receive =
		strcmp(theirs->dir, "sendrecv") == 0 || strcmp(theirs->dir, "recvonly") == 0;
	bool we_send = strcmp(c->ours.dir, "sendrecv") == 0 || strcmp(c->ours.dir, "sendonly") == 0;
	bool we_receive =
		strcmp(c->ours.dir, "sendrecv") == 0 || strcmp(c->ours.dir, "recvonly") == 0;
	uint16_t rtcp = theirs->rtcp_port ? theirs->rtcp_port : (uint16_t)(theirs->port + 1);

	setup->has_mux = c->ours.has_mux && theirs->has_mux;
	if (address_set(&setup->remote, theirs->addr, theirs->port) != 0 ||
	    address_set(&setup->remote_rtcp, theirs->addr, setup->has_mux ? theirs->port : rtcp) !=
		    0)
		return -EBADMSG;
	setup->sound = c->shared->sound[c->codec][sound_place(c)];
	setup->is_secure = c->ours.is_secure;
	setup->is_sending = we_send && they_receive && c->shared->options->has_media;
	setup->is_receiving = we_receive && they_send;
	setup->is_fresh = c->is_fresh_next;
	setup->ptime = c->shared->options->ptime;
	setup->dtmf_pt = theirs->dtmf_pt;
	setup->rx_count = c->ours.codec_count;
	for (unsigned i = 0; i < c->ours.codec_count; i++) {
		setup->rx_pt[i] = c->ours.pt[i];
		setup->rx_codec[i] = (uint8_t)c->ours.codec[i];
	}
	return 0;
}

/* Keys of crypto lines, ours and theirs. */
static int
sdes_agree(struct ue_call *c, const struct ue_sdp *theirs, struct ue_sdes key[2])
{
	unsigned our_index = 0, their_index = 0;

	if (!keys_match(&c->ours, theirs, &our_index, &their_index))
		return -EBADMSG;
	key[0] = c->ours.key[our_index];
	key[1] = theirs->key[their_index];
	/* from now on only the key in use is offered */
	c->ours.key[0] = key[0];
	c->ours.key_count = 1;
	return 0;
}

/* They cannot know our next key before they have our answer. */
static void
tx_hold(struct ue_call *c, struct ue_leg_setup *setup)
{
	struct ue_leg_setup *held = malloc(sizeof(*held));

	if (!held)
		return;
	ue_call_acked(c); /* what was held before, if anything */
	*held = *setup;
	held->rx_key = NULL;
	setup->tx_key = NULL;
	c->unsaid = held;
}

void
ue_call_acked(struct ue_call *c)
{
	if (c->unsaid)
		ue_leg_setup(c->shared->media, c->media, c->unsaid);
	free(c->unsaid);
	c->unsaid = NULL;
}

/* key: for what we send, for what we receive. */
static int
theirs_take(struct ue_call *c, const struct ue_sdp *theirs, const struct ue_sdes key[2])
{
	struct ue_leg_setup setup = {0};
	int err;

	if (!codec_choose(c, theirs, &setup))
		return -EBADMSG;
	err = media_apply(c, theirs, &setup);
	if (!err && c->ours.is_secure)
		err = keys_take(c, &setup, &key[0], &key[1]);
	if (err)
		return err;
	if (c->is_fresh_next && !c->mikey) /* MIKEY's map names the SSRC */
		ue_leg_ssrc_change(c->shared->media, c->media);
	if (c->mikey && c->is_answering && c->state == UE_UP && setup.tx_key)
		tx_hold(c, &setup);
	ue_leg_setup(c->shared->media, c->media, &setup);
	c->is_fresh_next = false;
	return 0;
}

int
ue_call_answered(struct ue_call *c, const char *text, size_t len)
{
	struct ue_sdes key[2] = {{0}, {0}};
	struct ue_sdp theirs;
	int err = ue_sdp_read(&theirs, text, len);

	if (!err && (theirs.port == 0 || theirs.is_secure != c->ours.is_secure))
		err = -EBADMSG;
	if (!err && c->ours.is_secure) {
		err = c->mikey ? ue_mikey_answered(c->mikey, &theirs, key) : -ENOENT;
		if (!err)
			c->ours.key_count = 0;
		else if (err == -ENOENT)
			err = sdes_agree(c, &theirs, key);
	}
	mikey_set(c, NULL); /* said once */
	if (!err)
		err = theirs_take(c, &theirs, key);
	if (!err)
		ue_streams_agreed(c, &theirs, true);
	explicit_bzero(&theirs, sizeof(theirs));
	explicit_bzero(key, sizeof(key));
	return err;
}

void
ue_call_offer_refused(struct ue_call *c, const uint8_t *body, size_t len, bool is_sdp)
{
	struct ue_sdp theirs;

	mikey_set(c, NULL);
	if (!c->mikey)
		return;
	if (!is_sdp && len)
		ue_mikey_refused(c->mikey, body, len);
	else if (len && ue_sdp_read(&theirs, (const char *)body, len) == 0)
		ue_mikey_refused_text(c->mikey, theirs.mikey, theirs.mikey_len);
	else
		ue_mikey_refused_text(c->mikey, "", 0);
}

/* Our key for the first of their crypto lines whose suite we have; the one in use where it is that suite. */
static int
key_for(struct ue_call *c, const struct ue_sdp *theirs)
{
	const struct ue_options *o = c->shared->options;

	for (unsigned i = 0; i < theirs->key_count; i++) {
		const struct ue_sdes *key = &theirs->key[i];

		for (unsigned k = 0; k < o->suite_count; k++) {
			if (o->suite[k] != key->suite)
				continue;
			c->ours.key_count = 1;
			if (c->has_keys && c->tx_key.suite == key->suite) {
				c->ours.key[0] = c->tx_key;
				c->ours.key[0].tag = key->tag;
				return 0;
			}
			return key_random(c, &c->ours.key[0], key->suite, key->tag);
		}
	}
	return -EBADMSG;
}

/* Keys for an answer: by MIKEY where it is offered or in use, else by a crypto line. */
static int
answer_keys(struct ue_call *c, const struct ue_sdp *theirs, struct ue_sdes key[2])
{
	const char *mikey = NULL;
	int err;

	if (c->mikey && theirs->mikey) {
		err = ue_mikey_answer(c->mikey, theirs, c->ssrc, &mikey, key);
		c->ours.is_mikey_at_session = theirs->is_mikey_at_session;
		c->ours.key_count = 0;
		mikey_set(c, mikey);
		return err;
	}
	if (c->mikey && ue_mikey_is_keyed(c->mikey, key))
		return 0;
	err = key_for(c, theirs);
	return err ? err : sdes_agree(c, theirs, key);
}

int
ue_call_offered(struct ue_call *c, const char *text, size_t len)
{
	struct ue_sdp theirs;
	char *copy = malloc(len);
	int err = copy ? ue_sdp_read(&theirs, text, len) : -ENOMEM;

	if (!err && c->mikey && theirs.mikey)
		err = ue_mikey_called(c->mikey, &theirs);
	explicit_bzero(&theirs, sizeof(theirs));
	if (err && err != -EINPROGRESS) {
		free(copy);
		return err;
	}
	memcpy(copy, text, len);
	free(c->offer);
	c->offer = copy;
	c->offer_len = len;
	return err;
}

/* As many m-lines as they have, all but the audio refused at first. */
static void
lines_mirror(struct ue_sdp *ours, const struct ue_sdp *theirs)
{
	ours->line_count = theirs->line_count;
	ours->own = theirs->own;
	memcpy(ours->line, theirs->line, sizeof(ours->line));
	for (unsigned i = 0; i < ours->line_count; i++) {
		ours->line[i].mikey = NULL;
		ours->line[i].port = 0;
	}
}

int
ue_call_answer(struct ue_call *c, char out[UE_SDP_MAX])
{
	struct ue_sdes key[2] = {{0}, {0}};
	struct ue_sdp theirs;
	int err = ue_sdp_read(&theirs, c->offer, c->offer_len);

	if (!err && c->ours.version == 0)
		err = ours_begin(c);
	if (!err && (theirs.port == 0 || theirs.is_secure != c->ours.is_secure))
		err = -EBADMSG;
	if (!err && c->ours.is_secure)
		err = answer_keys(c, &theirs, key);
	c->is_answering = true;
	if (!err)
		err = theirs_take(c, &theirs, key);
	c->is_answering = false;
	if (!err) {
		c->ours.version++;
		lines_mirror(&c->ours, &theirs);
		ue_streams_answer(c, &theirs);
		err = ue_sdp_write(out, &c->ours) ? 0 : -ENOSPC;
	}
	if (!err)
		ue_streams_agreed(c, &theirs, false);
	mikey_set(c, NULL);
	explicit_bzero(&theirs, sizeof(theirs));
	explicit_bzero(key, sizeof(key));
	return err;
}
