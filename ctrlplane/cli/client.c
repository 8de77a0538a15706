/* The CLI's side of the HTTP API, over the Unix socket, by libcurl. */
#include "ctrlplane/cli/client.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctrlplane/cli/show.h"

#define SOCKET_DEFAULT "/run/conclave/api.sock"
#define ANSWER_MAX (64 << 20)

/* Text that grows; data is NULL once memory is out. */
struct text {
	char *data;
	size_t len;
};

static size_t
on_data(char *data, size_t size, size_t count, void *arg)
{
	struct text *text = arg;
	char *grown =
		text->len + count < ANSWER_MAX ? realloc(text->data, text->len + count + 1) : NULL;

	if (grown == NULL)
		return 0;
	text->data = grown;
	memcpy(grown + text->len, data, count);
	text->len += count;
	grown[text->len] = '\0';
	return count;
}

const char *
cp_cli_socket(const char *option)
{
	const char *environment = getenv("CONCLAVE_SOCKET");

	if (option != NULL)
		return option;
	return environment != NULL && environment[0] != '\0' ? environment : SOCKET_DEFAULT;
}

/* One value as a word of the URL. The caller frees it with curl_free. */
static char *
url_word(CURL *curl, const json_t *value)
{
	char number[32];

	if (json_is_string(value))
		return curl_easy_escape(curl, json_string_value(value), 0);
	if (json_is_boolean(value))
		return curl_easy_escape(curl, json_is_true(value) ? "true" : "false", 0);
	snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
	return curl_easy_escape(curl, number, 0);
}

static void
add_word(CURL *curl, char *url, size_t size, const json_t *value)
{
	char *word = url_word(curl, value);
	size_t len = strlen(url);

	if (word != NULL)
		snprintf(url + len, size - len, "%s", word);
	curl_free(word);
}

/* Where the API is asked over TCP in place of the socket; NULL: it is not. */
static const char *
base_url(void)
{
	const char *url = getenv("CONCLAVE_URL");

	return url != NULL && url[0] != '\0' ? url : NULL;
}

/* The command's path with its parameters in place, then the query. */
static void
make_url(CURL *curl, char *url, size_t size, const struct cp_command *command, const json_t *params)
{
	size_t count, len;
	const struct cp_param *all = cp_command_params(command->id, &count);
	const char *at = command->path;
	bool has_query = false;

	snprintf(url, size, "%s", base_url() != NULL ? base_url() : "http://localhost");
	for (; *at != '\0'; at++) {
		const char *end = strchr(at, '}');
		char name[64];

		len = strlen(url);
		if (*at != '{' || end == NULL) {
			snprintf(url + len, size - len, "%c", *at);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(end - at - 1), at + 1);
		add_word(curl, url, size, json_object_get(params, name));
		at = end;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(params, all[i].name);

		if (all[i].place != CP_PLACE_QUERY || value == NULL)
			continue;
		len = strlen(url);
		snprintf(url + len, size - len, "%c%s=", has_query ? '&' : '?', all[i].name);
		add_word(curl, url, size, value);
		has_query = true;
	}
}

static char *
make_body(const struct cp_command *command, const json_t *params)
{
	size_t count;
	const struct cp_param *all = cp_command_params(command->id, &count);
	json_t *body = json_object();
	char *text;

	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(params, all[i].name);

		if (value != NULL && cp_param_is_member(&all[i]))
			json_object_set(body, all[i].name, value);
	}
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

static void
explain(struct cp_cli_answer *out, CURL *curl, CURLcode code, const char *socket)
{
	long error = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
	if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(out->why, sizeof(out->why),
			 "%.200s: no answer in time; is conclave-cp overloaded or stopped?",
			 socket);
	else if (base_url() != NULL)
		snprintf(out->why, sizeof(out->why), "%.200s: %s; is http.listen set so?",
			 base_url(), curl_easy_strerror(code));
	else if (code != CURLE_COULDNT_CONNECT)
		snprintf(out->why, sizeof(out->why), "%.200s: %s", socket,
			 curl_easy_strerror(code));
	else if (access(socket, F_OK) == 0 && access(socket, W_OK) != 0)
		snprintf(out->why, sizeof(out->why),
			 "%.200s: %s; run as root or join the socket's group", socket,
			 strerror(errno));
	else
		snprintf(out->why, sizeof(out->why),
			 "%.200s: %s; start conclave-cp, or name its socket by --socket or "
			 "CONCLAVE_SOCKET",
			 socket,
			 strerror(access(socket, F_OK) != 0 ? errno
				  : error != 0		    ? (int)error
							    : ECONNREFUSED));
}

/* CURLE_OK, and what was answered. */
static CURLcode
perform(struct cp_cli_answer *out, CURL *curl)
{
	struct text text = {0};
	json_error_t error;
	CURLcode code;
	long status = 0;

	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
	code = curl_easy_perform(curl);
	if (code == CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		out->status = (int)status;
		out->json = text.len > 0 ? json_loadb(text.data, text.len, 0, &error) : NULL;
	}
	free(text.data);
	return code;
}

/* What holds for each request. */
static void
set_common(CURL *curl, const char *url)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

void
cp_cli_get(struct cp_cli_answer *out, const char *url, long timeout_ms)
{
	CURL *curl = curl_easy_init();
	CURLcode code;

	memset(out, 0, sizeof(*out));
	if (curl == NULL) {
		snprintf(out->why, sizeof(out->why), "out of memory");
		return;
	}
	set_common(curl, url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	code = perform(out, curl);
	if (code != CURLE_OK)
		snprintf(out->why, sizeof(out->why), "%.200s: %s", url, curl_easy_strerror(code));
	curl_easy_cleanup(curl);
}

/* What all requests to the API have in common; a token comes by the environment, since others see arguments. */
static void
prepare(CURL *curl, const char *socket, const struct cp_command *command, const json_t *params)
{
	const char *token = getenv("CONCLAVE_TOKEN");
	char url[8192];

	make_url(curl, url, sizeof(url), command, params);
	set_common(curl, url);
	if (base_url() == NULL)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	if (token != NULL && token[0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token);
	}
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, command->method);
}

void
cp_cli_ask(struct cp_cli_answer *out, const char *socket, const struct cp_command *command,
	   const json_t *params, long timeout_ms)
{
	CURL *curl = curl_easy_init();
	char *body = make_body(command, params);
	struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/json");
	CURLcode code;
	bool has_body =
		strcmp(command->method, "GET") != 0 && strcmp(command->method, "DELETE") != 0;

	memset(out, 0, sizeof(*out));
	if (curl == NULL || body == NULL || fields == NULL) {
		snprintf(out->why, sizeof(out->why), "out of memory");
	} else {
		prepare(curl, socket, command, params);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
		if (has_body) {
			curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
			curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		}
		code = perform(out, curl);
		if (code != CURLE_OK)
			explain(out, curl, code, socket);
	}
	curl_slist_free_all(fields);
	curl_easy_cleanup(curl);
	free(body);
}

/* An answer under way: taken where it is the stream, kept where it is a refusal. */
struct streaming {
	CURL *curl;
	cp_cli_data_fn take;
	void *arg;
	struct text refusal;
};

static size_t
on_streamed(char *data, size_t size, size_t count, void *arg)
{
	struct streaming *s = arg;
	long status = 0;

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return on_data(data, size, count, &s->refusal);
	return s->take(s->arg, data, count) ? count : 0;
}

void
cp_cli_stream(struct cp_cli_answer *out, const struct cp_cli *cli, cp_cli_data_fn take, void *arg,
	      long timeout_ms)
{
	const char *socket = cp_cli_socket(cli->socket);
	struct streaming s = {.curl = curl_easy_init(), .take = take, .arg = arg};
	json_error_t error;
	CURLcode code;
	long status = 0;

	memset(out, 0, sizeof(*out));
	if (s.curl == NULL) {
		snprintf(out->why, sizeof(out->why), "out of memory");
		return;
	}
	prepare(s.curl, socket, cli->command, cli->params);
	curl_easy_setopt(s.curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(s.curl, CURLOPT_WRITEFUNCTION, on_streamed);
	curl_easy_setopt(s.curl, CURLOPT_WRITEDATA, &s);
	code = curl_easy_perform(s.curl);
	curl_easy_getinfo(s.curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK && status != 200)
		explain(out, s.curl, code, socket);
	else
		out->status = (int)status;
	if (s.refusal.len > 0)
		out->json = json_loadb(s.refusal.data, s.refusal.len, 0, &error);
	free(s.refusal.data);
	curl_easy_cleanup(s.curl);
}

void
cp_cli_print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	fputc('\n', stdout);
}

int
cp_cli_report(const struct cp_cli *cli, struct cp_cli_answer *answer)
{
	int status = answer->status == 0    ? CP_CLI_UNREACHABLE
		     : answer->status < 400 ? CP_CLI_OK
					    : CP_CLI_FAILED;

	if (answer->status == 0)
		fprintf(stderr, "conclave: %s\n", answer->why);
	else if (cli->is_json && answer->json != NULL)
		cp_cli_print_json(answer->json);
	else if (answer->status >= 400)
		cp_cli_show_problem(answer->status, answer->json, stderr);
	json_decref(answer->json);
	answer->json = NULL;
	return status;
}
