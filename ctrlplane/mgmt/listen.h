/* The sockets of the API, and the token. Private to ctrlplane/mgmt. */
#ifndef CP_MGMT_LISTEN_H
#define CP_MGMT_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#define CP_TOKEN_MAX 256

/* Listening sockets, non-blocking and close-on-exec. The fd, or -errno and why. */
int cp_listen_unix(const char *path, uint32_t mode, char *why, size_t size);
int cp_listen_loopback(const char *address, char *why, size_t size);

/* The first line of the file. 0, or -errno and why. */
int cp_read_token(char token[CP_TOKEN_MAX], const char *path, char *why, size_t size);

#endif
