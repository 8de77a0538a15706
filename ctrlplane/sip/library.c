/*
 * What the library does by itself and is not to. Debian 12's sofia-sip sends the first NOTIFY of a REFER out of a dialog before we have
 * answered the REFER: also where we refuse it (RFC 3515 2.4.4) and where no NOTIFY is wanted (RFC 4488 4).
 */
#include "ctrlplane/sip/sip_state.h"

#include <dlfcn.h>

/* How NUA serves a method, as in its 1.12 and 1.13, whose headers do not show it; each request names its own. */
struct server_method {
	sip_method_t method;
	const char *name;
	int event;
	unsigned int flags;
	void (*init)(void), (*preprocess)(void), (*params)(void), (*respond)(void);
	void (*report)(void); /* hands the request to us, then does what the method wants */
};

/* Is it the one we know? Then all before and behind report is where we think it is. */
static bool
is_known(const struct server_method *m, const struct server_method *plain)
{
	return m && plain && m->method == sip_method_refer && m->event == nua_i_refer &&
	       strcmp(m->name, "REFER") == 0 && plain->method == sip_method_options &&
	       plain->event == nua_i_options && strcmp(plain->name, "OPTIONS") == 0;
}

bool
cp_sip_tame_library(void)
{
	static struct server_method refer; /* of the process, as the library's own */
	const struct server_method **methods = dlsym(RTLD_DEFAULT, "nua_server_methods");
	void *report = dlsym(RTLD_DEFAULT, "nua_base_server_report");

	if (!methods || !report)
		return false;
	if (methods[sip_method_refer] == &refer)
		return true;
	if (!is_known(methods[sip_method_refer], methods[sip_method_options]) ||
	    memcmp(&methods[sip_method_options]->report, &report, sizeof(report)) != 0)
		return false;
	refer = *methods[sip_method_refer];
	refer.report = methods[sip_method_options]->report; /* hands it to us, and no more */
	methods[sip_method_refer] = &refer;
	return true;
}
