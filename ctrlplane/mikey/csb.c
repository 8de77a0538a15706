/* The sessions of a bundle and their keys: RFC 6043 section 5.1.3, profile 5 to 7. */
#include "ctrlplane/mikey/csb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/sp.h"
#include "ctrlplane/mikey/time.h"

#define KEK_LEN 16 /* octets: AES-128 wraps, profile 7 */

void
cp_mikey_rand_set(struct cp_mikey_rand *rand, struct cp_mikey_octets octets)
{
	rand->len = (uint8_t)octets.len;
	if (rand->len > 0)
		memcpy(rand->octets, octets.at, rand->len);
}

struct cp_mikey_octets
cp_mikey_rand_octets(const struct cp_mikey_rand *rand)
{
	return cp_mikey_octets(rand->octets, rand->len);
}

int
cp_mikey_csb_shield(struct cp_mikey_shield *shield, const struct cp_mikey_csb *csb, bool with_encr)
{
	const struct cp_mikey_leg leg = {
		.set = csb->set,
		.phase = CP_MIKEY_RESPONSE,
		.csb_id = csb->id,
		.key = cp_secret_octets(csb->mpk),
		.rand_i = cp_mikey_rand_octets(&csb->rand_i),
		.rand_r = cp_mikey_rand_octets(&csb->rand_r),
	};

	return cp_mikey_leg_shield(shield, &leg, with_encr);
}

/* Salt of its own where the key has one, else derived. */
static int
derive_octets(uint8_t *out, size_t key_len, size_t salt_len, const struct cp_mikey_csb *csb,
	      const struct cp_mikey_held *held, uint8_t cs_id)
{
	struct cp_mikey_derivation d = {
		.prf = cp_mikey_set_info(csb->set)->prf,
		.family = CP_MIKEY_FROM_TGK,
		.constant = CP_MIKEY_TEK,
		.inkey = cp_mikey_octets(cp_secret_octets(held->key), cp_secret_len(held->key)),
		.cs_id = cs_id,
	};
	bool is_tek = held->type == CP_MIKEY_KEY_TEK || held->type == CP_MIKEY_KEY_TEK_SALT;
	int error = 0;

	if ((csb->flags & CP_MIKEY_FLAG_H) != 0)
		d.rand_i = cp_mikey_rand_octets(&csb->rand_i);
	if ((csb->flags & CP_MIKEY_FLAG_G) != 0)
		d.rand_r = cp_mikey_rand_octets(&csb->rand_r);
	if (!is_tek)
		error = cp_mikey_derive(out, key_len, &d);
	else if (d.inkey.len == key_len)
		memcpy(out, d.inkey.at, key_len);
	else
		error = -EPROTO;
	if (error < 0 || salt_len == 0)
		return error;
	if (held->salt != NULL) {
		if (cp_secret_len(held->salt) != salt_len)
			return -EPROTO;
		memcpy(out + key_len, cp_secret_octets(held->salt), salt_len);
		return 0;
	}
	if (is_tek)
		return -EPROTO; /* a TEK without salt cannot do SRTP */
	d.constant = CP_MIKEY_TEK_SALT;
	return cp_mikey_derive(out + key_len, salt_len, &d);
}

static int
key_session(struct cp_mikey_session *session, const struct cp_mikey_csb *csb,
	    const struct cp_mikey_held *held, enum dp_suite suite)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	bool is_srtp = session->use == CP_MIKEY_USE_SRTP;
	uint8_t octets[DP_SRTP_KEY_MAX + DP_SRTP_SALT_MAX];
	size_t key_len =
		session->use == CP_MIKEY_USE_TLS ? cp_mikey_set_info(csb->set)->key : KEK_LEN;
	size_t salt_len = is_srtp ? info->salt : 0;
	struct cp_secret *secret = NULL;
	int error;

	if (is_srtp)
		key_len = info->key;
	error = derive_octets(octets, key_len, salt_len, csb, held, session->cs_id);
	if (error == 0)
		error = cp_secret_create(&secret, octets, key_len + salt_len);
	cp_wipe(octets, sizeof(octets));
	if (error < 0)
		return error;
	if (is_srtp) {
		session->srtp.suite = suite;
		session->srtp.octets = secret;
	} else {
		session->secret = secret;
	}
	snprintf(session->name, sizeof(session->name), "%08x-%u", csb->id, session->cs_id);
	return 0;
}

static void
drop_session(struct cp_mikey_session *session)
{
	cp_key_drop(&session->srtp);
	cp_secret_put(session->secret);
	memset(session, 0, sizeof(*session));
}

static const struct cp_mikey_held *
find_key(const struct cp_mikey_held *held, size_t count, struct cp_mikey_octets spi)
{
	for (size_t i = 0; i < count; i++)
		if (cp_mikey_is_same(spi, cp_mikey_octets(held[i].spi, held[i].spi_len)))
			return &held[i];
	return NULL;
}

/* No session is under it, and it is not the first: that one is for what comes. */
static bool
is_idle(const struct cp_mikey_csb *csb, size_t index)
{
	const struct cp_mikey_held *held = &csb->held[index];

	for (size_t i = 0; i < csb->count; i++)
		if (csb->sessions[i].spi_len == held->spi_len &&
		    memcmp(csb->sessions[i].spi, held->spi, held->spi_len) == 0)
			return false;
	return index > 0;
}

/* Is there room for extra keys once idle ones are let go, and does each have an SPI of its own? */
static int
check_extra(const struct cp_mikey_csb *csb, struct cp_mikey_extra extra,
	    struct cp_mikey_fault *fault)
{
	size_t idle = 0;

	for (size_t i = 0; i < csb->held_count; i++)
		idle += is_idle(csb, i);
	if (csb->held_count - idle + extra.count > CP_MIKEY_KEYS_MAX)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, "more keys than we keep");
	for (size_t i = 0; i < extra.count; i++) {
		struct cp_mikey_octets spi =
			cp_mikey_octets(extra.keys[i].spi, extra.keys[i].spi_len);

		if (find_key(csb->held, csb->held_count, spi) != NULL ||
		    find_key(extra.keys, i, spi) != NULL)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					       "one SPI for two keys");
	}
	return 0;
}

static void
keep_extra(struct cp_mikey_csb *csb, struct cp_mikey_extra extra)
{
	size_t i = 1;

	while (i < csb->held_count && csb->held_count + extra.count > CP_MIKEY_KEYS_MAX) {
		if (!is_idle(csb, i)) {
			i++;
			continue;
		}
		cp_mikey_held_put(&csb->held[i], 1);
		csb->held_count--;
		memmove(&csb->held[i], &csb->held[i + 1],
			(csb->held_count - i) * sizeof(csb->held[0]));
	}
	for (i = 0; i < extra.count; i++)
		csb->held[csb->held_count++] = cp_mikey_held_get(&extra.keys[i]);
}

/* What a crypto session of the response says, without its keys. */
static void
describe(struct cp_mikey_session *session, const struct cp_mikey_cs *cs)
{
	const uint8_t *data = cs->session_data.at;

	*session = (struct cp_mikey_session){
		.cs_id = cs->id,
		.use = cs->prot == CP_MIKEY_PROT_SRTP  ? CP_MIKEY_USE_SRTP
		       : cs->prot == CP_MIKEY_PROT_TLS ? CP_MIKEY_USE_TLS
						       : CP_MIKEY_USE_CMS,
		.is_from_initiator = cs->id % 2 == 1,
		.spi_len = (uint8_t)cs->spi.len,
	};
	memcpy(session->spi, cs->spi.at, cs->spi.len);
	if (session->use != CP_MIKEY_USE_SRTP)
		return;
	session->ssrc = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
			data[3];
	session->has_roc = cs->s;
	if (cs->s) {
		session->roc = (uint32_t)data[4] << 24 | (uint32_t)data[5] << 16 |
			       (uint32_t)data[6] << 8 | data[7];
		session->seq = (uint16_t)(data[8] << 8 | data[9]);
	}
}

/* The suite that the response chose, from what either message says. */
static int
chosen_suite(enum dp_suite *suite, const struct cp_mikey_csb *csb, const struct cp_mikey_msg *init,
	     const struct cp_mikey_msg *resp, const struct cp_mikey_cs *cs)
{
	const struct cp_mikey_cs *asked = NULL;
	enum dp_suite offered[CP_MIKEY_POLICIES_MAX];
	struct cp_mikey_sp sp;
	size_t count = 0;

	*suite = DP_SUITE_NONE;
	if (!cp_mikey_find_sp(&sp, &resp->payloads, cs->policies[0], cs->prot) &&
	    !cp_mikey_find_sp(&sp, &init->payloads, cs->policies[0], cs->prot))
		return -EPROTO;
	if (cs->prot != CP_MIKEY_PROT_SRTP)
		return 0;
	*suite = cp_mikey_sp_decode(sp.params);
	if (!cp_mikey_suite_is_strong_enough(*suite, csb->set))
		return -EPROTO;
	for (size_t i = 0; i < init->cs_count; i++)
		if (init->cs[i].id == cs->id)
			asked = &init->cs[i];
	if (asked == NULL || asked->policy_count == 0)
		return 0;
	if (cp_mikey_cs_suites(offered, &count, init, asked) < 0)
		return -EPROTO;
	for (size_t i = 0; i < count; i++)
		if (offered[i] == *suite)
			return 0;
	return -EPROTO;
}

/* Does the response keep what the initial message said of a crypto session? */
static const char *
unkept(const struct cp_mikey_msg *resp, const struct cp_mikey_cs *asked)
{
	for (size_t i = 0; i < resp->cs_count; i++) {
		const struct cp_mikey_cs *cs = &resp->cs[i];

		if (cs->id != asked->id)
			continue;
		if (cs->prot != asked->prot)
			return "a crypto session changed its protocol";
		if (asked->session_data.len > 0 &&
		    !cp_mikey_is_same(cs->session_data, asked->session_data))
			return "a crypto session changed its Session Data";
		return NULL;
	}
	return "a crypto session was dropped";
}

/*
 * An update may list crypto sessions that have keys already (RFC 3830 4.5): they go on under them. What
 * may change is an SSRC; keys of another SPI would need a CS ID of their own.
 */
static const char *
changed(const struct cp_mikey_csb *csb, const struct cp_mikey_msg *init,
	const struct cp_mikey_msg *resp, const struct cp_mikey_cs *cs)
{
	const struct cp_mikey_session *live = cp_mikey_csb_find(csb, cs->id);
	struct cp_mikey_session said;
	enum dp_suite suite;

	if (live == NULL) /* its keys are over; it gets none */
		return NULL;
	describe(&said, cs);
	if (said.use != live->use ||
	    !cp_mikey_is_same(cs->spi, cp_mikey_octets(live->spi, live->spi_len)))
		return "a CS ID that had other keys";
	if (chosen_suite(&suite, csb, init, resp, cs) < 0 || suite != live->srtp.suite)
		return "a crypto session with keys changed its policy";
	return NULL;
}

static int
check_answer(const struct cp_mikey_csb *csb, const struct cp_mikey_msg *init,
	     const struct cp_mikey_msg *resp, struct cp_mikey_fault *fault)
{
	int error = cp_mikey_check_map(resp, fault);
	size_t fresh = 0, live = 0;
	const char *why;

	if (error < 0)
		return error;
	for (size_t i = 0; i < init->cs_count; i++) {
		why = unkept(resp, &init->cs[i]);

		if (why != NULL)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, why);
	}
	for (size_t i = 0; i < resp->cs_count; i++) {
		const struct cp_mikey_cs *cs = &resp->cs[i];

		if (cs->policy_count != 1 || cs->spi.len == 0 ||
		    (cs->prot == CP_MIKEY_PROT_SRTP && cs->session_data.len == 0))
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					       "a crypto session is not complete");
		if (!cp_mikey_csb_is_used(csb, cs->id)) {
			fresh++;
			continue;
		}
		live += cp_mikey_csb_find(csb, cs->id) != NULL;
		why = changed(csb, init, resp, cs);
		if (why != NULL)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, why);
	}
	if (fresh + live == 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "CS IDs that had keys, and none besides");
	if (csb->count + fresh > CP_MIKEY_SESSIONS_MAX)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, "too many crypto sessions");
	return 0;
}

/* A TEK is for one crypto session; a TGK makes one for each. */
static bool
is_tek_shared(const struct cp_mikey_held *held, const struct cp_mikey_msg *resp,
	      const struct cp_mikey_cs *cs)
{
	if (held->type != CP_MIKEY_KEY_TEK && held->type != CP_MIKEY_KEY_TEK_SALT)
		return false;
	for (size_t i = 0; i < resp->cs_count; i++)
		if (&resp->cs[i] != cs && cp_mikey_is_same(resp->cs[i].spi, cs->spi))
			return true;
	return false;
}

static int
make_session(struct cp_mikey_session *session, const struct cp_mikey_csb *csb,
	     const struct cp_mikey_msg *init, const struct cp_mikey_msg *resp,
	     const struct cp_mikey_cs *cs, const struct cp_mikey_held *held)
{
	enum dp_suite suite;

	if (held == NULL || is_tek_shared(held, resp, cs) ||
	    chosen_suite(&suite, csb, init, resp, cs) < 0)
		return -EPROTO;
	describe(session, cs);
	return key_session(session, csb, held, suite);
}

/* The SSRCs of sessions that go on, as they are said now. */
static void
keep(struct cp_mikey_csb *csb, const struct cp_mikey_msg *resp)
{
	for (size_t i = 0; i < resp->cs_count; i++)
		for (size_t s = 0; s < csb->count; s++) {
			struct cp_mikey_session said;

			if (csb->sessions[s].cs_id != resp->cs[i].id)
				continue;
			describe(&said, &resp->cs[i]);
			csb->sessions[s].ssrc = said.ssrc;
		}
}

int
cp_mikey_csb_agree(struct cp_mikey_csb *csb, const struct cp_mikey_msg *init,
		   const struct cp_mikey_msg *resp, struct cp_mikey_extra extra,
		   struct cp_mikey_fault *fault)
{
	struct cp_mikey_session *sessions = csb->sessions + csb->count;
	int error = check_answer(csb, init, resp, fault);
	size_t made = 0;

	if (error == 0)
		error = check_extra(csb, extra, fault);
	/* What is made stands behind what counts: nobody sees it before all of it is right. */
	for (size_t i = 0; error == 0 && i < resp->cs_count; i++) {
		const struct cp_mikey_cs *cs = &resp->cs[i];
		const struct cp_mikey_held *key = find_key(csb->held, csb->held_count, cs->spi);

		if (cp_mikey_csb_is_used(csb, cs->id))
			continue;
		if (key == NULL)
			key = find_key(extra.keys, extra.count, cs->spi);
		error = make_session(&sessions[made], csb, init, resp, cs, key);
		if (error == 0)
			made++;
		if (error == -EPROTO)
			cp_mikey_refuse(fault, CP_MIKEY_ERR_SP,
					"a crypto session without a policy or key that goes");
	}
	if (error < 0) {
		for (size_t i = 0; i < made; i++)
			drop_session(&sessions[i]);
		return error;
	}
	keep(csb, resp);
	csb->count += made;
	keep_extra(csb, extra);
	for (size_t i = 0; i < made; i++)
		csb->used[sessions[i].cs_id / 8] |= (uint8_t)(1u << sessions[i].cs_id % 8);
	return 0;
}

int
cp_mikey_take_kemac(struct cp_mikey_held *held, size_t *count, const struct cp_mikey_msg *msg,
		    const struct cp_mikey_shield *shield, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_payload *kemac =
		cp_mikey_list_find(&msg->payloads, CP_MIKEY_PAYLOAD_KEMAC, 0);
	struct cp_mikey_plain plain = {.len = 0};
	struct cp_mikey_key_data data;
	struct cp_mikey_ts ts;
	int error = 0;

	if (kemac == NULL)
		return 0;
	if (!cp_mikey_find_ts(&ts, &msg->payloads, 0) ||
	    cp_mikey_kemac_open(&plain, kemac, shield, msg->csb_id,
				cp_mikey_ts_iv(ts.type, ts.value)) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "a KEMAC that makes no keys");
	for (size_t i = 0; i < plain.list.count && error == 0; i++) {
		data = cp_mikey_key_data_of(&plain.list.at[i]);
		error = *count == CP_MIKEY_KEYS_MAX || data.type == CP_MIKEY_KEY_MPK ||
					!cp_mikey_key_is_fit(&data, shield->set) ||
					find_key(held, *count, data.spi) != NULL
				? cp_mikey_refuse(
					  fault, CP_MIKEY_ERR_UNSPECIFIED,
					  "keys that are not of the set, or one SPI for two")
				: cp_mikey_held_set(&held[*count], &data);
		if (error == 0)
			++*count;
	}
	cp_mikey_plain_wipe(&plain);
	return error;
}

void
cp_mikey_csb_destroy(struct cp_mikey_csb *csb)
{
	if (csb == NULL)
		return;
	for (size_t i = 0; i < csb->count; i++)
		drop_session(&csb->sessions[i]);
	cp_mikey_update_cancel(csb);
	cp_mikey_held_put(csb->held, csb->held_count);
	cp_secret_put(csb->mpk);
	free(csb);
}

void
cp_mikey_csb_retire(struct cp_mikey_csb *csb, uint8_t cs_id)
{
	for (size_t i = 0; i < csb->count; i++) {
		if (csb->sessions[i].cs_id != cs_id)
			continue;
		drop_session(&csb->sessions[i]);
		memmove(&csb->sessions[i], &csb->sessions[i + 1],
			(csb->count - i - 1) * sizeof(csb->sessions[0]));
		csb->count--;
		memset(&csb->sessions[csb->count], 0, sizeof(csb->sessions[0]));
		return;
	}
}

uint8_t
cp_mikey_csb_free_pair(const struct cp_mikey_csb *csb)
{
	for (unsigned id = 1; id < CP_MIKEY_CMS_CS - 1; id += 2)
		if ((csb->used[id / 8] & 1u << id % 8) == 0 &&
		    (csb->used[(id + 1) / 8] & 1u << (id + 1) % 8) == 0)
			return (uint8_t)id;
	return 0;
}

bool
cp_mikey_csb_is_used(const struct cp_mikey_csb *csb, uint8_t cs_id)
{
	return (csb->used[cs_id / 8] & 1u << cs_id % 8) != 0;
}

const struct cp_mikey_session *
cp_mikey_csb_find(const struct cp_mikey_csb *csb, uint8_t cs_id)
{
	for (size_t i = 0; i < csb->count; i++)
		if (csb->sessions[i].cs_id == cs_id)
			return &csb->sessions[i];
	return NULL;
}

const struct cp_mikey_session *
cp_mikey_csb_session(const struct cp_mikey_csb *csb, size_t index)
{
	return index < csb->count ? &csb->sessions[index] : NULL;
}

size_t
cp_mikey_csb_count(const struct cp_mikey_csb *csb)
{
	return csb->count;
}

uint32_t
cp_mikey_csb_id(const struct cp_mikey_csb *csb)
{
	return csb->id;
}

bool
cp_mikey_csb_is_initiator(const struct cp_mikey_csb *csb)
{
	return csb->is_initiator;
}

enum cp_mikey_set
cp_mikey_csb_set(const struct cp_mikey_csb *csb)
{
	return csb->set;
}

struct cp_mikey_id
cp_mikey_csb_initiator(const struct cp_mikey_csb *csb)
{
	return cp_mikey_name_id(&csb->initiator);
}

struct cp_mikey_id
cp_mikey_csb_responder(const struct cp_mikey_csb *csb)
{
	return cp_mikey_name_id(&csb->responder);
}

uint32_t
cp_mikey_csb_rekey_s(const struct cp_mikey_csb *csb)
{
	return csb->rekey_s;
}

uint64_t
cp_mikey_csb_end(const struct cp_mikey_csb *csb)
{
	return csb->end;
}

uint16_t
cp_mikey_csb_flags(const struct cp_mikey_csb *csb)
{
	return csb->flags;
}
