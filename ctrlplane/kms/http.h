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
/* Serves as settings say now, which outlive it. What cannot be done leaves all as it was: -errno and why. Connections stay: on
 * those of before what is asked is answered, and then they close. 1: certificate, addresses or threads are new; 0: they are not. */
int cp_kms_http_reload(struct cp_kms_http *http, const struct cp_kms_settings *settings, char *why,
		       size_t size);
/* What one thread does again and again: ends what has retired and who is too slow. */
void cp_kms_http_tend(struct cp_kms_http *http, int64_t now_ns);
/* Ends what is under way. NULL is fine. */
void cp_kms_http_close(struct cp_kms_http *http);

#endif
