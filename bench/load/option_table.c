/* The options of conclave-ue: names, how they are taken, help. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load/options_state.h"
#include "ctrlplane/tls/tls.h"

#define FIELD(o, type, at) (*(type *)((char *)(o) + (at)))

static int
take_text(struct ue_options *o, const char *value, size_t field)
{
	FIELD(o, const char *, field) = value;
	return 0;
}

static int
take_unsigned(struct ue_options *o, const char *value, size_t field)
{
	char *end;
	unsigned long v = strtoul(value, &end, 0);

	if (end == value || *end || v > 100000000 || value[0] == '-')
		return -EINVAL;
	FIELD(o, unsigned, field) = (unsigned)v;
	return 0;
}

static int
take_number(struct ue_options *o, const char *value, size_t field)
{
	char *end;
	double v = strtod(value, &end);

	if (end == value || *end)
		return -EINVAL;
	FIELD(o, double, field) = v;
	return 0;
}

static int
take_percent(struct ue_options *o, const char *value, size_t field)
{
	int err = take_number(o, value, field);

	FIELD(o, double, field) /= 100;
	return err;
}

static int
take_true(struct ue_options *o, const char *value, size_t field)
{
	FIELD(o, bool, field) = true;
	return 0;
}

static int
take_false(struct ue_options *o, const char *value, size_t field)
{
	FIELD(o, bool, field) = false;
	return 0;
}

/* The next part of a list with commas. False: the list is at its end. */
static bool
part_next(const char **list, char *out, size_t size)
{
	size_t n = strcspn(*list, ",");

	if (**list == '\0')
		return false;
	snprintf(out, size, "%.*s", (int)n, *list);
	*list += n + ((*list)[n] == ',');
	return true;
}

static int
take_pitches(const char *value, unsigned *out, unsigned *count)
{
	char part[16], *end;

	for (*count = 0; part_next(&value, part, sizeof(part)); (*count)++) {
		unsigned long hz = strtoul(part, &end, 10);

		if (*count == UE_TONES_MAX || end == part || *end || hz >= 4000)
			return -EINVAL;
		out[*count] = (unsigned)hz;
	}
	return 0;
}

static int
take_tones(struct ue_options *o, const char *value, size_t field)
{
	return take_pitches(value, o->tone, &o->tone_count);
}

static int
take_expect(struct ue_options *o, const char *value, size_t field)
{
	return take_pitches(value, o->expect, &o->expect_count);
}

static int
take_suites(struct ue_options *o, const char *value, size_t field)
{
	char part[48];

	if (strcmp(value, "all") == 0) {
		for (o->suite_count = 0; o->suite_count < DP_SUITE_COUNT - 1; o->suite_count++)
			o->suite[o->suite_count] = DP_SUITE_NONE + 1 + o->suite_count;
		return 0;
	}
	for (o->suite_count = 0; part_next(&value, part, sizeof(part)); o->suite_count++) {
		if (o->suite_count == UE_KEYS_MAX || ue_suite_by_name(part) == DP_SUITE_NONE)
			return -EINVAL;
		o->suite[o->suite_count] = ue_suite_by_name(part);
	}
	return 0;
}

static int
take_codecs(struct ue_options *o, const char *value, size_t field)
{
	char part[16];

	for (o->codec_count = 0; part_next(&value, part, sizeof(part)); o->codec_count++) {
		if (o->codec_count == UE_CODECS_MAX || ue_codec_by_name(part) == DP_CODEC_NONE)
			return -EINVAL;
		o->codec[o->codec_count] = ue_codec_by_name(part);
	}
	return 0;
}

static int
take_mki(struct ue_options *o, const char *value, size_t field)
{
	unsigned mki, len;

	if (sscanf(value, "%u:%u", &mki, &len) != 2 || len < 1 || len > 4)
		return -EINVAL;
	o->mki = mki;
	o->mki_len = (uint8_t)len;
	return 0;
}

static int
take_ports(struct ue_options *o, const char *value, size_t field)
{
	unsigned low, high;

	if (sscanf(value, "%u-%u", &low, &high) != 2 || low < 1024 || high > 65535 ||
	    high < low + 3)
		return -EINVAL;
	o->port_low = (uint16_t)low;
	o->port_high = (uint16_t)high;
	return 0;
}

static int
take_password(struct ue_options *o, const char *value, size_t field)
{
	return snprintf(o->password, sizeof(o->password), "%s", value) < (int)sizeof(o->password)
		       ? 0
		       : -EINVAL;
}

static int
take_password_file(struct ue_options *o, const char *value, size_t field)
{
	FILE *f = fopen(value, "r");

	if (!f || !fgets(o->password, sizeof(o->password), f)) {
		if (f)
			fclose(f);
		return -EINVAL;
	}
	o->password[strcspn(o->password, "\r\n")] = '\0';
	fclose(f);
	return 0;
}

static int
take_header(struct ue_options *o, const char *value, size_t field)
{
	if (o->header_count == UE_HEADERS_MAX || !strchr(value, ':'))
		return -EINVAL;
	o->header[o->header_count++] = value;
	return 0;
}

static int
take_subscribe(struct ue_options *o, const char *value, size_t field)
{
	static const char *const names[] = {"call", "dialog", "ticket"};

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(value, names[i]) == 0)
			o->watch = (enum ue_watch)(UE_WATCH_CALL + i);
	return o->watch ? 0 : -EINVAL;
}

static int
take_watch_wrong(struct ue_options *o, const char *value, size_t field)
{
	static const char *const names[] = {"no-key", "wrong-key", "gap", "refuse"};

	for (unsigned i = 0; i < 4; i++)
		if (strcmp(value, names[i]) == 0)
			o->watch_wrong = (enum ue_watch_wrong)(UE_WATCH_NO_KEY + i);
	return o->watch_wrong ? 0 : -EINVAL;
}

static int
take_mikey_set(struct ue_options *o, const char *value, size_t field)
{
	if (strcmp(value, "128") != 0 && strcmp(value, "256") != 0)
		return -EINVAL;
	o->mikey_set = value[0] == '2';
	return 0;
}

static int
take_mikey_level(struct ue_options *o, const char *value, size_t field)
{
	o->is_mikey_at_session = strcmp(value, "session") == 0;
	return o->is_mikey_at_session || strcmp(value, "media") == 0 ? 0 : -EINVAL;
}

static int
take_rekey(struct ue_options *o, const char *value, size_t field)
{
	o->is_rekey_full = strcmp(value, "full") == 0;
	return o->is_rekey_full || strcmp(value, "update") == 0 ? 0 : -EINVAL;
}

static int
take_100rel(struct ue_options *o, const char *value, size_t field)
{
	bool is_required = strcmp(value, "required") == 0;

	o->reliable = is_required ? UE_100REL_REQUIRED : UE_100REL_SUPPORTED;
	return is_required || strcmp(value, "supported") == 0 ? 0 : -EINVAL;
}

/* CALL-ID;to-tag=TAG;from-tag=TAG, or @FILE of whose first line says so. field: enum ue_names */
static int
take_dialog(struct ue_options *o, const char *value, size_t field)
{
	char line[UE_DIALOG_MAX + 1] = "";
	FILE *f = value[0] == '@' ? fopen(value + 1, "r") : NULL;

	if (o->names || (value[0] == '@' && !f))
		return -EINVAL;
	if (f) {
		if (!fgets(line, sizeof(line), f))
			line[0] = '\0';
		fclose(f);
		line[strcspn(line, "\r\n")] = '\0';
		value = line;
	}
	if (strlen(value) >= sizeof(o->dialog) || strpbrk(value, "\r\n") ||
	    !strstr(value, ";to-tag=") || !strstr(value, ";from-tag="))
		return -EINVAL;
	snprintf(o->dialog, sizeof(o->dialog), "%s", value);
	o->names = (enum ue_names)field;
	return 0;
}

/* The first audio is ours. */
static int
take_lines(struct ue_options *o, const char *value, size_t field)
{
	bool has_audio = false;
	char part[16];

	for (o->line_count = 0; part_next(&value, part, sizeof(part)); o->line_count++) {
		if (o->line_count == UE_LINES_MAX ||
		    !ue_line_by_name(&o->line[o->line_count], part))
			return -EINVAL;
		if (!has_audio && strcmp(part, "audio") == 0) {
			has_audio = true;
			o->own_line = o->line_count;
		}
	}
	return has_audio ? 0 : -EINVAL;
}

/* An m-line more, of a stream that is used. */
static int
take_stream(struct ue_options *o, const char *value, size_t field)
{
	const char *name = field == offsetof(struct ue_options, has_floor) ? "floor" : "chat";

	if (o->line_count == UE_LINES_MAX)
		return -EINVAL;
	*(bool *)((char *)o + field) = true;
	return ue_line_by_name(&o->line[o->line_count++], name) ? 0 : -EINVAL;
}

/* The place of value among names, the last of which is NULL; -1: it is none of them. */
static int
choice_of(const char *value, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], value) == 0)
			return i;
	return -1;
}

static int
take_chair(struct ue_options *o, const char *value, size_t field)
{
	static const char *const names[] = {"grant", "deny", NULL};
	int i = choice_of(value, names);

	o->chair = (enum ue_chair)(UE_CHAIR_GRANT + i);
	return i < 0 ? -EINVAL : 0;
}

static int
take_setup(struct ue_options *o, const char *value, size_t field)
{
	static const char *const names[] = {"active", "passive", "actpass", NULL};

	o->stream_setup = value;
	return choice_of(value, names) < 0 ? -EINVAL : 0;
}

static int
take_stream_tls(struct ue_options *o, const char *value, size_t field)
{
	static const char *const names[] = {"1.2", "1.3", NULL};
	int i = choice_of(value, names);

	o->stream_tls = (unsigned)(CP_TLS_1_2 + i);
	return i < 0 ? -EINVAL : 0;
}

static int
take_stream_wrong(struct ue_options *o, const char *value, size_t field)
{
	static const char *const names[] = {"key", "name", "owner", "plain", NULL};
	int i = choice_of(value, names);

	o->stream_wrong = (enum ue_stream_wrong)(UE_STREAM_WRONG_KEY + i);
	return i < 0 ? -EINVAL : 0;
}

static int
take_listen(struct ue_options *o, const char *value, size_t field)
{
	o->is_listening = true;
	return take_unsigned(o, value, field);
}

/* The argument of a mistake: 'n' a number, 'e' a number or "each", 'f' a flag's letter or "each", 't' a text, 0 none. */
static bool
mistake_take(struct ue_options *o, char kind, const char *arg)
{
	char *end;

	o->misbehave_arg = arg;
	o->misbehaves_each = (kind == 'e' || kind == 'f') && strcmp(arg, "each") == 0;
	o->misbehave_number = strtol(arg, &end, 10);
	if (kind == 'f')
		return o->misbehaves_each || (arg[0] && strchr("DEFGHIJKLMNO", arg[0]) && !arg[1]);
	return o->misbehaves_each || kind == 0 || kind == 't' || (end != arg && !*end);
}

/* NAME, or NAME=ARGUMENT where that kind has one. */
static int
take_misbehave(struct ue_options *o, const char *value, size_t field)
{
	static const struct {
		const char *name;
		enum ue_misbehaviour kind;
		char arg; /* as mistake_take has it */
	} kinds[] = {
		{"wrong-psk", UE_WRONG_PSK, 0},
		{"expired", UE_EXPIRED, 0},
		{"other-identity", UE_OTHER_IDENTITY, 't'},
		{"replay", UE_REPLAY, 0},
		{"flip", UE_FLIP, 'e'},
		{"flip-update", UE_FLIP_UPDATE, 'e'},
		{"truncate", UE_TRUNCATE, 'e'},
		{"no-flag", UE_NO_FLAG, 'f'},
		{"forged-vr", UE_FORGED_VR, 0},
		{"no-sdp-ids", UE_NO_SDP_IDS, 0},
		{"wrong-idri", UE_WRONG_IDRI, 0},
		{"skew", UE_SKEW, 'n'},
	};
	size_t len = strcspn(value, "=");

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) != len || strncmp(kinds[i].name, value, len) != 0)
			continue;
		if ((kinds[i].arg != 0) != (value[len] == '='))
			return -EINVAL;
		o->misbehaviour = kinds[i].kind;
		return mistake_take(o, kinds[i].arg, kinds[i].arg ? value + len + 1 : "") ? 0
											  : -EINVAL;
	}
	return -EINVAL;
}

static int
action_add(struct ue_options *o, double at, enum ue_action_kind kind, const char *arg)
{
	struct ue_action *a = &o->action[o->action_count];

	if (o->action_count == UE_ACTIONS_MAX || at < 0 || at > 1e6)
		return -EINVAL;
	a->at = at;
	a->kind = kind;
	snprintf(a->arg, sizeof(a->arg), "%s", arg);
	o->action_count++;
	return 0;
}

/* SECONDS, or SECONDS:ARGUMENT */
static int
take_action(struct ue_options *o, const char *value, size_t field)
{
	char *end;
	double at = strtod(value, &end);

	if (end == value || (*end && *end != ':'))
		return -EINVAL;
	return action_add(o, at, (enum ue_action_kind)field, *end ? end + 1 : "");
}

/* An argument, from the start on */
static int
take_action_now(struct ue_options *o, const char *value, size_t field)
{
	return action_add(o, field == UE_DTMF ? 1 : 0, (enum ue_action_kind)field, value);
}

static const char *const action_names[] = {
	[UE_HOLD] = "hold",
	[UE_UNHOLD] = "unhold",
	[UE_REKEY] = "rekey",
	[UE_REINVITE] = "reinvite",
	[UE_MOVE] = "move",
	[UE_CODEC] = "codec",
	[UE_DTMF] = "dtmf",
	[UE_MUTE] = "mute",
	[UE_UNMUTE] = "unmute",
	[UE_SSRC] = "ssrc",
	[UE_GARBAGE] = "garbage",
	[UE_WRONG_KEY] = "wrong-key",
	[UE_WRONG_SOURCE] = "wrong-source",
	[UE_BYE] = "bye",
	[UE_VANISH] = "vanish",
	[UE_REFER] = "refer",
	[UE_FLOOR_ASK] = "floor-ask",
	[UE_FLOOR_RELEASE] = "floor-release",
	[UE_FLOOR_REVOKE] = "floor-revoke",
	[UE_SAY] = "say",
	[UE_WHISPER] = "whisper",
	[UE_SEND_FILE] = "send-file",
	[UE_NICKNAME] = "nickname",
	[UE_STALL] = "stall",
	[UE_CUT] = "cut",
	[UE_CONNECT] = "connect",
};

static int
script_line(struct ue_options *o, const char *line)
{
	char name[24], arg[UE_ACTION_ARG_MAX] = "";
	double at;

	if (sscanf(line, "%lf %23s %399[^\r\n]", &at, name, arg) < 2)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++)
		if (strcmp(action_names[i], name) == 0)
			return action_add(o, at, i, arg);
	return -EINVAL;
}

static int
take_script(struct ue_options *o, const char *value, size_t field)
{
	FILE *f = fopen(value, "r");
	char line[UE_ACTION_ARG_MAX + 64];
	int number = 0, err = f ? 0 : -EINVAL;

	while (!err && fgets(line, sizeof(line), f)) {
		number++;
		if (line[strspn(line, " \t\r\n")] != '\0' && line[0] != '#')
			err = script_line(o, line);
	}
	if (f && err)
		fprintf(stderr, "conclave-ue: %s:%d: want 'SECONDS ACTION [ARGUMENT]'\n", value,
			number);
	if (f)
		fclose(f);
	return err;
}

#define AT(field) offsetof(struct ue_options, field)

/* clang-format off */
const struct ue_option ue_option_table[] = {
	{"Who", NULL, NULL, 0, NULL},
	{"display", "NAME", take_text, AT(display), "display name beside the identity"},
	{"from", "URI", take_text, AT(from), "identity; %d is the participant's number (sip:ue%d@HOST)"},
	{"user", "NAME", take_text, AT(user), "answer a digest challenge as NAME (MD5, SHA-256); %d as above"},
	{"password", "WORD", take_password, 0, "its password; seen by others in ps: better --password-file"},
	{"password-file", "FILE", take_password_file, 0, "first line of FILE"},
	{"pai", "URI", take_text, AT(pai), "send P-Asserted-Identity; %d as above"},
	{"header", "'NAME: VALUE'", take_header, 0, "one more header in each INVITE; up to 8 times"},
	{"Signalling", NULL, NULL, 0, NULL},
	{"transport", "udp|tcp|tls", take_text, AT(transport), "for URIs that name none (udp; of sips: tls)"},
	{"tls-dir", "DIR", take_text, AT(tls_dir), "agent.pem (own certificate and key) and cafile.pem (who signed the focus's); without it nobody is checked"},
	{"local", "ADDRESS", take_text, AT(local), "own address, IPv4 or IPv6 (the one that routes to the focus)"},
	{"sip-port", "PORT", take_unsigned, AT(sip_port), "own SIP port (any)"},
	{"timeout", "SECONDS", take_number, AT(timeout), "give an INVITE up after it (10)"},
	{"late-offer", NULL, take_true, AT(is_late_offer), "INVITE without SDP; answer the offer in the ACK, by MIKEY or SDES as it is offered"},
	{"100rel", "supported|required", take_100rel, 0, "reliable provisional responses, acknowledged by PRACK (RFC 3262)"},
	{"session-expires", "SECONDS", take_unsigned, AT(session_expires), "ask for a session timer (RFC 4028), refresh when it is ours"},
	{"replaces", "DIALOG|@FILE", take_dialog, UE_NAMES_REPLACES, "take the place of this call (RFC 3891): CALL-ID;to-tag=TAG;from-tag=TAG, as 'dialog' in its JSON "
		"or the FILE of its --dialog-file has it; the tags are those of the side that we call and of the one replaced"},
	{"join", "DIALOG|@FILE", take_dialog, UE_NAMES_JOIN, "come into the conference of this call (RFC 3911), named in the same way"},
	{"dialog-file", "FILE", take_text, AT(dialog_file), "once in the call, write its dialog there for --replaces and --join; %d is the participant's number"},
	{"recipients", "URI,…", take_text, AT(recipients), "send a list of people whom the focus is to call along (RFC 5366)"},
	{"no-bye", NULL, take_false, AT(has_bye), "at the end vanish: neither BYE nor RTCP BYE"},
	{"Keys and media", NULL, NULL, 0, NULL},
	{"suite", "NAME,…|all", take_suites, 0, "crypto lines to offer (AES_CM_128_HMAC_SHA1_80)"},
	{"plain", NULL, take_true, AT(is_plain), "offer RTP/AVP without keys"},
	{"mki", "VALUE:OCTETS", take_mki, 0, "put an MKI on the wire"},
	{"lifetime", "TEXT", take_text, AT(lifetime), "of the key in crypto lines, e.g. 2^31"},
	{"session-params", "TEXT", take_text, AT(params), "of crypto lines, e.g. UNENCRYPTED_SRTCP"},
	{"media-lines", "NAME,…", take_lines, 0, "m-lines to offer, in this order: audio (of which the first is ours), video, message, plain (video "
		"without keys); the others are not used (audio)"},
	{"rtcp-mux", NULL, take_true, AT(has_mux), "offer it (RFC 5761)"},
	{"codec", "NAME,…", take_codecs, 0, "PCMU, PCMA, L16 in the order of preference (PCMU)"},
	{"ptime", "MS", take_unsigned, AT(ptime), "10, 20, 30, 40 or 60 (20)"},
	{"no-media", NULL, take_false, AT(has_media), "signalling only: send neither RTP nor RTCP"},
	{"media-ports", "LOW-HIGH", take_ports, 0, "UDP ports to take pairs from (33000-60999)"},
	{"rtcp-every", "MS", take_unsigned, AT(rtcp_ms), "mean time between reports (2500); 0: none"},
	{"Keys by MIKEY-TICKET", NULL, NULL, 0, NULL},
	{"kms", "URL", take_text, AT(kms), "get a ticket from this KMS and key the call by it (http://127.0.0.1:8643)"},
	{"kms-ca", "FILE", take_text, AT(kms_ca), "PEM file of who signed the certificate of an https KMS (those of the system)"},
	{"kms-id", "URI", take_text, AT(kms_id), "who the KMS is (sip:kms.localhost)"},
	{"psk-file", "FILE", take_text, AT(psk_file), "the key shared with the KMS: as 'conclave kms user add' writes it, or nothing but the key, "
		"binary or hexadecimal; %d as above"},
	{"identity", "URI", take_text, AT(identity), "who the KMS knows us as (what FILE says); %d as above"},
	{"mikey-set", "256|128", take_mikey_set, 0, "set of algorithms (256)"},
	{"mikey-level", "media|session", take_mikey_level, 0, "where a=key-mgmt stands (media)"},
	{"responder", "URI", take_text, AT(responder), "whom the ticket is for (the conference)"},
	{"validity", "SECONDS", take_unsigned, AT(validity), "of the ticket asked for (3600)"},
	{"trr", "SECONDS", take_unsigned, AT(trr),
	 "TRr of the ticket asked for: who answers re-keys at least so often; 0: no demand (0)"},
	{"ticket-reuse", NULL, take_true, AT(reuses_tickets), "one ticket for all calls of an identity to a conference, where the KMS allows it"},
	{"tpk-file", "FILE", take_text, AT(tpk_file), "make tickets ourselves (mode 3) under this key, as 'conclave kms tpk add' writes it"},
	{"rekey", "update|full", take_rekey, 0, "what --rekey-at is under MIKEY: a CSB update, or TRANSFER_INIT on a new ticket (update)"},
	{"sdes-too", NULL, take_true, AT(has_sdes_too), "offer crypto lines beside MIKEY"},
	{"listen", "PORT", take_listen, AT(sip_port), "call nobody: answer a call on this SIP port, by MIKEY or SDES as it is offered"},
	{"misbehave", "WHAT", take_misbehave, 0, "wrong-psk, expired, other-identity=URI, replay, flip=N, flip-update=N, truncate=N, no-flag=LETTER, "
		"forged-vr, no-sdp-ids, wrong-idri or skew=SECONDS: what the KMS or the focus must refuse; N or LETTER may be 'each': "
		"the first participant's is 0 or D, the next one's follows"},
	{"Floor control and chat", NULL, NULL, 0, NULL},
	{"floor", NULL, take_stream, AT(has_floor), "offer floor control (BFCP), protected as the call is: TLS keyed by MIKEY-TICKET, TLS with certificates, or none with --plain"},
	{"floor-ask-at", "S[:FLOOR]", take_action, UE_FLOOR_ASK, "ask for a floor (the first)"},
	{"floor-release-at", "S[:FLOOR]", take_action, UE_FLOOR_RELEASE, "give it back, or the request for it up"},
	{"floor-for", "SECONDS", take_number, AT(floor_for), "give a floor back so long after it was granted"},
	{"floor-again", NULL, take_true, AT(asks_again), "and then ask for it anew: with others, in turn"},
	{"floor-revoke-at", "S[:FLOOR]", take_action, UE_FLOOR_REVOKE, "as its chair, take it from who holds it"},
	{"chair", "grant|deny", take_chair, 0, "as a chair, answer all requests so"},
	{"chat", NULL, take_stream, AT(has_chat), "offer chat (MSRP), protected in the same way"},
	{"nickname", "NAME", take_text, AT(nickname), "in the chat; %d is the participant's number"},
	{"say-at", "S:TEXT", take_action, UE_SAY, "a message to all"},
	{"whisper-at", "S:URI TEXT", take_action, UE_WHISPER, "a message to one"},
	{"send-file-at", "S:FILE", take_action, UE_SEND_FILE, "a file to all"},
	{"nickname-at", "S:NAME", take_action, UE_NICKNAME, "another nickname, or none"},
	{"chat-messages", "N", take_unsigned, AT(chat_messages), "send so many messages, each numbered; who receives them counts what is missing or out of order"},
	{"chat-size", "OCTETS", take_unsigned, AT(chat_size), "of each of them (64)"},
	{"chat-delay", "SECONDS", take_number, AT(chat_delay), "so long after its connection is up, so that all are there (0)"},
	{"chat-rate", "N", take_number, AT(chat_rate), "a second; 0: as fast as they are answered (0)"},
	{"chat-reports", NULL, take_true, AT(chat_wants_reports), "ask for success reports"},
	{"stall-at", "S", take_action, UE_STALL, "read the chat no more"},
	{"cut-at", "S:floor|chat", take_action, UE_CUT, "break the connection off"},
	{"connect-at", "S:floor|chat", take_action, UE_CONNECT, "connect once more"},
	{"stream-setup", "active|passive|actpass", take_setup, 0, "who opens the connections (active: we do)"},
	{"stream-tls", "1.2|1.3", take_stream_tls, 0, "only this version (both)"},
	{"stream-wrong", "WHAT", take_stream_wrong, 0, "key, name, owner (another participant's key) or plain: what the focus must refuse"},
	{"Watching the conference", NULL, NULL, 0, NULL},
	{"subscribe", "call|dialog|ticket", take_subscribe, 0, "to the conference's state (RFC 4575), once the call is up: in the call's dialog or in one of its own "
		"under the call's key, or in one of its own by a ticket of its own; the roster stands in the JSON"},
	{"watch-expires", "SECONDS", take_unsigned, AT(watch_expires), "ask for so long a subscription (3600)"},
	{"watchers", "N", take_unsigned, AT(watchers), "only the first N participants watch (all)"},
	{"watch-wrong", "WHAT", take_watch_wrong, 0, "no-key: ask without one; wrong-key: open by another one; gap: lose the first partial document; "
		"refuse: answer the second NOTIFY with 481"},
	{"Sound", NULL, NULL, 0, NULL},
	{"tone", "HZ,…", take_tones, 0, "of the first, second… participant of a conference (300, 400, …)"},
	{"level", "DBOV", take_number, AT(level), "of tones (-20)"},
	{"wav", "FILE", take_text, AT(wav), "send this file (PCM, 16 bits) over and over instead of a tone"},
	{"silence", NULL, take_true, AT(is_silent), "send silence"},
	{"talkers", "N", take_unsigned, AT(talkers), "only the first N of a conference send tones, the others silence (all)"},
	{"no-marks", NULL, take_false, AT(has_marks), "no gaps of 60 ms every 2 s in tones; then no delay is measured"},
	{"Hearing", NULL, NULL, 0, NULL},
	{"record", "FILE", take_text, AT(record), "write what is heard into this WAV file; %d is the participant's number"},
	{"expect", "HZ,…", take_expect, 0, "tones of others to listen for, beside those of this process"},
	{"expect-heard", NULL, take_true, AT(must_hear), "exit 1 unless all of them are heard at the right level, and nobody hears itself"},
	{"tolerance", "DB", take_number, AT(tolerance), "of the right level (3)"},
	{"settle", "SECONDS", take_number, AT(settle), "after the last join, before measuring (1)"},
	{"listen-every", "N", take_unsigned, AT(listen_every), "measure one packet in N (1; 10 beyond 64 participants)"},
	{"How many, how long", NULL, NULL, 0, NULL},
	{"for", "SECONDS", take_number, AT(seconds), "stay after the last join (10); Ctrl-C ends it politely at any time"},
	{"count", "N", take_unsigned, AT(count), "participants (1)"},
	{"per-conference", "K", take_unsigned, AT(per_conference), "K of them in each conference: %d in URI is its number"},
	{"first", "N", take_unsigned, AT(first), "number of the first conference (1)"},
	{"rate", "N", take_number, AT(rate), "joins a second (50); 0: as fast as answers come"},
	{"window", "N", take_unsigned, AT(window), "with --rate 0: INVITEs under way at a time (32)"},
	{"share", "N", take_unsigned, AT(share), "participants that share a pair of sockets: cheaper for thousands (1)"},
	{"cpu", "N", take_unsigned, AT(cpu), "pin the media thread"},
	{"realtime", NULL, take_true, AT(is_realtime), "run the media thread ahead of all others (SCHED_RR), where we may"},
	{"Things that happen", NULL, NULL, 0, NULL},
	{"hold-at", "S[:DIR]", take_action, UE_HOLD, "S seconds after the answer; DIR: inactive, sendonly, recvonly"},
	{"unhold-at", "S", take_action, UE_UNHOLD, "send and receive again"},
	{"rekey-at", "S", take_action, UE_REKEY, "re-INVITE with a new key"},
	{"reinvite-same-at", "S", take_action, UE_REINVITE, "re-INVITE that changes nothing"},
	{"move-at", "S", take_action, UE_MOVE, "re-INVITE from other media ports, with a new key"},
	{"codec-at", "S:NAME", take_action, UE_CODEC, "re-INVITE with another codec"},
	{"dtmf-at", "S:DIGITS", take_action, UE_DTMF, "telephone-events (RFC 4733)"},
	{"dtmf", "DIGITS", take_action_now, UE_DTMF, "the same, after one second"},
	{"mute-at", "S", take_action, UE_MUTE, "send silence from then on"},
	{"unmute-at", "S", take_action, UE_UNMUTE, "and sound again"},
	{"ssrc-change-at", "S", take_action, UE_SSRC, "go on under another SSRC, sequence and timestamp"},
	{"garbage", "N", take_action_now, UE_GARBAGE, "N random datagrams a second to the focus's media ports"},
	{"wrong-key", "N", take_action_now, UE_WRONG_KEY, "N packets a second with our SSRC and wrong tags"},
	{"wrong-source", "N", take_action_now, UE_WRONG_SOURCE, "N packets a second with our SSRC from another socket"},
	{"refer-at", "S:URI", take_action, UE_REFER, "REFER: have the focus call URI; with ;method=BYE, remove it; with ?Replaces=DIALOG (escaped) the call takes that one's place"},
	{"bye-at", "S", take_action, UE_BYE, "leave"},
	{"vanish-at", "S", take_action, UE_VANISH, "fall silent without BYE"},
	{"script", "FILE", take_script, 0, "lines 'SECONDS ACTION [ARGUMENT]': hold unhold rekey reinvite move codec dtmf mute unmute ssrc "
		"garbage wrong-key wrong-source bye vanish refer floor-ask floor-release floor-revoke say whisper send-file nickname stall cut connect"},
	{"actors", "N", take_unsigned, AT(actors), "only the first N participants do what stands above (all)"},
	{"A bad network, on what is sent", NULL, NULL, 0, NULL},
	{"loss", "PERCENT", take_percent, AT(loss), "lose packets"},
	{"reorder", "PERCENT", take_percent, AT(reorder), "hold packets back past the next one"},
	{"jitter", "MS", take_unsigned, AT(jitter_ms), "delay by 0 to MS at random"},
	{"start-seq", "N", take_unsigned, AT(start_seq), "first sequence number (random below 32768)"},
	{"seed", "N", take_unsigned, AT(seed), "of the random numbers of this section"},
	{"What is printed", NULL, NULL, 0, NULL},
	{"each", NULL, take_true, AT(prints_each), "with --count: a line for each participant, then the summary"},
	{"progress", NULL, take_true, AT(has_progress), "a line each second (of at most 64 participants)"},
	{"quiet", NULL, take_true, AT(is_quiet), "nothing on stderr but mistakes"},
};
/* clang-format on */

const size_t ue_option_count = sizeof(ue_option_table) / sizeof(ue_option_table[0]);
