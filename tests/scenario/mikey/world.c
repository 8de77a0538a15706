/* The world of MIKEY-TICKET's tests. */
#include "tests/scenario/mikey/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_S 1767225600ULL
#define TICK (1ULL << 22) /* 1/1024 s */

const char *const world_conf = "sip:conf-7f3a@focus.example";

static uint64_t
read_clock(void *arg)
{
	struct world *w = (struct world *)arg;

	return w->start + w->reads++ * TICK;
}

static int
draw(void *arg, uint8_t *octets, size_t len)
{
	struct world *w = (struct world *)arg;

	if (w->drawn < w->draw_count) {
		w->mismatch |= w->draws[w->drawn].len != len;
		memcpy(octets, w->draws[w->drawn].octets, len);
		w->drawn++;
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
		octets[i] = (uint8_t)(w->seed >> 56);
	}
	return 0;
}

static bool
is_named(struct cp_mikey_id id, const char *text)
{
	return cp_mikey_is_same(id.data, cp_mikey_octets(text, strlen(text)));
}

static void
copy(struct cp_mikey_key *key, const struct cp_secret *secret)
{
	cp_mikey_key_set(key, cp_secret_octets(secret), cp_secret_len(secret));
}

static int
find_psk(void *arg, struct cp_mikey_psk *psk, struct cp_mikey_id psk_id, struct cp_mikey_id user,
	 enum cp_mikey_set set)
{
	struct world *w = (struct world *)arg;
	struct cp_mikey_id name = psk_id.data.len > 0 ? psk_id : user;

	for (size_t i = 0; i < w->user_count; i++)
		if (is_named(name, w->users[i].identity) && w->users[i].psk[set] != NULL) {
			cp_mikey_name_set(&psk->owner, cp_mikey_id_uri(w->users[i].identity));
			copy(&psk->key, w->users[i].psk[set]);
			return 0;
		}
	return -ENOENT;
}

static int
may_act_for(void *arg, struct cp_mikey_id owner, struct cp_mikey_id user)
{
	struct world *w = (struct world *)arg;

	for (size_t i = 0; i < w->user_count; i++)
		if (is_named(owner, w->users[i].identity))
			return cp_mikey_id_is_same(owner, user) ||
					       (w->users[i].acts_for[0] != '\0' &&
						cp_mikey_id_may_be(
							cp_mikey_id_uri(w->users[i].acts_for),
							user))
				       ? 0
				       : -EACCES;
	return -ENOENT;
}

static int
current_tpk(void *arg, struct cp_mikey_tpk *tpk, enum cp_mikey_set set)
{
	struct world *w = (struct world *)arg;

	cp_mikey_name_set(&tpk->id, cp_mikey_id_bytes(w->tpks[w->tpk_count - 1].id));
	copy(&tpk->key, w->tpks[w->tpk_count - 1].key[set]);
	return 0;
}

static int
find_tpk(void *arg, struct cp_mikey_tpk *tpk, struct cp_mikey_id id, enum cp_mikey_set set)
{
	struct world *w = (struct world *)arg;

	for (size_t i = 0; i < w->tpk_count; i++)
		if (is_named(id, w->tpks[i].id)) {
			copy(&tpk->key, w->tpks[i].key[set]);
			return 0;
		}
	for (size_t i = 0; i < w->user_count; i++)
		if (w->users[i].tpk_id[0] != '\0' && is_named(id, w->users[i].tpk_id)) {
			copy(&tpk->key, w->users[i].tpk[set]);
			return cp_mikey_name_set(&tpk->owner,
						 cp_mikey_id_uri(w->users[i].identity));
		}
	return -ENOENT;
}

static int
remember(void *arg, const struct cp_mikey_replay_key *key, uint64_t now, uint64_t until)
{
	struct world *w = (struct world *)arg;

	return cp_mikey_replay_put(w->remembered, key, now, until);
}

void
world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->start = CLOCK_S << 32;
	w->seed = 1;
	w->env = (struct cp_mikey_env){read_clock, draw, w};
	w->config = cp_mikey_kms_config_default(cp_mikey_id_uri("sip:kms.example"));
	w->ops = (struct cp_mikey_kms_ops){.arg = w,
					   .find_psk = find_psk,
					   .may_act_for = may_act_for,
					   .current_tpk = current_tpk,
					   .find_tpk = find_tpk,
					   .remember = remember};
	if (cp_mikey_replay_create(&w->remembered, 4096) < 0)
		abort();
	w->out = (struct cp_mikey_out){w->octets, sizeof(w->octets), 0};
}

static void
name_keys(struct cp_secret *keys[2], const char *name)
{
	uint8_t octets[32];

	for (int set = 0; set < 2; set++) {
		for (size_t i = 0; i < sizeof(octets); i++)
			octets[i] = (uint8_t)((size_t)name[i % strlen(name)] + i * 7 +
					      (size_t)set * 100);
		if (cp_secret_create(&keys[set], octets, set == 0 ? 16 : 32) < 0)
			abort();
	}
}

void
world_people(struct world *w)
{
	static const char *const names[] = {"sip:alice@ims.example", "sip:bob@ims.example",
					    "sip:carol@ims.example", "sip:focus.example"};

	for (size_t i = 0; i < 4; i++) {
		struct world_user *user = &w->users[w->user_count++];

		snprintf(user->identity, sizeof(user->identity), "%s", names[i]);
		name_keys(user->psk, names[i]);
	}
	snprintf(w->users[3].acts_for, sizeof(w->users[3].acts_for), "sip:*@focus.example");
	snprintf(w->users[0].tpk_id, sizeof(w->users[0].tpk_id), "alice-tpk");
	name_keys(w->users[0].tpk, "alice-tpk");
	snprintf(w->tpks[0].id, sizeof(w->tpks[0].id), "tpk-1");
	name_keys(w->tpks[0].key, "tpk-1");
	w->tpk_count = 1;
}

void
world_fini(struct world *w)
{
	for (int set = 0; set < 2; set++) {
		for (size_t i = 0; i < w->user_count; i++) {
			cp_secret_put(w->users[i].psk[set]);
			cp_secret_put(w->users[i].tpk[set]);
		}
		for (size_t i = 0; i < w->tpk_count; i++)
			cp_secret_put(w->tpks[i].key[set]);
	}
	cp_mikey_replay_destroy(w->remembered);
}

struct world_user *
world_user(struct world *w, const char *identity)
{
	for (size_t i = 0; i < w->user_count; i++)
		if (strcmp(w->users[i].identity, identity) == 0)
			return &w->users[i];
	return NULL;
}

struct cp_mikey_account
world_account(struct world *w, const char *user, const char *psk_of, enum cp_mikey_set set)
{
	struct world_user *owner = world_user(w, psk_of);
	struct cp_mikey_account account = {
		.user = cp_mikey_id_uri(user),
		.kms = cp_mikey_id_uri("sip:kms.example"),
		.psk = {owner->psk[0], owner->psk[1]},
		.set = set,
		.limits = cp_mikey_limits_default(),
	};

	if (strcmp(user, psk_of) != 0)
		account.psk_id = cp_mikey_id_bytes(owner->identity);
	return account;
}

struct cp_mikey_policy
world_policy(struct world *w, enum cp_mikey_set set, const char *initiator, const char *responder)
{
	struct cp_mikey_policy policy;

	cp_mikey_policy_init(&policy, set);
	policy.kms = cp_mikey_id_uri("sip:kms.example");
	policy.initiator = cp_mikey_id_uri(initiator);
	policy.has_start = policy.has_end = true;
	policy.start = read_clock(w) & ~(uint64_t)UINT32_MAX;
	policy.end = (read_clock(w) & ~(uint64_t)UINT32_MAX) + (3600ULL << 32);
	policy.responders[policy.responder_count++] = cp_mikey_id_uri(responder);
	return policy;
}

int
world_kms(struct world *w)
{
	uint8_t in[CP_MIKEY_MSG_MAX];
	struct cp_mikey_kms_call call = {.in = cp_mikey_octets(in, w->out.len)};

	memcpy(in, w->octets, w->out.len);
	return cp_mikey_kms_handle(&w->out, &w->report, &w->config, &w->ops, &w->env, call);
}

struct cp_mikey_ticket *
world_ticket(struct world *w, const struct cp_mikey_account *account,
	     const struct cp_mikey_policy *policy)
{
	struct cp_mikey_request *request;
	struct cp_mikey_ticket *ticket = NULL;

	if (cp_mikey_request_make(&request, &w->out, account, policy, &w->env) < 0)
		return NULL;
	if (world_kms(w) == 0)
		cp_mikey_request_take(&ticket, request, world_in(w), &w->env, &w->fault);
	cp_mikey_request_destroy(request);
	return ticket;
}

size_t
world_lines(struct cp_mikey_line *lines)
{
	static const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};

	lines[0] = cp_mikey_line_srtp(1, 0x11223344, suites, 1);
	lines[1] = (struct cp_mikey_line){.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS};
	return 2;
}

struct cp_mikey_responder_config
world_focus(struct world *w)
{
	return (struct cp_mikey_responder_config){
		.account = world_account(w, world_conf, "sip:focus.example", CP_MIKEY_SET_256),
		.suites = 0x3E,
		.sdp_ids = "mikey",
	};
}

struct cp_mikey_initiator *
world_call(struct world *w, struct cp_mikey_ticket *ticket)
{
	struct cp_mikey_line lines[2];
	struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(world_conf),
					     .lines = lines,
					     .count = world_lines(lines),
					     .sdp_ids = "mikey",
					     .limits = cp_mikey_limits_default()};
	struct cp_mikey_initiator *initiator;

	return cp_mikey_initiator_make(&initiator, &w->out, ticket, &transfer, &w->env) < 0
		       ? NULL
		       : initiator;
}

struct cp_mikey_responder *
world_resolved(struct world *w, const struct cp_mikey_responder_config *config)
{
	struct cp_mikey_responder *responder;
	int error = cp_mikey_responder_create(&responder, config, world_in(w), &w->env, &w->fault);

	if (error < 0)
		return NULL;
	error = cp_mikey_responder_resolve_make(&w->out, responder, &w->env);
	if (error == 0)
		error = world_kms(w);
	if (error == 0)
		error = cp_mikey_responder_resolve_take(responder, world_in(w), &w->env, &w->fault);
	if (error < 0) {
		cp_mikey_responder_destroy(responder);
		return NULL;
	}
	return responder;
}

void
world_up(struct world *w, struct world_call *call, enum cp_mikey_set set, uint16_t more,
	 uint16_t less)
{
	struct cp_mikey_account account =
		world_account(w, "sip:alice@ims.example", "sip:alice@ims.example", set);
	struct cp_mikey_policy policy = world_policy(w, set, "sip:alice@ims.example", world_conf);
	struct cp_mikey_responder_config config = world_focus(w);
	struct cp_mikey_answer answer = {NULL, 0};
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;

	policy.flags = (uint16_t)((policy.flags | more) & ~less);
	*call = (struct world_call){NULL, NULL, NULL};
	call->ticket = world_ticket(w, &account, &policy);
	initiator = call->ticket == NULL ? NULL : world_call(w, call->ticket);
	responder = initiator == NULL ? NULL : world_resolved(w, &config);
	if (responder != NULL && cp_mikey_responder_answer(&call->focus, &w->out, responder,
							   &answer, &w->env, &w->fault) == 0)
		cp_mikey_initiator_take(&call->alice, initiator, world_in(w), &w->env, &w->fault);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_responder_destroy(responder);
}

void
world_down(struct world_call *call)
{
	cp_mikey_ticket_destroy(call->ticket);
	cp_mikey_csb_destroy(call->alice);
	cp_mikey_csb_destroy(call->focus);
}
