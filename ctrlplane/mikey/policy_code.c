/* Ticket Policies read and written. */
#include "ctrlplane/mikey/policy_code.h"

#include <errno.h>
#include "ctrlplane/mikey/kemac.h"
#include "ctrlplane/mikey/time.h"

static int
refused(const char **why, const char *text)
{
	*why = text;
	return -EPROTO;
}

static int
take_id(struct cp_mikey_policy *policy, const struct cp_mikey_payload *payload, const char **why)
{
	uint8_t role;
	struct cp_mikey_id id = cp_mikey_id_of(payload, &role);
	struct cp_mikey_id *one = role == CP_MIKEY_ROLE_KMS ? &policy->kms : &policy->initiator;

	if (id.data.len == 0 || id.data.len > CP_MIKEY_ID_MAX)
		return refused(why, "an identity of no or too many octets");
	switch (role) {
	case CP_MIKEY_ROLE_KMS:
	case CP_MIKEY_ROLE_I:
		if (one->data.len > 0)
			return refused(why, "two identities of one role");
		*one = id;
		return 0;
	case CP_MIKEY_ROLE_APP:
		if (policy->app_count == CP_MIKEY_APPS_MAX)
			return refused(why, "too many applications");
		policy->apps[policy->app_count++] = id;
		return 0;
	case CP_MIKEY_ROLE_R:
		if (policy->responder_count == CP_MIKEY_RESPONDERS_MAX)
			return refused(why, "too many responders");
		if (!cp_mikey_id_is_pattern_fine(id))
			return refused(why, "a wildcard that is not allowed");
		policy->responders[policy->responder_count++] = id;
		return 0;
	default:
		return 0;
	}
}

static int
take_time(struct cp_mikey_policy *policy, const struct cp_mikey_payload *payload, const char **why)
{
	struct cp_mikey_ts ts = cp_mikey_ts(payload);
	bool *has = ts.role == CP_MIKEY_TS_START ? &policy->has_start
		    : ts.role == CP_MIKEY_TS_END ? &policy->has_end
						 : &policy->has_rekey;

	if (ts.role != CP_MIKEY_TS_START && ts.role != CP_MIKEY_TS_END &&
	    ts.role != CP_MIKEY_TS_REKEY)
		return 0;
	if (*has)
		return refused(why, "two times of one role");
	*has = true;
	if (ts.role == CP_MIKEY_TS_REKEY) {
		policy->rekey_s = (uint32_t)(cp_mikey_ts_iv(ts.type, ts.value) >> 32);
		return ts.type == CP_MIKEY_TS_NTP_UTC_32 && policy->rekey_s > 0
			       ? 0
			       : refused(why, "a TRr that is none");
	}
	if (cp_mikey_ts_time(ts.role == CP_MIKEY_TS_START ? &policy->start : &policy->end, ts.type,
			     ts.value) < 0)
		return refused(why, "a time of the validity that is no UTC");
	return 0;
}

static int
take_wishes(struct cp_mikey_policy *policy, const struct cp_mikey_payload *payload,
	    const char **why)
{
	struct cp_mikey_kemac kemac = cp_mikey_kemac_of(payload);
	struct cp_mikey_list keys;

	if (kemac.encr != CP_MIKEY_ENCR_NULL || kemac.mac_alg != CP_MIKEY_MAC_NULL ||
	    policy->has_wishes)
		return refused(why, "a KEMAC with algorithms, or two");
	policy->has_wishes = true;
	if (kemac.data.len == 0)
		return 0; /* a ticket without session keys */
	if (cp_mikey_list_decode(&keys, kemac.data, CP_MIKEY_PAYLOAD_KEY_DATA) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < keys.count; i++) {
		struct cp_mikey_key_data data = cp_mikey_key_data_of(&keys.at[i]);

		if (policy->wish_count == CP_MIKEY_KEYS_MAX - 2 ||
		    data.key.len > CP_MIKEY_KEY_MAX || data.salt.len > CP_MIKEY_SALT ||
		    data.spi.len > CP_MIKEY_SPI_MAX || data.kv == CP_MIKEY_KV_INTERVAL)
			return refused(why, "keys that are not made");
		policy->wishes[policy->wish_count++] = (struct cp_mikey_wish){
			.type = data.type,
			.key_len = (uint8_t)data.key.len,
			.salt_len = (uint8_t)data.salt.len,
			.spi = data.spi,
		};
	}
	return 0;
}

int
cp_mikey_policy_decode(struct cp_mikey_policy *policy, const struct cp_mikey_ticket_view *view,
		       const char **why)
{
	struct cp_mikey_list list;
	int error = 0;

	*policy = (struct cp_mikey_policy){.type = view->type,
					   .subtype = view->subtype,
					   .version = view->version,
					   .prf = view->prf,
					   .flags = view->flags};
	*why = "TP Data cannot be parsed";
	if (view->tp_data.len == 0)
		return -EBADMSG;
	if (cp_mikey_list_decode(&list,
				 cp_mikey_octets(view->tp_data.at + 1, view->tp_data.len - 1),
				 view->tp_data.at[0]) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < list.count && error == 0; i++) {
		if (list.at[i].type == CP_MIKEY_PAYLOAD_IDR)
			error = take_id(policy, &list.at[i], why);
		else if (list.at[i].type == CP_MIKEY_PAYLOAD_TR)
			error = take_time(policy, &list.at[i], why);
		else if (list.at[i].type == CP_MIKEY_PAYLOAD_KEMAC)
			error = take_wishes(policy, &list.at[i], why);
	}
	if (error < 0)
		return error;
	if (policy->responder_count == 0)
		return refused(why, "no responder is on the ticket");
	if (policy->has_start && policy->has_end && policy->start >= policy->end)
		return refused(why, "the validity ends before it starts");
	return 0;
}

static void
put_wishes(struct cp_mikey_writer *w, const struct cp_mikey_policy *policy)
{
	static const uint8_t zeros[CP_MIKEY_KEY_MAX];
	struct cp_mikey_key_data data[CP_MIKEY_KEYS_MAX];

	for (size_t i = 0; i < policy->wish_count; i++)
		data[i] = (struct cp_mikey_key_data){
			.type = policy->wishes[i].type,
			.key = cp_mikey_octets(zeros, policy->wishes[i].key_len),
			.salt = cp_mikey_octets(zeros, policy->wishes[i].salt_len),
			.spi = policy->wishes[i].spi,
		};
	cp_mikey_kemac_put_plain(w, data, policy->wish_count);
}

static uint32_t
ntp_seconds(uint64_t time)
{
	return (uint32_t)(cp_mikey_time_to_ntp(time) >> 32);
}

void
cp_mikey_policy_put(struct cp_mikey_writer *w, uint8_t payload,
		    const struct cp_mikey_policy *policy)
{
	size_t next_at, len_at;

	cp_mikey_put_next(w, payload);
	next_at = w->next_at;
	cp_mikey_put_number(w, policy->type, 2);
	cp_mikey_put_number(w, policy->subtype, 1);
	cp_mikey_put_number(w, policy->version, 1);
	cp_mikey_put_number(w, (unsigned)policy->prf << 17 | (unsigned)policy->flags << 5, 3);
	len_at = cp_mikey_put_len(w);
	w->next_at = w->len; /* First Payload */
	cp_mikey_put_number(w, CP_MIKEY_PAYLOAD_LAST, 1);
	if (policy->kms.data.len > 0)
		cp_mikey_put_idr(w, CP_MIKEY_ROLE_KMS, policy->kms);
	if (policy->initiator.data.len > 0)
		cp_mikey_put_idr(w, CP_MIKEY_ROLE_I, policy->initiator);
	if (policy->has_start)
		cp_mikey_put_tr(w, CP_MIKEY_TS_START, ntp_seconds(policy->start));
	if (policy->has_end)
		cp_mikey_put_tr(w, CP_MIKEY_TS_END, ntp_seconds(policy->end));
	if (policy->has_rekey)
		cp_mikey_put_tr(w, CP_MIKEY_TS_REKEY, policy->rekey_s);
	if (policy->has_wishes && payload == CP_MIKEY_PAYLOAD_TP)
		put_wishes(w, policy);
	for (size_t i = 0; i < policy->app_count; i++)
		cp_mikey_put_idr(w, CP_MIKEY_ROLE_APP, policy->apps[i]);
	for (size_t i = 0; i < policy->responder_count; i++)
		cp_mikey_put_idr(w, CP_MIKEY_ROLE_R, policy->responders[i]);
	cp_mikey_end_len(w, len_at);
	w->next_at = next_at;
}
