/* MIKEY from anybody: the decoder and everything that reads a decoded message, and the receiving end
 * of every exchange. The first octet says which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/sp.h"
#include "ctrlplane/mikey/ticket.h"
#include "tests/scenario/mikey/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What waits for a message, made once. */
static struct {
	struct world w;
	struct cp_mikey_responder_config config;
	struct cp_mikey_request *request;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;
	struct world_call call;
	bool is_open;
} scene;

static void
open_scene(void)
{
	struct cp_mikey_account account;
	struct cp_mikey_policy policy;
	struct cp_mikey_ticket *ticket;

	scene.is_open = true;
	world_init(&scene.w);
	world_people(&scene.w);
	scene.config = world_focus(&scene.w);
	account = world_account(&scene.w, "sip:alice@ims.example", "sip:alice@ims.example",
				CP_MIKEY_SET_256);
	policy = world_policy(&scene.w, CP_MIKEY_SET_256, "sip:alice@ims.example", world_conf);
	world_up(&scene.w, &scene.call, CP_MIKEY_SET_256, CP_MIKEY_FLAG_L | CP_MIKEY_FLAG_M, 0);
	ticket = world_ticket(&scene.w, &account, &policy);
	scene.initiator = world_call(&scene.w, ticket);
	if (cp_mikey_responder_create(&scene.responder, &scene.config, world_in(&scene.w),
				      &scene.w.env, &scene.w.fault) < 0 ||
	    cp_mikey_responder_resolve_make(&scene.w.out, scene.responder, &scene.w.env) < 0 ||
	    cp_mikey_request_make(&scene.request, &scene.w.out, &account, &policy, &scene.w.env) <
		    0)
		abort();
	cp_mikey_ticket_destroy(ticket);
}

static void
read_ticket(const struct cp_mikey_payload *payload)
{
	struct cp_mikey_ticket_view view = cp_mikey_ticket_of(payload);
	struct cp_mikey_policy policy;
	struct cp_mikey_ticket_data ticket;
	struct cp_mikey_v vi, vr;
	const char *why;

	cp_mikey_policy_decode(&policy, &view, &why);
	cp_mikey_ticket_look(&ticket, &view);
	cp_mikey_initiator_data(&vi, &vr, view.initiator_data);
}

static void
read_message(struct cp_mikey_octets in)
{
	static struct cp_mikey_msg msg;
	struct cp_mikey_list keys;

	if (cp_mikey_msg_decode(&msg, in) < 0)
		return;
	for (size_t i = 0; i < msg.payloads.count; i++) {
		const struct cp_mikey_payload *payload = &msg.payloads.at[i];

		if (payload->type == CP_MIKEY_PAYLOAD_TP ||
		    payload->type == CP_MIKEY_PAYLOAD_TICKET)
			read_ticket(payload);
		if (payload->type == CP_MIKEY_PAYLOAD_SP)
			cp_mikey_sp_decode(cp_mikey_sp_of(payload).params);
		if (payload->type == CP_MIKEY_PAYLOAD_KEMAC &&
		    cp_mikey_list_decode(&keys, cp_mikey_kemac_of(payload).data,
					 CP_MIKEY_PAYLOAD_KEY_DATA) == 0)
			for (size_t k = 0; k < keys.count; k++)
				if (keys.at[k].type == CP_MIKEY_PAYLOAD_KEY_DATA)
					(void)cp_mikey_key_data_of(&keys.at[k]);
	}
}

static void
call_focus(struct cp_mikey_octets in)
{
	struct cp_mikey_responder *responder;

	if (cp_mikey_responder_create(&responder, &scene.config, in, &scene.w.env, &scene.w.fault) <
	    0) {
		cp_mikey_responder_error(&scene.w.out, NULL, in, &scene.w.env, &scene.w.fault);
		return;
	}
	if (cp_mikey_responder_resolve_make(&scene.w.out, responder, &scene.w.env) == 0 &&
	    world_kms(&scene.w) == 0)
		cp_mikey_responder_resolve_take(responder, world_in(&scene.w), &scene.w.env,
						&scene.w.fault);
	cp_mikey_responder_destroy(responder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cp_mikey_octets in = cp_mikey_octets(data + 1, size - 1);
	struct cp_mikey_update none = {NULL, 0, false};
	struct cp_mikey_kms_call call = {.in = in};
	struct cp_mikey_ticket *ticket = NULL;
	struct cp_mikey_csb *csb = NULL;
	struct world *w = &scene.w;
	uint8_t pairs[CP_MIKEY_CS_MAX];

	if (size == 0)
		return 0;
	if (!scene.is_open)
		open_scene();
	w->reads = 0;
	switch (data[0] % 7) {
	case 0:
		read_message(in);
		break;
	case 1:
		cp_mikey_kms_handle(&w->out, &w->report, &w->config, &w->ops, &w->env, call);
		break;
	case 2:
		cp_mikey_request_take(&ticket, scene.request, in, &w->env, &w->fault);
		break;
	case 3:
		call_focus(in);
		break;
	case 4:
		cp_mikey_responder_resolve_take(scene.responder, in, &w->env, &w->fault);
		break;
	case 5:
		cp_mikey_initiator_take(&csb, scene.initiator, in, &w->env, &w->fault);
		break;
	case 6:
		cp_mikey_is_update(in);
		cp_mikey_update_pairs(pairs, in);
		cp_mikey_update_answer(&w->out, scene.call.focus, &none, in, &w->env, &w->fault);
		break;
	}
	cp_mikey_ticket_destroy(ticket);
	cp_mikey_csb_destroy(csb);
	return 0;
}
