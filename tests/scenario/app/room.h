/* A focus' side of MIKEY-TICKET in a world of its own: its account, its caches, its client, and a KMS over HTTP that it asks. */
#ifndef TESTS_SCENARIO_APP_ROOM_H
#define TESTS_SCENARIO_APP_ROOM_H

#include "ctrlplane/app/mikey.h"
#include "tests/scenario/app/kmsd.h"
#include "tests/scenario/mikey/world.h"

struct room {
	struct world *world; /* while the client runs, the KMS's thread has it */
	struct cp_config_mikey settings;
	struct kmsd kmsd;
	const char *urls[1];
};

/* mikey is filled in; 0. */
int room_open(struct room *room, struct cp_app_mikey *mikey, struct world *world);
void room_close(struct room *room, struct cp_app_mikey *mikey);
/* Runs the client until *outcome is not negative. */
void room_wait(struct cp_app_mikey *mikey, const int *outcome);

#endif
