/* What a request must fulfil before anything is done for it: against DNS rebinding, forged forms and strangers. */
#ifndef CP_MGMT_GUARD_H
#define CP_MGMT_GUARD_H

#include <stdbool.h>
#include "ctrlplane/mgmt/problem.h"

/* Header fields; NULL: absent. */
struct cp_guard_request {
	const char *method;
	const char *host, *origin, *content_type, *authorization;
	const char *fetch_site; /* Sec-Fetch-Site */
	bool is_page;		/* a file of the page is asked for, which holds nothing secret */
	bool is_tcp;		/* else the Unix socket, whose mode is its guard */
	bool has_body;		/* by Content-Length or Transfer-Encoding */
	bool takes_csv;		/* the command takes text/csv too, which no form can send either */
};

/*
 * On TCP the Host must name loopback (a rebound name does not), and an Origin must be that host. What a browser
 * fetches for a page of elsewhere (an image, a script) has no Origin, but says so itself. Sets the problem when it may not
 * pass.
 */
void cp_guard_check(struct cp_problem *problem, const struct cp_guard_request *request);

/*
 * A body must be declared application/json, and so must what a POST declares: no form of a foreign page can do that. A POST of
 * neither body nor type (curl -X POST) comes from no form, and a page's script shows its Origin.
 */
void cp_guard_check_type(struct cp_problem *problem, const struct cp_guard_request *request);

/* The body is declared as text/csv. */
bool cp_guard_is_csv(const struct cp_guard_request *request);

#endif
