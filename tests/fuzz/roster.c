/* Conference information documents of any content: taken or refused, the tables stay in order, and the next full one is taken. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/event/copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char last[] = "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" "
			   "entity=\"sip:c@x\" version=\"4294967295\"><users/></conference-info>";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *middle = memchr(text, 0, size);
	size_t first = middle ? (size_t)(middle - text) : size, seen = 0;
	struct cp_copy copy;
	enum cp_copy_verdict verdict;
	const struct cp_copy_user *user;

	/* two documents with a NUL between them: the second may be a partial one */
	cp_copy_init(&copy);
	(void)cp_copy_take(&verdict, &copy, text, first);
	if (middle)
		(void)cp_copy_take(&verdict, &copy, middle + 1, size - first - 1);
	TAILQ_FOREACH (user, &copy.users, entry)
		seen += cp_copy_find(&copy, user->entity) != NULL;
	if (seen != copy.count)
		abort();
	if (copy.version < UINT32_MAX &&
	    (cp_copy_take(&verdict, &copy, last, sizeof(last) - 1) != 0 ||
	     verdict != CP_COPY_FULL || copy.count != 0))
		abort();
	cp_copy_fini(&copy);
	return 0;
}
