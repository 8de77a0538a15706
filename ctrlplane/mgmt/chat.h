/* Chat as JSON: a message that was just said. */
#ifndef CP_MGMT_CHAT_H
#define CP_MGMT_CHAT_H

#include <jansson.h>
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/mgmt/mgmt.h"

/* NULL: there is none just now. */
json_t *cp_view_chat_message(const struct cp_mgmt_ops *ops, const struct cp_conf *conf);

#endif
