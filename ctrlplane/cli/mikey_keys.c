/* With keys: does it hold, what is in it, what follows. The same functions as in the exchanges. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/cli/mikey_state.h"
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/time.h"

#define LINE_MAX_OCTETS 512

/* One examination. */
struct examination {
	const struct cp_mikey_msg *msg, *init;
	struct cp_cli_mikey_keys *keys;
	enum cp_mikey_set set;
	json_t *list;
	bool holds;
};

static bool
take_line(struct cp_mikey_key *key, const char *text)
{
	uint8_t octets[CP_MIKEY_KEY_MAX];
	size_t len = strlen(text) / 2;
	bool is_key = (len == 16 || len == 32) && cp_hex_decode(octets, len, text) == 0;

	if (is_key)
		cp_mikey_key_set(key, octets, len);
	cp_wipe(octets, sizeof(octets));
	return is_key;
}

int
cp_cli_mikey_keys_read(struct cp_cli_mikey_keys *keys, const char *path, enum cp_mikey_set set)
{
	struct {
		const char *name;
		struct cp_mikey_key *key;
	} names[] = {
		{"psk", &keys->psk},	{set == CP_MIKEY_SET_256 ? "psk256" : "psk128", &keys->psk},
		{"mpki", &keys->mpk_i}, {"mpkr", &keys->mpk_r},
		{"tpk", &keys->tpk},
	};
	char line[LINE_MAX_OCTETS], name[32], value[CP_MIKEY_KEY_MAX * 2 + 2];
	FILE *file = fopen(path, "r");
	int error = 0;

	if (file == NULL)
		return -errno;
	while (error == 0 && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, " %31[a-z0-9] : %65[0-9a-fA-F]", name, value) != 2)
			continue;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strcmp(names[i].name, name) == 0 && !take_line(names[i].key, value))
				error = -EINVAL;
	}
	cp_wipe(line, sizeof(line));
	cp_wipe(value, sizeof(value));
	fclose(file);
	return error;
}

void
cp_cli_mikey_keys_wipe(struct cp_cli_mikey_keys *keys)
{
	cp_wipe(keys, sizeof(*keys));
}

/* A finding: what, and whether it holds. */
static void
find(struct examination *e, const char *what, bool holds)
{
	json_array_append_new(e->list, json_pack("{s:s, s:b}", "check", what, "holds", holds));
	e->holds &= holds;
}

static void
note(struct examination *e, const char *text)
{
	json_array_append_new(e->list, json_pack("{s:s}", "not checked", text));
}

/* A key that came out of something. */
static void
show_key(struct examination *e, const char *from, const char *name, struct cp_mikey_key_data data)
{
	json_t *node = json_pack("{s:s, s:s}", "name", name, "from", from);
	json_t *key = cp_cli_mikey_key_tree(&data, e->keys->reveal);

	json_object_update(node, key);
	json_decref(key);
	json_array_append_new(e->list, node);
}

static struct cp_mikey_key_data
mpk_data(const struct cp_mikey_key *key)
{
	return (struct cp_mikey_key_data){.type = CP_MIKEY_KEY_MPK,
					  .key = cp_mikey_octets(key->octets, key->len)};
}

static struct cp_mikey_octets
id_or_nothing(const struct cp_mikey_msg *msg, uint8_t role)
{
	struct cp_mikey_id id = {0};

	cp_mikey_find_id(&id, &msg->payloads, role);
	return id.data;
}

static struct cp_mikey_octets
rand_or_nothing(const struct cp_mikey_msg *msg, uint8_t role)
{
	struct cp_mikey_octets rand = {NULL, 0};

	if (msg != NULL)
		cp_mikey_find_rand(&rand, &msg->payloads, role);
	return rand;
}

static bool
ticket_of(struct cp_mikey_ticket_view *view, const struct cp_mikey_msg *msg)
{
	const struct cp_mikey_payload *payload =
		cp_mikey_list_find(&msg->payloads, CP_MIKEY_PAYLOAD_TICKET, 0);

	if (payload == NULL)
		return false;
	*view = cp_mikey_ticket_of(payload);
	return true;
}

/* V of the message by shield, over what is appended. */
static bool
v_holds(const struct cp_mikey_msg *msg, const struct cp_mikey_shield *shield,
	const struct cp_mikey_ticket_view *skip, const struct cp_mikey_octets *appended,
	size_t count)
{
	struct cp_mikey_cover cover;
	struct cp_mikey_v v;

	if (!cp_mikey_last_v(&v, &msg->payloads))
		return false;
	cover = cp_mikey_cover(msg->whole, v.mac.len, skip);
	for (size_t i = 0; i < count; i++)
		cp_mikey_cover_add(&cover, appended[i]);
	return cp_mikey_is_genuine(v, shield, &cover);
}

/* The ticket by its TPK: V, what it encodes, MPKi and MPKr. */
static void
open_ticket(struct examination *e, const struct cp_mikey_ticket_view *view)
{
	struct cp_cli_mikey_keys *keys = e->keys;
	struct cp_mikey_ticket_data data;
	int error;

	if (cp_mikey_ticket_look(&data, view) < 0) {
		find(e, "Ticket Data of a base ticket", false);
		return;
	}
	error = cp_mikey_ticket_open(&keys->ticket, &data, e->set, &keys->tpk);
	find(e, "V of the ticket by TPK", error == 0);
	if (error < 0)
		return;
	keys->mpk_i = keys->ticket.mpk_i;
	keys->mpk_r = keys->ticket.mpk_r;
	show_key(e, "ticket", "MPKi", mpk_data(&keys->mpk_i));
	show_key(e, "ticket", "MPKr", mpk_data(&keys->mpk_r));
	for (size_t i = 0; i < keys->ticket.count; i++)
		show_key(e, "ticket", "session key", keys->ticket.keys[i].data);
}

/* A KEMAC by the shield of its message; the KMS's answers name their MPKs by order. */
static void
open_kemac(struct examination *e, const struct cp_mikey_shield *shield, const char *second_mpk)
{
	const struct cp_mikey_payload *kemac =
		cp_mikey_list_find(&e->msg->payloads, CP_MIKEY_PAYLOAD_KEMAC, 0);
	struct cp_mikey_plain plain = {.len = 0};
	struct cp_mikey_key_data data;
	struct cp_mikey_ts ts;
	bool is_open;

	if (kemac == NULL || !cp_mikey_find_ts(&ts, &e->msg->payloads, 0))
		return;
	is_open = cp_mikey_kemac_open(&plain, kemac, shield, e->msg->csb_id,
				      cp_mikey_ts_iv(ts.type, ts.value)) == 0;
	find(e, "KEMAC opens", is_open);
	for (size_t i = 0; is_open && cp_mikey_plain_key(&data, &plain, true, i); i++)
		show_key(e, "KEMAC", i == 0 ? "MPKi" : second_mpk, data);
	for (size_t i = 0; is_open && cp_mikey_plain_key(&data, &plain, false, i); i++)
		show_key(e, "KEMAC", "session key", data);
	cp_mikey_plain_wipe(&plain);
}

/* Request and Resolve, by the pre-shared key. */
static void
examine_kms(struct examination *e)
{
	const struct cp_mikey_msg *msg = e->msg;
	bool is_init = msg->data_type == CP_MIKEY_REQUEST_INIT_PSK ||
		       msg->data_type == CP_MIKEY_RESOLVE_INIT_PSK;
	bool is_request = msg->data_type == CP_MIKEY_REQUEST_INIT_PSK ||
			  msg->data_type == CP_MIKEY_REQUEST_RESP;
	const struct cp_mikey_msg *init = is_init ? msg : e->init;
	uint8_t role = is_request ? CP_MIKEY_ROLE_I : CP_MIKEY_ROLE_R;
	const struct cp_mikey_leg leg = {
		.set = e->set,
		.phase = is_init ? CP_MIKEY_INITIAL : CP_MIKEY_RESPONSE,
		.csb_id = msg->csb_id,
		.key = e->keys->psk.octets,
		.rand_i = is_request ? rand_or_nothing(init, role) : cp_mikey_octets(NULL, 0),
		.rand_r = is_request ? cp_mikey_octets(NULL, 0) : rand_or_nothing(init, role),
	};
	struct cp_mikey_octets appended[2];
	struct cp_mikey_shield shield;

	if (init == NULL) {
		note(e, "V: the message that this one answers is wanted for it (--initial)");
		return;
	}
	appended[0] = is_init ? id_or_nothing(msg, role) : init->whole;
	appended[1] = id_or_nothing(msg, CP_MIKEY_ROLE_KMS);
	if (cp_mikey_leg_shield(&shield, &leg, true) < 0)
		return;
	find(e, "V by PSK", v_holds(msg, &shield, NULL, appended, is_init ? 2 : 1));
	if (!is_init)
		open_kemac(e, &shield, is_request ? "MPKr" : "MPKr'");
	cp_mikey_shield_wipe(&shield);
}

static void
examine_transfer_init(struct examination *e)
{
	const struct cp_mikey_msg *msg = e->msg;
	const struct cp_mikey_leg leg = {
		.set = e->set,
		.phase = CP_MIKEY_INITIAL,
		.csb_id = msg->csb_id,
		.key = e->keys->mpk_i.octets,
		.rand_i = rand_or_nothing(msg, CP_MIKEY_ROLE_I),
	};
	const struct cp_mikey_octets appended[] = {id_or_nothing(msg, CP_MIKEY_ROLE_I),
						   id_or_nothing(msg, CP_MIKEY_ROLE_R)};
	struct cp_mikey_ticket_view view;
	struct cp_mikey_shield shield;
	struct cp_mikey_v v, vi, vr;

	if (!ticket_of(&view, msg)) {
		note(e, "V of a CSB update: its keys are those of TRANSFER_RESP");
		return;
	}
	if (cp_mikey_last_v(&v, &msg->payloads) &&
	    cp_mikey_initiator_data(&vi, &vr, view.initiator_data))
		find(e, "Vi is V", cp_mikey_is_same(v.mac, vi.mac));
	if (e->keys->mpk_i.len == cp_mikey_set_info(e->set)->key &&
	    cp_mikey_leg_shield(&shield, &leg, true) == 0) {
		find(e, "V by MPKi", v_holds(msg, &shield, &view, appended, 2));
		open_kemac(e, &shield, "MPK");
		cp_mikey_shield_wipe(&shield);
	}
	if (e->keys->mpk_r.len == cp_mikey_set_info(e->set)->key && view.initiator_data.len > 0)
		find(e, "Vr by MPKr", cp_mikey_vr_is_genuine(&view, e->set, &e->keys->mpk_r));
}

/* TEK and salt of each crypto session whose TGK the ticket had. */
static void
derive_sessions(struct examination *e, const struct cp_mikey_ticket_view *ticket,
		struct cp_mikey_octets rand_r)
{
	const struct cp_mikey_ticket_keys *keys = &e->keys->ticket;

	for (size_t i = 0; i < e->msg->cs_count; i++)
		for (size_t k = 0; k < keys->count; k++) {
			const struct cp_mikey_cs *cs = &e->msg->cs[i];
			uint8_t tek[CP_MIKEY_KEY_MAX], salt[CP_MIKEY_SALT];
			struct cp_mikey_derivation d = {
				.prf = e->msg->prf,
				.family = CP_MIKEY_FROM_TGK,
				.constant = CP_MIKEY_TEK,
				.inkey = keys->keys[k].data.key,
				.cs_id = cs->id,
			};
			char name[16];

			if (!cp_mikey_is_same(cs->spi, keys->keys[k].data.spi) ||
			    keys->keys[k].data.type == CP_MIKEY_KEY_TEK)
				continue;
			if ((ticket->flags & CP_MIKEY_FLAG_H) != 0)
				d.rand_i = rand_or_nothing(e->init, CP_MIKEY_ROLE_I);
			if ((ticket->flags & CP_MIKEY_FLAG_G) != 0)
				d.rand_r = rand_r;
			cp_mikey_derive(tek, sizeof(tek), &d);
			d.constant = CP_MIKEY_TEK_SALT;
			cp_mikey_derive(salt, sizeof(salt), &d);
			snprintf(name, sizeof(name), "CS %u", cs->id);
			/* 32 octets begin with the 16 of a shorter TEK, and 14 of salt with the 12 for GCM. */
			show_key(e, "TGK", name,
				 (struct cp_mikey_key_data){
					 .type = CP_MIKEY_KEY_TEK_SALT,
					 .key = cp_mikey_octets(tek, sizeof(tek)),
					 .salt = keys->keys[k].data.salt.len > 0
							 ? keys->keys[k].data.salt
							 : cp_mikey_octets(salt, sizeof(salt)),
					 .spi = cs->spi});
			cp_wipe(tek, sizeof(tek));
			cp_wipe(salt, sizeof(salt));
		}
}

/* MPKr' and TGKs for who answered. */
static bool
fork_keys(struct examination *e, const struct cp_mikey_ticket_view *ticket,
	  struct cp_mikey_key *mpk)
{
	struct cp_mikey_derivation d = {
		.prf = ticket->prf,
		.constant = CP_MIKEY_FORK_MPK,
		.rand = rand_or_nothing(e->msg, CP_MIKEY_ROLE_KMS),
		.id = id_or_nothing(e->msg, CP_MIKEY_ROLE_R),
	};
	struct cp_mikey_ticket_keys *keys = &e->keys->ticket;

	*mpk = (ticket->flags & CP_MIKEY_FLAG_I) != 0 ? e->keys->mpk_r : e->keys->mpk_i;
	if (mpk->len != cp_mikey_set_info(e->set)->key)
		return false;
	if ((ticket->flags & CP_MIKEY_FLAG_I) == 0)
		return true;
	if (cp_mikey_fork(mpk->octets, mpk->len, &d) < 0)
		return false;
	show_key(e, "MPKr", "MPKr'", mpk_data(mpk));
	d.constant = CP_MIKEY_FORK_TGK;
	for (size_t i = 0; i < keys->count; i++)
		if (cp_mikey_key_is_tgk(keys->keys[i].data.type)) {
			cp_mikey_fork(keys->keys[i].key, keys->keys[i].data.key.len, &d);
			show_key(e, "TGK", "TGK'", keys->keys[i].data);
		}
	return true;
}

static void
examine_transfer_resp(struct examination *e)
{
	struct cp_mikey_leg leg = {
		.set = e->set, .phase = CP_MIKEY_RESPONSE, .csb_id = e->msg->csb_id};
	struct cp_mikey_ticket_view ticket;
	struct cp_mikey_shield shield;
	struct cp_mikey_key mpk;

	if (e->init == NULL || !ticket_of(&ticket, e->init)) {
		note(e, "V: the TRANSFER_INIT that this one answers is wanted for it (--initial)");
		return;
	}
	if (e->keys->tpk.len > 0)
		open_ticket(e, &ticket);
	if (!fork_keys(e, &ticket, &mpk))
		return;
	leg.key = mpk.octets;
	leg.rand_i = rand_or_nothing(e->init, CP_MIKEY_ROLE_I);
	leg.rand_r = rand_or_nothing(e->msg, CP_MIKEY_ROLE_R);
	if (cp_mikey_leg_shield(&shield, &leg, true) == 0) {
		find(e, "V by MPKr'", v_holds(e->msg, &shield, NULL, &e->init->whole, 1));
		open_kemac(e, &shield, "MPK");
		derive_sessions(e, &ticket, leg.rand_r);
		cp_mikey_shield_wipe(&shield);
	}
	cp_mikey_key_wipe(&mpk);
}

json_t *
cp_cli_mikey_examine(const struct cp_mikey_msg *msg, const struct cp_mikey_msg *init,
		     struct cp_cli_mikey_keys *keys, bool *holds)
{
	struct examination e = {
		.msg = msg, .init = init, .keys = keys, .list = json_array(), .holds = true};
	struct cp_mikey_ticket_view view;

	if (cp_mikey_set_of_prf(&e.set, msg->prf) < 0) {
		note(&e, "no such PRF");
		*holds = true;
		return e.list;
	}
	if (keys->tpk.len > 0 && ticket_of(&view, msg))
		open_ticket(&e, &view);
	switch (msg->data_type) {
	case CP_MIKEY_REQUEST_INIT_PSK:
	case CP_MIKEY_REQUEST_RESP:
	case CP_MIKEY_RESOLVE_INIT_PSK:
	case CP_MIKEY_RESOLVE_RESP:
		if (keys->psk.len == cp_mikey_set_info(e.set)->key)
			examine_kms(&e);
		break;
	case CP_MIKEY_TRANSFER_INIT:
		examine_transfer_init(&e);
		break;
	case CP_MIKEY_TRANSFER_RESP:
		examine_transfer_resp(&e);
		break;
	default:
		break;
	}
	*holds = e.holds;
	return e.list;
}
