/* Numbers that count up from a random start; hashes for tables. */
#include "ctrlplane/base/id.h"

#define ID_MASK 0x7fffffffu

void
cp_id_init(struct cp_id_maker *maker, uint32_t start)
{
	maker->next = start & ID_MASK;
}

uint32_t
cp_id_next(struct cp_id_maker *maker)
{
	if (maker->next == 0)
		maker->next = 1;
	uint32_t id = maker->next;

	maker->next = (id + 1) & ID_MASK;
	return id;
}

uint32_t
cp_hash(const void *octets, size_t len)
{
	const unsigned char *at = octets;
	uint32_t hash = 2166136261u;

	while (len-- > 0)
		hash = (hash ^ *at++) * 16777619u;
	return hash;
}
