/*
 * The conference event package: protecting and reading NOTIFY bodies of 2 kB, and what 100 joins cost where 500 watch a conference
 * of 500, with partial documents and with full ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/bench.h"
#include "ctrlplane/cms/cms.h"
#include "ctrlplane/cms/entity.h"
#include "ctrlplane/event/copy.h"
#include "ctrlplane/event/roster.h"

#define WATCHERS 500
#define PARTY 500
#define JOINS 100
#define BODIES 500 /* of a round */
#define ROOM (512 << 10)

/* Subscribers, each with a key of its own. */
struct crowd {
	struct cp_cms *cms;
	struct cp_secret *kek[WATCHERS];
	char id[WATCHERS][16];
	struct cp_roster *roster;
	char *plain;
	uint8_t *sealed[BODIES];
	size_t len[BODIES];
	struct cp_roster_body *body;
	uint32_t version;
	struct cp_copy copy;
	unsigned bad;
};

static void
put_people(struct cp_roster *r, unsigned count)
{
	static const char *const roles[] = {"participant"};
	const struct cp_roster_conference c = {.display = "All hands",
					       .subject = "All hands",
					       .users_max = 1000,
					       .is_active = true};

	cp_roster_begin(r);
	cp_roster_set_conference(r, &c);
	for (unsigned i = 0; i < count; i++) {
		char user[48], display[48], entity[16];
		const struct cp_roster_media media = {
			"1", NULL, "audio", "1", true, 3000000000u + i, CP_ROSTER_SENDRECV};
		const struct cp_roster_endpoint e = {.user = user,
						     .user_display = display,
						     .roles = roles,
						     .role_count = 1,
						     .entity = entity,
						     .joining = CP_ROSTER_DIALED_IN,
						     .joined = {.when_s = 1700000000 + i},
						     .media = &media,
						     .media_count = 1};

		snprintf(user, sizeof(user), "sip:participant%u@ims.example", i);
		snprintf(display, sizeof(display), "Participant number %u", i);
		snprintf(entity, sizeof(entity), "%u", 100000 + i);
		cp_roster_put(r, &e);
	}
	cp_roster_end(r);
}

static void
crowd_fini(struct crowd *w)
{
	for (unsigned i = 0; i < WATCHERS; i++)
		cp_secret_put(w->kek[i]);
	for (unsigned i = 0; i < BODIES; i++)
		free(w->sealed[i]);
	cp_roster_body_put(w->body);
	cp_roster_destroy(w->roster);
	cp_cms_destroy(w->cms);
	cp_copy_fini(&w->copy);
	free(w->plain);
}

/* 0 or -errno; room: for each sealed body. */
static int
crowd_init(struct crowd *w, size_t room)
{
	int rc;

	memset(w, 0, sizeof(*w));
	cp_copy_init(&w->copy);
	rc = cp_cms_create(&w->cms);
	if (rc == 0)
		rc = cp_roster_create(&w->roster, "sip:allhands@focus.example");
	for (unsigned i = 0; i < WATCHERS && rc == 0; i++) {
		rc = cp_secret_create_random(&w->kek[i], CP_CMS_KEK);
		snprintf(w->id[i], sizeof(w->id[i]), "%08x-240", i);
	}
	w->plain = malloc(ROOM);
	for (unsigned i = 0; i < BODIES && rc == 0; i++) {
		w->sealed[i] = malloc(room);
		rc = w->sealed[i] ? 0 : -1;
	}
	return w->plain ? rc : -1;
}

/* What a NOTIFY to subscriber i costs before it is a SIP message. */
static void
protect_one(struct crowd *w, unsigned i, uint32_t version, size_t room)
{
	const struct cp_cms_key key = {.kek = w->kek[i % WATCHERS],
				       .id = cp_slice_text(w->id[i % WATCHERS])};
	size_t head = cp_cms_entity_head(w->plain, 64, CP_ROSTER_TYPE);
	size_t len = head + cp_roster_body_write(w->plain + head, w->body, version);

	w->bad += cp_cms_protect(w->sealed[i % BODIES], room, &w->len[i % BODIES], w->cms, &key,
				 cp_slice(w->plain, len)) != 0;
}

/* The document of subscriber i's body. */
static bool
open_one(struct crowd *w, unsigned i, struct cp_slice *document)
{
	const struct cp_cms_key key = {.kek = w->kek[i % WATCHERS],
				       .id = cp_slice_text(w->id[i % WATCHERS])};
	struct cp_slice type;
	size_t len;

	return cp_cms_open((uint8_t *)w->plain, ROOM, &len, w->cms, &key,
			   cp_slice((char *)w->sealed[i], w->len[i])) == 0 &&
	       cp_cms_entity_decode(&type, document, cp_slice(w->plain, len)) == 0 &&
	       cp_slice_is(type, CP_ROSTER_TYPE);
}

/* The copy of subscriber 0 … takes one of them. */
static bool
take_one(struct crowd *w, unsigned i, struct cp_copy *copy)
{
	struct cp_slice document;
	enum cp_copy_verdict verdict;

	return open_one(w, i, &document) &&
	       cp_copy_take(&verdict, copy, document.ptr, document.len) == 0 &&
	       verdict <= CP_COPY_PARTIAL;
}

/* A partial document of 2 kB: four joins at a time. */
static void
make_2k(struct crowd *w)
{
	put_people(w->roster, 50);
	put_people(w->roster, 54);
	cp_roster_since(&w->body, w->roster, 1);
}

static void
protect_round(void *arg)
{
	struct crowd *w = arg;

	for (unsigned i = 0; i < BODIES; i++)
		protect_one(w, i, i + 2, 4096);
}

/* A full document under version 1, which the copy takes before the rounds. */
static void
copy_start(void *arg)
{
	struct crowd *w = arg;
	struct cp_roster_body *full;
	enum cp_copy_verdict verdict;
	size_t len;

	cp_copy_fini(&w->copy);
	cp_roster_full(&full, w->roster);
	len = cp_roster_body_write(w->plain, full, 1);
	w->bad += cp_copy_take(&verdict, &w->copy, w->plain, len) != 0;
	cp_roster_body_put(full);
}

static void
open_round(void *arg)
{
	struct crowd *w = arg;
	struct cp_slice document;

	for (unsigned i = 0; i < BODIES; i++)
		w->bad += !open_one(w, i, &document);
}

static void
parse_round(void *arg)
{
	struct crowd *w = arg;

	for (unsigned i = 0; i < BODIES; i++)
		w->bad += !take_one(w, i, &w->copy);
}

static int
run_bodies(const struct bench_case *row, struct bench_result *out)
{
	static const struct {
		const char *name;
		void (*round)(void *arg), (*prepare)(void *arg);
	} kinds[] = {
		{"protect", protect_round, NULL},
		{"open", open_round, NULL},
		{"parse", parse_round, copy_start},
	};
	static struct crowd w;
	struct bench_plan plan = {.arg = &w, .items = BODIES};
	struct bench_timing t;
	int rc = crowd_init(&w, 4096);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, row->arg) == 0) {
			plan.round = kinds[i].round;
			plan.prepare = kinds[i].prepare;
		}
	if (rc == 0) {
		make_2k(&w);
		protect_round(&w);
		rc = bench_time(&t, &plan);
	}
	if (rc == 0) {
		bench_result_set(out, &t);
		/* each under its own key, each with its version, and all of them say the same */
		copy_start(&w);
		parse_round(&w);
		out->is_verified = w.bad == 0 && w.copy.version == BODIES + 1 && w.copy.count == 54;
		bench_extra_number(out, "octets", (double)w.len[0]);
		bench_extra_number(out, "per_second", 1e9 / t.p50);
	}
	crowd_fini(&w);
	return rc;
}

struct cost {
	double bytes, ms;
	uint64_t documents;
};

/* JOINS one by one, merged by `merged`; everybody is told. */
static void
tell_all(struct crowd *w, struct cost *cost, bool is_full, unsigned merged)
{
	uint64_t began, made, revision, ns = 0;

	put_people(w->roster, PARTY - JOINS);
	made = cp_roster_made(w->roster);
	for (unsigned joined = merged; joined <= JOINS; joined += merged) {
		revision = cp_roster_revision(w->roster);
		began = bench_now_ns();
		put_people(w->roster, PARTY - JOINS + joined);
		cp_roster_body_put(w->body);
		if (is_full)
			cp_roster_full(&w->body, w->roster);
		else
			cp_roster_since(&w->body, w->roster, revision);
		w->version++;
		for (unsigned i = 0; i < WATCHERS; i++) {
			protect_one(w, i, w->version, ROOM);
			cost->bytes += (double)w->len[i % BODIES];
		}
		ns += bench_now_ns() - began;
		w->bad += !take_one(w, joined % WATCHERS, &w->copy);
	}
	cost->ms = (double)ns / 1e6;
	cost->documents = cp_roster_made(w->roster) - made;
}

static int
run_crowd(const struct bench_case *row, struct bench_result *out)
{
	static struct crowd w;
	struct cost full = {0}, one = {0}, ten = {0};
	int rc = crowd_init(&w, ROOM);

	if (rc == 0) {
		tell_all(&w, &full, true, 1);
		out->is_verified = w.copy.count == PARTY && w.copy.user_count == PARTY;
		put_people(w.roster, PARTY - JOINS);
		w.version = 1;
		copy_start(&w);
		tell_all(&w, &one, false, 1);
		out->is_verified &= w.copy.count == PARTY && w.copy.user_count == PARTY;
		put_people(w.roster, PARTY - JOINS);
		w.version = 1;
		copy_start(&w);
		tell_all(&w, &ten, false, 10);
		out->is_verified &= w.copy.count == PARTY && w.bad == 0;
		out->value = out->p50 = out->p99 = 100 * one.bytes / full.bytes;
		bench_extra_number(out, "merged_by_ten_percent", 100 * ten.bytes / full.bytes);
		bench_extra_number(out, "full_bytes", full.bytes);
		bench_extra_number(out, "partial_bytes", one.bytes);
		bench_extra_number(out, "full_cpu_ms", full.ms);
		bench_extra_number(out, "partial_cpu_ms", one.ms);
		bench_extra_number(out, "partial_documents", (double)one.documents);
		bench_extra_number(out, "merged_by_ten_bytes", ten.bytes);
		bench_extra_number(out, "merged_by_ten_cpu_ms", ten.ms);
	}
	crowd_fini(&w);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{.name = "event.notify.protect",
		 .unit = "ns/body",
		 .run = run_bodies,
		 .arg = "protect"},
		{.name = "event.notify.open", .unit = "ns/body", .run = run_bodies, .arg = "open"},
		{.name = "event.notify.parse",
		 .unit = "ns/body",
		 .run = run_bodies,
		 .arg = "parse"},
		{.name = "event.conf500.bytes", .unit = "% of full documents", .run = run_crowd},
	};

	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
