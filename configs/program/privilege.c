/* Limits and users. */
#include "configs/program/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void
conf_privilege_hide(void)
{
	struct rlimit none = {0, 0};

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

uint64_t
conf_privilege_files(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur >= wanted)
		return limit.rlim_cur;
	struct rlimit more = {.rlim_cur = wanted,
			      .rlim_max = wanted > limit.rlim_max ? wanted : limit.rlim_max};

	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return wanted;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

void
conf_privilege_files_all(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
conf_privilege_folder(const char *folder, const char *user, char *text, size_t text_size)
{
	const struct passwd *entry = user != NULL && geteuid() == 0 ? getpwnam(user) : NULL;

	if (folder == NULL)
		return 0;
	if (mkdir(folder, 0750) == 0) {
		if (entry == NULL || chown(folder, entry->pw_uid, entry->pw_gid) == 0)
			return 0;
	} else if (errno == EEXIST) {
		return 0;
	}
	int rc = -errno;

	snprintf(text, text_size, "node.runtime_dir %s: %s; make it, or name another", folder,
		 strerror(-rc));
	return rc;
}

int
conf_privilege_drop(const char *user, char *text, size_t text_size)
{
	const struct passwd *entry;
	int rc = 0;

	if (user == NULL || geteuid() != 0)
		return 0;
	errno = 0;
	entry = getpwnam(user);
	if (entry == NULL) {
		snprintf(text, text_size,
			 "node.user: no user \"%s\" on this machine; add it with "
			 "adduser --system",
			 user);
		return errno != 0 ? -errno : -ENOENT;
	}
	if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
	    setuid(entry->pw_uid) != 0)
		rc = -errno;
	/* A change of user makes the process dumpable again. */
	conf_privilege_hide();
	if (rc != 0)
		snprintf(text, text_size, "node.user: cannot become \"%s\": %s", user,
			 strerror(-rc));
	return rc;
}
