/* TRANSFER_INIT before the KMS is asked: whatever can be refused is refused here. RFC 6043 section
 * 4.2.2.2, profile 2. */
#include <errno.h>
#include "ctrlplane/mikey/responder_state.h"

static int
check_header(struct cp_mikey_responder *r, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_msg *msg = &r->init;
	struct cp_mikey_v v;

	if (msg->data_type != CP_MIKEY_TRANSFER_INIT)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_DT, "data type not supported");
	if (cp_mikey_set_of_prf(&r->offer.set, msg->prf) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_PRF, "no such PRF");
	if (r->offer.set < r->config->account.limits.min_set)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "the algorithm set is below our minimum");
	if (!cp_mikey_last_v(&v, &msg->payloads))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "no V at the end");
	if (v.alg != cp_mikey_set_info(r->offer.set)->mac)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "V is of the other set");
	if (!cp_mikey_find_rand(&r->rand_i, &msg->payloads, CP_MIKEY_ROLE_I) ||
	    r->rand_i.len < CP_MIKEY_RAND_MIN)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, "no RANDRi of 16 octets");
	return 0;
}

/* The ticket and its policy. */
static int
check_ticket(struct cp_mikey_responder *r, uint64_t now, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_payload *ticket =
		cp_mikey_list_find(&r->init.payloads, CP_MIKEY_PAYLOAD_TICKET, 0);
	const struct cp_mikey_set_info *info = cp_mikey_set_info(r->offer.set);
	struct cp_mikey_v vi, vr;
	const char *why;
	int error;

	if (ticket == NULL)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, "no ticket");
	r->view = cp_mikey_ticket_of(ticket);
	if (r->view.type != CP_MIKEY_TICKET_BASE || r->view.subtype != 1 || r->view.version != 1)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TICKET, "ticket type not supported");
	error = cp_mikey_policy_decode(&r->policy, &r->view, &why);
	if (error < 0)
		return cp_mikey_refuse(
			fault, error == -EBADMSG ? CP_MIKEY_ERR_MESSAGE : CP_MIKEY_ERR_TPPAR, why);
	why = cp_mikey_policy_broken(r->policy.flags, true);
	if (why == NULL)
		why = cp_mikey_policy_unfit(r->policy.flags, r->config->takes_mode3);
	if (why == NULL && r->policy.prf != info->prf)
		why = "the PRF of the policy is of the other set";
	if (why == NULL && r->policy.has_wishes)
		why = "a KEMAC in a granted policy";
	if (why == NULL &&
	    !cp_mikey_policy_is_valid(&r->policy, now, r->config->account.limits.start_tolerance_s))
		why = "the ticket is not valid now";
	if (why != NULL)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, why);
	if (!cp_mikey_initiator_data(&vi, &vr, r->view.initiator_data) || vi.alg != info->mac)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "no Vi and Vr in Initiator Data");
	return 0;
}

static int
check_identities(struct cp_mikey_responder *r, struct cp_mikey_fault *fault)
{
	struct cp_mikey_id id;

	if (r->policy.initiator.data.len == 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "the ticket names no initiator");
	if (cp_mikey_find_id(&id, &r->init.payloads, CP_MIKEY_ROLE_I) &&
	    !cp_mikey_id_is_same(id, r->policy.initiator))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "IDRi is not that of the ticket");
	if (r->policy.kms.data.len > 0 &&
	    !cp_mikey_id_is_same(r->policy.kms, r->config->account.kms))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "a ticket of another KMS");
	if (!cp_mikey_policy_has_responder(&r->policy, r->config->account.user))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "we are not on the ticket");
	r->offer.initiator = r->policy.initiator;
	if (!cp_mikey_find_id(&r->offer.responder, &r->init.payloads, CP_MIKEY_ROLE_R))
		r->offer.responder = r->config->account.user;
	if (!cp_mikey_policy_has_responder(&r->policy, r->offer.responder))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "IDRr is not on the ticket");
	return 0;
}

static int
check_session(struct cp_mikey_responder *r, const struct cp_mikey_cs *cs,
	      struct cp_mikey_fault *fault)
{
	struct cp_mikey_offer *offer = &r->offer;
	enum dp_suite suites[CP_MIKEY_POLICIES_MAX];
	uint16_t ours = 0;
	size_t count;

	offer->sessions[offer->count].cs_id = cs->id;
	offer->sessions[offer->count].use = cs->prot == CP_MIKEY_PROT_SRTP  ? CP_MIKEY_USE_SRTP
					    : cs->prot == CP_MIKEY_PROT_TLS ? CP_MIKEY_USE_TLS
									    : CP_MIKEY_USE_CMS;
	if (cs->prot == CP_MIKEY_PROT_SRTP) {
		const uint8_t *at = cs->session_data.at;

		for (int suite = 1; suite < DP_SUITE_COUNT; suite++)
			if ((r->config->suites & 1u << suite) != 0 &&
			    cp_mikey_suite_is_strong_enough((enum dp_suite)suite, offer->set))
				ours |= (uint16_t)(1u << suite);
		if (cp_mikey_cs_suites(suites, &count, &r->init, cs) < 0)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_SP,
					       "no SRTP policy that we have");
		for (size_t i = 0; i < count; i++)
			offer->sessions[offer->count].suites |= (uint16_t)(ours & 1u << suites[i]);
		if (count == 0)
			offer->sessions[offer->count].suites = ours;
		if (offer->sessions[offer->count].suites == 0)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_SP,
					       "no SRTP policy that we take");
		offer->sessions[offer->count].has_ssrc = cs->session_data.len > 0;
		if (cs->session_data.len > 0)
			offer->sessions[offer->count].ssrc = (uint32_t)at[0] << 24 |
							     (uint32_t)at[1] << 16 |
							     (uint32_t)at[2] << 8 | at[3];
	}
	offer->count++;
	return 0;
}

/* KEMAC and the list of key management protocols. */
static int
check_rest(const struct cp_mikey_responder *r, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_list *list = &r->init.payloads;
	const char *wanted = r->config->sdp_ids;
	struct cp_mikey_octets ids;

	if ((r->policy.flags & CP_MIKEY_FLAG_L) == 0 &&
	    cp_mikey_list_find(list, CP_MIKEY_PAYLOAD_KEMAC, 0) != NULL)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "keys of the initiator without L");
	if (wanted == NULL)
		return 0;
	if (!cp_mikey_find_genext(&ids, list, CP_MIKEY_GENEXT_SDP_IDS) ||
	    !cp_mikey_is_same(ids, cp_mikey_id_bytes(wanted).data))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "the list of key management protocols is another");
	return 0;
}

struct cp_mikey_replay_key
cp_mikey_responder_message_key(const struct cp_mikey_responder *r)
{
	struct cp_mikey_replay_key key = {.sender = r->policy.initiator.data,
					  .csb_id = r->init.csb_id};
	struct cp_mikey_ts ts;
	struct cp_mikey_v v;

	if (cp_mikey_find_ts(&ts, &r->init.payloads, 0))
		key.t = ts.value;
	if (cp_mikey_last_v(&v, &r->init.payloads))
		key.mac = v.mac;
	return key;
}

struct cp_mikey_replay_key
cp_mikey_responder_ticket_key(const struct cp_mikey_responder *r)
{
	struct cp_mikey_replay_key key = {.sender = r->policy.initiator.data};
	struct cp_mikey_ticket_data data;

	if (cp_mikey_ticket_look(&data, &r->view) == 0)
		key.mac = data.v.mac;
	return key;
}

static int
check_replay(const struct cp_mikey_responder *r, uint64_t now, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_responder_config *config = r->config;
	struct cp_mikey_replay_key message = cp_mikey_responder_message_key(r),
				   ticket = cp_mikey_responder_ticket_key(r);

	if (config->replay != NULL && cp_mikey_replay_has(config->replay, &message, now))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "replayed");
	if (config->tickets != NULL && (r->policy.flags & CP_MIKEY_FLAG_J) == 0 &&
	    cp_mikey_replay_has(config->tickets, &ticket, now))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS,
				       "a ticket that was used and must not be again");
	return 0;
}

int
cp_mikey_responder_read(struct cp_mikey_responder *r, const struct cp_mikey_env *env,
			struct cp_mikey_fault *fault)
{
	uint64_t now = env->now(env->arg);
	struct cp_mikey_ticket_data data;
	int error = check_header(r, fault);

	if (error == 0)
		error = cp_mikey_check_t(fault, &r->init.payloads, now,
					 r->config->account.limits.skew_s);
	if (error == 0)
		error = check_ticket(r, now, fault);
	if (error == 0)
		error = check_identities(r, fault);
	if (error == 0)
		error = cp_mikey_check_map(&r->init, fault);
	for (size_t i = 0; i < r->init.cs_count && error == 0; i++)
		error = check_session(r, &r->init.cs[i], fault);
	if (error == -EPROTO && fault->error == CP_MIKEY_ERR_SP)
		fault->suites = r->config->suites;
	if (error == 0)
		error = check_rest(r, fault);
	if (error == 0 && cp_mikey_ticket_look(&data, &r->view) < 0)
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE,
					"Ticket Data cannot be parsed");
	if (error == 0)
		error = check_replay(r, now, fault);
	if (error == 0) {
		r->offer.csb_id = r->init.csb_id;
		r->offer.policy = &r->policy;
	}
	return error;
}
