/* The sockets of the API, and the token. */
#include "ctrlplane/mgmt/listen.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctrlplane/base/address.h"
#include "ctrlplane/mgmt/mgmt.h"

#define BACKLOG 64
#define TOKEN_MIN 16

static int
fail(int fd, int error, char *why, size_t size, const char *what)
{
	if (fd >= 0)
		close(fd);
	snprintf(why, size, "%s: %s", what, strerror(error));
	return -error;
}

/* A socket whose owner died may be taken away; one that answers may not. */
static int
remove_dead(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
	struct stat info;

	if (fd < 0)
		return errno;
	if (lstat(addr->sun_path, &info) != 0)
		error = errno == ENOENT ? 0 : errno;
	else if (!S_ISSOCK(info.st_mode))
		error = EEXIST;
	else if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		error = EADDRINUSE;
	else if (errno != ECONNREFUSED || unlink(addr->sun_path) != 0)
		error = errno;
	close(fd);
	return error;
}

int
cp_listen_unix(const char *path, uint32_t mode, char *why, size_t size)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(addr.sun_path))
		return fail(-1, ENAMETOOLONG, why, size,
			    "the path of the API's socket is too long");
	strcpy(addr.sun_path, path);
	error = remove_dead(&addr);
	if (error == EADDRINUSE)
		return fail(
			-1, error, why, size,
			"another conclave-cp serves the API's socket; stop it or set another path");
	if (error != 0)
		return fail(-1, error, why, size, "cannot take the place of the API's socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(-1, errno, why, size, "cannot open the API's socket");
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return fail(fd, errno, why, size,
			    "cannot bind the API's socket; does its folder exist, and is it ours?");
	/* Nobody can connect before listen, so that the mode holds from the start. */
	if (chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0)
		return fail(fd, errno, why, size, "cannot listen on the API's socket");
	return fd;
}

/* NULL: an address that the API may listen on. */
static const char *
bad_address(const char *text, struct cp_address *address)
{
	if (!cp_address_read(address, text))
		return "the API's address must look like 127.0.0.1:8480 or [::1]:8480";
	if (!cp_address_is_loopback((const struct sockaddr *)&address->at))
		return "the API listens on loopback only; to reach it from elsewhere use ssh -L";
	return NULL;
}

int
cp_mgmt_check_listen(const char *address, char *why, size_t size)
{
	struct cp_address read;
	const char *bad = bad_address(address, &read);

	if (bad == NULL)
		return 0;
	snprintf(why, size, "%s", bad);
	return -EINVAL;
}

int
cp_listen_loopback(const char *address, char *why, size_t size)
{
	struct cp_address where;
	char what[160];
	const char *bad = bad_address(address, &where);
	int fd;

	if (bad != NULL)
		return fail(-1, EINVAL, why, size, bad);
	snprintf(what, sizeof(what), "cannot listen for the API on %.64s", address);
	fd = cp_address_listen(&where, BACKLOG);
	return fd >= 0 ? fd : fail(-1, -fd, why, size, what);
}

int
cp_read_token(char token[CP_TOKEN_MAX], const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	ssize_t len;

	if (fd < 0)
		return fail(-1, errno, why, size, "cannot open http.token_file");
	if (fstat(fd, &info) != 0 || (info.st_mode & 077) != 0)
		return fail(fd, EPERM, why, size, "others can read http.token_file; chmod 600 it");
	len = read(fd, token, CP_TOKEN_MAX - 1);
	if (len < 0)
		return fail(fd, errno, why, size, "cannot read http.token_file");
	close(fd);
	token[len] = '\0';
	token[strcspn(token, "\r\n")] = '\0';
	if (strlen(token) < TOKEN_MIN)
		return fail(-1, EINVAL, why, size,
			    "the first line of http.token_file is shorter than 16 characters; make "
			    "one with openssl rand -hex 32");
	return 0;
}
