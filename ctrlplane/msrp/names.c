/* Status codes of MSRP in words (RFC 4975 section 10, RFC 7701 section 10). */
#include "ctrlplane/msrp/msg.h"

const char *
cp_msrp_status_text(unsigned int code)
{
	static const struct {
		unsigned int code;
		const char *text;
	} texts[] = {
		{CP_MSRP_OK, "OK"},
		{CP_MSRP_BAD_REQUEST, "Bad request"},
		{CP_MSRP_FORBIDDEN, "Forbidden"},
		{CP_MSRP_NO_RECIPIENT, "No such recipient"},
		{CP_MSRP_TIMEOUT, "Timed out downstream"},
		{CP_MSRP_STOP, "Stop sending this message"},
		{CP_MSRP_BAD_MEDIA, "Media type not understood"},
		{CP_MSRP_OUT_OF_BOUNDS, "Parameter out of bounds"},
		{CP_MSRP_BAD_NICKNAME, "Malformed nickname"},
		{CP_MSRP_NICKNAME_TAKEN, "Nickname reserved or in use"},
		{CP_MSRP_NO_PRIVATE, "Private messages not supported"},
		{CP_MSRP_NO_SESSION, "No such session"},
		{CP_MSRP_NO_METHOD, "Unknown method"},
		{CP_MSRP_BOUND, "Session bound to another connection"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return "";
}
