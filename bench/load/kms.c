/* HTTP to a KMS by libcurl's multi interface: connections are kept and shared by all participants. */
#include "bench/load/kms.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <curl/curl.h>

#define URL_MAX_OCTETS 512
#define ANSWER_MAX 16384 /* of MIKEY: nobody sends more */
#define CONNECTIONS_MAX 16L

struct ask {
	LIST_ENTRY(ask) next;
	CURL *easy;
	ue_kms_done_fn done;
	void *arg;
	char error[CURL_ERROR_SIZE];
	size_t len;
	uint8_t octets[ANSWER_MAX];
};

struct ue_kms {
	CURLM *multi;
	struct curl_slist *headers;
	char url[URL_MAX_OCTETS];
	const char *ca;
	long timeout_ms;
	LIST_HEAD(, ask) asks;
};

int
ue_kms_create(struct ue_kms **out, const char *url, const char *ca, double timeout_s)
{
	struct ue_kms *kms = calloc(1, sizeof(*kms));
	size_t len = strlen(url);

	if (!kms || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		free(kms);
		return -ENOMEM;
	}
	while (len > 0 && url[len - 1] == '/')
		len--;
	snprintf(kms->url, sizeof(kms->url), "%.*s", (int)len, url);
	kms->ca = ca;
	kms->timeout_ms = (long)(timeout_s * 1000);
	kms->multi = curl_multi_init();
	kms->headers = curl_slist_append(NULL, "Content-Type: application/mikey");
	if (!kms->multi || !kms->headers || len >= sizeof(kms->url)) {
		ue_kms_destroy(kms);
		return len >= sizeof(kms->url) ? -ENAMETOOLONG : -ENOMEM;
	}
	curl_multi_setopt(kms->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
	*out = kms;
	return 0;
}

static void
ask_destroy(struct ue_kms *kms, struct ask *ask)
{
	LIST_REMOVE(ask, next);
	curl_multi_remove_handle(kms->multi, ask->easy);
	curl_easy_cleanup(ask->easy);
	free(ask);
}

void
ue_kms_destroy(struct ue_kms *kms)
{
	if (!kms)
		return;
	while (!LIST_EMPTY(&kms->asks))
		ask_destroy(kms, LIST_FIRST(&kms->asks));
	curl_multi_cleanup(kms->multi);
	curl_slist_free_all(kms->headers);
	free(kms);
	curl_global_cleanup();
}

static size_t
answer_take(char *data, size_t size, size_t count, void *arg)
{
	struct ask *ask = arg;

	if (size * count > sizeof(ask->octets) - ask->len)
		return 0; /* the request fails */
	memcpy(ask->octets + ask->len, data, size * count);
	ask->len += size * count;
	return size * count;
}

int
ue_kms_post(struct ue_kms *kms, enum ue_kms_type type, const uint8_t *octets, size_t len,
	    ue_kms_done_fn done, void *arg)
{
	static const char *const types[] = {"ticketrequest", "ticketresolve"};
	struct ask *ask = calloc(1, sizeof(*ask));
	char url[URL_MAX_OCTETS + 64];

	if (!ask)
		return -ENOMEM;
	ask->easy = curl_easy_init();
	if (!ask->easy) {
		free(ask);
		return -ENOMEM;
	}
	ask->done = done;
	ask->arg = arg;
	snprintf(url, sizeof(url), "%s/keymanagement?requesttype=%s", kms->url, types[type]);
	curl_easy_setopt(ask->easy, CURLOPT_URL, url);
	curl_easy_setopt(ask->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(ask->easy, CURLOPT_PROXY, "");
	if (kms->ca)
		curl_easy_setopt(ask->easy, CURLOPT_CAINFO, kms->ca);
	curl_easy_setopt(ask->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(ask->easy, CURLOPT_TIMEOUT_MS, kms->timeout_ms);
	curl_easy_setopt(ask->easy, CURLOPT_HTTPHEADER, kms->headers);
	curl_easy_setopt(ask->easy, CURLOPT_POSTFIELDSIZE, (long)len);
	curl_easy_setopt(ask->easy, CURLOPT_COPYPOSTFIELDS, (const char *)octets);
	curl_easy_setopt(ask->easy, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(ask->easy, CURLOPT_WRITEDATA, ask);
	curl_easy_setopt(ask->easy, CURLOPT_ERRORBUFFER, ask->error);
	curl_easy_setopt(ask->easy, CURLOPT_PRIVATE, ask);
	if (curl_multi_add_handle(kms->multi, ask->easy) != CURLM_OK) {
		curl_easy_cleanup(ask->easy);
		free(ask);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&kms->asks, ask, next);
	return 0;
}

static void
answered(struct ue_kms *kms, CURL *easy, CURLcode code)
{
	struct ask *ask;
	char why[128] = "";
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&ask);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		snprintf(why, sizeof(why), "KMS: %.100s",
			 ask->error[0] ? ask->error : curl_easy_strerror(code));
	else if (status != 200)
		snprintf(why, sizeof(why), "KMS: HTTP status %ld", status);
	else if (ask->len == 0)
		snprintf(why, sizeof(why), "KMS: an empty answer");
	ask->done(ask->arg, ask->octets, why[0] ? 0 : ask->len, why);
	ask_destroy(kms, ask);
}

void
ue_kms_turn(struct ue_kms *kms)
{
	int running, left;
	CURLMsg *message;

	if (LIST_EMPTY(&kms->asks))
		return;
	curl_multi_perform(kms->multi, &running);
	while ((message = curl_multi_info_read(kms->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			answered(kms, message->easy_handle, message->data.result);
}
