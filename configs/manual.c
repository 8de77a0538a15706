/*
 * conclave-manual: writes configs/reference.yaml and the manual page conclave.yaml(5) from the tables of options of the
 * programs. Used when building and in tests, not installed.
 */
#include <stdio.h>
#include <string.h>
#include "configs/loader/loader.h"
#include "ctrlplane/app/setup/config.h"
#include "ctrlplane/kms/setup/config.h"
#include "dataplane/setup/config.h"

static const char reference_head[] =
	"# Every option of Conclave at its default, for conclave-dp (node, log, media), "
	"conclave-kms "
	"(node, log, kms) and\n"
	"# conclave-cp (all but media and kms).\n"
	"# A configuration needs only what differs. Errors name file and line: conclave-dp --check "
	"--config FILE, and\n"
	"# the same with conclave-cp. Durations: 20ms, 5s, 10m, 1h. Sizes: 4096, 64K, 256M. null: "
	"not set.\n"
	"# This file is made from the programs' own tables: ninja -C build reference.\n";

static const char man_head[] =
	".TH CONCLAVE.YAML 5 \"\" \"conclave " CONCLAVE_VERSION "\" \"Conclave\"\n"
	".SH NAME\nconclave.yaml \\- configuration of conclave\\-dp, conclave\\-cp and "
	"conclave\\-kms\n"
	".SH DESCRIPTION\n"
	"One YAML file for the programs of a node; each reads its sections and knows the names of "
	"the others.\n"
	"An option that is absent, empty or null has its default. Unknown options, options that "
	"stand twice, and values of the\n"
	"wrong kind or out of range are errors, each with its line; nothing is started then.\n"
	"All programs check the file with\n.BR \\-\\-check .\n"
	".PP\nDurations are written as 20ms, 5s, 10m, 1h; sizes as 4096, 64K, 256M.\n";

static const char man_tail[] =
	".SH EXAMPLE\n.nf\n"
	"media:\n  addresses:\n    \\- address: 192.0.2.10\n"
	"sip:\n  listen: [\\(dqsip:192.0.2.10:5060\\(dq]\n"
	"conferences:\n  \\- id: demo\n    title: Demo\n"
	".fi\n"
	".SH FILES\n.TP\n.I /etc/conclave/conclave.yaml\nWhat the installed units read.\n"
	".TP\n.I /usr/share/doc/conclave/reference.yaml\nEvery option at its default.\n"
	".SH SEE ALSO\n.BR conclave (1),\n.BR conclave\\-cp (8),\n.BR conclave\\-dp (8),\n.BR "
	"conclave\\-kms (8)\n";

/* In the order of the file. */
static const char *const helps[][2] = {
	{"node", "Who this node is; all programs read it"},
	{"log", "What the programs write to the log"},
	{"media", "The media plane, conclave-dp"},
	{"sip", "SIP: addresses, who is believed, limits"},
	{"http", "The API, for the conclave command line and scripts"},
	{"conferences", "Conferences that exist from the start"},
	{"factories", "URIs that make a conference of each call to them"},
	{"security", "SRTP: which suites, in which order"},
	{"call", "What holds for every call"},
	{"mikey", "MIKEY-TICKET: the KMS to ask, and as whom"},
	{"notify", "Subscriptions to the state of conferences (RFC 4575)"},
	{"floor", "Floor control (BFCP, RFC 8855)"},
	{"chat", "Chat rooms (MSRP, RFC 4975, 7701)"},
	{"streams", "Floor control and chat: TCP and TLS"},
	{"store", "What outlives conclave-cp: conferences, call records, audit"},
	{"announcements", "What participants are told, by WAV files or tones"},
	{"kms", "The key management server, conclave-kms"},
};

#define SECTIONS (sizeof(helps) / sizeof(helps[0]))

/* False when a program has a section that helps does not name: it would be missing in the files. */
static bool
pick(struct conf_section *out, const struct conf_section *from)
{
	for (; from->name != NULL; from++) {
		size_t i = 0;

		if (from->options == NULL)
			continue;
		while (i < SECTIONS && strcmp(helps[i][0], from->name) != 0)
			i++;
		if (i == SECTIONS) {
			fprintf(stderr, "configs/manual.c: say what section '%s' is for\n",
				from->name);
			return false;
		}
		out[i] = *from;
		out[i].help = helps[i][1];
	}
	return true;
}

int
main(int argc, char **argv)
{
	static struct cp_config cp;
	static struct dp_media media;
	static struct cp_kms_settings kms;
	struct conf_section dp[] = {{.name = "media", .options = dp_media_options, .into = &media},
				    {.name = NULL}};
	struct conf_section all[SECTIONS + 1] = {{.name = NULL}};

	cp_config_init(&cp);
	cp_kms_settings_init(&kms);
	if (!pick(all, cp.sections) || !pick(all, dp) || !pick(all, kms.sections))
		return 1;
	if (argc == 2 && strcmp(argv[1], "reference") == 0) {
		fputs(reference_head, stdout);
		conf_render(all, stdout);
	} else if (argc == 2 && strcmp(argv[1], "man") == 0) {
		fputs(man_head, stdout);
		conf_render_man(all, stdout);
		fputs(man_tail, stdout);
	} else {
		fprintf(stderr, "usage: conclave-manual reference | man\n");
		return 2;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
