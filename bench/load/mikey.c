/* A participant's identity, its pre-shared key, and its tickets: RFC 6043 section 4.2.1 towards a KMS. */
#include "bench/load/mikey.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include "bench/lib/bench.h"
#include "bench/load/mikey_state.h"
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/keys/psk.h"

#define REPLAY_ROOM 4096
#define EXPIRES_SECONDS 2 /* with --misbehave expired */

int
ue_mikey_node_create(struct ue_mikey_node **out, const struct ue_options *o, char *why, size_t size)
{
	struct ue_mikey_node *node = calloc(1, sizeof(*node));
	int err = node ? ue_kms_create(&node->kms, o->kms, o->kms_ca, o->timeout) : -ENOMEM;

	if (!err)
		err = cp_mikey_replay_create(&node->replay, REPLAY_ROOM);
	if (!err)
		err = cp_mikey_replay_create(&node->used, REPLAY_ROOM);
	if (err) {
		snprintf(why, size, "%s: %s", o->kms, strerror(-err));
		ue_mikey_node_destroy(node);
		return err;
	}
	node->options = o;
	node->env = cp_mikey_env_system();
	*out = node;
	return 0;
}

static void
ticket_destroy(struct ue_ticket *t)
{
	LIST_REMOVE(t, next);
	cp_mikey_request_destroy(t->request);
	cp_mikey_ticket_destroy(t->ticket);
	free(t);
}

void
ue_mikey_node_destroy(struct ue_mikey_node *node)
{
	if (!node)
		return;
	ue_kms_destroy(node->kms);
	while (!LIST_EMPTY(&node->tickets))
		ticket_destroy(LIST_FIRST(&node->tickets));
	cp_mikey_replay_destroy(node->replay);
	cp_mikey_replay_destroy(node->used);
	free(node->first);
	free(node);
}

void
ue_mikey_node_turn(struct ue_mikey_node *node)
{
	ue_kms_turn(node->kms);
}

/* A file with nothing but the key, binary or in hexadecimal. */
static int
bare_key_read(struct cp_secret *psk[2], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = -EINVAL;
	char text[80];
	uint8_t octets[32];
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	for (int set = 0; len > 0 && err && set < 2; set++) {
		size_t want = cp_psk_octets[set];

		if ((size_t)len == want)
			err = cp_secret_create(&psk[set], (uint8_t *)text, want);
	}
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	for (int set = 0; len > 0 && err && set < 2; set++) {
		size_t want = cp_psk_octets[set];

		text[len] = '\0';
		if ((size_t)len == 2 * want && cp_hex_decode(octets, want, text) == 0)
			err = cp_secret_create(&psk[set], octets, want);
	}
	explicit_bzero(text, sizeof(text));
	explicit_bzero(octets, sizeof(octets));
	return err;
}

static int
psk_read(struct ue_mikey *m, const char *path, char identity[CP_PSK_TEXT_MAX], char *why,
	 size_t size)
{
	struct cp_psk_file file;
	int err = cp_psk_file_read(&file, path, why, size);

	if (!err) {
		snprintf(identity, CP_PSK_TEXT_MAX, "%s", file.identity);
		snprintf(m->psk_id, sizeof(m->psk_id), "%s", file.psk_id);
		for (int set = 0; set < 2; set++)
			m->psk[set] = cp_secret_get(file.psk[set]);
	}
	cp_psk_file_fini(&file);
	return err == -EINVAL && bare_key_read(m->psk, path) == 0 ? 0 : err;
}

/* Other octets of the same length. */
static int
psk_spoil(struct cp_secret **psk)
{
	uint8_t octets[CP_SECRET_MAX];
	size_t len = *psk ? cp_secret_len(*psk) : 0;
	int err = 0;

	if (len == 0)
		return 0;
	memcpy(octets, cp_secret_octets(*psk), len);
	octets[0] ^= 1;
	cp_secret_put(*psk);
	*psk = NULL;
	err = cp_secret_create(psk, octets, len);
	explicit_bzero(octets, sizeof(octets));
	return err;
}

static int
identity_set(char out[CP_IDENTITY_MAX], const char *text, unsigned number, char *why, size_t size)
{
	char full[CP_IDENTITY_MAX];
	int err;

	ue_number_put(full, sizeof(full), text, number);
	err = cp_identity(out, cp_slice_text(full));
	if (err)
		snprintf(why, size, "'%s' is no sip:, sips: or global tel: URI", full);
	return err;
}

int
ue_mikey_create(struct ue_mikey **out, struct ue_mikey_node *node, unsigned number, char *why,
		size_t size)
{
	const struct ue_options *o = node->options;
	struct ue_mikey *m = calloc(1, sizeof(*m));
	char path[512], identity[CP_PSK_TEXT_MAX] = "";
	int err;

	if (!m)
		return -ENOMEM;
	m->node = node;
	m->number = number;
	ue_number_put(path, sizeof(path), o->psk_file, number);
	err = psk_read(m, path, identity, why, size);
	if (!err && !o->identity && !identity[0]) {
		snprintf(why, size, "%s says no identity; give --identity", path);
		err = -EINVAL;
	}
	if (!err)
		err = identity_set(m->identity, o->identity ? o->identity : identity, number, why,
				   size);
	strcpy(m->claims, m->identity);
	if (!err && ue_misbehaves(m, UE_OTHER_IDENTITY))
		err = identity_set(m->claims, o->misbehave_arg, number, why, size);
	if (!err && !m->psk[o->mikey_set]) {
		snprintf(why, size, "%s: no key of %zu octets, which set %s wants", path,
			 cp_psk_octets[o->mikey_set], cp_mikey_set_info(o->mikey_set)->name);
		err = -EINVAL;
	}
	for (int set = 0; !err && set < 2 && ue_misbehaves(m, UE_WRONG_PSK); set++)
		err = psk_spoil(&m->psk[set]);
	if (err)
		ue_mikey_destroy(m);
	else
		*out = m;
	return err;
}

void
ue_mikey_destroy(struct ue_mikey *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < UE_LINES_MAX; i++) {
		cp_mikey_initiator_destroy(m->transfer[i].initiator);
		cp_mikey_csb_destroy(m->transfer[i].csb);
		free(m->transfer[i].text);
	}
	cp_mikey_responder_destroy(m->responder);
	cp_mikey_csb_destroy(m->csb);
	cp_secret_put(m->psk[0]);
	cp_secret_put(m->psk[1]);
	explicit_bzero(m->key, sizeof(m->key));
	free(m->text);
	free(m->heard);
	free(m);
}

const char *
ue_mikey_identity(const struct ue_mikey *m)
{
	return m->identity;
}

void
ue_mikey_account(const struct ue_mikey *m, struct cp_mikey_account *account)
{
	const struct ue_options *o = m->node->options;

	*account = (struct cp_mikey_account){
		.user = cp_mikey_id_uri(m->claims),
		.kms = cp_mikey_id_uri(o->kms_id),
		.psk_id = cp_mikey_id_bytes(m->psk_id),
		.psk = {m->psk[0], m->psk[1]},
		.set = o->mikey_set,
		.limits = cp_mikey_limits_default(),
	};
}

int
ue_mikey_fail(struct ue_mikey *m, int err, const char *why)
{
	m->has_error = false;
	snprintf(m->why, sizeof(m->why), "%s", why);
	return err;
}

int
ue_mikey_fault(struct ue_mikey *m, int err, const struct cp_mikey_fault *fault)
{
	if (err != -EPROTO)
		return ue_mikey_fail(m, err, strerror(-err));
	m->fault = *fault;
	m->has_error = true;
	snprintf(m->why, sizeof(m->why), "%s", fault->text);
	return err;
}

int
ue_mikey_text_set(char **text, const uint8_t *octets, size_t len)
{
	char *made = malloc((len + 2) / 3 * 4 + 1);

	if (!made)
		return -ENOMEM;
	EVP_EncodeBlock((unsigned char *)made, octets, (int)len);
	free(*text);
	*text = made;
	return 0;
}

int
ue_mikey_octets(uint8_t *out, size_t size, const char *base64, size_t len)
{
	int n;

	if (len == 0 || len % 4 != 0 || len / 4 * 3 > size)
		return -EBADMSG;
	n = EVP_DecodeBlock(out, (const unsigned char *)base64, (int)len);
	if (n < 0)
		return -EBADMSG;
	return n - (base64[len - 1] == '=') - (base64[len - 2] == '=');
}

/* The KMS answered a ticket request. */
static void
ticket_came(void *arg, const uint8_t *octets, size_t len, const char *why)
{
	struct ue_ticket *t = arg;
	const struct cp_mikey_env env = cp_mikey_env_system();
	const char *unfit = NULL;

	t->is_asked = false;
	t->came_ns = bench_now_ns();
	if (len == 0) {
		t->err = -EHOSTUNREACH;
		snprintf(t->why, sizeof(t->why), "%s", why);
		return;
	}
	t->err = cp_mikey_request_take(&t->ticket, t->request, cp_mikey_octets(octets, len), &env,
				       &t->fault);
	if (!t->err)
		unfit = cp_mikey_policy_unfit(cp_mikey_ticket_policy(t->ticket)->flags, false);
	if (unfit)
		t->err = cp_mikey_refuse(&t->fault, CP_MIKEY_ERR_TPPAR, unfit);
}

/* A ticket of our own making, under a key that the KMS has too: mode 3. */
static int
ticket_make(struct ue_mikey *m, struct ue_ticket *t, struct cp_mikey_policy *policy)
{
	const struct ue_options *o = m->node->options;
	struct cp_psk_file tpk;
	int err = cp_psk_file_read(&tpk, o->tpk_file, t->why, sizeof(t->why));

	if (!err) {
		const struct cp_mikey_own_ticket own = {policy, cp_mikey_id_bytes(tpk.psk_id),
							tpk.psk[o->mikey_set], o->mikey_set};

		policy->flags = (uint16_t)((policy->flags & ~CP_MIKEY_FLAG_D) | CP_MIKEY_FLAG_L);
		err = own.tpk ? cp_mikey_ticket_create(&t->ticket, &own, &m->node->env) : -EINVAL;
	}
	cp_psk_file_fini(&tpk);
	t->came_ns = bench_now_ns();
	return err;
}

static int
ticket_ask(struct ue_mikey *m, struct ue_ticket **out)
{
	const struct ue_options *o = m->node->options;
	struct cp_mikey_account account;
	struct cp_mikey_policy policy;
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out message = {octets, sizeof(octets), 0};
	struct ue_ticket *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	LIST_INSERT_HEAD(&m->node->tickets, t, next);
	*out = t;
	strcpy(t->identity, m->identity);
	strcpy(t->responder, m->to);
	ue_mikey_account(m, &account);
	cp_mikey_policy_init(&policy, o->mikey_set);
	policy.kms = account.kms;
	policy.initiator = account.user;
	policy.responders[policy.responder_count++] = cp_mikey_id_uri(t->responder);
	policy.has_start = policy.has_end = true;
	policy.start = m->node->env.now(m->node->env.arg);
	policy.end = policy.start + ((uint64_t)o->validity << 32);
	policy.rekey_s = o->trr;
	policy.has_rekey = o->trr > 0;
	if (o->reuses_tickets)
		policy.flags |= CP_MIKEY_FLAG_J;
	ue_misbehave_policy(m, &policy);
	t->asked_ns = bench_now_ns();
	if (o->tpk_file)
		return t->err = ticket_make(m, t, &policy);
	err = cp_mikey_request_make(&t->request, &message, &account, &policy, &m->node->env);
	if (!err)
		err = ue_kms_post(m->node->kms, UE_KMS_TICKET_REQUEST, octets, message.len,
				  ticket_came, t);
	t->is_asked = !err;
	t->err = err;
	return err;
}

/* A ticket of another call that may be used once more, or is on its way. */
static struct ue_ticket *
ticket_find(struct ue_mikey *m)
{
	struct ue_ticket *t;

	LIST_FOREACH (t, &m->node->tickets, next)
		if (strcmp(t->identity, m->identity) == 0 && strcmp(t->responder, m->to) == 0 &&
		    (t->is_asked ||
		     (t->ticket &&
		      cp_mikey_ticket_may_transfer(t->ticket, m->node->env.now(m->node->env.arg)))))
			return t;
	return NULL;
}

/* Is there a TRANSFER_INIT of its own for this m-line? At session level one stands for all. */
static bool
needs_ticket(const struct ue_options *o, unsigned line)
{
	if (o->line_count == 0 || o->is_mikey_at_session)
		return line == o->own_line;
	return line < o->line_count && ue_line_is_keyed(&o->line[line]);
}

static int
tickets_want(struct ue_mikey *m)
{
	for (unsigned i = 0; i < UE_LINES_MAX; i++)
		m->transfer[i].ticket = NULL;
	m->own = m->node->options->own_line;
	m->phase = UE_MIKEY_WANTS_TICKET;
	return 0;
}

int
ue_mikey_call(struct ue_mikey *m, const char *uri)
{
	const struct ue_options *o = m->node->options;

	if (cp_identity(m->to, cp_slice_text(o->responder ? o->responder : uri)) != 0)
		return ue_mikey_fail(m, -EINVAL, "no ticket can be had for this URI");
	return tickets_want(m);
}

int
ue_mikey_renew(struct ue_mikey *m)
{
	struct cp_mikey_id other;

	if (!m->is_keyed || m->phase != UE_MIKEY_IDLE)
		return -EBUSY;
	other = m->is_initiator ? cp_mikey_csb_responder(m->csb) : cp_mikey_csb_initiator(m->csb);
	if (cp_identity(m->to, cp_slice((const char *)other.data.at, other.data.len)) != 0)
		return -EINVAL;
	return tickets_want(m);
}

static int
ticket_wait(struct ue_mikey *m, struct ue_ticket **ticket)
{
	const struct ue_options *o = m->node->options;
	struct ue_ticket *t;

	if (!*ticket && o->reuses_tickets)
		*ticket = ticket_find(m);
	if (!*ticket && ticket_ask(m, ticket) != 0)
		return ue_mikey_fail(m, -EINVAL,
				     *ticket && (*ticket)->why[0]
					     ? (*ticket)->why
					     : "no request for a ticket could be made");
	t = *ticket;
	if (t->is_asked)
		return -EAGAIN;
	if (t->err == -EHOSTUNREACH)
		return ue_mikey_fail(m, t->err, t->why);
	if (t->err)
		return ue_mikey_fault(m, t->err, &t->fault);
	if (!cp_mikey_ticket_may_transfer(t->ticket, m->node->env.now(m->node->env.arg)) &&
	    !ue_misbehaves(m, UE_EXPIRED)) {
		*ticket = NULL; /* somebody else used it, and it may not be used again */
		return -EAGAIN;
	}
	if (ue_misbehaves(m, UE_EXPIRED) &&
	    (double)(bench_now_ns() - t->came_ns) / 1e9 < EXPIRES_SECONDS + 1)
		return -EAGAIN;
	return 0;
}

static int
tickets_wait(struct ue_mikey *m)
{
	int err = 0;

	for (unsigned i = 0; i < UE_LINES_MAX && (!err || err == -EAGAIN); i++) {
		int one = needs_ticket(m->node->options, i) ? ticket_wait(m, &m->transfer[i].ticket)
							    : 0;

		err = one ? one : err;
	}
	if (!err)
		m->phase = UE_MIKEY_HAS_TICKET;
	return err;
}

int
ue_mikey_ready(struct ue_mikey *m)
{
	int err = 0;

	if (ue_misbehaves(m, UE_REPLAY) && m->number > 1 && m->phase <= UE_MIKEY_HAS_TICKET &&
	    !m->node->first)
		return -EAGAIN;
	if (m->phase == UE_MIKEY_WANTS_TICKET)
		err = tickets_wait(m);
	else if (m->phase == UE_MIKEY_RESOLVING)
		return -EAGAIN;
	else if (m->phase == UE_MIKEY_FAILED)
		err = m->err;
	if (err && err != -EAGAIN) {
		m->phase = m->is_keyed ? UE_MIKEY_IDLE : UE_MIKEY_FAILED;
		m->err = err;
	}
	return err;
}

static void
flags_text(char out[16], uint16_t flags)
{
	static const char letters[] = "DEFGHIJKLMNO";

	for (unsigned i = 0; i < 12; i++)
		if (flags & CP_MIKEY_FLAG_D >> i)
			*out++ = letters[i];
	*out = '\0';
}

struct ue_mikey_report
ue_mikey_report(const struct ue_mikey *m)
{
	const struct ue_options *o = m->node->options;
	const struct ue_ticket *ticket = m->transfer[m->own].ticket;
	struct ue_mikey_report r = {
		.identity = m->claims,
		.kms = o->kms_id,
		.initiator = "",
		.responder = "",
		.set = cp_mikey_set_info(o->mikey_set)->name,
		.rekeys = m->rekeys,
		.transfers = m->transfers,
		.lines = m->lines.described,
		.lines_keyed = m->lines.keyed,
		.ticket_ms = -1,
		.error = m->has_error ? m->fault.error : -1,
		.fault = m->why[0] ? m->why : NULL,
	};

	if (ticket && ticket->came_ns) {
		r.ticket_ms = (double)(ticket->came_ns - ticket->asked_ns) / 1e6;
		r.ticket_uses = ticket->uses;
		if (ticket->ticket)
			flags_text(r.flags, cp_mikey_ticket_policy(ticket->ticket)->flags);
	}
	if (m->csb) {
		r.set = cp_mikey_set_info(cp_mikey_csb_set(m->csb))->name;
		r.csb_id = cp_mikey_csb_id(m->csb);
		r.initiator = (const char *)cp_mikey_csb_initiator(m->csb).data.at;
		r.responder = (const char *)cp_mikey_csb_responder(m->csb).data.at;
		flags_text(r.flags, cp_mikey_csb_flags(m->csb));
	}
	return r;
}
