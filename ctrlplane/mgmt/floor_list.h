/* The floors of a conference's policy as JSON: texts as cp_conf_floor_parse reads them, or objects. */
#ifndef CP_MGMT_FLOOR_LIST_H
#define CP_MGMT_FLOOR_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "ctrlplane/conf/floors.h"

/* false: why says what is wrong. */
bool cp_floor_list_check(const json_t *value, char *why, size_t size);
bool cp_floor_list_check_one(const json_t *value, char *why, size_t size);

/* A list as cp_floor_list_check passes it. */
void cp_floor_list_read(struct cp_conf_floors *out, const json_t *list);

/* Objects; a new value. */
json_t *cp_floor_list_view(const struct cp_conf_floors *floors);
/* The members of one, with its ID. */
json_t *cp_floor_list_view_one(const struct cp_conf_floor *floor, size_t index);

/* Of what a request says of floors. */
json_t *cp_floor_list_schema(void);

#endif
