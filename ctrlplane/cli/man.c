/* conclave(1) in troff, from commands.list. */
#include <string.h>
#include "ctrlplane/cli/help.h"
#include "ctrlplane/cli/words.h"

static void
escape(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == '\\')
			fputc('\\', out);
		fputc(*text == '\\' ? 'e' : *text, out);
	}
}

static void
print_params(const struct cp_command *command, FILE *out)
{
	size_t count;
	const struct cp_param *params = cp_command_params(command->id, &count);

	if (count == 0)
		return;
	fputs(".RS\n", out);
	for (size_t i = 0; i < count; i++) {
		bool is_word = cp_param_is_word(&params[i]);
		char name[64];

		cp_cli_option_name(name, sizeof(name), &params[i]);
		fputs(".TP\n", out);
		if (is_word) {
			fprintf(out, ".I %s\n", params[i].label);
		} else {
			fputs(".BR \\-\\-", out);
			escape(name, out);
			fprintf(out, params[i].label != NULL ? " \" \\fI%s\\fR\"\n" : "%s\n",
				params[i].label != NULL ? params[i].label : "");
		}
		escape(params[i].text, out);
		fputs(".\n", out);
	}
	fputs(".RE\n", out);
}

static void
print_commands(FILE *out)
{
	fputs(".SH COMMANDS\n.ds AD l\n.ad l\n", out); /* long paths have no place to break */
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		char usage[160];

		cp_cli_usage(&cp_commands[i], usage, sizeof(usage));
		fputs(".TP\n.B ", out);
		escape(usage, out);
		fputc('\n', out);
		escape(cp_commands[i].text, out);
		fputs(".\n", out);
		if (!cp_command_is_local(&cp_commands[i])) {
			fputs("Over HTTP:\n.BR ", out);
			escape(cp_commands[i].method, out);
			fputs(" \" ", out);
			escape(cp_commands[i].path, out);
			fputs("\" .\n", out);
		}
		print_params(&cp_commands[i], out);
	}
}

static const char tail[] =
	".SH OPTIONS\n"
	".TP\n.BR \\-\\-socket \" \\fIPATH\\fR\"\n"
	"The Unix socket of the API.\n"
	".TP\n.B \\-\\-json\n"
	"Print the answer as JSON: that of the API, or the problem document of an error (RFC "
	"9457).\n"
	".TP\n.BR \\-h \", \" \\-\\-help\n"
	"Explain a command.\n"
	".TP\n.B \\-\\-version\n"
	"Print the version.\n"
	".SH HTTP API\n"
	"Every command that names a method and a path is a request of the API. The API listens on "
	"a Unix socket, and on\n"
	"loopback TCP where\n.B http.listen\nsays so. Members of the body have the names of the "
	"options with '_' for\n"
	"\\(aq\\-\\(aq. A body needs\n.BR \"Content-Type: application/json\" .\n"
	"Errors are problem documents with type, title, status, detail, instance, and errors "
	"(pointer, detail) where the\n"
	"request had mistakes.\n"
	"The description of the API for programs is the OpenAPI document at\n"
	".BR /v1/openapi.json .\n"
	".PP\n"
	"On TCP, where\n.B http.tokens\nnames a file, a request shows a bearer token that\n"
	".B conclave token create\nmade; its role and the identity that it stands for decide what "
	"it may. The Unix socket is guarded by its mode.\n"
	".PP\n"
	"Live events are server-sent events:\n.B /v1/events\nand\n"
	".BR /v1/conferences/{conference}/events .\n"
	"A stream begins with\n.BR hello ,\nwhose\n.I complete\nis false when events since\n"
	".B Last\\-Event\\-ID\nwere missed. It ends with\n.B end\nand a reason:\n"
	".BR slow\\-reader ,\n.B token\\-removed\nor\n.BR server\\-stops .\n"
	".PP\n.nf\ncurl \\-\\-unix\\-socket /run/conclave/api.sock "
	"http://localhost/v1/conferences\n.fi\n"
	".SH EXIT STATUS\n"
	".TP\n.B 0\nDone.\n"
	".TP\n.B 1\nRefused by the node, or failed;\n.B conclave doctor\nfound something to mend.\n"
	".TP\n.B 2\nWrong usage: nothing was asked of the node.\n"
	".TP\n.B 3\nThe node cannot be reached.\n"
	".SH ENVIRONMENT\n"
	".TP\n.B CONCLAVE_SOCKET\nThe Unix socket of the API when\n.B \\-\\-socket\nis not given.\n"
	".TP\n.B CONCLAVE_URL\nAsk the API here, e.g. http://127.0.0.1:8480, in place of the "
	"socket.\n"
	".TP\n.B CONCLAVE_TOKEN\nThe bearer token to show.\n"
	".TP\n.B NO_COLOR\nWhen set, no colours.\n"
	".SH FILES\n"
	".TP\n.I /etc/conclave/tokens\nBearer tokens, where\n.B http.tokens\nnames it so.\n"
	".TP\n.I /run/conclave/api.sock\nThe API's socket.\n"
	".TP\n.I /etc/conclave/conclave.yaml\nThe configuration; see\n.BR conclave.yaml (5).\n"
	".SH SEE ALSO\n"
	".BR conclave\\-cp (8),\n.BR conclave\\-dp (8),\n.BR conclave\\-kms (8),\n"
	".BR conclave.yaml (5)\n";

void
cp_cli_man(FILE *out)
{
	fprintf(out, ".TH CONCLAVE 1 \"\" \"conclave %s\" \"Conclave\"\n", CONCLAVE_VERSION);
	fputs(".SH NAME\nconclave \\- operate a Conclave conference node\n"
	      ".SH SYNOPSIS\n.B conclave\n.RI [ COMMAND ]\n.RI [ OPTIONS ]\n"
	      ".SH DESCRIPTION\n"
	      "Shows and changes what runs on a node: conferences, participants, workers. It is a "
	      "client of the HTTP API of\n"
	      ".BR conclave\\-cp (8).\n"
	      "Without a command it shows the status. Tables fit the terminal; for scripts "
	      "use\n.BR \\-\\-json .\n",
	      out);
	print_commands(out);
	fputs(tail, out);
}
