/* MSRP URIs (RFC 4975 section 6): taken apart without a copy, and compared by section 6.1. */
#ifndef CP_MSRP_URI_H
#define CP_MSRP_URI_H

#include <stdbool.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"

#define CP_MSRP_URI_MAX 1024 /* octets */

/* Slices of the text that was decoded. */
struct cp_msrp_uri {
	bool is_secure; /* msrps */
	struct cp_slice user;
	struct cp_slice host; /* an IPv6 address without its brackets */
	bool is_ip6;
	uint16_t port;		   /* 0: none is named */
	struct cp_slice session;   /* empty: a device, no session */
	struct cp_slice transport; /* tcp */
	struct cp_slice params;	   /* behind the transport, with the semicolon before each */
};

/* 0 or -EINVAL. */
int cp_msrp_uri_decode(struct cp_msrp_uri *out, struct cp_slice text);

bool cp_msrp_uri_is_same(const struct cp_msrp_uri *a, const struct cp_msrp_uri *b);

/* The same of texts; false also where one is no MSRP URI. */
bool cp_msrp_uri_is_same_text(struct cp_slice a, struct cp_slice b);

#endif
