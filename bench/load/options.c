/* The command line of conclave-ue, taken by its table. */
#include "bench/load/options.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "bench/load/options_state.h"

static void
defaults(struct ue_options *o)
{
	*o = (struct ue_options){
		.transport = "udp",
		.timeout = 10,
		.has_bye = true,
		.suite_count = 1,
		.suite = {DP_SUITE_AES_CM_128_HMAC_SHA1_80},
		.codec_count = 1,
		.codec = {DP_CODEC_PCMU},
		.ptime = 20,
		.level = -20,
		.has_media = true,
		.tolerance = 3,
		.settle = 1,
		.has_marks = true,
		.count = 1,
		.first = 1,
		.share = 1,
		.window = 32,
		.rate = 50,
		.seconds = 10,
		.cpu = -1,
		.port_low = 33000,
		.port_high = 60999,
		.start_seq = -1,
		.rtcp_ms = 2500,
		.watch_expires = 3600,
		.kms_id = "sip:kms.localhost",
		.mikey_set = 1,
		.validity = 3600,
		.line_count = 1,
		.stream_setup = "active",
		.chat_size = 64,
	};
	(void)ue_line_by_name(&o->line[0], "audio");
}

static const struct ue_option *
row_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ue_option_count; i++)
		if (ue_option_table[i].take && strlen(ue_option_table[i].name) == len &&
		    strncmp(ue_option_table[i].name, name, len) == 0)
			return &ue_option_table[i];
	return NULL;
}

static int
complain(const char *what, const char *about)
{
	fprintf(stderr, "conclave-ue: %s%s; see --help\n", what, about);
	return 2;
}

/* One --name, --name VALUE or --name=VALUE. Returns how many arguments it took, or 0 after a complaint. */
static int
option_take(struct ue_options *o, char **argv, int left)
{
	const char *name = argv[0] + 2, *value = strchr(name, '=');
	const struct ue_option *row = row_find(name, value ? (size_t)(value - name) : strlen(name));
	int taken = 1;

	if (!row) {
		complain("unknown option ", argv[0]);
		return 0;
	}
	if (row->value && !value) {
		if (left < 2) {
			complain("a value is missing after ", argv[0]);
			return 0;
		}
		value = argv[1];
		taken = 2;
	} else if (value) {
		value++;
	}
	if (row->take(o, value, row->field) != 0) {
		fprintf(stderr, "conclave-ue: --%s wants %s, not '%s'; see --help\n", row->name,
			row->value ? row->value : "no value", value ? value : "");
		return 0;
	}
	return taken;
}

/* By time, those of the same time in the order given. */
static void
actions_sort(struct ue_options *o)
{
	for (unsigned i = 1; i < o->action_count; i++) {
		struct ue_action a = o->action[i];
		unsigned k = i;

		for (; k > 0 && o->action[k - 1].at > a.at; k--)
			o->action[k] = o->action[k - 1];
		o->action[k] = a;
	}
}

static int
check(const struct ue_options *o)
{
	if (!o->is_listening && (!o->uri || (strncasecmp(o->uri, "sip:", 4) != 0 &&
					     strncasecmp(o->uri, "sips:", 5) != 0)))
		return complain("want the URI of a conference, sip:NAME@HOST", "");
	if (o->is_listening && o->uri)
		return complain("who waits to be called calls nobody: --listen or ", o->uri);
	if (!o->kms != !o->psk_file)
		return complain("--kms and --psk-file go together", "");
	if (o->kms && o->is_plain)
		return complain("--plain is without keys, --kms with them", "");
	if (!o->kms && (o->misbehaviour || o->reuses_tickets || o->tpk_file || o->is_rekey_full))
		return complain("--misbehave, --ticket-reuse, --tpk-file and --rekey want --kms",
				"");
	if (o->names && (o->is_listening || o->count > 1))
		return complain(
			"one caller takes one place: --replaces and --join without --count and "
			"--listen",
			"");
	if (o->recipients && (o->is_listening || o->is_late_offer))
		return complain("a list goes with an offer: --recipients without --late-offer and "
				"--listen",
				"");
	if (o->watch == UE_WATCH_TICKET && !o->kms)
		return complain("--subscribe ticket wants --kms", "");
	if (o->ptime < 10 || o->ptime > 60 || o->ptime % 10 || o->ptime == 50)
		return complain("--ptime is 10, 20, 30, 40 or 60", "");
	if (strcmp(o->transport, "udp") != 0 && strcmp(o->transport, "tcp") != 0 &&
	    strcmp(o->transport, "tls") != 0)
		return complain("--transport is udp, tcp or tls, not ", o->transport);
	if (o->count < 1 || o->count > 100000 || o->share < 1 || o->window < 1)
		return complain("--count, --share and --window begin at 1", "");
	if (o->loss < 0 || o->loss > 1 || o->reorder < 0 || o->reorder > 1)
		return complain("--loss and --reorder are percentages", "");
	if (o->rate < 0 || o->seconds < 0 || o->settle < 0 || o->timeout <= 0)
		return complain("times and rates are not negative", "");
	if (o->user && !o->password[0])
		return complain("--user wants --password-file or --password", "");
	return 0;
}

int
ue_options_read(struct ue_options *o, int argc, char **argv)
{
	defaults(o);
	for (int i = 1; i < argc;) {
		int taken = 1;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			ue_help_print();
			return 1;
		}
		if (strcmp(argv[i], "--man") == 0) {
			ue_man_print();
			return 1;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("conclave-ue %s\n", CONCLAVE_VERSION);
			return 1;
		}
		if (strncmp(argv[i], "--", 2) == 0)
			taken = option_take(o, argv + i, argc - i);
		else if (o->uri)
			return complain("only one URI, not also ", argv[i]);
		else
			o->uri = argv[i];
		if (!taken)
			return 2;
		i += taken;
	}
	actions_sort(o);
	return check(o);
}

void
ue_number_put(char *out, size_t size, const char *text, unsigned number)
{
	const char *at = strstr(text, "%d");

	if (at)
		snprintf(out, size, "%.*s%u%s", (int)(at - text), text, number, at + 2);
	else
		snprintf(out, size, "%s", text);
}

const char *
ue_uri_host(const char *uri)
{
	const char *at = strchr(uri, '@');

	return at ? at + 1 : uri + strcspn(uri, ":") + 1;
}
