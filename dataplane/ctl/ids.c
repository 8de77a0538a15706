/* Id table with linear probing and backward-shift deletion. */
#include "dataplane/ctl/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t
hash(uint32_t id)
{
	id = (id ^ id >> 16) * 0x45d9f3bu;
	id = (id ^ id >> 16) * 0x45d9f3bu;
	return id ^ id >> 16;
}

int
dp_ids_init(struct dp_ids *ids, uint32_t max)
{
	uint32_t size = 16;

	while (size < max * 2)
		size *= 2;
	ids->mask = size - 1;
	ids->count = 0;
	ids->cells = calloc(size, sizeof(ids->cells[0]));
	return ids->cells == NULL ? -ENOMEM : 0;
}

void
dp_ids_fini(struct dp_ids *ids)
{
	free(ids->cells);
	ids->cells = NULL;
}

static uint32_t
find(const struct dp_ids *ids, uint32_t id)
{
	uint32_t i = hash(id) & ids->mask;

	while (ids->cells[i].id != 0 && ids->cells[i].id != id)
		i = (i + 1) & ids->mask;
	return i;
}

uint32_t
dp_ids_get(const struct dp_ids *ids, uint32_t id)
{
	uint32_t i = find(ids, id);

	return id != 0 && ids->cells[i].id == id ? ids->cells[i].index : DP_IDS_NONE;
}

void
dp_ids_put(struct dp_ids *ids, uint32_t id, uint32_t index)
{
	ids->cells[find(ids, id)] = (struct dp_ids_cell){.id = id, .index = index};
	ids->count++;
}

void
dp_ids_remove(struct dp_ids *ids, uint32_t id)
{
	uint32_t hole = find(ids, id);

	if (id == 0 || ids->cells[hole].id != id)
		return;
	for (uint32_t i = (hole + 1) & ids->mask; ids->cells[i].id != 0; i = (i + 1) & ids->mask) {
		uint32_t home = hash(ids->cells[i].id) & ids->mask;

		if (((i - home) & ids->mask) >= ((i - hole) & ids->mask)) {
			ids->cells[hole] = ids->cells[i];
			hole = i;
		}
	}
	ids->cells[hole] = (struct dp_ids_cell){0};
	ids->count--;
}

uint32_t
dp_ids_page(const struct dp_ids *ids, uint32_t after, uint32_t *out, uint32_t n,
	    int (*may)(void *arg, uint32_t index), void *arg)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i <= ids->mask; i++) {
		uint32_t id = ids->cells[i].id, at;

		if (id <= after || (count == n && id > out[n - 1]) ||
		    !may(arg, ids->cells[i].index))
			continue;
		if (count < n)
			count++;
		for (at = count - 1; at > 0 && out[at - 1] > id; at--)
			out[at] = out[at - 1];
		out[at] = id;
	}
	return count;
}
