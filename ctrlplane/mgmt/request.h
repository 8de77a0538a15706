/* One HTTP request on its way from the socket to a handler and back. Private to ctrlplane/mgmt. */
#ifndef CP_MGMT_REQUEST_H
#define CP_MGMT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/mgmt/access.h"
#include "ctrlplane/mgmt/events.h"
#include "ctrlplane/mgmt/mgmt.h"
#include "ctrlplane/mgmt/problem.h"
#include "ctrlplane/mgmt/route.h"
#include "ctrlplane/mgmt/target.h"
#include "ctrlplane/mgmt/view.h"

#define CP_REQUEST_BODY_MAX 65536
#define CP_REQUEST_BIG_MAX (2 << 20) /* where a list of thousands is the body */

struct MHD_Connection;
struct cp_mgmt_request;

/* A question to the media plane: about which participant of which request. Lives as long as the request. */
struct cp_ask {
	struct cp_ask *next;
	struct cp_mgmt_request *request;
	json_t *participant; /* NULL: for the sums of a conference */
};

/* Created with the request line, freed when its connection is done with it. */
struct cp_web_file;

struct cp_mgmt_request {
	struct cp_mgmt_request *next, **link; /* of the requests under way */
	const struct cp_mgmt_ops *ops;
	struct cp_mgmt *mgmt; /* for the server only */
	struct MHD_Connection *connection;
	bool has_begun; /* headers were seen */
	bool is_tcp;
	bool is_file;		 /* the body is a file, by its content type */
	struct cp_access access; /* who asks */
	bool may_see_list;	 /* and changes who is listed in the conference that it asks for */
	bool is_suspended;	 /* the media plane was asked */
	bool is_done;		 /* status and json, or problem, are the answer */
	char *target_text;
	char *body;
	size_t body_len, body_max;
	size_t swallowed; /* octets of the body that came, kept or not */
	struct cp_target target;
	struct cp_route route;
	struct cp_problem problem;
	json_t *params;
	int status;   /* HTTP */
	json_t *json; /* NULL: no content */
	char location[160];
	char made[CP_CONF_USER_MAX]; /* id of the conference that was created */
	const char *last_event_id;   /* of the header field; NULL: none */
	uint32_t page;		     /* entries that were asked for */
	struct cp_sums *sums;	     /* of a conference's media, as the answers come */
	struct cp_stream *stream;    /* the answer is a stream of events */
	struct cp_ask *asks;
	const struct cp_web_file *file; /* of the page; NULL: the API is asked */
	size_t pending; /* answers of the media plane and the store that are still to come */
};

/* Run the command. Afterwards pending is 0 and the request is_done, or it waits and cp_request_resume is called. */
void cp_handle_request(struct cp_mgmt_request *request);

struct cp_mgmt_request *cp_request_create(const struct cp_mgmt_ops *ops, const char *target);
void cp_request_destroy(struct cp_mgmt_request *request);

/* Append to the body; beyond body_max it is a 413. */
void cp_request_add_body(struct cp_mgmt_request *request, const char *octets, size_t len);

/* By handlers when the last answer has come: the server goes on with the request. */
void cp_request_resume(struct cp_mgmt_request *request);

/* The answer; it goes out when nothing is pending. json is taken over. */
void cp_request_answer(struct cp_mgmt_request *request, int status, json_t *json);
/* One of those that were pending is there. */
void cp_request_done_one(struct cp_mgmt_request *request);
/* The answer waits until what was changed is on disk. */
void cp_request_settle(struct cp_mgmt_request *request);
/* Hand the event to the focus in the name of who asks; what it changed is settled. Its status. */
int cp_request_handle(struct cp_mgmt_request *request, struct cp_event *event);

/* The status of a change: true where it is, or was, as it was to be; else the problem is set. */
bool cp_request_is_changed(struct cp_mgmt_request *request, int status);

/* The answer is a stream of the events of conf, 0: of all. Sets the problem where there are too many. */
void cp_request_follow(struct cp_mgmt_request *request, uint32_t conf, const char *last_id);

struct cp_view_clock cp_request_clock(const struct cp_mgmt_request *request);

/* Handlers of a folder's files, by command. */
void cp_handle_conference_list(struct cp_mgmt_request *request);
void cp_handle_conference_create(struct cp_mgmt_request *request);
void cp_handle_conference_show(struct cp_mgmt_request *request);
void cp_handle_conference_call(struct cp_mgmt_request *request);
void cp_handle_conference_update(struct cp_mgmt_request *request);
/* close, lock, unlock, mix, admit, announce */
void cp_handle_conference_change(struct cp_mgmt_request *request);
void cp_handle_authorised_list(struct cp_mgmt_request *request);
void cp_handle_authorised_change(struct cp_mgmt_request *request);
void cp_handle_chat_show(struct cp_mgmt_request *request);
void cp_handle_chat_say(struct cp_mgmt_request *request);
void cp_handle_chat_mute(struct cp_mgmt_request *request); /* and unmute */
void cp_handle_floor_list(struct cp_mgmt_request *request);
void cp_handle_floor_show(struct cp_mgmt_request *request);
void cp_handle_floor_change(struct cp_mgmt_request *request); /* ask … unchair */
void cp_handle_conference_stats(struct cp_mgmt_request *request);
void cp_handle_participant_stats(struct cp_mgmt_request *request);
void cp_handle_records(struct cp_mgmt_request *request);
void cp_handle_audit(struct cp_mgmt_request *request);
void cp_handle_events(struct cp_mgmt_request *request);
void cp_handle_announcement_list(struct cp_mgmt_request *request);
void cp_handle_participant_list(struct cp_mgmt_request *request);
void cp_handle_participant_show(struct cp_mgmt_request *request);
void cp_handle_participant_change(struct cp_mgmt_request *request); /* mute … role, remove */

/*
 * Ask the media plane about a participant for an object that is shown; done gets the struct cp_ask and must end in
 * cp_request_done_one. Where it cannot be asked nothing comes.
 */
void cp_request_ask_leg(struct cp_mgmt_request *request, const struct cp_leg *leg, json_t *shown,
			cp_mgmt_media_fn done);

/* The participant that the path names; NULL with the problem set. */
struct cp_leg *cp_request_leg(struct cp_mgmt_request *request);

/* The conference that the path names and who asks may see; NULL with the problem set. */
struct cp_conf *cp_request_conference(struct cp_mgmt_request *request);

#endif
