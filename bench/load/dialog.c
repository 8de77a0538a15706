/* Replaces (RFC 3891) and Join (RFC 3911) of a participant: naming a dialog, being named, and giving way. */
#include "bench/load/dialog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NTA_LEG_MAGIC_T struct ue_call
#define NTA_OUTGOING_MAGIC_T struct ue_call
#define NTA_INCOMING_MAGIC_T struct ue_call
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>

#include "bench/load/call_state.h"

size_t
ue_dialog_header(char *out, size_t size, const struct ue_call *c)
{
	const struct ue_options *o = c->shared->options;
	const char *name = o->names == UE_NAMES_JOIN ? "Join" : "Replaces";
	const char *tag = o->names == UE_NAMES_JOIN ? "join" : "replaces";

	out[0] = '\0';
	if (o->names == UE_NAMES_NONE || c->outcome == UE_JOINED)
		return 0;
	return (size_t)snprintf(out, size, "%s: %s\r\nRequire: %s\r\n", name, o->dialog, tag);
}

/* The engine makes the header of it as the peer has to be told. NULL: no dialog. */
static sip_replaces_t *
named(const struct ue_call *c, su_home_t *home)
{
	sip_replaces_t *r = c->leg ? nta_leg_make_replaces(c->leg, home, 0) : NULL;

	return r && r->rp_call_id && r->rp_to_tag && r->rp_from_tag ? r : NULL;
}

bool
ue_dialog_name(char out[UE_DIALOG_MAX], const struct ue_call *c)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	const sip_replaces_t *r;

	su_home_init(home);
	r = c->answer_ns ? named(c, home) : NULL;
	if (r)
		snprintf(out, UE_DIALOG_MAX, "%s;to-tag=%s;from-tag=%s", r->rp_call_id,
			 r->rp_to_tag, r->rp_from_tag);
	su_home_deinit(home);
	return r != NULL;
}

static void
file_write(const struct ue_call *c, const char *pattern)
{
	char name[UE_DIALOG_MAX], path[512];
	FILE *f;

	if (!ue_dialog_name(name, c))
		return;
	ue_number_put(path, sizeof(path), pattern, c->number);
	f = fopen(path, "w");
	if (f)
		fprintf(f, "%s\n", name);
	if (!f || fclose(f) != 0)
		fprintf(stderr, "conclave-ue: %s: %s\n", path, strerror(errno));
}

void
ue_dialog_up(struct ue_call *c)
{
	struct ue_call *other = c->replaced;

	if (c->shared->options->dialog_file)
		file_write(c, c->shared->options->dialog_file);
	c->replaced = NULL;
	if (other && other->state == UE_UP)
		ue_call_leave(other, false);
}

static bool
is_named(const struct ue_call *c, const sip_replaces_t *theirs)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	const sip_replaces_t *r;
	bool is_same;

	su_home_init(home);
	r = named(c, home);
	is_same = r && strcmp(r->rp_call_id, theirs->rp_call_id) == 0 &&
		  strcmp(r->rp_from_tag, theirs->rp_to_tag) == 0 &&
		  strcmp(r->rp_to_tag, theirs->rp_from_tag) == 0;
	su_home_deinit(home);
	return is_same;
}

int
ue_dialog_find(struct ue_call **out, struct ue_call *calls, unsigned count, const sip_t *sip)
{
	const sip_replaces_t *r = sip->sip_replaces;

	*out = NULL;
	if (!r)
		return 0;
	if (!r->rp_call_id || !r->rp_to_tag || !r->rp_from_tag)
		return 400;
	for (unsigned i = 0; i < count; i++) {
		struct ue_call *c = &calls[i];

		if (!is_named(c, r))
			continue;
		if (c->state == UE_LEAVING || c->state == UE_DONE)
			return 603;
		if (c->state != UE_UP)
			return 481; /* early, and not ours to give away */
		if (r->rp_early_only)
			return 486;
		*out = c;
		return 0;
	}
	return 481;
}
