/*
 * A user of a KMS for tests: makes the messages of one call on both sides, and leaves it to its caller to carry them. It writes a
 * line "request HEX" or "resolve HEX", reads a line of HEX (the KMS's answer), and ends with one line of JSON: how far it got, who
 * the KMS says they are, and whether both sides have the same keys.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/keys/psk.h"
#include "ctrlplane/mikey/transfer.h"

#define TICKET_FOR_MAX 32

/* The command line. */
struct options {
	const char *user, *kms, *psk_file, *psk_id; /* who asks for the ticket */
	const char *as, *as_psk_file, *as_psk_id;   /* who resolves it; NULL: nobody */
	const char *to;				    /* IDRr of TRANSFER_INIT */
	const char *ticket_for[TICKET_FOR_MAX];	    /* responders on the ticket */
	size_t ticket_for_count;
	const char *tpk_file;	/* mode 3 */
	const char *resolve_as; /* somebody else in RESOLVE_INIT, of a name as long as as */
	int set, validity_s, flags_set, flags_clear, clock_s,
		wait_resolve; /* wait_resolve: say "wait" and read a line before it */
};

/* One call under way. */
struct call {
	struct options o;
	struct cp_mikey_env env, clock;
	struct cp_psk_file psk, as_psk, tpk;
	struct cp_mikey_fault fault;
	struct cp_mikey_ticket *ticket;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder_config config; /* the responder borrows it */
	struct cp_mikey_responder *responder;
	const char *step;
};

static uint64_t
shifted(void *arg)
{
	struct call *call = arg;

	return call->env.now(call->env.arg) + ((uint64_t)(int64_t)call->o.clock_s << 32);
}

static int
drawn(void *arg, uint8_t *octets, size_t len)
{
	struct call *call = arg;

	return call->env.random(call->env.arg, octets, len);
}

static int
end(struct call *call, int error, const char *more)
{
	printf("{\"ok\": %s, \"step\": \"%s\", \"errno\": %d, \"error\": %d, \"authentic\": %s, "
	       "\"why\": \"%s\"%s}\n",
	       error == 0 ? "true" : "false", call->step, -error,
	       error == -EPROTO ? call->fault.error : -1, call->fault.authentic ? "true" : "false",
	       error == -EPROTO ? call->fault.text : "", more);
	return error == 0 ? 0 : 1;
}

/* Out goes a message, in comes the answer. */
static int
carry(const char *name, const struct cp_mikey_out *out, struct cp_mikey_out *in)
{
	static char text[2 * CP_MIKEY_MSG_MAX + 16];

	cp_hex_encode(text, out->octets, out->len);
	printf("%s %s\n", name, text);
	fflush(stdout);
	if (fgets(text, sizeof(text), stdin) == NULL)
		return -EIO;
	text[strcspn(text, "\r\n")] = '\0';
	in->len = strlen(text) / 2;
	return cp_hex_decode(in->octets, in->len, text);
}

static struct cp_mikey_account
account_of(const struct call *call, const char *user, const struct cp_psk_file *psk,
	   const char *psk_id)
{
	struct cp_mikey_account account = {
		.user = cp_mikey_id_uri(user),
		.kms = cp_mikey_id_uri(call->o.kms),
		.psk = {psk->psk[0], psk->psk[1]},
		.set = call->o.set == 128 ? CP_MIKEY_SET_128 : CP_MIKEY_SET_256,
		.limits = cp_mikey_limits_default(),
	};

	if (psk_id != NULL)
		account.psk_id = cp_mikey_id_bytes(psk_id);
	account.limits.skew_s = 1000000; /* the KMS is who shall complain */
	return account;
}

static void
fill_policy(struct cp_mikey_policy *policy, const struct call *call)
{
	uint64_t now = call->clock.now(call->clock.arg);

	cp_mikey_policy_init(policy, call->o.set == 128 ? CP_MIKEY_SET_128 : CP_MIKEY_SET_256);
	policy->flags = (uint16_t)((policy->flags | call->o.flags_set) & ~call->o.flags_clear);
	policy->kms = cp_mikey_id_uri(call->o.kms);
	policy->initiator = cp_mikey_id_uri(call->o.user);
	for (size_t i = 0; i < call->o.ticket_for_count; i++)
		policy->responders[policy->responder_count++] =
			cp_mikey_id_uri(call->o.ticket_for[i]);
	if (call->o.validity_s == 0)
		return;
	policy->has_start = policy->has_end = true;
	policy->start = now;
	policy->end = now + ((uint64_t)call->o.validity_s << 32);
}

static int
get_ticket(struct call *call, struct cp_mikey_out *out, struct cp_mikey_out *in)
{
	struct cp_mikey_account account =
		account_of(call, call->o.user, &call->psk, call->o.psk_id);
	struct cp_mikey_request *request = NULL;
	struct cp_mikey_policy policy;
	int error;

	fill_policy(&policy, call);
	if (call->o.tpk_file != NULL) {
		const struct cp_mikey_own_ticket own = {&policy,
							cp_mikey_id_bytes(call->tpk.psk_id),
							call->tpk.psk[account.set], account.set};

		policy.flags = (uint16_t)((policy.flags & ~CP_MIKEY_FLAG_D) | CP_MIKEY_FLAG_L);
		call->step = "ticket";
		return cp_mikey_ticket_create(&call->ticket, &own, &call->clock);
	}
	call->step = "request";
	error = cp_mikey_request_make(&request, out, &account, &policy, &call->clock);
	if (error == 0)
		error = carry("request", out, in);
	if (error == 0)
		error = cp_mikey_request_take(&call->ticket, request,
					      cp_mikey_octets(in->octets, in->len), &call->clock,
					      &call->fault);
	cp_mikey_request_destroy(request);
	return error;
}

static int
transfer(struct call *call, struct cp_mikey_out *out)
{
	static const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct cp_mikey_line line = cp_mikey_line_srtp(1, 0x11223344, suites, 1);
	struct cp_mikey_transfer t = {.responder = cp_mikey_id_uri(call->o.to),
				      .lines = &line,
				      .count = 1,
				      .sdp_ids = "mikey",
				      .limits = cp_mikey_limits_default()};

	call->step = "transfer";
	return cp_mikey_initiator_make(&call->initiator, out, call->ticket, &t, &call->clock);
}

static int
resolve(struct call *call, const struct cp_mikey_out *init, struct cp_mikey_out *out,
	struct cp_mikey_out *in)
{
	int error;

	call->config = (struct cp_mikey_responder_config){
		.account = account_of(call, call->o.as, &call->as_psk, call->o.as_psk_id),
		.suites = 1u << DP_SUITE_AES_CM_128_HMAC_SHA1_80,
		.takes_mode3 = true,
		.sdp_ids = "mikey",
	};
	call->step = "offer";
	error = cp_mikey_responder_create(&call->responder, &call->config,
					  cp_mikey_octets(init->octets, init->len), &call->clock,
					  &call->fault);
	if (error != 0)
		return error;
	if (call->o.wait_resolve > 0) {
		char text[16];

		printf("wait\n");
		fflush(stdout);
		if (fgets(text, sizeof(text), stdin) == NULL)
			return -EIO;
	}
	call->step = "resolve";
	out->len = 0;
	if (call->o.resolve_as != NULL) /* the account's identity is borrowed */
		memcpy((char *)(uintptr_t)call->o.as, call->o.resolve_as, strlen(call->o.as));
	error = cp_mikey_responder_resolve_make(out, call->responder, &call->clock);
	if (error == 0)
		error = carry("resolve", out, in);
	if (error == 0)
		error = cp_mikey_responder_resolve_take(call->responder,
							cp_mikey_octets(in->octets, in->len),
							&call->clock, &call->fault);
	return error;
}

static bool
has_same_keys(const struct cp_mikey_csb *a, const struct cp_mikey_csb *b)
{
	bool is_same = cp_mikey_csb_count(a) > 0 && cp_mikey_csb_count(a) == cp_mikey_csb_count(b);

	for (size_t i = 0; is_same && i < cp_mikey_csb_count(a); i++)
		is_same = cp_key_is_same(&cp_mikey_csb_session(a, i)->srtp,
					 &cp_mikey_csb_session(b, i)->srtp);
	return is_same;
}

/* The answer, and what both sides know then. */
static int
finish(struct call *call, struct cp_mikey_out *out)
{
	struct cp_mikey_csb *theirs = NULL, *ours = NULL;
	struct cp_mikey_id i, r;
	char more[1024] = "";
	int error;

	call->step = "answer";
	out->len = 0;
	error = cp_mikey_responder_answer(&theirs, out, call->responder,
					  &(struct cp_mikey_answer){0}, &call->clock, &call->fault);
	if (error == 0)
		error = cp_mikey_initiator_take(&ours, call->initiator,
						cp_mikey_octets(out->octets, out->len),
						&call->clock, &call->fault);
	if (error == 0) {
		i = cp_mikey_csb_initiator(theirs);
		r = cp_mikey_csb_responder(ours);
		call->step = "keyed";
		snprintf(more, sizeof(more),
			 ", \"initiator\": \"%.*s\", \"responder\": \"%.*s\", \"same_keys\": %s",
			 (int)i.data.len, i.data.at, (int)r.data.len, r.data.at,
			 has_same_keys(theirs, ours) ? "true" : "false");
	}
	cp_mikey_csb_destroy(theirs);
	cp_mikey_csb_destroy(ours);
	return end(call, error, more);
}

static int
run(struct call *call)
{
	static uint8_t init_room[CP_MIKEY_MSG_MAX], out_room[CP_MIKEY_MSG_MAX],
		in_room[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out init = {init_room, sizeof(init_room), 0},
			    out = {out_room, sizeof(out_room), 0},
			    in = {in_room, sizeof(in_room), 0};
	int error = get_ticket(call, &out, &in);
	char more[128];

	if (error != 0)
		return end(call, error, "");
	if (call->o.as == NULL) {
		const struct cp_mikey_policy *policy = cp_mikey_ticket_policy(call->ticket);

		snprintf(more, sizeof(more), ", \"flags\": %u, \"validity\": %lld", policy->flags,
			 (long long)((policy->end - policy->start) >> 32));
		return end(call, 0, more);
	}
	error = transfer(call, &init);
	if (error == 0)
		error = resolve(call, &init, &out, &in);
	return error != 0 ? end(call, error, "") : finish(call, &out);
}

static int
read_psk(struct cp_psk_file *psk, const char *path)
{
	char why[512];

	if (path == NULL || cp_psk_file_read(psk, path, why, sizeof(why)) == 0)
		return 0;
	fprintf(stderr, "kmsclient: %s\n", why);
	return -EINVAL;
}

static int
parse(struct options *o, int argc, char **argv)
{
	static const char *const names[] = {
		"user",		"kms",	     "psk-file",  "psk-id",	 "as",
		"as-psk-file",	"as-psk-id", "to",	  "resolve-as",	 "tpk-file",
		"set",		"validity",  "flags-set", "flags-clear", "clock",
		"wait-resolve", "ticket-for"};
	const char **texts[] = {&o->user,	&o->kms,	 &o->psk_file,	&o->psk_id,
				&o->as,		&o->as_psk_file, &o->as_psk_id, &o->to,
				&o->resolve_as, &o->tpk_file};
	int *numbers[] = {&o->set,	   &o->validity_s, &o->flags_set,
			  &o->flags_clear, &o->clock_s,	   &o->wait_resolve};
	struct option options[18] = {{0}};
	int index;

	for (int i = 0; i < 17; i++)
		options[i] = (struct option){names[i], required_argument, NULL, 0};
	while (getopt_long(argc, argv, "", options, &index) == 0) {
		if (index < 10)
			*texts[index] = optarg;
		else if (index < 16)
			*numbers[index - 10] = (int)strtol(optarg, NULL, 0);
		else if (o->ticket_for_count < TICKET_FOR_MAX)
			o->ticket_for[o->ticket_for_count++] = optarg;
	}
	return optind == argc &&
			       (o->resolve_as == NULL || strlen(o->resolve_as) == strlen(o->as)) &&
			       o->user != NULL && o->kms != NULL && o->to != NULL
		       ? 0
		       : -EINVAL;
}

int
main(int argc, char **argv)
{
	static struct call call;
	int status = 2;

	if (parse(&call.o, argc, argv) != 0) {
		fprintf(stderr, "usage: kmsclient --user URI --kms URI --to URI --psk-file F …\n");
		return 2;
	}
	if (call.o.ticket_for_count == 0)
		call.o.ticket_for[call.o.ticket_for_count++] = call.o.to;
	call.env = cp_mikey_env_system();
	call.clock = (struct cp_mikey_env){shifted, drawn, &call};
	if (read_psk(&call.psk, call.o.psk_file) == 0 &&
	    read_psk(&call.as_psk, call.o.as_psk_file) == 0 &&
	    read_psk(&call.tpk, call.o.tpk_file) == 0)
		status = run(&call);
	cp_mikey_responder_destroy(call.responder);
	cp_mikey_initiator_destroy(call.initiator);
	cp_mikey_ticket_destroy(call.ticket);
	cp_psk_file_fini(&call.psk);
	cp_psk_file_fini(&call.as_psk);
	cp_psk_file_fini(&call.tpk);
	return status;
}
