/*
 * The transaction agent of an NUA. NUA gives no way to take up a dialog of a life before; its agent does (nta_leg_tcreate), but NUA
 * keeps it to itself. It makes it by nta_agent_create, which is looked up like any function of a shared library: in the program first.
 * So this one is called, calls the library's, and looks at what it made. Where it is not called, there is simply no agent.
 */
#include "ctrlplane/sip/sip_state.h"

#include <dlfcn.h>

#include <sofia-sip/su_tagarg.h>

typedef nta_agent_t *create_fn(su_root_t *root, url_string_t const *name, nta_message_f *callback,
			       nta_agent_magic_t *magic, tag_type_t tag, tag_value_t value, ...);

static nta_agent_t *last_made;

/* rule zero: varargs and seven parameters, because it is the library's. */
__attribute__((visibility("default"))) nta_agent_t *
nta_agent_create(su_root_t *root, url_string_t const *name, nta_message_f *callback,
		 nta_agent_magic_t *magic, tag_type_t tag, tag_value_t value, ...)
{
	create_fn *create;
	ta_list ta;

	*(void **)&create = dlsym(RTLD_NEXT, "nta_agent_create");
	if (!create)
		return NULL;
	ta_start(ta, tag, value);
	last_made = create(root, name, callback, magic, ta_tags(ta));
	ta_end(ta);
	return last_made;
}

nta_agent_t *
cp_sip_agent_take(void)
{
	nta_agent_t *agent = last_made;

	last_made = NULL;
	return agent;
}
