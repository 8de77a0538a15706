/* A conference's settings and its list of people, from the parameters of a request. */
#ifndef CP_MGMT_SETTINGS_H
#define CP_MGMT_SETTINGS_H

#include <jansson.h>
#include "ctrlplane/conf/conf.h"

/* Those that params names are set in settings, which borrows them, and in which (CP_CONF_SET_*). */
void cp_settings_read(struct cp_conf_settings *settings, uint32_t *which, const json_t *params);

/* A list as cp_people_check passes it. A new array of *count that borrows its texts; NULL: no memory. */
struct cp_conf_person *cp_settings_people(size_t *count, const json_t *list);

#endif
