/* conclave-ue's help and its manual page, both from the table of options. */
#include <stdio.h>
#include <string.h>
#include "bench/load/options_state.h"

#define SAME_LINE 32 /* columns of an option before its text */

static const char about[] =
	"Calls the conference URI (sip:NAME@HOST[:PORT]), or waits to be called, sends sound as "
	"SRTP "
	"with keys\nof its own (SDES, or MIKEY-TICKET with --kms), hears, hangs up, and prints one "
	"line of JSON for what it\nsaw. With --count it plays many participants and prints one "
	"line "
	"for all.\n";

static const struct {
	int code;
	const char *text;
} codes[] = {
	{0, "all went well"},
	{1, "something expected was not heard"},
	{2, "a mistake in the command"},
	{3, "a participant was not admitted, or an answer was of no use"},
	{4, "could not start"},
};

static const struct {
	const char *name, *text;
} about_itself[] = {
	{"help", "all options"},
	{"man", "the same as a manual page (troff)"},
	{"version", "the version"},
};

static const char *const examples[] = {
	"conclave-ue --tone 400 --expect 500,600 --expect-heard --for 10 sip:demo@127.0.0.1:5060",
	"conclave-ue --kms http://127.0.0.1:8643 --psk-file alice.psk --rekey-at 5 --for 10 "
	"sip:demo@127.0.0.1:5060",
	"conclave-ue --kms http://127.0.0.1:8643 --psk-file bob.psk --listen 5070",
	"conclave-ue --count 300 --per-conference 3 --rate 100 --for 30 --expect-heard "
	"sip:c%d@192.0.2.1",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Columns of a text in UTF-8. */
static int
columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void
line_print(const char *name, const char *value, const char *text)
{
	int used = 5 + columns(name) + columns(value);

	printf("  --%s %s%*s%s\n", name, value, used < SAME_LINE ? SAME_LINE - used : 1, "", text);
}

void
ue_help_print(void)
{
	printf("Usage: conclave-ue [OPTION…] URI\n       conclave-ue [OPTION…] --listen PORT\n\n%s",
	       about);
	for (size_t i = 0; i < ue_option_count; i++) {
		const struct ue_option *row = &ue_option_table[i];

		if (row->take)
			line_print(row->name, row->value ? row->value : "", row->text);
		else
			printf("\n%s\n", row->name);
	}
	for (size_t i = 0; i < COUNT(about_itself); i++)
		line_print(about_itself[i].name, "", about_itself[i].text);
	printf("\nTones on multiples of 50 Hz are told apart best. Levels are in dBov: 0 is a "
	       "square wave at full scale.\nSignals: SIGINT and SIGTERM hang up and print; SIGUSR1 "
	       "re-keys all calls, as --rekey-at does.\nExit:");
	for (size_t i = 0; i < COUNT(codes); i++)
		printf(" %d %s%s", codes[i].code, codes[i].text,
		       i + 1 < COUNT(codes) ? ";" : ".\nExamples:\n");
	for (size_t i = 0; i < COUNT(examples); i++)
		printf("  %s\n", examples[i]);
}

/* Text for troff: hyphens as such, and in ASCII. */
static void
troff(const char *text)
{
	static const char dots[] = "…";

	for (; *text; text++) {
		if (strncmp(text, dots, sizeof(dots) - 1) == 0) {
			printf("...");
			text += sizeof(dots) - 2;
			continue;
		}
		if (*text == '-' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

void
ue_man_print(void)
{
	printf(".TH CONCLAVE\\-UE 1 \"\" \"conclave %s\" \"Conclave\"\n.SH NAME\n"
	       "conclave\\-ue \\- a scriptable participant, or thousands\n.SH SYNOPSIS\n"
	       ".B conclave\\-ue\n.RI [ OPTION ...]\n.I URI\n.br\n.B conclave\\-ue\n.RI [ OPTION "
	       "...]\n"
	       ".B \\-\\-listen\n.I PORT\n.SH DESCRIPTION\n",
	       CONCLAVE_VERSION);
	troff(about);
	printf(".SH OPTIONS\n");
	for (size_t i = 0; i < ue_option_count; i++) {
		const struct ue_option *row = &ue_option_table[i];

		printf(row->take ? ".TP\n.BI \\-\\-" : ".SS ");
		troff(row->name);
		if (row->take && row->value) {
			printf(" \" ");
			troff(row->value);
			printf("\"");
		}
		putchar('\n');
		if (row->take) {
			troff(row->text);
			putchar('\n');
		}
	}
	for (size_t i = 0; i < COUNT(about_itself); i++)
		printf(".TP\n.B \\-\\-%s\n%s\n", about_itself[i].name, about_itself[i].text);
	printf(".SH SIGNALS\n.TP\nSIGINT, SIGTERM\nHang up and print.\n.TP\nSIGUSR1\nRe\\-key all "
	       "calls, as \\-\\-rekey\\-at does.\n");
	printf(".SH EXIT STATUS\n");
	for (size_t i = 0; i < COUNT(codes); i++)
		printf(".TP\n%d\n%s\n", codes[i].code, codes[i].text);
	printf(".SH EXAMPLES\n.nf\n");
	for (size_t i = 0; i < COUNT(examples); i++) {
		troff(examples[i]);
		putchar('\n');
	}
	printf(".fi\n.SH SEE ALSO\n.BR conclave (1),\n.BR conclave\\-cp (8),\n.BR conclave\\-dp "
	       "(8)\n");
}
