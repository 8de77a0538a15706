/* Numbers for conferences and legs that do not meet those of an earlier life of this program. */
#ifndef CP_BASE_ID_H
#define CP_BASE_ID_H

#include <stddef.h>
#include <stdint.h>

/* Counts up from a random start through 1 … 2^31-1. */
struct cp_id_maker {
	uint32_t next;
};

void cp_id_init(struct cp_id_maker *maker, uint32_t start);
uint32_t cp_id_next(struct cp_id_maker *maker);

/* FNV-1a: for tables and for names to numbers; no secret is behind it. */
uint32_t cp_hash(const void *octets, size_t len);

#endif
