/* The KMS of the world behind HTTP. */
#include "tests/scenario/app/room.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

static size_t
answer(void *arg, uint8_t *out, size_t size, const uint8_t *in, size_t len)
{
	struct world *w = arg;

	memcpy(w->octets, in, len);
	w->out.len = len;
	if (world_kms(w) != 0 || w->out.len > size)
		return 0;
	memcpy(out, w->octets, w->out.len);
	return w->out.len;
}

int
room_open(struct room *room, struct cp_app_mikey *mikey, struct world *world)
{
	struct cp_kms_client_options options = {
		.urls = room->urls,
		.url_count = 1,
		.timeout_ms = 5000,
		.rounds = 1,
		.asks_max = 8,
	};

	*room = (struct room){.world = world, .kmsd = {.answer = answer, .arg = world}};
	kmsd_start(&room->kmsd);
	room->urls[0] = room->kmsd.url;
	room->settings = (struct cp_config_mikey){.kms_identity = "sip:kms.example",
						  .identity = "sip:focus.example",
						  .skew_ms = 300000,
						  .host = "focus.example"};
	for (int set = 0; set < 2; set++)
		room->settings.psk.psk[set] = world_user(world, "sip:focus.example")->psk[set];
	*mikey = (struct cp_app_mikey){.is_on = true, .config = &room->settings, .env = world->env};
	if (cp_mikey_replay_create(&mikey->replay, 64) != 0 ||
	    cp_mikey_replay_create(&mikey->tickets, 64) != 0)
		return -1;
	return cp_kms_client_create(&mikey->client, &options);
}

void
room_close(struct room *room, struct cp_app_mikey *mikey)
{
	cp_app_mikey_close(mikey);
	kmsd_stop(&room->kmsd);
}

void
room_wait(struct cp_app_mikey *mikey, const int *outcome)
{
	for (int i = 0; *outcome < 0 && i < 1000; i++) {
		struct pollfd wait = {.fd = cp_kms_client_fd(mikey->client), .events = POLLIN};

		poll(&wait, 1, 100);
		cp_kms_client_run(mikey->client);
	}
}
