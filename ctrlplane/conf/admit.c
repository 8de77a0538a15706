/* Admission: the one place that says who may join (seed G.2; RFC 4579 5.1; profile section 1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

static int
refuse(struct cp_conf_verdict *out, uint16_t status, const char *reason)
{
	out->conf = NULL;
	out->status = status;
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
	return status;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
is_authorised(const struct cp_conf *conf, struct cp_slice identity)
{
	char key[CP_IDENTITY_MAX];

	if (conf->authorised_count == 0 || cp_slice_copy(key, sizeof(key), identity) < 0)
		return false;
	return bsearch(key, conf->authorised, conf->authorised_count, sizeof(key), compare) != NULL;
}

static int
check_identity(struct cp_conf_verdict *out, const struct cp_conf *conf, struct cp_slice identity)
{
	bool is_anonymous = cp_identity_is_anonymous(identity);

	if (is_anonymous && !(conf->is_open && conf->may_anonymous))
		return refuse(out, 403, "This conference does not admit anonymous participants");
	if (!conf->is_open && !is_authorised(conf, identity))
		return refuse(out, 403, "You are not on the list of this conference");
	return 0;
}

int
cp_conf_admit(struct cp_conf_verdict *out, const struct cp_focus *focus,
	      const struct cp_conf_request *request)
{
	struct cp_conf *conf = cp_conf_by_user(focus, request->user);
	int status;

	memset(out, 0, sizeof(*out));
	if (conf == NULL || conf->origin == CP_CONF_ADOPTED)
		return refuse(out, 404, "There is no conference of this name");
	if (focus->is_draining)
		return refuse(out, 503, "This server takes no new participants just now");
	status = check_identity(out, conf, request->identity);
	if (status != 0)
		return status;
	if (conf->is_locked)
		return refuse(out, 403, "The conference is locked");
	if (conf->size_max != 0 && conf->leg_count >= conf->size_max)
		return refuse(out, 486, "The conference is full");
	if (focus->limits.legs_max != 0 && cp_leg_count(focus) >= focus->limits.legs_max)
		return refuse(out, 503, "This server is full");
	out->conf = conf;
	return 0;
}
