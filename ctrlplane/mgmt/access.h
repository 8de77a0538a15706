/*
 * Who asks, and what that one may. Operators (the Unix socket, a loopback without tokens, a token of role admin) may
 * everything; of everybody else the conference's policy decides about changes, by the identity that the token stands for.
 */
#ifndef CP_MGMT_ACCESS_H
#define CP_MGMT_ACCESS_H

#include <stdbool.h>
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/mgmt/commands.h"
#include "ctrlplane/mgmt/problem.h"
#include "ctrlplane/mgmt/tokens.h"

/* What a command asks of who asks for it. */
enum cp_need {
	CP_NEED_ADMIN = 0,
	CP_NEED_NODE,	/* reads of the whole node: nobody who stands for a participant */
	CP_NEED_READ,	/* everybody, of the conferences that one may see */
	CP_NEED_CREATE, /* creator or admin */
	CP_NEED_POLICY, /* the focus decides by actor */
};

struct cp_access {
	enum cp_access_role role;
	char by[CP_IDENTITY_MAX];	/* for the audit: a token's name, "uid 0", "operator" */
	char identity[CP_IDENTITY_MAX]; /* canonical; empty: stands for nobody */
	bool has_token;
};

enum cp_need cp_access_need(enum cp_command_id command);
const char *cp_need_name(enum cp_need need); /* admin, node, read, create, policy */

/* Before anything is looked up: a 403 where the role alone says no. */
void cp_access_check(struct cp_problem *problem, const struct cp_access *access,
		     enum cp_command_id command);

/* Who stands for a participant sees what it made, is listed for or is in; everybody else all. */
bool cp_access_sees(const struct cp_access *access, const struct cp_conf *conf);

/* Stands for a participant: sees no more than participants are to see of each other. */
bool cp_access_is_bound(const struct cp_access *access);

/* For struct cp_event: the identity that must be allowed to; NULL: an operator. */
const char *cp_access_actor(const struct cp_access *access);

#endif
