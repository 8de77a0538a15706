/* Layout of streams, for streams*.c. */
#ifndef CP_APP_STREAMS_STATE_H
#define CP_APP_STREAMS_STATE_H

#include <sys/queue.h>

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/app/streams.h"
#include "ctrlplane/base/map.h"

#define CP_STREAM_MODES (CP_STREAM_CERTIFICATE + 1)
#define CP_STREAM_HOSTS 8 /* addresses that are listened at */

/* A connection, from its first moment on; freed with it. */
struct cp_visit {
	struct cp_streams *streams;
	struct cp_stream *stream;
	int service;
	struct cp_line_link *link; /* whose it is; NULL: not known yet */
	bool is_bound;		   /* link->visit; else on the list of those who are not */
	bool *gone;    /* set when it is forgotten: its user may end the call in opened */
	bool is_early; /* kept waiting for an answer that is not in force yet */
	TAILQ_ENTRY(cp_visit) unbound;
};

/* What streams.c knows of a line; from its first offer or answer to its end. */
struct cp_line_link {
	TAILQ_ENTRY(cp_line_link) all;
	struct cp_line *line;
	struct cp_call *call;
	int service;
	struct cp_map_node by_name; /* PSK: of its identity */
	bool is_named;
	char name[CP_MIKEY_SESSION_NAME];
	struct cp_secret *psk;
	struct cp_visit *visit;	  /* line->stream's */
	struct cp_visit *dialing; /* ours, on its way */
	struct cp_listener *own;  /* port of this line alone */
	int64_t deadline_ms;	  /* a stream has to be there by then; 0: it need not */
	int64_t redial_ms;	  /* we connect again then; 0: we do not */
	unsigned int tries;
	bool was_up;		  /* since it was agreed */
	unsigned int certificate; /* of ours, that its peer was told: as in streams */
	bool is_given_up;	  /* the m-line is to go */
	bool is_offering; /* our offer of a new connection is out: whom it brings is the new one */
	bool is_fresh;	  /* and is here already */
};

/* Who asks for a PSK, and only among the lines of its service. */
struct cp_stream_finder {
	struct cp_streams *streams;
	int service;
};

struct cp_port {
	struct cp_streams *streams;
	int service;
	size_t count;
	struct cp_listener *listeners[CP_STREAM_HOSTS]; /* by streams->hosts */
};

struct cp_streams {
	struct cp_app *app;
	struct cp_hub *hub;
	const struct cp_service *services[CP_LINES];
	struct cp_stream_finder finders[CP_LINES];
	struct cp_tls_context *psk[CP_LINES];
	struct cp_tls_context *certificate;
	unsigned int certificate_number; /* which: counts what SIGHUP brought */
	struct cp_port ports[CP_LINES][CP_STREAM_MODES];
	size_t host_count;
	struct dp_addr hosts[CP_STREAM_HOSTS];
	struct cp_map names; /* struct cp_line_link */
	TAILQ_HEAD(cp_line_links, cp_line_link) links;
	TAILQ_HEAD(cp_visits, cp_visit) unbound;
	struct cp_streams_counts counts;
	int64_t lines_ms; /* when lines are looked at next */
	int64_t answering_ms; /* connections that come before are kept waiting until an answer is in force */
	unsigned int said;   /* refusals in the log in this second */
	unsigned int unsaid; /* and those that were not */
};

/* streams_line.c */
struct cp_line_link *cp_line_link(struct cp_call *call,
				  int service); /* makes it; NULL: no memory */
extern const struct cp_stream_events cp_visit_events;
/* PSK: of any line of the service. */
int cp_line_find(struct cp_tls_key *out, void *finder, const char *identity);
void cp_lines_tick(struct cp_streams *streams, int64_t now_ms);
/* Is there an offer of ours without an answer, which asks for a new connection? */
bool cp_line_is_offered(const struct cp_streams *streams, int service);
enum cp_stream_mode cp_line_mode(enum cp_sdp_stream_mode mode);
/* What protects a connection of the line that is made by us, or at its own port. */
struct cp_stream_tls cp_line_tls(const struct cp_line_link *link, uint32_t yields_ms);
/* Its stream is gone, by failure or not. */
void cp_line_lost(struct cp_line_link *link, bool failed);

/* streams_visit.c */
bool cp_visit_accept(void *port, struct cp_stream *s);
bool cp_visit_accept_own(void *link, struct cp_stream *s);
struct cp_visit *cp_visit_create(struct cp_streams *streams, int service,
				 struct cp_line_link *link);
void cp_visit_drop(struct cp_visit *visit, bool is_orderly); /* and its stream; NULL is fine */
/* Connections under way that have named the link's key, or were made for it, are cut. */
void cp_visits_forget(struct cp_line_link *link);
void cp_visits_let_go(struct cp_streams *streams); /* who was kept waiting goes on */
void cp_streams_note_refused(struct cp_streams *streams, const char *what,
			     const struct dp_addr *from, enum cp_stream_cause cause,
			     const char *why);

#endif
