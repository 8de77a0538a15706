/* The sockets of the API, and the token. */
#include "ctrlplane/mgmt/listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
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

/* "127.0.0.1:8480" or "[::1]:8480". */
static bool
parse_address(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in *in4 = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;
	const char *colon = strrchr(text, ':');
	char host[64], *end;
	unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
	bool is_6 = text[0] == '[';

	memset(out, 0, sizeof(*out));
	if (port < 1 || port > 65535 || *end != '\0' || colon - text >= (long)sizeof(host) ||
	    (is_6 && colon[-1] != ']'))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text) - (is_6 ? 2 : 0),
		 text + (is_6 ? 1 : 0));
	*len = is_6 ? sizeof(*in6) : sizeof(*in4);
	if (is_6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
	}
	in4->sin_family = AF_INET;
	in4->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &in4->sin_addr) == 1;
}

static bool
is_loopback(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

/* NULL: an address that the API may listen on. */
static const char *
bad_address(const char *address, struct sockaddr_storage *addr, socklen_t *len)
{
	if (!parse_address(address, addr, len))
		return "the API's address must look like 127.0.0.1:8480 or [::1]:8480";
	if (!is_loopback(addr))
		return "the API listens on loopback only; to reach it from elsewhere use ssh -L";
	return NULL;
}

int
cp_mgmt_check_listen(const char *address, char *why, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len;
	const char *bad = bad_address(address, &addr, &len);

	if (bad == NULL)
		return 0;
	snprintf(why, size, "%s", bad);
	return -EINVAL;
}

int
cp_listen_loopback(const char *address, char *why, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd, on = 1;
	char what[160];
	const char *bad = bad_address(address, &addr, &len);

	if (bad != NULL)
		return fail(-1, EINVAL, why, size, bad);
	snprintf(what, sizeof(what), "cannot listen for the API on %.64s", address);
	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(-1, errno, why, size, what);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, len) != 0 || listen(fd, BACKLOG) != 0)
		return fail(fd, errno, why, size, what);
	return fd;
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
