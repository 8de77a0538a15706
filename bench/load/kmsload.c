/*
 * Load for a KMS: makes the messages of many calls beforehand, sends them over connections that stay, one message at a time on each,
 * and afterwards verifies every answer as initiator and responder would. Only the time between first message and last answer counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench/lib/bench.h"
#include "ctrlplane/keys/psk.h"
#include "ctrlplane/mikey/transfer.h"

#define CONNECTIONS_MAX 256
#define HEAD_MAX 512

/* A message on its way, and what came back. */
struct item {
	char *text; /* HTTP, heap */
	size_t len;
	uint8_t *answer; /* heap; NULL: none that was granted */
	size_t answer_len;
	double ms;
};

struct connection {
	int fd;
	size_t at; /* item; SIZE_MAX: idle */
	uint64_t sent_ns;
	size_t got;
	char buffer[2 * CP_MIKEY_MSG_MAX];
};

/* The command line and what follows from it. */
struct load {
	const char *kms, *user, *psk_file, *as, *as_psk_id, *as_psk_file;
	int port, set;
	size_t count, connection_count, rounds;
	int cpu;
	struct cp_psk_file psk, as_psk;
	struct cp_mikey_env env;
	struct item *items;
	struct cp_mikey_request **requests;
	struct cp_mikey_ticket **tickets;
	struct cp_mikey_initiator **initiators;
	struct cp_mikey_responder **responders;
	struct connection *connections;
	size_t verified;
};

static void
die(const char *what, int error)
{
	fprintf(stderr, "kmsload: %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(2);
}

static void
pack(struct item *item, const char *type, const struct cp_mikey_out *out)
{
	char head[HEAD_MAX];
	int len = snprintf(head, sizeof(head),
			   "POST /keymanagement?requesttype=%s HTTP/1.1\r\nHost: kms\r\n"
			   "Content-Type: application/mikey\r\nContent-Length: %zu\r\n\r\n",
			   type, out->len);

	free(item->text);
	free(item->answer);
	item->answer = NULL;
	item->len = (size_t)len + out->len;
	item->text = malloc(item->len);
	if (item->text == NULL)
		die("no memory", ENOMEM);
	memcpy(item->text, head, (size_t)len);
	memcpy(item->text + len, out->octets, out->len);
}

static void
send_next(struct load *load, struct connection *c, size_t *next)
{
	struct item *item;

	c->at = SIZE_MAX;
	if (*next == load->count)
		return;
	c->at = (*next)++;
	c->got = 0;
	item = &load->items[c->at];
	c->sent_ns = bench_now_ns();
	if (send(c->fd, item->text, item->len, MSG_NOSIGNAL) != (ssize_t)item->len)
		die("send", errno);
}

/* True when the answer is whole. */
static bool
take(struct load *load, struct connection *c)
{
	struct item *item = &load->items[c->at];
	ssize_t got = recv(c->fd, c->buffer + c->got, sizeof(c->buffer) - 1 - c->got, MSG_DONTWAIT);
	const char *length, *body;
	size_t head, len;

	if (got < 0 && errno == EAGAIN)
		return false;
	if (got <= 0)
		die("the KMS hung up", got < 0 ? errno : EPIPE);
	c->got += (size_t)got;
	c->buffer[c->got] = '\0';
	body = strstr(c->buffer, "\r\n\r\n");
	if (body == NULL)
		return false;
	length = strcasestr(c->buffer, "\r\nContent-Length: ");
	if (length == NULL || length > body)
		die("an answer without length", EPROTO);
	head = (size_t)(body - c->buffer) + 4;
	len = strtoul(length + 18, NULL, 10);
	if (c->got < head + len)
		return false;
	item->ms = (double)(bench_now_ns() - c->sent_ns) / 1e6;
	if (strncmp(c->buffer, "HTTP/1.1 200 ", 13) == 0) {
		item->answer = malloc(len);
		item->answer_len = len;
		if (item->answer != NULL)
			memcpy(item->answer, body + 4, len);
	}
	return true;
}

/* All items, as fast as they are answered. Seconds. */
static double
exchange(struct load *load, int epoll)
{
	size_t next = 0, done = 0;
	uint64_t begin = bench_now_ns();

	for (size_t i = 0; i < load->connection_count; i++)
		send_next(load, &load->connections[i], &next);
	while (done < load->count) {
		struct epoll_event events[64];
		int n = epoll_wait(epoll, events, 64, 10000);

		if (n <= 0)
			die("the KMS does not answer", ETIMEDOUT);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (c->at == SIZE_MAX)
				die("an answer to nothing", EPROTO);
			if (!take(load, c))
				continue;
			done++;
			send_next(load, c, &next);
		}
	}
	return (double)(bench_now_ns() - begin) / 1e9;
}

static int
connect_all(struct load *load)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
	int epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < load->connection_count; i++) {
		struct connection *c = &load->connections[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
		    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
			die("connect", errno);
	}
	return epoll;
}

static struct cp_mikey_account
account_of(const struct load *load, bool is_responder)
{
	const struct cp_psk_file *psk = is_responder ? &load->as_psk : &load->psk;
	struct cp_mikey_account account = {
		.user = cp_mikey_id_uri(is_responder ? load->as : load->user),
		.kms = cp_mikey_id_uri(load->kms),
		.psk = {psk->psk[0], psk->psk[1]},
		.set = load->set == 128 ? CP_MIKEY_SET_128 : CP_MIKEY_SET_256,
		.limits = cp_mikey_limits_default(),
	};

	if (is_responder && load->as_psk_id != NULL)
		account.psk_id = cp_mikey_id_bytes(load->as_psk_id);
	return account;
}

static void
make_requests(struct load *load)
{
	struct cp_mikey_account account = account_of(load, false);
	struct cp_mikey_policy policy;
	static uint8_t room[CP_MIKEY_MSG_MAX];

	cp_mikey_policy_init(&policy, account.set);
	policy.kms = account.kms;
	policy.initiator = account.user;
	policy.responders[policy.responder_count++] = cp_mikey_id_uri(load->as);
	for (size_t i = 0; i < load->count; i++) {
		struct cp_mikey_out out = {room, sizeof(room), 0};
		int error = cp_mikey_request_make(&load->requests[i], &out, &account, &policy,
						  &load->env);

		if (error != 0)
			die("REQUEST_INIT", error);
		pack(&load->items[i], "ticketrequest", &out);
	}
}

/* Of the tickets that came: one that does not verify ends the run. */
static void
make_resolves(struct load *load)
{
	static const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct cp_mikey_line line = cp_mikey_line_srtp(1, 0x11223344, suites, 1);
	struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(load->as),
					     .lines = &line,
					     .count = 1,
					     .limits = cp_mikey_limits_default()};
	static struct cp_mikey_responder_config config; /* responders borrow it */
	static uint8_t room[CP_MIKEY_MSG_MAX];
	struct cp_mikey_fault fault = {.text = "no answer"};

	config.account = account_of(load, true);
	config.suites = 1u << suites[0];
	for (size_t i = 0; i < load->count; i++) {
		struct item *item = &load->items[i];
		struct cp_mikey_out out = {room, sizeof(room), 0};

		if (item->answer == NULL ||
		    cp_mikey_request_take(&load->tickets[i], load->requests[i],
					  cp_mikey_octets(item->answer, item->answer_len),
					  &load->env, &fault) != 0)
			die(fault.text, EPROTO);
		cp_mikey_request_destroy(load->requests[i]);
		load->verified++;
		if (cp_mikey_initiator_make(&load->initiators[i], &out, load->tickets[i], &transfer,
					    &load->env) != 0 ||
		    cp_mikey_responder_create(&load->responders[i], &config,
					      cp_mikey_octets(room, out.len), &load->env,
					      &fault) != 0)
			die(fault.text, EPROTO);
		out.len = 0;
		if (cp_mikey_responder_resolve_make(&out, load->responders[i], &load->env) != 0)
			die("RESOLVE_INIT", EPROTO);
		pack(item, "ticketresolve", &out);
	}
}

/* The responder's side of every resolve, and the initiator's of the answer. */
static void
verify_resolves(struct load *load)
{
	static uint8_t room[CP_MIKEY_MSG_MAX];
	struct cp_mikey_fault fault = {.text = "no answer"};

	for (size_t i = 0; i < load->count; i++) {
		const struct item *item = &load->items[i];
		struct cp_mikey_out out = {room, sizeof(room), 0};
		struct cp_mikey_csb *theirs = NULL, *ours = NULL;

		if (item->answer != NULL &&
		    cp_mikey_responder_resolve_take(load->responders[i],
						    cp_mikey_octets(item->answer, item->answer_len),
						    &load->env, &fault) == 0 &&
		    cp_mikey_responder_answer(&theirs, &out, load->responders[i],
					      &(struct cp_mikey_answer){0}, &load->env,
					      &fault) == 0 &&
		    cp_mikey_initiator_take(&ours, load->initiators[i],
					    cp_mikey_octets(room, out.len), &load->env,
					    &fault) == 0 &&
		    cp_key_is_same(&cp_mikey_csb_session(theirs, 0)->srtp,
				   &cp_mikey_csb_session(ours, 0)->srtp))
			load->verified++;
		cp_mikey_csb_destroy(theirs);
		cp_mikey_csb_destroy(ours);
		cp_mikey_responder_destroy(load->responders[i]);
		cp_mikey_initiator_destroy(load->initiators[i]);
		cp_mikey_ticket_destroy(load->tickets[i]);
	}
}

static double
quantile_ms(const struct load *load, double q)
{
	double *ms = calloc(load->count, sizeof(*ms)), value;

	if (ms == NULL)
		die("no memory", ENOMEM);
	for (size_t i = 0; i < load->count; i++)
		ms[i] = load->items[i].ms;
	value = bench_quantile(ms, load->count, q);
	free(ms);
	return value;
}

static void
run(struct load *load)
{
	int epoll = connect_all(load);

	for (size_t round = 0; round < load->rounds; round++) {
		double request_s, resolve_s;

		load->verified = 0;
		make_requests(load);
		request_s = exchange(load, epoll);
		make_resolves(load);
		resolve_s = exchange(load, epoll);
		verify_resolves(load);
		printf("{\"requests_per_s\": %.1f, \"resolves_per_s\": %.1f, \"exchanges_per_s\": "
		       "%.1f, \"sent\": %zu, \"verified\": %zu, \"ms_p50\": %.3f, \"ms_p99\": "
		       "%.3f}\n",
		       (double)load->count / request_s, (double)load->count / resolve_s,
		       2 * (double)load->count / (request_s + resolve_s), 2 * load->count,
		       load->verified, quantile_ms(load, 0.5), quantile_ms(load, 0.99));
		fflush(stdout);
	}
	for (size_t i = 0; i < load->connection_count; i++)
		close(load->connections[i].fd);
	close(epoll);
}

static bool
parse(struct load *load, int argc, char **argv)
{
	static const char *const names[] = {"kms",	 "user",	"psk-file", "as",
					    "as-psk-id", "as-psk-file", "port",	    "set",
					    "count",	 "connections", "rounds",   "cpu"};
	const char **texts[] = {&load->kms, &load->user,      &load->psk_file,
				&load->as,  &load->as_psk_id, &load->as_psk_file};
	struct option options[13] = {{0}};
	long numbers[6] = {0, 256, 4000, 16, 1, -1};
	int index, c;

	for (int i = 0; i < 12; i++)
		options[i] = (struct option){names[i], required_argument, NULL, 0};
	while ((c = getopt_long(argc, argv, "", options, &index)) == 0) {
		if (index < 6)
			*texts[index] = optarg;
		else
			numbers[index - 6] = strtol(optarg, NULL, 10);
	}
	load->port = (int)numbers[0];
	load->set = (int)numbers[1];
	load->count = (size_t)numbers[2];
	load->connection_count = (size_t)numbers[3];
	load->rounds = (size_t)numbers[4];
	load->cpu = (int)numbers[5];
	return c == -1 && optind == argc && load->kms != NULL && load->user != NULL &&
	       load->as != NULL && load->psk_file != NULL && load->as_psk_file != NULL &&
	       load->count >= load->connection_count && load->connection_count > 0 &&
	       load->connection_count <= CONNECTIONS_MAX;
}

static void
allocate(struct load *load)
{
	size_t n = load->count;

	load->items = calloc(n, sizeof(load->items[0]));
	load->requests = calloc(n, sizeof(void *));
	load->tickets = calloc(n, sizeof(void *));
	load->initiators = calloc(n, sizeof(void *));
	load->responders = calloc(n, sizeof(void *));
	load->connections = calloc(load->connection_count, sizeof(load->connections[0]));
	if (load->items == NULL || load->requests == NULL || load->tickets == NULL ||
	    load->initiators == NULL || load->responders == NULL || load->connections == NULL)
		die("no memory", ENOMEM);
}

int
main(int argc, char **argv)
{
	static struct load load;
	char why[512];

	if (!parse(&load, argc, argv)) {
		fprintf(stderr,
			"usage: kmsload --port N --kms URI --user URI --psk-file F --as URI "
			"--as-psk-file F [--as-psk-id NAME] [--set 128|256] [--count N] "
			"[--connections N] [--rounds N] [--cpu N]\n");
		return 2;
	}
	if (load.cpu >= 0)
		bench_pin((unsigned)load.cpu);
	load.env = cp_mikey_env_system();
	if (cp_psk_file_read(&load.psk, load.psk_file, why, sizeof(why)) != 0 ||
	    cp_psk_file_read(&load.as_psk, load.as_psk_file, why, sizeof(why)) != 0) {
		fprintf(stderr, "kmsload: %s\n", why);
		return 2;
	}
	allocate(&load);
	run(&load);
	for (size_t i = 0; i < load.count; i++) {
		free(load.items[i].text);
		free(load.items[i].answer);
	}
	free(load.items);
	free(load.requests);
	free(load.tickets);
	free(load.initiators);
	free(load.responders);
	free(load.connections);
	cp_psk_file_fini(&load.psk);
	cp_psk_file_fini(&load.as_psk);
	return 0;
}
