/*
 * A user of MIKEY-TICKET for the system tests: lines of commands in, a line of answer out each. The test does SIP and HTTP, this does the
 * messages and, with libsrtp2, the media.
 *
 * usage: mikeypeer IDENTITY PSK-FILE KMS-IDENTITY
 *
 *   request RESPONDER SET REKEY-S VALID-S   REQUEST_INIT as hex (REKEY-S 0: no TRr)
 *   ticket HEX                              REQUEST_RESP
 *   init RESPONDER CS SSRC SUITES CSB IDS   TRANSFER_INIT as base64; SUITES as numbers with commas; IDS - for none; CS as 1,3,5t,240c: an
 *                                           m-line each, of SRTP, TLS or CMS
 *   resp BASE64 · updated BASE64            TRANSFER_RESP
 *   update SSRC SUITE · answer SSRC SUITE BASE64   CSB update, and the answer to theirs
 *   updateat CS SSRC SUITE · retire CS      the same with CS IDs of our choice; a pair whose keys are over
 *   offered BASE64 · resolved HEX · transfer SSRC SUITE   the responder: RESOLVE_INIT as hex, its answer, TRANSFER_RESP
 *   sessions                                CS IDs of all crypto sessions that are agreed
 *   kek · psk CS                            name and key, as hex, of the CMS session, of a TLS session
 *   prints CS                               SHA-256 of the keys of both crypto sessions of a pair
 *   reveal CS                               master keys of both, without salts, as hex
 *   talk CS PORT TO-PORT MS INITIATOR       G.711 over SRTP, 20 ms a packet; packets sent, heard, refused
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <srtp2/srtp.h>

#include "ctrlplane/base/base64.h"
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/keys/psk.h"
#include "ctrlplane/mikey/request.h"
#include "ctrlplane/mikey/transfer.h"

#define LINE_MAX_OCTETS 65536
#define LINES_MAX 8

static struct cp_psk_file psk;
static struct cp_mikey_account account;
static struct cp_mikey_env env;
static struct cp_mikey_fault fault;
static struct cp_mikey_request *request;
static struct cp_mikey_ticket *ticket;
static struct cp_mikey_initiator *initiator;
static struct cp_mikey_responder *responder;
static struct cp_mikey_responder_config responder_config;
static struct cp_mikey_csb *csb;
static uint8_t octets[CP_MIKEY_MSG_MAX], in[CP_MIKEY_MSG_MAX];
static char text[LINE_MAX_OCTETS];

static void
say(const char *answer)
{
	printf("%s\n", answer);
	fflush(stdout);
}

static void
say_rc(int rc)
{
	if (rc == 0)
		say("ok");
	else if (rc == -EPROTO)
		printf("refused %u %s\n", fault.error, fault.text ? fault.text : "");
	else
		printf("error %s\n", strerror(-rc));
	fflush(stdout);
}

static void
say_base64(int rc, const struct cp_mikey_out *out)
{
	if (rc != 0) {
		say_rc(rc);
		return;
	}
	cp_base64_encode(text, out->octets, out->len);
	say(text);
}

static void
say_hex(int rc, const struct cp_mikey_out *out)
{
	if (rc != 0) {
		say_rc(rc);
		return;
	}
	cp_hex_encode(text, out->octets, out->len);
	say(text);
}

static struct cp_mikey_octets
base64(const char *word)
{
	int len = word ? cp_base64_decode(in, sizeof(in), cp_slice_text(word)) : -1;

	return cp_mikey_octets(in, len > 0 ? (size_t)len : 0);
}

static struct cp_mikey_octets
hex(const char *word)
{
	size_t len = word ? strlen(word) / 2 : 0;

	if (len > sizeof(in) || cp_hex_decode(in, len, word) != 0)
		len = 0;
	return cp_mikey_octets(in, len);
}

static void
do_request(char **w)
{
	struct cp_mikey_policy policy;
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	enum cp_mikey_set set = strcmp(w[2], "128") == 0 ? CP_MIKEY_SET_128 : CP_MIKEY_SET_256;
	uint64_t now = env.now(env.arg);

	cp_mikey_policy_init(&policy, set);
	account.set = set;
	policy.kms = account.kms;
	policy.initiator = account.user;
	policy.has_start = policy.has_end = true;
	policy.start = now;
	policy.end = now + (strtoull(w[4], NULL, 10) << 32);
	policy.rekey_s = (uint32_t)strtoul(w[3], NULL, 10);
	policy.has_rekey = policy.rekey_s != 0;
	policy.responders[0] = cp_mikey_id_uri(w[1]);
	policy.responder_count = 1;
	cp_mikey_request_destroy(request);
	request = NULL;
	say_hex(cp_mikey_request_make(&request, &out, &account, &policy, &env), &out);
}

static struct cp_mikey_line
line_of(uint8_t cs_id, const char *ssrc, char *suites)
{
	enum dp_suite list[8];
	size_t count = 0;

	for (char *word = strtok(suites, ","); word && count < 8; word = strtok(NULL, ","))
		list[count++] = (enum dp_suite)atoi(word);
	return cp_mikey_line_srtp(cs_id, (uint32_t)strtoul(ssrc, NULL, 0), list, count);
}

/* 1,3,5t,240c */
static size_t
lines_of(struct cp_mikey_line *lines, char *list, const char *ssrc, const char *suites)
{
	char copy[64], *save;
	size_t count = 0;

	for (char *word = strtok_r(list, ",", &save); word && count < LINES_MAX;
	     word = strtok_r(NULL, ",", &save)) {
		char *end;
		uint8_t cs_id = (uint8_t)strtoul(word, &end, 10);

		snprintf(copy, sizeof(copy), "%s", suites);
		if (*end == '\0')
			lines[count++] = line_of(cs_id, ssrc, copy);
		else
			lines[count++] = (struct cp_mikey_line){
				.use = *end == 't' ? CP_MIKEY_USE_TLS : CP_MIKEY_USE_CMS,
				.cs_id = cs_id};
	}
	return count;
}

static void
do_init(char **w)
{
	struct cp_mikey_line lines[LINES_MAX];
	const struct cp_mikey_transfer transfer = {
		.responder = cp_mikey_id_uri(w[1]),
		.lines = lines,
		.count = lines_of(lines, w[2], w[3], w[4]),
		.sdp_ids = strcmp(w[6], "-") == 0 ? NULL : w[6],
		.csb_id = (uint32_t)strtoul(w[5], NULL, 0),
		.limits = cp_mikey_limits_default(),
	};
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};

	cp_mikey_initiator_destroy(initiator);
	initiator = NULL;
	say_base64(cp_mikey_initiator_make(&initiator, &out, ticket, &transfer, &env), &out);
}

static void
do_resp(char **w)
{
	struct cp_mikey_csb *made = NULL;
	int rc = cp_mikey_initiator_take(&made, initiator, base64(w[1]), &env, &fault);

	if (rc == 0) {
		cp_mikey_csb_destroy(csb);
		csb = made;
	}
	say_rc(rc);
}

/* For other implementations of CMS and TLS: the one place where a test sees such a key. */
static void
do_secret(uint8_t cs)
{
	const struct cp_mikey_session *s = csb ? cp_mikey_csb_find(csb, cs) : NULL;
	size_t n;

	if (!s || !s->secret) {
		say("none");
		return;
	}
	n = (size_t)snprintf(text, sizeof(text), "%s ", s->name);
	for (size_t i = 0; i < cp_secret_len(s->secret); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%02x",
				      cp_secret_octets(s->secret)[i]);
	say(text);
}

static void
do_update(char **w, const char *theirs, char *cs)
{
	struct cp_mikey_line lines[LINES_MAX];
	const struct cp_mikey_update update = {.lines = lines,
					       .count = lines_of(lines, cs, w[1], w[2])};
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};

	say_base64(theirs ? cp_mikey_update_answer(&out, csb, &update, base64(theirs), &env, &fault)
			  : cp_mikey_update_make(&out, csb, &update, &env, &fault),
		   &out);
}

static char *
free_pair(void)
{
	static char pair[8];

	snprintf(pair, sizeof(pair), "%u", cp_mikey_csb_free_pair(csb));
	return pair;
}

static void
do_offered(char **w)
{
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc;

	responder_config = (struct cp_mikey_responder_config){
		.account = account, .suites = 0xffff, .sdp_ids = "mikey"};
	cp_mikey_responder_destroy(responder);
	responder = NULL;
	rc = cp_mikey_responder_create(&responder, &responder_config, base64(w[1]), &env, &fault);
	if (rc == 0)
		rc = cp_mikey_responder_resolve_make(&out, responder, &env);
	say_hex(rc, &out);
}

static void
do_transfer(char **w)
{
	struct cp_mikey_line line = line_of(1, w[1], w[2]);
	const struct cp_mikey_answer answer = {.lines = &line, .count = 1};
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};

	cp_mikey_csb_destroy(csb);
	csb = NULL;
	say_base64(cp_mikey_responder_answer(&csb, &out, responder, &answer, &env, &fault), &out);
}

static const struct cp_mikey_session *
session(int cs_id)
{
	const struct cp_mikey_session *found = csb ? cp_mikey_csb_find(csb, (uint8_t)cs_id) : NULL;

	if (!found) {
		fprintf(stderr, "mikeypeer: no crypto session %d\n", cs_id);
		exit(1);
	}
	return found;
}

static void
do_sessions(void)
{
	for (size_t i = 0; i < cp_mikey_csb_count(csb); i++)
		printf("%s%u", i ? " " : "", cp_mikey_csb_session(csb, i)->cs_id);
	say("");
}

static void
do_prints(char **w)
{
	for (int i = 0; i < 2; i++) {
		const struct cp_mikey_session *s = session(atoi(w[1]) + i);
		uint8_t digest[32];

		EVP_Digest(cp_secret_octets(s->srtp.octets), cp_secret_len(s->srtp.octets), digest,
			   NULL, EVP_sha256(), NULL);
		cp_hex_encode(text, digest, sizeof(digest));
		printf("%s%u:%08x:%d:%s", i ? " " : "", s->cs_id, s->ssrc, s->srtp.suite, text);
	}
	say("");
}

static void
do_reveal(char **w)
{
	for (int i = 0; i < 2; i++) {
		const struct cp_mikey_session *s = session(atoi(w[1]) + i);

		cp_hex_encode(text, cp_secret_octets(s->srtp.octets),
			      dp_suite_info(s->srtp.suite)->key);
		printf("%s%s", i ? " " : "", text);
	}
	say("");
}

static srtp_t
open_srtp(const struct cp_mikey_session *s, srtp_ssrc_type_t direction)
{
	srtp_policy_t policy;
	srtp_t made;

	memset(&policy, 0, sizeof(policy));
	switch (s->srtp.suite) {
	case DP_SUITE_AES_CM_128_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
		break;
	case DP_SUITE_AES_256_CM_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp);
		break;
	case DP_SUITE_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		break;
	case DP_SUITE_AEAD_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		break;
	default:
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		break;
	}
	policy.rtcp = policy.rtp;
	policy.ssrc.type = direction;
	policy.key = (unsigned char *)(uintptr_t)cp_secret_octets(s->srtp.octets);
	policy.window_size = 128;
	if (srtp_create(&made, &policy) != srtp_err_status_ok)
		exit(1);
	return made;
}

static void
send_frame(int fd, srtp_t tx, uint32_t ssrc, uint16_t seq)
{
	uint8_t packet[512] = {0x80, 0};
	int len = 12 + 160;
	uint32_t stamp = htonl((uint32_t)seq * 160), ssrc_be = htonl(ssrc);
	uint16_t seq_be = htons(seq);

	memcpy(packet + 2, &seq_be, 2);
	memcpy(packet + 4, &stamp, 4);
	memcpy(packet + 8, &ssrc_be, 4);
	for (int i = 0; i < 160; i++)
		packet[12 + i] = (uint8_t)((i / 8) & 1 ? 0x90 : 0x10); /* 500 Hz */
	if (srtp_protect(tx, packet, &len) == srtp_err_status_ok)
		(void)!write(fd, packet, (size_t)len);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint16_t last_seq = 100;

static void
do_talk(char **w)
{
	bool is_initiator = atoi(w[5]) != 0;
	const struct cp_mikey_session *ours = session(atoi(w[1]) + (is_initiator ? 0 : 1));
	const struct cp_mikey_session *theirs = session(atoi(w[1]) + (is_initiator ? 1 : 0));
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(w[2]))};
	struct sockaddr_in remote = {.sin_family = AF_INET,
				     .sin_port = htons((uint16_t)atoi(w[3]))};
	srtp_t tx = open_srtp(ours, ssrc_any_outbound), rx = open_srtp(theirs, ssrc_any_inbound);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), sent = 0, heard = 0, refused = 0;
	int64_t end = now_ms() + atoi(w[4]), next = now_ms();
	uint32_t ssrc = 0;

	local.sin_addr.s_addr = remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) != 0 ||
	    connect(fd, (struct sockaddr *)&remote, sizeof(remote)) != 0)
		exit(1);
	while (now_ms() < end) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		uint8_t packet[2048];
		ssize_t got;

		poll(&wait, 1, 5);
		while ((got = read(fd, packet, sizeof(packet))) > 12) {
			int len = (int)got;

			if (packet[1] >= 192 && packet[1] <= 223)
				continue;
			memcpy(&ssrc, packet + 8, 4);
			if (srtp_unprotect(rx, packet, &len) == srtp_err_status_ok)
				heard++;
			else
				refused++;
		}
		if (now_ms() >= next) {
			send_frame(fd, tx, ours->ssrc, last_seq++);
			sent++;
			next += 20;
		}
	}
	close(fd);
	srtp_dealloc(tx);
	srtp_dealloc(rx);
	printf("%d %d %d %08x %08x\n", sent, heard, refused, ntohl(ssrc), theirs->ssrc);
	fflush(stdout);
}

static void
do_line(char **w, int count)
{
	struct cp_mikey_ticket *granted = NULL;
	int rc;

	fault = (struct cp_mikey_fault){0};
	if (count == 5 && strcmp(w[0], "request") == 0) {
		do_request(w);
	} else if (count == 2 && strcmp(w[0], "ticket") == 0) {
		rc = cp_mikey_request_take(&granted, request, hex(w[1]), &env, &fault);
		if (rc == 0) {
			cp_mikey_ticket_destroy(ticket);
			ticket = granted;
		}
		say_rc(rc);
	} else if (count == 7 && strcmp(w[0], "init") == 0) {
		do_init(w);
	} else if (count == 2 && strcmp(w[0], "resp") == 0) {
		do_resp(w);
	} else if (count == 3 && strcmp(w[0], "update") == 0) {
		do_update(w, NULL, free_pair());
	} else if (count == 4 && strcmp(w[0], "updateat") == 0) {
		do_update(w + 1, NULL, w[1]);
	} else if (count == 2 && strcmp(w[0], "retire") == 0) {
		cp_mikey_csb_retire(csb, (uint8_t)atoi(w[1]));
		cp_mikey_csb_retire(csb, (uint8_t)(atoi(w[1]) + 1));
		say("ok");
	} else if (count == 4 && strcmp(w[0], "answer") == 0) {
		do_update(w, w[3], free_pair());
	} else if (count == 2 && strcmp(w[0], "updated") == 0) {
		say_rc(cp_mikey_update_finish(csb, base64(w[1]), &env, &fault));
	} else if (count == 2 && strcmp(w[0], "offered") == 0) {
		do_offered(w);
	} else if (count == 2 && strcmp(w[0], "resolved") == 0) {
		say_rc(cp_mikey_responder_resolve_take(responder, hex(w[1]), &env, &fault));
	} else if (count == 3 && strcmp(w[0], "transfer") == 0) {
		do_transfer(w);
	} else if (count == 1 && strcmp(w[0], "sessions") == 0) {
		do_sessions();
	} else if (count == 1 && strcmp(w[0], "kek") == 0) {
		do_secret(CP_MIKEY_CMS_CS);
	} else if (count == 2 && strcmp(w[0], "psk") == 0) {
		do_secret((uint8_t)atoi(w[1]));
	} else if (count == 2 && strcmp(w[0], "prints") == 0) {
		do_prints(w);
	} else if (count == 2 && strcmp(w[0], "reveal") == 0) {
		do_reveal(w);
	} else if (count == 6 && strcmp(w[0], "talk") == 0) {
		do_talk(w);
	} else {
		say("what?");
	}
}

int
main(int argc, char **argv)
{
	static char line[LINE_MAX_OCTETS];
	char why[256];

	if (argc != 4 || cp_psk_file_read(&psk, argv[2], why, sizeof(why)) != 0) {
		fprintf(stderr, "mikeypeer: %s\n", argc == 4 ? why : "three words");
		return 2;
	}
	srtp_init();
	env = cp_mikey_env_system();
	account = (struct cp_mikey_account){
		.user = cp_mikey_id_uri(argv[1]),
		.kms = cp_mikey_id_uri(argv[3]),
		.psk = {psk.psk[0], psk.psk[1]},
		.limits = cp_mikey_limits_default(),
	};
	if (*psk.psk_id)
		account.psk_id = cp_mikey_id_bytes(psk.psk_id);
	while (fgets(line, sizeof(line), stdin)) {
		char *words[8] = {0};
		int count = 0;

		for (char *save, *word = strtok_r(line, " \n", &save); word && count < 8;
		     word = strtok_r(NULL, " \n", &save))
			words[count++] = word;
		do_line(words, count);
	}
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_responder_destroy(responder);
	cp_mikey_csb_destroy(csb);
	cp_mikey_ticket_destroy(ticket);
	cp_mikey_request_destroy(request);
	cp_psk_file_fini(&psk);
	return 0;
}
