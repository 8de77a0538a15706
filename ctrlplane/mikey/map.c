/* GENERIC-ID maps with their policies: offered and answered. RFC 6043 section 6.1.1, profile 4 and 5. */
#include <errno.h>
#include <string.h>
#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/sp.h"

static const uint8_t prots[] = {
	[CP_MIKEY_USE_SRTP] = CP_MIKEY_PROT_SRTP,
	[CP_MIKEY_USE_TLS] = CP_MIKEY_PROT_TLS,
	[CP_MIKEY_USE_CMS] = CP_MIKEY_PROT_CMS,
};

struct cp_mikey_line
cp_mikey_line_srtp(uint8_t cs_id, uint32_t ssrc, const enum dp_suite *preference, size_t count)
{
	struct cp_mikey_line line = {
		.use = CP_MIKEY_USE_SRTP, .cs_id = cs_id, .ssrc = ssrc, .has_ssrc = true};

	for (size_t i = 0; i < count && i + 1 < DP_SUITE_COUNT; i++) {
		line.preference[i] = (uint8_t)preference[i];
		line.suites |= (uint16_t)(1u << preference[i]);
	}
	return line;
}

static void
put_ssrc(uint8_t *octets, uint32_t ssrc)
{
	for (int i = 0; i < 4; i++)
		octets[i] = (uint8_t)(ssrc >> (24 - 8 * i));
}

bool
cp_mikey_suite_is_strong_enough(enum dp_suite suite, enum cp_mikey_set set)
{
	return suite != DP_SUITE_NONE &&
	       (dp_suite_info(suite)->key <= 16 || set == CP_MIKEY_SET_256);
}

/* The number of the policy for a suite; a new one where there is none. */
static uint8_t
policy_no(struct cp_mikey_proposal *proposal, enum dp_suite suite)
{
	for (size_t i = 0; i < proposal->suite_count; i++)
		if (proposal->suites[i] == suite)
			return (uint8_t)i;
	proposal->suites[proposal->suite_count] = suite;
	return (uint8_t)proposal->suite_count++;
}

static int
propose_line(struct cp_mikey_proposal *proposal, const struct cp_mikey_line *line,
	     const struct cp_mikey_held *key, bool own_first)
{
	struct cp_mikey_msg *hdr = &proposal->hdr;
	size_t sessions = line->use == CP_MIKEY_USE_SRTP ? 2 : 1;

	if (hdr->cs_count + sessions > CP_MIKEY_CS_MAX || line->cs_id == 0 ||
	    line->cs_id + sessions - 1 > 255 ||
	    (line->use == CP_MIKEY_USE_SRTP && line->preference[0] == DP_SUITE_NONE))
		return -EINVAL;
	for (size_t i = 0; i < sessions; i++) {
		struct cp_mikey_cs *cs = &hdr->cs[hdr->cs_count];

		*cs = (struct cp_mikey_cs){.id = (uint8_t)(line->cs_id + i),
					   .prot = prots[line->use]};
		cs->spi = cp_mikey_octets(key->spi, key->spi_len);
		if (line->use == CP_MIKEY_USE_SRTP && line->has_ssrc && (i == 0) == own_first) {
			put_ssrc(proposal->ssrcs[hdr->cs_count], line->ssrc);
			cs->session_data = cp_mikey_octets(proposal->ssrcs[hdr->cs_count], 4);
		}
		for (size_t s = 0;
		     line->use == CP_MIKEY_USE_SRTP && line->preference[s] != DP_SUITE_NONE; s++)
			cs->policies[cs->policy_count++] = policy_no(proposal, line->preference[s]);
		hdr->cs_count++;
	}
	return 0;
}

int
cp_mikey_propose(struct cp_mikey_proposal *proposal, const struct cp_mikey_line *lines,
		 size_t count, const struct cp_mikey_held *keys, bool own_first)
{
	int error = count == 0 ? -EINVAL : 0;

	proposal->hdr.map_type = CP_MIKEY_MAP_GENERIC_ID;
	for (size_t i = 0; i < count && error == 0; i++)
		error = propose_line(proposal, &lines[i], &keys[lines[i].key], own_first);
	return error;
}

void
cp_mikey_put_policies(struct cp_mikey_writer *w, const struct cp_mikey_proposal *proposal)
{
	for (size_t i = 0; i < proposal->suite_count; i++) {
		uint8_t params[CP_MIKEY_SP_MAX];
		struct cp_mikey_sp sp = {.no = (uint8_t)i, .prot = CP_MIKEY_PROT_SRTP};

		sp.params =
			cp_mikey_octets(params, cp_mikey_sp_encode(params, proposal->suites[i]));
		cp_mikey_put_sp(w, &sp);
	}
}

int
cp_mikey_cs_suites(enum dp_suite suites[CP_MIKEY_POLICIES_MAX], size_t *count,
		   const struct cp_mikey_msg *msg, const struct cp_mikey_cs *cs)
{
	*count = 0;
	for (size_t i = 0; i < cs->policy_count; i++) {
		struct cp_mikey_sp sp;
		enum dp_suite suite;

		if (!cp_mikey_find_sp(&sp, &msg->payloads, cs->policies[i], cs->prot))
			continue;
		suite = cp_mikey_sp_decode(sp.params);
		if (suite != DP_SUITE_NONE)
			suites[(*count)++] = suite;
	}
	return cs->policy_count > 0 && *count == 0 ? -EPROTO : 0;
}

static bool
is_session_data_fine(const struct cp_mikey_cs *cs)
{
	if (cs->prot != CP_MIKEY_PROT_SRTP)
		return true;
	return cs->session_data.len == (cs->s ? 10 : 4) || (cs->session_data.len == 0 && !cs->s);
}

int
cp_mikey_check_map(const struct cp_mikey_msg *msg, struct cp_mikey_fault *fault)
{
	uint8_t seen[32] = {0};

	if (msg->map_type != CP_MIKEY_MAP_GENERIC_ID || msg->cs_count == 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "no GENERIC-ID map with crypto sessions");
	for (size_t i = 0; i < msg->cs_count; i++) {
		const struct cp_mikey_cs *cs = &msg->cs[i];

		if (cs->id == 0 || (seen[cs->id / 8] & 1u << cs->id % 8) != 0)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					       "a CS ID of 0, or one twice");
		seen[cs->id / 8] |= (uint8_t)(1u << cs->id % 8);
		if (cs->prot != CP_MIKEY_PROT_SRTP && cs->prot != CP_MIKEY_PROT_TLS &&
		    cs->prot != CP_MIKEY_PROT_CMS)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_SP,
					       "a protocol that we do not key");
		if (!is_session_data_fine(cs))
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					       "Session Data of a wrong length");
	}
	return 0;
}

/* The caller's line that a crypto session belongs to; NULL: none. */
static const struct cp_mikey_line *
line_of(const struct cp_mikey_choice *choice, const struct cp_mikey_cs *cs)
{
	for (size_t i = 0; i < choice->count; i++) {
		const struct cp_mikey_line *line = &choice->lines[i];

		if (prots[line->use] != cs->prot)
			continue;
		if (line->cs_id == cs->id ||
		    (line->use == CP_MIKEY_USE_SRTP && line->cs_id + 1 == cs->id))
			return line;
	}
	return NULL;
}

/* The best suite of those offered: by the line's preference, else by theirs. */
static enum dp_suite
pick(const struct cp_mikey_choice *choice, const struct cp_mikey_line *line,
     const enum dp_suite *offered, size_t count)
{
	uint16_t ours = line != NULL && line->suites != 0 ? line->suites : choice->suites;
	uint16_t theirs = count == 0 ? UINT16_MAX : 0;

	for (size_t i = 0; i < count; i++)
		theirs |= (uint16_t)(1u << offered[i]);
	for (size_t i = 0;
	     line != NULL && i < DP_SUITE_COUNT && line->preference[i] != DP_SUITE_NONE; i++)
		if ((theirs & 1u << line->preference[i]) != 0 &&
		    cp_mikey_suite_is_strong_enough(line->preference[i], choice->set))
			return line->preference[i];
	for (size_t i = 0; i < count; i++)
		if ((ours & 1u << offered[i]) != 0 &&
		    cp_mikey_suite_is_strong_enough(offered[i], choice->set))
			return offered[i];
	for (int suite = 1; suite < DP_SUITE_COUNT && count == 0; suite++)
		if ((ours & 1u << suite) != 0 &&
		    cp_mikey_suite_is_strong_enough((enum dp_suite)suite, choice->set))
			return (enum dp_suite)suite;
	return DP_SUITE_NONE;
}

/* A policy number that no SP of either message has. */
static uint8_t
free_no(const struct cp_mikey_reply *reply, const struct cp_mikey_msg *init)
{
	uint8_t used[32] = {0};

	for (size_t i = 0; i < init->payloads.count; i++)
		if (init->payloads.at[i].type == CP_MIKEY_PAYLOAD_SP) {
			uint8_t no = cp_mikey_sp_of(&init->payloads.at[i]).no;

			used[no / 8] |= (uint8_t)(1u << no % 8);
		}
	for (size_t i = 0; i < reply->sp_count; i++)
		used[reply->sps[i].no / 8] |= (uint8_t)(1u << reply->sps[i].no % 8);
	for (unsigned no = 0; no < 255; no++)
		if ((used[no / 8] & 1u << no % 8) == 0)
			return (uint8_t)no;
	return 255;
}

/* An SP that the answer brings: the one that is there, or a new one. -EPROTO: no room. */
static int
add_sp(uint8_t *no, struct cp_mikey_reply *reply, const struct cp_mikey_msg *init, uint8_t prot,
       enum dp_suite suite)
{
	struct cp_mikey_sp *sp;

	for (size_t i = 0; i < reply->sp_count; i++)
		if (reply->sps[i].prot == prot &&
		    (prot != CP_MIKEY_PROT_SRTP ||
		     cp_mikey_sp_decode(reply->sps[i].params) == suite)) {
			*no = reply->sps[i].no;
			return 0;
		}
	if (reply->sp_count == CP_MIKEY_POLICIES_MAX)
		return -EPROTO;
	*no = free_no(reply, init);
	sp = &reply->sps[reply->sp_count];
	*sp = (struct cp_mikey_sp){.no = *no, .prot = prot};
	if (prot == CP_MIKEY_PROT_SRTP) {
		uint8_t *params = reply->params[reply->sp_count];

		sp->params = cp_mikey_octets(params, cp_mikey_sp_encode(params, suite));
	}
	reply->sp_count++;
	return 0;
}

/* The policy of one crypto session. */
static int
choose_policy(struct cp_mikey_reply *reply, struct cp_mikey_cs *cs, const struct cp_mikey_msg *init,
	      const struct cp_mikey_choice *choice, struct cp_mikey_fault *fault)
{
	enum dp_suite offered[CP_MIKEY_POLICIES_MAX], suite = DP_SUITE_NONE;
	struct cp_mikey_cs asked = *cs;
	size_t count = 0;

	cs->policy_count = 1;
	if (cs->prot == CP_MIKEY_PROT_SRTP) {
		if (cp_mikey_cs_suites(offered, &count, init, &asked) < 0)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_SP,
					       "no SRTP policy that we have");
		suite = pick(choice, line_of(choice, cs), offered, count);
		if (suite == DP_SUITE_NONE)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_SP,
					       "no SRTP policy that we take");
		for (size_t i = 0; i < asked.policy_count; i++) {
			struct cp_mikey_sp sp;

			cs->policies[0] = asked.policies[i];
			if (cp_mikey_find_sp(&sp, &init->payloads, asked.policies[i], cs->prot) &&
			    cp_mikey_sp_decode(sp.params) == suite)
				return 0;
		}
	} else if (asked.policy_count > 0) {
		return 0; /* the first that was offered: they say nothing */
	}
	if (add_sp(&cs->policies[0], reply, init, cs->prot, suite) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_SP, "too many policies");
	return 0;
}

int
cp_mikey_choose(struct cp_mikey_reply *reply, const struct cp_mikey_msg *init,
		const struct cp_mikey_choice *choice, const struct cp_mikey_env *env,
		struct cp_mikey_fault *fault)
{
	int error = cp_mikey_check_map(init, fault);

	reply->sp_count = 0;
	reply->hdr = (struct cp_mikey_msg){.prf = init->prf,
					   .csb_id = init->csb_id,
					   .map_type = init->map_type,
					   .cs_count = init->cs_count};
	for (size_t i = 0; i < init->cs_count && error == 0; i++) {
		struct cp_mikey_cs *cs = &reply->hdr.cs[i];
		const struct cp_mikey_session *live;
		const struct cp_mikey_line *line;

		*cs = init->cs[i];
		line = line_of(choice, cs);
		live = choice->csb != NULL ? cp_mikey_csb_find(choice->csb, cs->id) : NULL;
		error = choose_policy(reply, cs, init, choice, fault);
		if (cs->spi.len == 0)
			cs->spi = live != NULL ? cp_mikey_octets(live->spi, live->spi_len)
					       : choice->spi;
		if (error < 0 || cs->prot != CP_MIKEY_PROT_SRTP || cs->session_data.len > 0)
			continue;
		cs->session_data = cp_mikey_octets(reply->ssrcs[i], 4);
		if (live != NULL)
			put_ssrc(reply->ssrcs[i], live->ssrc);
		else if (line != NULL && line->has_ssrc &&
			 (cs->id == line->cs_id) == choice->own_first)
			put_ssrc(reply->ssrcs[i], line->ssrc);
		else
			error = env->random(env->arg, reply->ssrcs[i], 4);
	}
	return error;
}
