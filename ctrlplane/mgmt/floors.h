/* Floors as JSON: who holds one, and who waits for it. */
#ifndef CP_MGMT_FLOORS_H
#define CP_MGMT_FLOORS_H

#include <jansson.h>
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/mgmt/mgmt.h"

/* Who reads: all that waits for a chair is shown, or what is of this identity (NULL: of nobody). */
struct cp_view_reader {
	bool sees_all;
	const char *identity;
};

json_t *cp_view_floor(const struct cp_mgmt_ops *ops, const struct cp_conf *conf, size_t floor,
		      const struct cp_view_reader *reader);

#endif
