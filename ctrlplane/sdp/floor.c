/* m=application TCP/BFCP: floor control roles and versions (RFC 8856 sections 5 and 10). We are the floor control server. */
#include "ctrlplane/sdp/stream.h"

#define VERSION 1 /* on TCP: RFC 8855 5.1 */

static bool
has_word(struct cp_slice value, const char *word)
{
	struct cp_slice got;

	while (cp_slice_word(&value, &got))
		if (cp_slice_is_nocase(got, word))
			return true;
	return false;
}

/* Roles of the peer; c-s means either (5.1). Without the attribute the offerer is the client, as of RFC 4583. */
static bool
may_be_client(const struct cp_sdp_reading *r)
{
	struct cp_slice rest = r->section->lines, value;

	if (!cp_desc_attribute(&rest, "floorctrl", &value))
		return true;
	return has_word(value, "c-only") || has_word(value, "c-s");
}

static bool
has_version(const struct cp_sdp_reading *r)
{
	struct cp_slice rest = r->section->lines, value, word;
	uint64_t number;

	if (!cp_desc_attribute(&rest, "bfcpver", &value))
		return true;
	while (cp_slice_word(&value, &word))
		if (cp_slice_number(&number, word, 7) == 0 && number == VERSION)
			return true;
	return false;
}

const char *
cp_sdp_read_floor(struct cp_sdp_reading *r)
{
	if (!may_be_client(r))
		return "its a=floorctrl does not take the part of a client";
	if (!has_version(r))
		return "its a=bfcpver has no version 1, which TCP wants";
	if (!r->stream.is_active)
		return NULL;
	return cp_sdp_read_target(&r->stream.remote, r->section);
}
