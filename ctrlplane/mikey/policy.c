/* Flags, validity and who is on a ticket. */
#include "ctrlplane/mikey/policy.h"

#include <errno.h>
#include <string.h>
#include "ctrlplane/mikey/policy_code.h"
#include "ctrlplane/mikey/time.h"

#define PROFILE_FLAGS                                                                              \
	(CP_MIKEY_FLAG_D | CP_MIKEY_FLAG_E | CP_MIKEY_FLAG_F | CP_MIKEY_FLAG_G | CP_MIKEY_FLAG_H | \
	 CP_MIKEY_FLAG_I | CP_MIKEY_FLAG_N | CP_MIKEY_FLAG_O)

/* RFC 6043 6.10: if the first is (not) set, so is the second. */
static const struct {
	uint16_t flag;
	bool is_set;
	uint16_t implies;
	const char *text;
} rules[] = {
	{CP_MIKEY_FLAG_D, false, CP_MIKEY_FLAG_L, "not D wants L"},
	{CP_MIKEY_FLAG_G, true, CP_MIKEY_FLAG_F, "G wants F"},
	{CP_MIKEY_FLAG_G, false, CP_MIKEY_FLAG_H, "not G wants H"},
	{CP_MIKEY_FLAG_H, false, CP_MIKEY_FLAG_G, "not H wants G"},
	{CP_MIKEY_FLAG_I, true, CP_MIKEY_FLAG_E, "I wants E"},
	{CP_MIKEY_FLAG_K, true, CP_MIKEY_FLAG_D, "K wants D"},
	{CP_MIKEY_FLAG_M, true, CP_MIKEY_FLAG_F, "M wants F"},
};

void
cp_mikey_policy_init(struct cp_mikey_policy *policy, enum cp_mikey_set set)
{
	*policy = (struct cp_mikey_policy){
		.type = CP_MIKEY_TICKET_BASE,
		.subtype = 1,
		.version = 1,
		.prf = cp_mikey_set_info(set)->prf,
		.flags = PROFILE_FLAGS,
	};
}

const char *
cp_mikey_policy_broken(uint16_t flags, bool has_tgk)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (((flags & rules[i].flag) != 0) == rules[i].is_set &&
		    (flags & rules[i].implies) == 0)
			return rules[i].text;
	if (has_tgk && (flags & CP_MIKEY_FLAG_I) != 0 && (flags & CP_MIKEY_FLAG_F) == 0)
		return "I with a TGK wants F";
	return NULL;
}

const char *
cp_mikey_policy_unfit(uint16_t flags, bool mode3)
{
	static const struct {
		uint16_t flag;
		const char *text;
	} wanted[] = {
		{CP_MIKEY_FLAG_E, "E flag is missing"}, {CP_MIKEY_FLAG_F, "F flag is missing"},
		{CP_MIKEY_FLAG_G, "G flag is missing"}, {CP_MIKEY_FLAG_H, "H flag is missing"},
		{CP_MIKEY_FLAG_I, "I flag is missing"}, {CP_MIKEY_FLAG_N, "N flag is missing"},
		{CP_MIKEY_FLAG_O, "O flag is missing"},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if ((flags & wanted[i].flag) == 0)
			return wanted[i].text;
	if ((flags & CP_MIKEY_FLAG_D) == 0 && !mode3)
		return "tickets of the initiator are not taken";
	return NULL;
}

bool
cp_mikey_policy_is_valid(const struct cp_mikey_policy *policy, uint64_t now, uint32_t tolerance_s)
{
	if (policy->has_start && now + ((uint64_t)tolerance_s << 32) < policy->start)
		return false;
	return !policy->has_end || now < policy->end;
}

/* Of sip:*@host or sips:*@host what stands before the '*'; 0: none of that. */
static size_t
wildcard(struct cp_mikey_id pattern)
{
	static const char *const schemes[] = {"sip:", "sips:"};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);

		if (pattern.type == CP_MIKEY_ID_URI && pattern.data.len > len + 2 &&
		    memcmp(pattern.data.at, schemes[i], len) == 0 && pattern.data.at[len] == '*' &&
		    pattern.data.at[len + 1] == '@')
			return len;
	}
	return 0;
}

bool
cp_mikey_id_is_pattern_fine(struct cp_mikey_id pattern)
{
	size_t skip = wildcard(pattern);

	if (skip > 0)
		skip++;
	return pattern.data.len > 0 &&
	       memchr(pattern.data.at + skip, '*', pattern.data.len - skip) == NULL;
}

bool
cp_mikey_id_may_be(struct cp_mikey_id pattern, struct cp_mikey_id id)
{
	size_t head = wildcard(pattern);
	const uint8_t *at;
	struct cp_mikey_octets host;

	if (head == 0)
		return cp_mikey_id_is_same(pattern, id);
	if (id.type != pattern.type || id.data.len <= head ||
	    memcmp(id.data.at, pattern.data.at, head) != 0)
		return false;
	at = memchr(id.data.at, '@', id.data.len);
	if (at == NULL || at == id.data.at + head)
		return false;
	host = cp_mikey_octets(at, id.data.len - (size_t)(at - id.data.at));
	return cp_mikey_is_same(
		host, cp_mikey_octets(pattern.data.at + head + 1, pattern.data.len - head - 1));
}

bool
cp_mikey_policy_has_responder(const struct cp_mikey_policy *policy, struct cp_mikey_id id)
{
	for (size_t i = 0; i < policy->responder_count; i++)
		if (cp_mikey_id_may_be(policy->responders[i], id))
			return true;
	return false;
}
