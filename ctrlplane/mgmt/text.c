/* Text of others in JSON. */
#include "ctrlplane/mgmt/text.h"

json_t *
cp_json_text(const char *text)
{
	json_t *json = json_string(text);
	char clean[512];
	size_t i;

	if (json != NULL)
		return json;
	for (i = 0; text[i] != '\0' && i < sizeof(clean) - 1; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	clean[i] = '\0';
	return json_string(clean);
}
