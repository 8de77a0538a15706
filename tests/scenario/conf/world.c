/* The lines of a scenario and what they do. tests/scenario/conf/README.md says what may be written. */
#include "tests/scenario/conf/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 1000000
#define NOON_MS 1790251200000 /* 2026-09-24 12:00 UTC, on the wall, when a scenario begins */

void
world_init(struct world *w)
{
	struct cp_conf_limits limits = {.adopted_ms = 300000};

	memset(w, 0, sizeof(*w));
	w->now_ms = START_MS;
	w->wall_ahead_ms = NOON_MS - START_MS;
	if (cp_focus_create(&w->focus, &limits, 100) != 0)
		abort();
	cp_focus_set_wall(w->focus, w->wall_ahead_ms);
}

void
world_fini(struct world *w)
{
	cp_effects_fini(&w->effects);
	cp_focus_destroy(w->focus);
}

const char *
world_value(const struct world *w, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 1; i < w->word_count; i++)
		if (strncmp(w->words[i], name, len) == 0 && w->words[i][len] == '=')
			return w->words[i] + len + 1;
	return NULL;
}

bool
world_has(const struct world *w, const char *word)
{
	for (size_t i = 1; i < w->word_count; i++)
		if (strcmp(w->words[i], word) == 0)
			return true;
	return false;
}

int64_t
world_duration(const char *text)
{
	char *end;
	int64_t value = strtoll(text, &end, 10);

	return value * (*end == 'h' ? 3600000 : *end == 'm' ? 60000 : 1000);
}

struct cp_conf *
world_conf(struct world *w, const char *name)
{
	return name ? cp_conf_by_user(w->focus, cp_slice_text(name)) : NULL;
}

uint32_t
world_leg(const struct world *w, const char *label)
{
	for (size_t i = w->label_count; label != NULL && i-- > 0;)
		if (strcmp(w->labels[i].name, label) == 0)
			return w->labels[i].id;
	return 0;
}

const char *
world_label(const struct world *w, uint32_t leg)
{
	for (size_t i = w->label_count; i-- > 0;)
		if (w->labels[i].id == leg)
			return w->labels[i].name;
	return "?";
}

void
world_name(struct world *w, const char *label, uint32_t leg)
{
	struct world_label *one = &w->labels[w->label_count++ % WORLD_LABELS_MAX];

	snprintf(one->name, sizeof(one->name), "%s", label);
	one->id = leg;
}

void
world_handle(struct world *w, struct cp_event *event)
{
	int status;

	event->actor = world_value(w, "actor");
	event->by = world_value(w, "by");
	status = cp_conf_handle(w->focus, event, w->now_ms, &w->effects, NULL);
	if (status != 0)
		world_say(w, "%s",
			  status == -EACCES	? "may not"
			  : status == -EALREADY ? "nothing"
			  : status == -ENOENT	? "nobody"
						: "wrong");
	world_write_effects(w);
}

/* "stage/audio/chair,talk/chat": '/' stands for a blank. */
static void
take_floors(struct cp_conf_floors *out, const char *value)
{
	char text[CP_CONF_FLOOR_TEXT_MAX], why[128];
	struct cp_slice rest = cp_slice_text(value), one;

	out->count = 0;
	while (cp_slice_split(&rest, ',', &one)) {
		struct cp_conf_floor floor;

		if (cp_slice_copy(text, sizeof(text), one) != 0)
			abort();
		for (char *c = text; *c; c++)
			*c = *c == '/' ? ' ' : *c;
		if (cp_conf_floor_parse(&floor, cp_slice_text(text), why, sizeof(why)) != 0 ||
		    cp_conf_floors_add(out, &floor, why, sizeof(why)) != 0)
			abort();
	}
}

/* Settings by name; which of them there are. */
static uint32_t
take_settings(struct world *w, struct cp_conf_settings *s)
{
	const struct {
		const char *name;
		uint32_t flag;
		bool *to;
	} flags[] = {
		{"open", CP_CONF_SET_OPEN, &s->is_open},
		{"anonymous", CP_CONF_SET_ANONYMOUS, &s->may_anonymous},
		{"believes-from", CP_CONF_SET_BELIEVES_FROM, &s->believes_from},
		{"entry-muted", CP_CONF_SET_MUTES_ON_ENTRY, &s->mutes_on_entry},
		{"hold-muted", CP_CONF_SET_MUTES_ON_HOLD, &s->mutes_on_hold},
		{"locked", CP_CONF_SET_LOCKED, &s->is_locked},
		{"lobby", CP_CONF_SET_LOBBY, &s->has_lobby},
		{"announces", CP_CONF_SET_ANNOUNCES, &s->announces},
		{"ends-with-creator", CP_CONF_SET_ENDS_WITH_CREATOR, &s->ends_with_creator},
		{"ends-when-empty", CP_CONF_SET_ENDS_WHEN_EMPTY, &s->ends_when_empty},
		{"chat", CP_CONF_SET_CHAT, &s->has_chat},
	};
	const struct {
		const char *name;
		uint32_t flag;
		const char **to;
	} texts[] = {
		{"title", CP_CONF_SET_TITLE, &s->title},
		{"subject", CP_CONF_SET_SUBJECT, &s->subject},
		{"creator", CP_CONF_SET_CREATOR, &s->creator},
		{"pin", CP_CONF_SET_PIN, &s->pin},
	};
	const struct {
		const char *name;
		uint32_t flag;
		int64_t *to;
	} times[] = {
		{"start", CP_CONF_SET_START, &s->start_ms},
		{"end", CP_CONF_SET_END, &s->end_ms},
		{"early", CP_CONF_SET_EARLY, &s->early_ms},
	};
	uint32_t which = 0;
	const char *value;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		value = world_value(w, flags[i].name);
		if (value == NULL && !world_has(w, flags[i].name))
			continue;
		*flags[i].to = value == NULL || strcmp(value, "no") != 0;
		which |= flags[i].flag;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if ((value = world_value(w, texts[i].name)) != NULL) {
			*texts[i].to = value;
			which |= texts[i].flag;
		}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if ((value = world_value(w, times[i].name)) != NULL) {
			*times[i].to = world_duration(value);
			if (times[i].flag != CP_CONF_SET_EARLY && *times[i].to != 0)
				*times[i].to += cp_focus_wall_ms(w->focus, w->now_ms);
			which |= times[i].flag;
		}
	if ((value = world_value(w, "max")) != NULL) {
		s->size_max = (uint32_t)strtoul(value, NULL, 10);
		which |= CP_CONF_SET_SIZE_MAX;
	}
	if ((value = world_value(w, "loudest")) != NULL) {
		s->loudest_n = (uint16_t)strtoul(value, NULL, 10);
		which |= CP_CONF_SET_LOUDEST_N;
	}
	if ((value = world_value(w, "history")) != NULL) {
		s->chat_history = (uint16_t)strtoul(value, NULL, 10);
		which |= CP_CONF_SET_CHAT_HISTORY;
	}
	if ((value = world_value(w, "floors")) != NULL) {
		take_floors(&s->floors, value);
		which |= CP_CONF_SET_FLOORS;
	}
	if ((value = world_value(w, "editors")) != NULL &&
	    cp_conf_editors_of(&s->editors, cp_slice_text(value)) == 0)
		which |= CP_CONF_SET_EDITORS;
	if ((value = world_value(w, "security")) != NULL &&
	    cp_conf_security_of(&s->security, cp_slice_text(value)) == 0)
		which |= CP_CONF_SET_SECURITY;
	return which;
}

/* "sip:bob@x/moderator" among the words. */
static size_t
take_people(struct world *w, struct cp_conf_person *people)
{
	size_t count = 0;

	for (size_t i = 1; i < w->word_count; i++) {
		char *slash;

		if (strncmp(w->words[i], "sip:", 4) != 0 && strncmp(w->words[i], "tel:", 4) != 0)
			continue;
		people[count] = (struct cp_conf_person){.uri = w->words[i]};
		slash = strrchr(w->words[i], '/');
		if (slash != NULL &&
		    cp_conf_role_of(&people[count].role, cp_slice_text(slash + 1)) == 0)
			*slash = '\0';
		count++;
	}
	return count;
}

static bool
do_conference(struct world *w)
{
	struct cp_conf_person people[WORLD_WORDS_MAX];
	struct cp_conf_settings settings = {.user = w->words[1]};
	enum cp_conf_origin origin = world_has(w, "factory") ? CP_CONF_FACTORY : CP_CONF_CREATED;
	struct cp_conf *conf;
	int status;

	take_settings(w, &settings);
	settings.people = people;
	settings.people_count = take_people(w, people);
	status = cp_conf_create(&conf, w->focus, &settings, origin, w->now_ms);
	if (status != 0)
		world_say(w, "%s", status == -EEXIST ? "exists" : "wrong");
	return true;
}

static enum cp_conf_proof
proof_of(const struct world *w)
{
	return world_has(w, "from")	? CP_PROOF_NONE
	       : world_has(w, "digest") ? CP_PROOF_DIGEST
					: CP_PROOF_ASSERTED;
}

static int
ask(struct world *w, struct cp_conf_verdict *verdict, const char *name, const char *who)
{
	struct cp_conf_request request = {
		.user = cp_slice_text(name),
		.identity = cp_slice_text(strcmp(who, "-") == 0 ? "" : who),
		.proof = proof_of(w),
		.tel = cp_slice_text(world_value(w, "tel")),
		.kms = cp_slice_text(world_value(w, "kms")),
		.inviter = cp_slice_text(world_value(w, "inviter")),
		.has_key = world_has(w, "key"),
		.now_ms = w->now_ms,
		.purpose = world_has(w, "subscribe")	? CP_PURPOSE_SUBSCRIBE
			   : world_has(w, "dial")	? CP_PURPOSE_DIAL_OUT
			   : world_has(w, "redirected") ? CP_PURPOSE_REDIRECT
			   : world_has(w, "answer")	? CP_PURPOSE_ANSWER
							: CP_PURPOSE_JOIN,
	};
	int status = cp_conf_admit(verdict, w->focus, &request);

	if (status != 0 && verdict->retry_after_s != 0)
		world_say(w, "%d %s, again in %u s", status, verdict->reason,
			  verdict->retry_after_s);
	else if (status != 0)
		world_say(w, "%d %s", status, verdict->reason);
	return status;
}

/* ask CONFERENCE WHO …: admission alone. */
static bool
do_ask(struct world *w)
{
	struct cp_conf_verdict v;

	if (w->word_count < 3)
		return false;
	if (ask(w, &v, w->words[1], w->words[2]) != 0)
		return true;
	world_say(w, "welcome %s as %s by %s", *v.person ? v.person : "nobody",
		  cp_conf_role_name(v.role), cp_conf_proof_name(v.proof));
	if (v.wait != CP_WAIT_NONE)
		world_say(w, "waits for %s", cp_leg_wait_name(v.wait));
	if (v.is_protected)
		world_say(w, "protected");
	return true;
}

/* call LABEL CONFERENCE WHO …: admission, and in; with "dial" it is our call. */
static bool
do_call(struct world *w)
{
	struct cp_conf_join join = {.display = "Somebody", .via = "here", .suite = DP_SUITE_NONE};
	struct cp_event event = {.type = CP_EVENT_JOIN, .join = &join};
	struct cp_conf_verdict v;
	struct cp_leg *leg;

	if (w->word_count < 4)
		return false;
	if (ask(w, &v, w->words[2], w->words[3]) != 0)
		return true;
	join.conf = v.conf;
	join.identity = join.person = v.person;
	join.tel = v.tel;
	join.proof = v.proof;
	join.role = v.role;
	join.wait = v.wait;
	join.is_private = world_has(w, "private");
	join.by = world_value(w, "inviter");
	join.referred_by = world_value(w, "referred");
	if (world_has(w, "dial"))
		join.method = CP_JOIN_DIALED_OUT;
	if (cp_conf_handle(w->focus, &event, w->now_ms, &w->effects, &leg) != 0)
		return false;
	world_name(w, w->words[1], leg->id);
	world_write_effects(w);
	return true;
}

/* Events that name a leg, and no more than a word beside. */
static const struct {
	const char *word;
	enum cp_event_type type;
	bool flag;
} leg_events[] = {
	{"connected", CP_EVENT_CONNECTED, false},
	{"held", CP_EVENT_CHANGED, true},
	{"resumed", CP_EVENT_CHANGED, false},
	{"gone", CP_EVENT_GONE, false},
	{"mute", CP_EVENT_MUTE, true},
	{"unmute", CP_EVENT_MUTE, false},
	{"deaf", CP_EVENT_DEAF, true},
	{"hearing", CP_EVENT_DEAF, false},
	{"remove", CP_EVENT_REMOVE, false},
	{"dialing", CP_EVENT_DIALING, false},
	{"alerting", CP_EVENT_ALERTING, false},
	{"lost", CP_EVENT_MEDIA_LOST, false},
	{"back", CP_EVENT_MEDIA_BACK, false},
	{"rtcp-bye", CP_EVENT_MEDIA_BYE, false},
	{"let-in", CP_EVENT_ADMIT, false},
};

static bool
do_leg(struct world *w)
{
	const char *status = world_value(w, "status");
	struct cp_event event = {.leg = world_leg(w, w->words[1])};

	for (size_t i = 0; i < sizeof(leg_events) / sizeof(leg_events[0]); i++) {
		if (strcmp(w->words[0], leg_events[i].word) != 0)
			continue;
		event.type = leg_events[i].type;
		event.flag = leg_events[i].flag;
		event.value = status ? atoi(status) : 0;
		event.person = world_value(w, "person");
		event.text = event.type == CP_EVENT_REMOVE ? "removed" : NULL;
		world_handle(w, &event);
		return true;
	}
	return false;
}

/* floor LABEL INDEX [no] */
static bool
do_floor(struct world *w)
{
	struct cp_event event = {.type = CP_EVENT_FLOOR,
				 .leg = world_leg(w, w->words[1]),
				 .flag = !world_has(w, "no")};

	if (w->word_count < 3)
		return false;
	event.value = atoi(w->words[2]);
	world_handle(w, &event);
	return true;
}

static bool
do_role(struct world *w)
{
	struct cp_event event = {.type = CP_EVENT_ROLE, .leg = world_leg(w, w->words[1])};
	enum cp_conf_role role;

	if (w->word_count < 3 || cp_conf_role_of(&role, cp_slice_text(w->words[2])) != 0)
		return false;
	event.value = (int32_t)role;
	world_handle(w, &event);
	return true;
}

static bool
do_digits(struct world *w)
{
	struct cp_event event = {.type = CP_EVENT_DTMF, .leg = world_leg(w, w->words[1])};

	if (w->word_count < 3)
		return false;
	for (const char *d = w->words[2]; *d; d++) {
		event.value = *d == '*' ? 10 : *d == '#' ? 11 : *d - '0';
		world_handle(w, &event);
	}
	return true;
}

static bool
do_prompted(struct world *w)
{
	struct cp_event event = {.type = CP_EVENT_PROMPTED, .leg = world_leg(w, w->words[1])};

	for (int p = 0; w->word_count > 2 && p < CP_PROMPTS; p++)
		if (strcmp(cp_prompt_name((enum cp_prompt)p), w->words[2]) == 0)
			event.value = p;
	world_handle(w, &event);
	return true;
}

/* Events that name a conference. */
static bool
do_policy(struct world *w)
{
	static const struct {
		const char *word;
		enum cp_event_type type;
		bool flag;
	} all[] = {
		{"set", CP_EVENT_UPDATE, false},	{"authorise", CP_EVENT_AUTHORISE, false},
		{"disallow", CP_EVENT_DISALLOW, false}, {"expel", CP_EVENT_DISALLOW, true},
		{"list", CP_EVENT_SET_LIST, false},	{"lock", CP_EVENT_LOCK, true},
		{"unlock", CP_EVENT_LOCK, false},	{"close", CP_EVENT_CLOSE, false},
		{"let-all-in", CP_EVENT_ADMIT, false},	{"announce", CP_EVENT_ANNOUNCE, false},
	};
	const struct cp_conf *conf = world_conf(w, w->words[1]);
	struct cp_conf_person people[WORLD_WORDS_MAX];
	struct cp_conf_change change = {0};
	struct cp_event event = {.conf = conf ? conf->id : 0, .people = people, .change = &change};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(w->words[0], all[i].word) != 0)
			continue;
		event.type = all[i].type;
		event.flag = all[i].flag;
		event.people_count = take_people(w, people);
		change.which = take_settings(w, &change.to);
		if (event.type == CP_EVENT_ANNOUNCE)
			event.text = w->word_count > 2 ? w->words[2] : NULL;
		world_handle(w, &event);
		return true;
	}
	return false;
}

/* Second by second. */
static bool
do_wait(struct world *w)
{
	struct cp_event event = {.type = CP_EVENT_TICK};

	for (int64_t left = world_duration(w->words[1]); left > 0; left -= 1000) {
		w->now_ms += 1000;
		world_handle(w, &event);
	}
	return true;
}

/* show LABEL: how the roster has it. */
static bool
do_show(struct world *w)
{
	uint32_t id = world_leg(w, w->words[1]);
	const struct cp_leg *leg = cp_leg_by_id(w->focus, id);

	if (leg == NULL)
		leg = cp_leg_gone(w->focus, id);
	if (leg == NULL) {
		world_say(w, "nobody");
		return true;
	}
	world_say(w, "%s %s %s %s", cp_leg_status_name(cp_leg_status(leg)),
		  *leg->identity ? leg->identity : "anonymous", cp_conf_role_name(leg->role),
		  cp_join_method_name(leg->method));
	if (leg->departure != CP_DEPARTURE_NONE)
		world_say(w, "%s: %s%s%s", cp_departure_name(leg->departure), leg->left_reason,
			  *leg->left_by ? " by " : "", leg->left_by);
	if (leg->user_id != leg->id)
		world_say(w, "user of %s", world_label(w, leg->user_id));
	if (*leg->join_by)
		world_say(w, "by %s", leg->join_by);
	if (*leg->referred_by)
		world_say(w, "referred by %s", leg->referred_by);
	return true;
}

static bool
do_count(struct world *w)
{
	const struct cp_conf *conf = world_conf(w, w->words[1]);

	if (conf == NULL)
		world_say(w, "no conference");
	else
		world_say(w, "%u there, %u connected, %zu listed", conf->leg_count,
			  conf->connected_count, conf->authorised_count);
	return true;
}

bool
world_do(struct world *w, char *line)
{
	static const struct {
		const char *word;
		bool (*run)(struct world *w);
	} commands[] = {
		{"conference", do_conference},
		{"ask", do_ask},
		{"call", do_call},
		{"role", do_role},
		{"floor", do_floor},
		{"digits", do_digits},
		{"prompted", do_prompted},
		{"wait", do_wait},
		{"show", do_show},
		{"count", do_count},
	};
	char *rest = line, *word;

	w->text[0] = '\0';
	w->word_count = 0;
	while ((word = strsep(&rest, " ")) != NULL && w->word_count < WORLD_WORDS_MAX)
		if (*word)
			w->words[w->word_count++] = word;
	if (w->word_count == 1 && strcmp(w->words[0], "drain") == 0) {
		cp_focus_drain(w->focus, true);
		return true;
	}
	if (w->word_count > 0 && strcmp(w->words[0], "restart") == 0) {
		world_restart(w);
		return true;
	}
	if (w->word_count < 2)
		return false;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(w->words[0], commands[i].word) == 0)
			return commands[i].run(w);
	return do_leg(w) || do_policy(w);
}
