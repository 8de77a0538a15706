/* The KMS over HTTP and HTTPS: libmicrohttpd with threads of its own on each address. */
#ifndef CP_KMS_HTTP_H
#define CP_KMS_HTTP_H

#include "ctrlplane/kms/kms.h"

struct cp_kms_http;

/* Binds, and reads certificate and key: as long as we are root. 0 or -errno and why. */
int cp_kms_http_open(struct cp_kms_http **out, const struct cp_kms_settings *settings, char *why,
		     size_t size);
/* Begins to answer. */
int cp_kms_http_start(struct cp_kms_http *http, struct cp_kms *kms, char *why, size_t size);
/* Ends what is under way. NULL is fine. */
void cp_kms_http_close(struct cp_kms_http *http);

#endif
