/* The files of the web page, by their paths. */
#include "ctrlplane/mgmt/web/web.h"

#include <string.h>

const char cp_web_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
			     "'self'; connect-src 'self'; "
			     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const struct cp_web_file *
cp_web_find(const char *target)
{
	size_t len = strcspn(target, "?#");

	if (len == 1 && target[0] == '/') {
		target = "/index.html";
		len = strlen(target);
	}
	for (size_t i = 0; i < cp_web_file_count; i++)
		if (strlen(cp_web_files[i].path) == len &&
		    memcmp(cp_web_files[i].path, target, len) == 0)
			return &cp_web_files[i];
	return NULL;
}

bool
cp_web_is_known(const struct cp_web_file *file, const char *if_none_match)
{
	return if_none_match != NULL &&
	       (strcmp(if_none_match, "*") == 0 || strstr(if_none_match, file->etag) != NULL);
}
