/* What an initiator keeps of a ticket: its octets and its keys, in locked memory. */
#ifndef CP_MIKEY_TICKET_STATE_H
#define CP_MIKEY_TICKET_STATE_H

#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/ticket.h"

/* A session key that is kept, by its SPI. */
struct cp_mikey_held {
	uint8_t type, spi_len;
	uint8_t spi[CP_MIKEY_SPI_MAX];
	struct cp_secret *key, *salt; /* salt: NULL where the key has none of its own */
};

int cp_mikey_held_set(struct cp_mikey_held *held,
		      const struct cp_mikey_key_data *data); /* -ENOMEM */
struct cp_mikey_held cp_mikey_held_get(const struct cp_mikey_held *held);
void cp_mikey_held_put(struct cp_mikey_held *held, size_t count);

struct cp_mikey_ticket {
	enum cp_mikey_set set;
	bool is_used;
	uint8_t *octets; /* the TICKET payload, without Initiator Data */
	size_t len;
	struct cp_mikey_policy policy;	 /* borrows from octets */
	struct cp_secret *mpk_i, *mpk_r; /* mpk_r NULL without key forking */
	struct cp_mikey_held held[CP_MIKEY_KEYS_MAX];
	size_t held_count;
};

#endif
