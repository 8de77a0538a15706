/* Admission: the one place that says who may join, subscribe or be called (seed G.2, G.3; RFC 4579 5.1; profile section 1). */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "ctrlplane/conf/focus_state.h"

#define RETRY_BUSY_S 5
#define RETRY_GUESSES_S 60
#define RETRY_MAX_S 86400

static int
refuse(struct cp_conf_verdict *out, uint16_t status, const char *reason)
{
	out->conf = NULL;
	out->status = status;
	out->retry_after_s = status == 503 ? RETRY_BUSY_S : 0;
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
	return status;
}

/* The KMS's word is the strongest, and what SIP has proven must agree with it. */
static int
take_kms(struct cp_conf_verdict *out, const struct cp_conf_request *r)
{
	char sip[CP_IDENTITY_MAX] = "";

	cp_slice_copy(out->person, sizeof(out->person), r->kms);
	out->proof = CP_PROOF_KMS;
	if (r->proof == CP_PROOF_NONE || r->identity.len == 0)
		return 0;
	cp_slice_copy(sip, sizeof(sip), r->identity);
	if (!cp_identity_is_same(sip, out->person) &&
	    !(*out->tel && cp_identity_is_same(out->tel, out->person)))
		return refuse(out, 403, "The ticket is of another identity than the call");
	return 0;
}

/* Who it is: by the KMS, by what SIP proves, or by From where the conference believes that. */
static int
take_person(struct cp_conf_verdict *out, const struct cp_conf *conf,
	    const struct cp_conf_request *r)
{
	if (r->proof == CP_PROOF_ASSERTED)
		cp_slice_copy(out->tel, sizeof(out->tel), r->tel);
	if (r->kms.len > 0)
		return take_kms(out, r);
	out->proof = r->proof;
	if (r->proof != CP_PROOF_NONE || conf->believes_from)
		cp_slice_copy(out->person, sizeof(out->person), r->identity);
	if (cp_identity_is_anonymous(cp_slice_text(out->person))) {
		out->person[0] = '\0';
		out->proof = CP_PROOF_NONE;
	}
	return 0;
}

static int
check_list(struct cp_conf_verdict *out, const struct cp_conf *conf)
{
	bool is_anonymous = *out->person == '\0';
	bool is_listed = cp_conf_role_for(&out->role, conf, out->person, out->tel);

	if (is_anonymous && !(conf->is_open && conf->may_anonymous))
		return refuse(out, 403, "This conference does not admit anonymous participants");
	if (!conf->is_open && !is_listed)
		return refuse(out, 403, "You are not on the list of this conference");
	return 0;
}

static int
check_time(struct cp_conf_verdict *out, const struct cp_conf *conf, int64_t wall_ms)
{
	int64_t opens_ms = conf->start_ms - conf->early_ms;
	int64_t wait_s = (opens_ms - wall_ms + 999) / 1000;
	time_t start = (time_t)(conf->start_ms / 1000);
	struct tm parts;
	char text[CP_CONF_REASON_MAX];

	if (conf->end_ms != 0 && wall_ms >= conf->end_ms)
		return refuse(out, 410, "The conference is over");
	if (conf->start_ms == 0 || wall_ms >= opens_ms)
		return 0;
	gmtime_r(&start, &parts);
	strftime(text, sizeof(text), "The conference starts on %Y-%m-%d at %H:%M UTC", &parts);
	refuse(out, 480, text);
	out->retry_after_s = (uint32_t)(wait_s < RETRY_MAX_S ? wait_s : RETRY_MAX_S);
	return out->status;
}

static int
check_room(struct cp_conf_verdict *out, const struct cp_focus *focus, const struct cp_conf *conf)
{
	if (conf->size_max != 0 && conf->leg_count >= conf->size_max)
		return refuse(out, 486, "The conference is full");
	if (focus->limits.legs_max != 0 && cp_leg_count(focus) >= focus->limits.legs_max)
		return refuse(out, 503, "This server is full");
	return 0;
}

/* Somebody tries PIN after PIN, call after call: only who is on the list is asked for it still. */
static int
check_guesses(struct cp_conf_verdict *out, const struct cp_conf *conf)
{
	enum cp_conf_role role;

	if (conf->pin_wrong < CP_CONF_PIN_WRONG_MAX ||
	    cp_conf_role_for(&role, conf, out->person, out->tel))
		return 0;
	refuse(out, 480, "Too many wrong PINs were entered, try again in a minute");
	out->retry_after_s = RETRY_GUESSES_S;
	return out->status;
}

static int
check_join(struct cp_conf_verdict *out, const struct cp_focus *focus, const struct cp_conf *conf,
	   const struct cp_conf_request *r)
{
	bool is_leader = out->role >= CP_ROLE_MODERATOR;
	int status = check_time(out, conf, cp_focus_wall_ms(focus, r->now_ms));

	if (status != 0)
		return status;
	if (conf->is_locked && !is_leader)
		return refuse(out, 403, "The conference is locked");
	if (!is_leader)
		out->wait = *conf->pin	      ? CP_WAIT_PIN
			    : conf->has_lobby ? CP_WAIT_LOBBY
					      : CP_WAIT_NONE;
	if (out->wait == CP_WAIT_PIN && check_guesses(out, conf) != 0)
		return out->status;
	return check_room(out, focus, conf);
}

/* Who is in a conference has passed PIN and lobby; who is listed need not be in it. */
static int
check_subscribe(struct cp_conf_verdict *out, const struct cp_conf *conf,
		const struct cp_conf_request *r)
{
	enum cp_conf_notify notify = cp_conf_notify_policy(conf);
	const struct cp_leg *leg = cp_conf_leg_of(conf, out->person);
	enum cp_conf_role role;

	if ((*conf->pin || conf->has_lobby) && (leg == NULL || !leg->is_in) &&
	    !cp_conf_role_for(&role, conf, out->person, out->tel))
		return refuse(out, 403, "Only who has joined the conference may watch it");
	if (notify == CP_NOTIFY_REQUIRED && !r->has_key)
		return refuse(out, 403,
			      "The state of this conference goes to those with a key only");
	out->is_protected = r->has_key && notify != CP_NOTIFY_OFF;
	return 0;
}

/* Whoever calls somebody out answers for him; but participants cannot bring in whom the list does not know. */
static int
check_dial(struct cp_conf_verdict *out, const struct cp_focus *focus, const struct cp_conf *conf,
	   const struct cp_conf_request *r)
{
	char inviter[CP_IDENTITY_MAX];
	bool is_listed = cp_conf_role_for(&out->role, conf, out->person, out->tel);
	int status;

	if (r->purpose == CP_PURPOSE_REDIRECT) { /* in the place of whom it was for */
		if ((!conf->is_open && !is_listed) ||
		    cp_identity_is_anonymous(cp_slice_text(out->person)))
			return refuse(out, 403, "Redirected to somebody who is not on the list");
		return 0;
	}
	if (r->inviter.len > 0) {
		if (cp_slice_copy(inviter, sizeof(inviter), r->inviter) < 0 ||
		    !cp_conf_may(conf, inviter, CP_ACTION_INVITE))
			return refuse(out, 403, "You may not invite others to this conference");
		if (!conf->is_open && !is_listed && !cp_conf_may(conf, inviter, CP_ACTION_POLICY))
			return refuse(out, 403,
				      "Who is invited is not on the list of this conference");
		status = check_time(out, conf, cp_focus_wall_ms(focus, r->now_ms));
		if (status != 0)
			return status;
	}
	return check_room(out, focus, conf);
}

static int
check(struct cp_conf_verdict *out, const struct cp_focus *focus, const struct cp_conf *conf,
      const struct cp_conf_request *r)
{
	int status;

	if (r->purpose == CP_PURPOSE_DIAL_OUT ||
	    r->purpose == CP_PURPOSE_REDIRECT) { /* nobody has proven anything yet */
		cp_slice_copy(out->person, sizeof(out->person), r->identity);
		return check_dial(out, focus, conf, r);
	}
	status = take_person(out, conf, r);
	if (status == 0)
		status = check_list(out, conf);
	if (status != 0 || r->purpose == CP_PURPOSE_ANSWER)
		return status;
	return r->purpose == CP_PURPOSE_SUBSCRIBE ? check_subscribe(out, conf, r)
						  : check_join(out, focus, conf, r);
}

int
cp_conf_admit(struct cp_conf_verdict *out, const struct cp_focus *focus,
	      const struct cp_conf_request *request)
{
	struct cp_conf *conf = cp_conf_by_user(focus, request->user);

	memset(out, 0, sizeof(*out));
	if (conf == NULL && cp_focus_is_past(focus, request->user))
		return refuse(out, 410, "The conference is over");
	if (conf == NULL || conf->origin == CP_CONF_ADOPTED)
		return refuse(out, 404, "There is no conference of this name");
	if (focus->is_draining && request->purpose != CP_PURPOSE_SUBSCRIBE &&
	    request->purpose != CP_PURPOSE_ANSWER)
		return refuse(out, 503, "This server takes no new participants just now");
	if (check(out, focus, conf, request) != 0)
		return out->status;
	out->conf = conf;
	return 0;
}
