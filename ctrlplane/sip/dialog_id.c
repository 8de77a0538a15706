/* Replaces, Join and Target-Dialog: a Call-ID and two tags (RFC 3891 6.1, 3911 7.1, 4538 7). */
#include "ctrlplane/sip/dialog_id.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "ctrlplane/base/slice.h"

static bool
is_token(struct cp_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.ptr[i]) &&
		    (s.ptr[i] == '\0' || !strchr("-.!%*_+`'~", s.ptr[i])))
			return false;
	return s.len > 0;
}

/* word ["@" word] (RFC 3261 25.1) */
static bool
is_call_id(struct cp_slice s)
{
	unsigned int ats = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '@')
			ats++;
		else if (!isalnum((unsigned char)s.ptr[i]) &&
			 (s.ptr[i] == '\0' || !strchr("-.!%*_+`'~()<>:\\\"/[]?{}", s.ptr[i])))
			return false;
	}
	return s.len > 0 && ats <= 1 && s.ptr[0] != '@' && s.ptr[s.len - 1] != '@';
}

/* "name" or "name=value" into the tag that it is; what it is not is left aside. */
static int
parameter_decode(struct cp_sip_dialog_id *id, struct cp_slice parameter,
		 enum cp_sip_dialog_header header)
{
	const char *ours = header == CP_SIP_TARGET_DIALOG ? "local-tag" : "to-tag";
	const char *theirs = header == CP_SIP_TARGET_DIALOG ? "remote-tag" : "from-tag";
	struct cp_slice name, value = parameter;
	char *into = NULL;

	if (!cp_slice_split(&value, '=', &name))
		return -EINVAL;
	name = cp_slice_trim(name);
	value = cp_slice_trim(value);
	if (!is_token(name))
		return -EINVAL;
	if (cp_slice_is_nocase(name, ours))
		into = id->local_tag;
	else if (cp_slice_is_nocase(name, theirs))
		into = id->remote_tag;
	else if (header == CP_SIP_REPLACES && cp_slice_is_nocase(name, "early-only"))
		id->is_early_only = true;
	if (!into)
		return 0;
	if (*into || !is_token(value))
		return -EINVAL;
	return cp_slice_copy(into, CP_SIP_TAG_MAX, value);
}

int
cp_sip_dialog_id_decode(struct cp_sip_dialog_id *out, const char *value,
			enum cp_sip_dialog_header header)
{
	struct cp_sip_dialog_id made = {.is_early_only = false};
	struct cp_slice rest = cp_slice_text(value), part;
	int rc;

	if (strpbrk(value, ",\r\n") || !cp_slice_split(&rest, ';', &part))
		return -EINVAL;
	part = cp_slice_trim(part);
	if (!is_call_id(part))
		return -EINVAL;
	rc = cp_slice_copy(made.call_id, sizeof(made.call_id), part);
	while (!rc && cp_slice_split(&rest, ';', &part))
		rc = parameter_decode(&made, part, header);
	if (!rc && (!*made.local_tag || !*made.remote_tag))
		rc = -EINVAL;
	if (!rc)
		*out = made;
	return rc;
}

static bool
is_tag(const char *named, const char *tag)
{
	return strcmp(named, tag) == 0 || (strcmp(named, "0") == 0 && !*tag);
}

bool
cp_sip_dialog_is_same(const struct cp_sip_dialog_id *named, const struct cp_sip_dialog_id *dialog)
{
	return strcmp(named->call_id, dialog->call_id) == 0 &&
	       is_tag(named->local_tag, dialog->local_tag) &&
	       is_tag(named->remote_tag, dialog->remote_tag);
}
