/* Ticket Request of an initiator, and tickets of its own. */
#include "ctrlplane/mikey/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/exchange.h"
#include "ctrlplane/mikey/ticket_state.h"

struct cp_mikey_request {
	struct cp_mikey_asked asked;
};

/* Flags that the KMS must not take away from a ticket. */
#define KEPT                                                                                       \
	(CP_MIKEY_FLAG_D | CP_MIKEY_FLAG_E | CP_MIKEY_FLAG_F | CP_MIKEY_FLAG_G | CP_MIKEY_FLAG_H | \
	 CP_MIKEY_FLAG_I | CP_MIKEY_FLAG_N | CP_MIKEY_FLAG_O)

int
cp_mikey_held_set(struct cp_mikey_held *held, const struct cp_mikey_key_data *data)
{
	int error;

	*held = (struct cp_mikey_held){.type = data->type, .spi_len = (uint8_t)data->spi.len};
	memcpy(held->spi, data->spi.at, data->spi.len);
	error = cp_secret_create(&held->key, data->key.at, data->key.len);
	if (error == 0 && data->salt.len > 0)
		error = cp_secret_create(&held->salt, data->salt.at, data->salt.len);
	if (error < 0)
		cp_mikey_held_put(held, 1);
	return error;
}

struct cp_mikey_held
cp_mikey_held_get(const struct cp_mikey_held *held)
{
	cp_secret_get(held->key);
	cp_secret_get(held->salt);
	return *held;
}

void
cp_mikey_held_put(struct cp_mikey_held *held, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cp_secret_put(held[i].key);
		cp_secret_put(held[i].salt);
		held[i] = (struct cp_mikey_held){0};
	}
}

int
cp_mikey_request_make(struct cp_mikey_request **out, struct cp_mikey_out *message,
		      const struct cp_mikey_account *account, const struct cp_mikey_policy *policy,
		      const struct cp_mikey_env *env)
{
	struct cp_mikey_writer w = cp_mikey_writer(message->octets, message->cap);
	struct cp_mikey_request *request;
	int error;

	if (policy->responder_count == 0 || policy->prf != cp_mikey_set_info(account->set)->prf ||
	    cp_mikey_policy_broken(policy->flags, true) != NULL)
		return -EINVAL;
	request = calloc(1, sizeof(*request));
	if (request == NULL)
		return -ENOMEM;
	error = cp_mikey_ask_start(&request->asked, &w, account, CP_MIKEY_REQUEST_INIT_PSK, env);
	if (error == 0) {
		cp_mikey_policy_put(&w, CP_MIKEY_PAYLOAD_TP, policy);
		error = cp_mikey_ask_end(&request->asked, message, &w, account);
	}
	if (error < 0) {
		cp_mikey_request_destroy(request);
		return error;
	}
	*out = request;
	return 0;
}

void
cp_mikey_request_destroy(struct cp_mikey_request *request)
{
	if (request == NULL)
		return;
	cp_mikey_asked_fini(&request->asked);
	free(request);
}

/* Is what was granted still what was asked for? Only K's changes, and only such as take less. */
static const char *
unacceptable(const struct cp_mikey_policy *granted, const struct cp_mikey_policy *asked)
{
	bool changed = (granted->flags & CP_MIKEY_FLAG_K) != 0;
	uint16_t flags = granted->flags & (uint16_t)~CP_MIKEY_FLAG_K;

	if (granted->type != asked->type || granted->subtype != asked->subtype ||
	    granted->version != asked->version || granted->prf != asked->prf || granted->has_wishes)
		return "another type of ticket was granted";
	if ((flags != asked->flags && !changed) || (flags & KEPT) != (asked->flags & KEPT))
		return "other flags were granted";
	if (asked->initiator.data.len > 0 &&
	    !cp_mikey_id_is_same(granted->initiator, asked->initiator))
		return "the ticket is another initiator's";
	if (granted->responder_count != asked->responder_count)
		return "other responders were granted";
	for (size_t i = 0; i < asked->responder_count; i++)
		if (!cp_mikey_id_is_same(granted->responders[i], asked->responders[i]))
			return "other responders were granted";
	if (asked->has_end && (!granted->has_end || granted->end > asked->end))
		return "a longer validity was granted";
	return NULL;
}

/* MPKi, MPKr where keys are forked, and the session keys. */
static int
take_keys(struct cp_mikey_ticket *ticket, const struct cp_mikey_plain *plain)
{
	bool is_forked = (ticket->policy.flags & CP_MIKEY_FLAG_I) != 0;
	struct cp_mikey_key_data data;
	int error = 0;

	for (size_t i = 0; i < (is_forked ? 2u : 1u) && error == 0; i++) {
		if (!cp_mikey_plain_key(&data, plain, true, i) ||
		    !cp_mikey_key_is_fit(&data, ticket->set))
			return -EPROTO;
		error = cp_secret_create(i == 0 ? &ticket->mpk_i : &ticket->mpk_r, data.key.at,
					 data.key.len);
	}
	for (size_t i = 0; error == 0 && cp_mikey_plain_key(&data, plain, false, i); i++) {
		if (!cp_mikey_key_is_fit(&data, ticket->set))
			return -EPROTO;
		error = cp_mikey_held_set(&ticket->held[i], &data);
		if (error == 0)
			ticket->held_count = i + 1;
	}
	return error;
}

/* Are the session keys those that were wished for? Where K is set the KMS may have seen to it. */
static bool
are_wished(const struct cp_mikey_ticket *ticket, const struct cp_mikey_policy *asked)
{
	if (!asked->has_wishes || (ticket->policy.flags & CP_MIKEY_FLAG_K) != 0)
		return true;
	if (ticket->held_count != asked->wish_count)
		return false;
	for (size_t i = 0; i < asked->wish_count; i++) {
		struct cp_mikey_octets spi =
			cp_mikey_octets(ticket->held[i].spi, ticket->held[i].spi_len);

		if (ticket->held[i].type != asked->wishes[i].type ||
		    (asked->wishes[i].spi.len > 0 && !cp_mikey_is_same(spi, asked->wishes[i].spi)))
			return false;
	}
	return true;
}

/* A ticket of its own octets. */
static int
keep(struct cp_mikey_ticket **out, enum cp_mikey_set set, struct cp_mikey_octets octets)
{
	struct cp_mikey_ticket *ticket = calloc(1, sizeof(*ticket));
	struct cp_mikey_payload payload = {.type = CP_MIKEY_PAYLOAD_TICKET};
	struct cp_mikey_ticket_view view;
	const char *why;
	int error;

	if (ticket == NULL)
		return -ENOMEM;
	ticket->set = set;
	ticket->octets = malloc(octets.len);
	if (ticket->octets == NULL) {
		free(ticket);
		return -ENOMEM;
	}
	memcpy(ticket->octets, octets.at, octets.len);
	ticket->len = octets.len;
	payload.whole = cp_mikey_octets(ticket->octets, ticket->len);
	view = cp_mikey_ticket_of(&payload);
	error = cp_mikey_policy_decode(&ticket->policy, &view, &why);
	if (error < 0 || view.initiator_data.len > 0) {
		cp_mikey_ticket_destroy(ticket);
		return -EPROTO;
	}
	*out = ticket;
	return 0;
}

/* The policy that a REQUEST_INIT of ours asked for. */
static int
asked_policy(struct cp_mikey_policy *policy, const struct cp_mikey_asked *asked)
{
	struct cp_mikey_msg msg;
	struct cp_mikey_ticket_view view;
	const char *why;

	if (cp_mikey_msg_decode(&msg, cp_mikey_octets(asked->octets, asked->len)) < 0)
		return -EINVAL;
	view = cp_mikey_ticket_of(cp_mikey_list_find(&msg.payloads, CP_MIKEY_PAYLOAD_TP, 0));
	return cp_mikey_policy_decode(policy, &view, &why);
}

int
cp_mikey_request_take(struct cp_mikey_ticket **out, struct cp_mikey_request *request,
		      struct cp_mikey_octets in, const struct cp_mikey_env *env,
		      struct cp_mikey_fault *fault)
{
	struct cp_mikey_plain plain = {.len = 0};
	struct cp_mikey_ticket *ticket = NULL;
	const struct cp_mikey_payload *payload;
	struct cp_mikey_policy asked;
	struct cp_mikey_msg msg;
	const char *why;
	int error = cp_mikey_ask_take(&plain, &msg, &request->asked, in, env, fault);

	if (error < 0)
		return error;
	payload = cp_mikey_list_find(&msg.payloads, CP_MIKEY_PAYLOAD_TICKET, 0);
	if (payload != NULL)
		error = keep(&ticket, request->asked.leg.set, payload->whole);
	if (payload == NULL || error == -EPROTO) {
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					"no ticket that can be parsed");
		goto out;
	}
	if (error == 0)
		error = asked_policy(&asked, &request->asked);
	if (error < 0)
		goto out;
	why = unacceptable(&ticket->policy, &asked);
	if (why == NULL)
		why = cp_mikey_policy_broken(ticket->policy.flags, true);
	if (why == NULL &&
	    !cp_mikey_policy_is_valid(&ticket->policy, env->now(env->arg), request->asked.skew_s))
		why = "the ticket is not valid now";
	if (why != NULL) {
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, why);
		goto out;
	}
	error = take_keys(ticket, &plain);
	if (error == 0 && !are_wished(ticket, &asked))
		error = -EPROTO;
	if (error == -EPROTO)
		cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				"the keys are not those of the policy");
out:
	cp_mikey_plain_wipe(&plain);
	if (error == 0)
		*out = ticket;
	else
		cp_mikey_ticket_destroy(ticket);
	if (error == -EPROTO)
		fault->authentic = true;
	return error;
}

int
cp_mikey_ticket_create(struct cp_mikey_ticket **out, const struct cp_mikey_own_ticket *own,
		       const struct cp_mikey_env *env)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_writer w = cp_mikey_writer(octets, sizeof(octets));
	struct cp_mikey_policy policy = *own->policy;
	struct cp_mikey_ticket_keys keys = {.count = 0};
	struct cp_mikey_key tpk;
	struct cp_mikey_seal_key seal = {own->set, own->tpk_id, &tpk};
	struct cp_mikey_ticket *ticket = NULL;
	int error;

	policy.flags =
		(uint16_t)((policy.flags | CP_MIKEY_FLAG_L) & ~(CP_MIKEY_FLAG_D | CP_MIKEY_FLAG_K));
	if (policy.responder_count == 0 || policy.initiator.data.len == 0 ||
	    cp_mikey_policy_broken(policy.flags, true) != NULL ||
	    cp_secret_len(own->tpk) != cp_mikey_set_info(own->set)->key)
		return -EINVAL;
	cp_mikey_key_set(&tpk, cp_secret_octets(own->tpk), cp_secret_len(own->tpk));
	error = cp_mikey_ticket_mint(&w, &keys, &policy, &seal, env);
	if (error == 0)
		error = keep(&ticket, own->set, cp_mikey_octets(octets, w.len));
	if (error == 0)
		error = cp_secret_create(&ticket->mpk_i, keys.mpk_i.octets, keys.mpk_i.len);
	if (error == 0 && (policy.flags & CP_MIKEY_FLAG_I) != 0)
		error = cp_secret_create(&ticket->mpk_r, keys.mpk_r.octets, keys.mpk_r.len);
	for (size_t i = 0; error == 0 && i < keys.count; i++) {
		error = cp_mikey_held_set(&ticket->held[i], &keys.keys[i].data);
		ticket->held_count = error == 0 ? i + 1 : i;
	}
	cp_mikey_key_wipe(&tpk);
	cp_mikey_ticket_keys_wipe(&keys);
	if (error == 0)
		*out = ticket;
	else
		cp_mikey_ticket_destroy(ticket);
	return error;
}

void
cp_mikey_ticket_destroy(struct cp_mikey_ticket *ticket)
{
	if (ticket == NULL)
		return;
	cp_secret_put(ticket->mpk_i);
	cp_secret_put(ticket->mpk_r);
	cp_mikey_held_put(ticket->held, ticket->held_count);
	free(ticket->octets);
	free(ticket);
}

const struct cp_mikey_policy *
cp_mikey_ticket_policy(const struct cp_mikey_ticket *ticket)
{
	return &ticket->policy;
}

bool
cp_mikey_ticket_may_transfer(const struct cp_mikey_ticket *ticket, uint64_t now)
{
	return (!ticket->is_used || (ticket->policy.flags & CP_MIKEY_FLAG_J) != 0) &&
	       cp_mikey_policy_is_valid(&ticket->policy, now, 0);
}
