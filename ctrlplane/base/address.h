/* Internet addresses in text, with a port: where to listen. */
#ifndef CP_BASE_ADDRESS_H
#define CP_BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct cp_address {
	struct sockaddr_storage at;
	socklen_t len;
};

/* "127.0.0.1:8480" or "[::1]:8480"; no names. False: it is none, or its port is 0; out is written only else. */
bool cp_address_read(struct cp_address *out, const char *text);

/* A TCP socket that listens there, close-on-exec and without blocking; IPv6 is that alone. Or -errno. */
int cp_address_listen(const struct cp_address *address, int backlog);

/* 127.0.0.0/8 or ::1. */
bool cp_address_is_loopback(const struct sockaddr *at);

#endif
