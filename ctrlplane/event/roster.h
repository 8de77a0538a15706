/*
 * Conference information documents (RFC 4575): what one conference's subscribers are told. Pure: a plain view goes in, documents
 * come out, full ones and partial ones since any revision that a subscriber may have.
 *
 *   begin, set_conference, put (one for each endpoint) …, end ─▶ a new revision if anything differs
 *   full, since(revision) ─▶ a body, made once and shared by all who are at the same revision
 *   body_write(version) ─▶ octets for one subscriber: only the version attribute is its own
 *
 * Strings of views are borrowed for the call, may be NULL or empty (then the element is left out), and may hold anything: what XML
 * does not allow becomes U+FFFD. One event loop, no locks.
 */
#ifndef CP_EVENT_ROSTER_H
#define CP_EVENT_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_ROSTER_TYPE "application/conference-info+xml"
#define CP_ROSTER_XCON_NS "urn:ietf:params:xml:ns:xcon-conference-info" /* RFC 6501 */
#define CP_ROSTER_NS "urn:ietf:params:xml:ns:conference-info"

/* RFC 4575 5.7.3. */
enum cp_roster_status {
	CP_ROSTER_CONNECTED = 0,
	CP_ROSTER_PENDING,
	CP_ROSTER_DIALING_OUT,
	CP_ROSTER_DIALING_IN,
	CP_ROSTER_ALERTING,
	CP_ROSTER_ON_HOLD,
	CP_ROSTER_MUTED,
	CP_ROSTER_DISCONNECTING,
	CP_ROSTER_DISCONNECTED,
	CP_ROSTER_STATUSES
};

/* 5.7.4. */
enum cp_roster_joining {
	CP_ROSTER_JOINING_UNKNOWN = 0,
	CP_ROSTER_DIALED_IN,
	CP_ROSTER_DIALED_OUT,
	CP_ROSTER_FOCUS_OWNER,
};

/* 5.7.6. */
enum cp_roster_leaving {
	CP_ROSTER_LEAVING_NONE = 0,
	CP_ROSTER_DEPARTED,
	CP_ROSTER_BOOTED,
	CP_ROSTER_FAILED,
	CP_ROSTER_BUSY,
};

/* 5.8.5, from the participant's point of view. */
enum cp_roster_direction {
	CP_ROSTER_DIRECTION_UNKNOWN = 0,
	CP_ROSTER_SENDRECV,
	CP_ROSTER_SENDONLY,
	CP_ROSTER_RECVONLY,
	CP_ROSTER_INACTIVE,
};

struct cp_roster_uri {
	const char *uri, *display, *purpose;
};

/* referred, joining-info, disconnection-info; left out when all of it is absent. */
struct cp_roster_act {
	int64_t when_s; /* Unix time; 0: not known */
	const char *reason, *by;
};

/* An entry of available-media. */
struct cp_roster_medium {
	const char *label, *display, *type;
	enum cp_roster_direction status;
};

/* The conference: description, host and state. The number of users is counted here. */
struct cp_roster_conference {
	const char *display, *subject, *free_text;
	const char *keywords; /* separated by spaces */
	const struct cp_roster_uri *conf_uris, *service_uris;
	size_t conf_uri_count, service_uri_count;
	uint32_t users_max; /* 0: not said */
	const struct cp_roster_medium *media;
	size_t medium_count;
	const char *host_display, *host_page;
	const struct cp_roster_uri *host_uris;
	size_t host_uri_count;
	bool is_active, is_locked;
};

struct cp_roster_media {
	const char *id; /* key within the endpoint */
	const char *display, *type, *label;
	bool has_ssrc;
	uint32_t ssrc; /* src-id: what the endpoint sends, and what stands in CSRC lists */
	enum cp_roster_direction status;
};

/* One endpoint, and the user it belongs to. Endpoints of one user repeat the user's fields; the first one put counts. */
struct cp_roster_endpoint {
	const char *user; /* entity: key of the user; not empty */
	const char *user_display;
	const char *nickname; /* in the chat: RFC 7701 7.4 */
	const struct cp_roster_uri *aors;
	size_t aor_count;
	const char *const *roles;
	size_t role_count;
	const char *languages; /* separated by spaces */
	const char *cascaded_focus;

	const char *entity; /* key within the user; not empty */
	const char *display;
	struct cp_roster_act referred;
	enum cp_roster_status status;
	enum cp_roster_joining joining;
	struct cp_roster_act joined;
	enum cp_roster_leaving leaving;
	struct cp_roster_act left;
	const struct cp_roster_media *media;
	size_t media_count;
	/* call-info, when identifier and tags are there; for whom, is the caller's to decide (5.7.9) */
	const char *call_display, *call_id, *from_tag, *to_tag;
};

struct cp_roster; /* owner: whoever created it */

/* entity: the conference URI. Its revision is 0: nothing is known yet. -EINVAL, -ENOMEM. */
int cp_roster_create(struct cp_roster **out, const char *entity);
void cp_roster_destroy(struct cp_roster *roster); /* bodies that others hold stay; NULL is fine */

/*
 * The whole state anew. Users and endpoints that are not put are gone. Out of memory shows at end: -ENOMEM, and the next documents
 * are full ones. end: 1: there is a new revision; 0: nothing changed.
 */
void cp_roster_begin(struct cp_roster *roster);
void cp_roster_set_conference(struct cp_roster *roster,
			      const struct cp_roster_conference *conference);
void cp_roster_put(struct cp_roster *roster, const struct cp_roster_endpoint *endpoint);
int cp_roster_end(struct cp_roster *roster);

const char *cp_roster_entity(const struct cp_roster *roster);
uint64_t cp_roster_revision(const struct cp_roster *roster);
uint32_t cp_roster_user_count(const struct cp_roster *roster); /* as conference-state says */

enum cp_roster_kind { CP_ROSTER_FULL = 0, CP_ROSTER_PARTIAL, CP_ROSTER_DELETED };

/* A document without its version. Immutable, counted. */
struct cp_roster_body;

int cp_roster_full(struct cp_roster_body **out, struct cp_roster *roster);
/* What a subscriber at that revision lacks: partial, or full where that is no longer or its revision is too old. */
int cp_roster_since(struct cp_roster_body **out, struct cp_roster *roster, uint64_t revision);
/* The conference is gone. */
int cp_roster_deleted(struct cp_roster_body **out, struct cp_roster *roster);

enum cp_roster_kind cp_roster_body_kind(const struct cp_roster_body *body);
/* Room that body_write needs, whatever the version. */
size_t cp_roster_body_room(const struct cp_roster_body *body);
/* The document for one subscriber. Returns its length; no NUL. */
size_t cp_roster_body_write(char *room, const struct cp_roster_body *body, uint32_t version);
struct cp_roster_body *cp_roster_body_get(struct cp_roster_body *body);
void cp_roster_body_put(struct cp_roster_body *body); /* NULL is fine */

/* So many documents were made: once per change and revision, not once per subscriber. */
uint64_t cp_roster_made(const struct cp_roster *roster);

const char *cp_roster_status_name(enum cp_roster_status status);

#endif
