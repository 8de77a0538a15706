/* TRANSFER_INIT, the KMS, who sent it. */
#include "ctrlplane/app/resolve.h"

#include <errno.h>
#include <string.h>

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/base/log.h"

int
cp_resolve_status(const char *user, const struct cp_mikey_fault *fault, int rc)
{
	if (rc == -EPROTO)
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: MIKEY refused with %u: %s", user,
		       fault->error, fault->text ? fault->text : "?");
	else
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s: MIKEY failed: %s", user, strerror(-rc));
	return rc == -EPROTO ? 488 : rc == -ENOMEM || rc == -EAGAIN ? 503 : 500;
}

bool
cp_resolve_is_answer(const uint8_t *octets, size_t len, const uint8_t csb[4], uint8_t data_type)
{
	return len >= 8 && octets[0] == 1 &&
	       (octets[1] == data_type || octets[1] == CP_MIKEY_ERROR) &&
	       memcmp(octets + 4, csb, 4) == 0;
}

/* Each attempt has a RESOLVE_INIT of its own. */
static int
make(void *arg, uint8_t *octets, size_t size)
{
	struct cp_resolve *r = arg;
	struct cp_mikey_out out = {.octets = octets, .cap = size};
	int rc = cp_mikey_responder_resolve_make(&out, r->responder, &r->mikey->env);

	if (rc != 0)
		return rc;
	memcpy(r->asked_csb, octets + 4, sizeof(r->asked_csb));
	return (int)out.len;
}

static int
take(void *arg, const uint8_t *octets, size_t len)
{
	struct cp_resolve *r = arg;
	int rc;

	if (!cp_resolve_is_answer(octets, len, r->asked_csb, CP_MIKEY_RESOLVE_RESP))
		return -EBADMSG;
	rc = cp_mikey_responder_resolve_take(r->responder, cp_mikey_octets(octets, len),
					     &r->mikey->env, &r->fault);
	r->verdict = rc ? cp_resolve_status(r->user, &r->fault, rc) : 0;
	return 0;
}

static void
resolved(void *arg, int rc)
{
	struct cp_resolve *r = arg;
	const struct cp_mikey_offer *offer = cp_mikey_responder_offer(r->responder);
	int status = r->verdict;

	r->ask = NULL;
	if (rc != 0) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s: no KMS resolved the ticket: %s", r->user,
		       strerror(-rc));
		status = 503;
	}
	if (status == 0 &&
	    (offer->initiator.type != CP_MIKEY_ID_URI ||
	     cp_identity(r->initiator, cp_slice((const char *)offer->initiator.data.at,
						offer->initiator.data.len)) != 0)) {
		cp_mikey_refuse(&r->fault, CP_MIKEY_ERR_ID, "the initiator is no SIP identity");
		status = 488;
	}
	r->how.done(r->how.owner, status);
}

int
cp_resolve_init(struct cp_resolve *r, struct cp_app_mikey *mikey, const char *name, uint16_t suites)
{
	*r = (struct cp_resolve){.mikey = mikey};
	if (!cp_app_mikey_user(r->user, mikey, name))
		return -EINVAL;
	r->config = (struct cp_mikey_responder_config){
		.account = cp_app_mikey_account(mikey, r->user),
		.suites = suites,
		.takes_mode3 = mikey->config->takes_mode3,
		.replay = mikey->replay,
		.tickets = mikey->tickets,
	};
	return 0;
}

void
cp_resolve_init_as(struct cp_resolve *r, const struct cp_resolve *other)
{
	*r = (struct cp_resolve){.mikey = other->mikey, .config = other->config};
	memcpy(r->user, other->user, sizeof(r->user));
	r->config.account = cp_app_mikey_account(r->mikey, r->user);
}

int
cp_resolve_start(struct cp_resolve *r, struct cp_mikey_octets message,
		 const struct cp_resolve_how *how)
{
	static const struct cp_kms_ask_ops ops = {.make = make, .take = take, .done = resolved};
	int rc;

	cp_resolve_fini(r);
	r->fault = (struct cp_mikey_fault){0};
	r->how = *how;
	r->verdict = 0;
	if (!r->mikey->is_on)
		return 488;
	r->config.sdp_ids = how->sdp_ids;
	rc = cp_mikey_responder_create(&r->responder, &r->config, message, &r->mikey->env,
				       &r->fault);
	if (rc != 0)
		return cp_resolve_status(r->user, &r->fault, rc);
	if (!cp_rate_may(&r->mikey->rate, how->source, r->mikey->config->rate, cp_app_now_ms())) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s sends tickets faster than 'mikey.rate'",
		       how->source);
		return 503;
	}
	rc = cp_kms_client_ask(&r->ask, r->mikey->client, CP_KMS_RESOLVE, &ops, r);
	return rc ? cp_resolve_status(r->user, &r->fault, rc == -EPROTO ? -EIO : rc) : 0;
}

int
cp_resolve_answer(struct cp_mikey_csb **csb, struct cp_mikey_out *out, struct cp_resolve *r,
		  const struct cp_mikey_line *lines, size_t count)
{
	const struct cp_mikey_answer answer = {.lines = lines, .count = count};
	int rc = cp_mikey_responder_answer(csb, out, r->responder, &answer, &r->mikey->env,
					   &r->fault);

	return rc ? cp_resolve_status(r->user, &r->fault, rc) : 0;
}

int
cp_resolve_error(struct cp_mikey_out *out, const struct cp_resolve *r,
		 struct cp_mikey_octets message)
{
	return cp_mikey_responder_error(out, r->responder, message, &r->mikey->env, &r->fault);
}

void
cp_resolve_fini(struct cp_resolve *r)
{
	cp_kms_client_cancel(r->ask);
	r->ask = NULL;
	cp_mikey_responder_destroy(r->responder);
	r->responder = NULL;
}
