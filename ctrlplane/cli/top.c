/* The command "top": asks once a while, draws over what stood there, reads keys. */
#include "ctrlplane/cli/top.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "ctrlplane/cli/client.h"

#define ASK_MS 5000
#define ENTER "\033[?1049h\033[?25l" /* another screen, no cursor */
#define LEAVE "\033[?25h\033[?1049l"

static volatile sig_atomic_t was_interrupted;

/* The terminal while it is ours. */
struct screen {
	bool is_tty; /* stdout is one: pictures are drawn over each other */
	bool has_keys;
	struct termios before;
};

static void
on_signal(int number)
{
	if (number != SIGWINCH)
		was_interrupted = 1;
}

/* Signals end a poll; none of them ends the program while the terminal is not as it was. */
static void
catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
	struct sigaction action = {.sa_handler = on_signal};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

static void
enter(struct screen *screen, const struct cp_cli *cli)
{
	struct termios raw;

	*screen = (struct screen){.is_tty = isatty(STDOUT_FILENO) && !cli->is_json};
	screen->has_keys = screen->is_tty && tcgetattr(STDIN_FILENO, &screen->before) == 0;
	catch_signals();
	if (screen->has_keys) {
		raw = screen->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	if (screen->is_tty)
		fputs(ENTER, stdout);
}

static void
leave(const struct screen *screen)
{
	if (screen->has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
	if (screen->is_tty)
		fputs(LEAVE, stdout);
	fflush(stdout);
}

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A new picture. The exit status; what went wrong is kept as text, and its JSON in failed. */
static int
look(struct cp_top *top, const struct cp_cli *cli, double *looked, struct cp_cli_answer *failed)
{
	const char *socket = cp_cli_socket(cli->socket);
	struct cp_cli_answer node, list;
	double now;

	cp_cli_ask(&node, socket, &cp_commands[CP_COMMAND_NODE_SHOW], cli->params, ASK_MS);
	if (node.status != 200) {
		json_decref(failed->json);
		*failed = node;
		snprintf(top->why, sizeof(top->why), "%.250s",
			 node.status == 0 ? node.why : "the node does not answer as it should");
		return node.status == 0 ? CP_CLI_UNREACHABLE : CP_CLI_FAILED;
	}
	cp_cli_ask(&list, socket, &cp_commands[CP_COMMAND_CONFERENCE_LIST], cli->params, ASK_MS);
	now = seconds_now();
	json_decref(top->before);
	top->before = top->node;
	top->node = node.json;
	json_decref(top->conferences);
	top->conferences = json_incref(json_object_get(list.json, "conferences"));
	json_decref(list.json);
	top->seconds = now - *looked;
	*looked = now;
	top->why[0] = '\0';
	return CP_CLI_OK;
}

static void
print_json_line(const struct cp_top *top)
{
	char at[32];
	time_t now = time(NULL);
	struct tm parts;
	json_t *json;

	gmtime_r(&now, &parts);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &parts);
	json = json_pack("{s:s, s:O, s:O?, s:o}", "at", at, "node", top->node, "conferences",
			 top->conferences, "rates", cp_top_rates(top));
	json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10));
	fputc('\n', stdout);
	json_decref(json);
}

/* Over what stood there before, without a blank screen in between. */
static void
draw(struct cp_top *top, const struct cp_cli *cli, const struct screen *screen)
{
	struct cp_cli_out out = cp_cli_stdout();
	char *page = NULL, *rest, *line;
	struct winsize size;
	size_t len = 0, left;

	if (cli->is_json) {
		print_json_line(top);
	} else if (!screen->is_tty) {
		cp_top_print(top, &out);
		fputc('\n', stdout);
	} else {
		top->lines = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0
				     ? size.ws_row
				     : 24;
		out.file = open_memstream(&page, &len);
		if (out.file == NULL)
			return;
		cp_top_print(top, &out);
		fclose(out.file);
		fputs("\033[H", stdout);
		rest = page;
		for (left = top->lines; left > 1 && (line = strsep(&rest, "\n")) != NULL; left--)
			printf("%s\033[K\n", line);
		printf("\033[J\033[7mq quit  p participants  t talkers  n name  a age  space "
		       "pause\033[0m\033[K");
		free(page);
	}
	fflush(stdout);
}

/* true: it is the end. */
static bool
take_key(struct cp_top *top, char key)
{
	switch (key) {
	case 'q':
	case 'Q':
	case 3: /* Ctrl-C, where the terminal does not make a signal of it */
		return true;
	case 'p':
		top->sort = CP_TOP_BY_PARTICIPANTS;
		break;
	case 't':
		top->sort = CP_TOP_BY_TALKERS;
		break;
	case 'n':
		top->sort = CP_TOP_BY_NAME;
		break;
	case 'a':
		top->sort = CP_TOP_BY_AGE;
		break;
	case ' ':
		top->is_paused = !top->is_paused;
		break;
	default:
		break;
	}
	return false;
}

/* Until then; keys and another size of the terminal are answered at once. false: it is the end. */
static bool
wait_until(struct cp_top *top, const struct cp_cli *cli, const struct screen *screen, double end)
{
	struct pollfd keys = {.fd = screen->has_keys ? STDIN_FILENO : -1, .events = POLLIN};

	for (double left = end - seconds_now(); left > 0; left = end - seconds_now()) {
		int ready = poll(&keys, 1, (int)(left * 1000) + 1);
		char key;

		if (was_interrupted)
			return false;
		if (ready > 0) {
			if (read(STDIN_FILENO, &key, 1) != 1 || take_key(top, key))
				return false;
		}
		if (ready > 0 || (ready < 0 && errno == EINTR))
			draw(top, cli, screen);
	}
	return !was_interrupted;
}

static enum cp_top_sort
sort_of(const struct cp_cli *cli)
{
	static const char *const names[] = {"participants", "talkers", "name", "age"};
	const char *wanted = json_string_value(json_object_get(cli->params, "sort"));

	for (enum cp_top_sort s = 0; wanted != NULL && s < CP_TOP_SORTS; s++)
		if (strcmp(names[s], wanted) == 0)
			return s;
	return CP_TOP_BY_PARTICIPANTS;
}

int
cp_cli_top(const struct cp_cli *cli)
{
	long long seconds = json_integer_value(json_object_get(cli->params, "for"));
	const json_t *every = json_object_get(cli->params, "every");
	double step = every != NULL ? (double)json_integer_value(every) : 1;
	double begin = seconds_now(), looked = 0, next = begin;
	struct cp_top top = {.sort = sort_of(cli)};
	struct cp_cli_answer failed = {0};
	struct screen screen;
	int status = look(&top, cli, &looked, &failed);

	if (status != CP_CLI_OK)
		return cp_cli_report(cli, &failed);
	enter(&screen, cli);
	do {
		if (status == CP_CLI_OK || screen.is_tty)
			draw(&top, cli, &screen);
		next += step;
		if ((status != CP_CLI_OK && !screen.is_tty) || ferror(stdout) ||
		    (seconds > 0 && next - begin >= (double)seconds))
			break;
		if (!wait_until(&top, cli, &screen, next))
			break;
		if (!top.is_paused)
			status = look(&top, cli, &looked, &failed);
	} while (true);
	leave(&screen);
	json_decref(top.node);
	json_decref(top.before);
	json_decref(top.conferences);
	if (status != CP_CLI_OK && !screen.is_tty)
		return cp_cli_report(cli, &failed);
	json_decref(failed.json);
	return CP_CLI_OK;
}
