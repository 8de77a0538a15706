/* The running KMS of this machine: its status, and whether it has taken up a change. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctrlplane/cli/client.h"
#include "ctrlplane/cli/kms_state.h"
#include "ctrlplane/kms/setup/path.h"

#define ASK_MS 1000
#define SETTLE_ROUNDS \
	100 /* of SETTLE_US: the KMS looks at its store five times a second at the least */
#define SETTLE_US 20000

json_t *
cp_cli_kms_ask(const struct cp_kms_settings *settings, char *why, size_t size)
{
	struct cp_cli_answer answer;
	char url[256];

	snprintf(why, size,
		 "it has no http: address on loopback (kms.listen), and elsewhere shows no status");
	for (size_t i = 0; i < settings->address_count; i++) {
		if (settings->addresses[i].is_tls)
			continue;
		snprintf(url, sizeof(url), "%.200s%s", settings->kms.listen.items[i],
			 CP_KMS_STATUS_PATH);
		cp_cli_get(&answer, url, ASK_MS);
		if (answer.status == 200 && json_is_object(answer.json))
			return answer.json;
		if (answer.status == 0)
			snprintf(why, size, "%s", answer.why);
		else
			snprintf(why, size, "%s: answers %d, and is no KMS of ours", url,
				 answer.status);
		json_decref(answer.json);
	}
	return NULL;
}

int
cp_cli_kms_status(struct cp_cli_kms *kms)
{
	char why[512];
	json_t *status = cp_cli_kms_ask(&kms->settings, why, sizeof(why));

	if (status != NULL)
		return cp_cli_kms_print(kms, status);
	cp_cli_kms_fail("no KMS: %s", why);
	return CP_CLI_UNREACHABLE;
}

void
cp_cli_kms_settle(struct cp_cli_kms *kms)
{
	int64_t wanted;
	char why[512];

	if (cp_store_generation(&wanted, kms->store) != 0)
		return;
	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		json_t *status = cp_cli_kms_ask(&kms->settings, why, sizeof(why));
		const char *store = json_string_value(json_object_get(status, "store"));
		bool is_done = store == NULL || strcmp(store, kms->store_path) != 0 ||
			       json_integer_value(json_object_get(status, "generation")) >= wanted;

		json_decref(status);
		if (is_done)
			return;
		usleep(SETTLE_US);
	}
}
