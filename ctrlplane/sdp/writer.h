/* Where the text of a description goes. For this folder. */
#ifndef CP_SDP_WRITER_H
#define CP_SDP_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include "ctrlplane/sdp/sdp.h"

/* Full once something did not fit. */
struct cp_sdp_writer {
	char *text;
	size_t size, len;
	bool is_full;
};

void __attribute__((format(printf, 2, 3)))
cp_sdp_put(struct cp_sdp_writer *w, const char *format, ...);
void cp_sdp_put_address(struct cp_sdp_writer *w, const struct dp_addr *addr); /* "IP4 192.0.2.1" */
void cp_sdp_put_mikey(struct cp_sdp_writer *w, struct cp_slice octets);
const char *cp_sdp_direction_name(uint8_t dirs); /* enum cp_sdp_dir, or-ed: "sendrecv" … */

/* The m-section of a stream; false: it is none that is in use, and nothing was written. */
bool cp_sdp_put_stream(struct cp_sdp_writer *w, const struct cp_sdp_session *session,
		       const struct cp_sdp_local *local, uint8_t mline);
/* a=label where a floor controls the m-line (RFC 8856 10.1). */
void cp_sdp_put_label(struct cp_sdp_writer *w, const struct cp_sdp_session *session,
		      const struct cp_sdp_local *local, uint8_t mline);

#endif
