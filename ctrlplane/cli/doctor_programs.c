/* The doctor's look at the programs: configuration, control plane, media plane, SIP port. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ctrlplane/cli/client.h"
#include "ctrlplane/cli/doctor.h"

#define ASK_MS 3000
#define SIP_PORT 5060

extern char **environ;

/* The program beside our own, else by PATH. */
static void
find_program(const char *name, char *path, size_t size)
{
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	snprintf(path, size, "%s", name);
	if (len < 0)
		return;
	own[len] = '\0';
	slash = strrchr(own, '/');
	if (slash == NULL)
		return;
	snprintf(slash + 1, sizeof(own) - (size_t)(slash + 1 - own), "%s", name);
	if (access(own, X_OK) == 0)
		snprintf(path, size, "%s", own);
}

/* Run "PROGRAM --check --config FILE". Exit status, or -1 when it did not run; its last line of errors. */
static int
run_check(const char *program, const char *config, char *line, size_t size)
{
	char path[PATH_MAX], text[4096];
	char *const argv[] = {path, "--check", "--config", (char *)config, NULL};
	posix_spawn_file_actions_t actions;
	int ends[2], status = -1;
	size_t used = 0;
	ssize_t got;
	pid_t pid;

	line[0] = '\0';
	find_program(program, path, sizeof(path));
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	if (posix_spawnp(&pid, path, &actions, NULL, argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while (pid > 0 && used < sizeof(text) - 1 &&
	       (got = read(ends[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)got;
	close(ends[0]);
	text[used] = '\0';
	snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return -1;
}

static void
check_config(struct cp_doctor *doctor, const char *program)
{
	char line[400], mend[PATH_MAX + 64];
	int status;

	if (doctor->config == NULL)
		return;
	status = run_check(program, doctor->config, line, sizeof(line));
	snprintf(mend, sizeof(mend), "%s --check --config %s lists all", program, doctor->config);
	if (status == 0)
		cp_doctor_find(doctor, CP_FINDING_OK, "configuration", NULL, "%s takes %s", program,
			       doctor->config);
	else if (status == 127 || status < 0)
		cp_doctor_find(doctor, CP_FINDING_FAIL, "configuration",
			       "./run install, or put it beside conclave", "%s cannot be run",
			       program);
	else
		cp_doctor_find(doctor, CP_FINDING_FAIL, "configuration", mend, "%s", line);
}

/* Whether the port can be bound for UDP and TCP on all addresses. */
static bool
is_port_free(uint16_t port)
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};

	for (size_t i = 0; i < 2; i++) {
		int fd = socket(AF_INET, types[i] | SOCK_CLOEXEC, 0);
		int on = 1;
		bool is_bound;

		if (types[i] == SOCK_STREAM)
			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		is_bound = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
		close(fd);
		if (!is_bound)
			return false;
	}
	return true;
}

static void
check_node(struct cp_doctor *doctor)
{
	struct cp_cli_answer answer;
	const char *detail;

	cp_cli_ask(&answer, doctor->socket, &cp_commands[CP_COMMAND_HEALTH], NULL, ASK_MS);
	if (answer.status == 0) {
		cp_doctor_find(doctor, CP_FINDING_NOTE, "control plane",
			       "systemctl start conclave-dp conclave-cp", "not running: %s",
			       answer.why);
		if (!is_port_free(SIP_PORT))
			cp_doctor_find(doctor, CP_FINDING_FAIL, "SIP port",
				       "ss -ulpnt 'sport = 5060' names the program; stop it, or "
				       "set sip.listen",
				       "another program has port 5060");
		else
			cp_doctor_find(doctor, CP_FINDING_OK, "SIP port", NULL, "5060 is free");
	} else if (answer.status == 200) {
		cp_doctor_find(doctor, CP_FINDING_OK, "control plane", NULL, "answers on %s",
			       doctor->socket);
		cp_doctor_find(doctor, CP_FINDING_OK, "media plane", NULL, "connected");
	} else {
		detail = json_string_value(json_object_get(answer.json, "detail"));
		cp_doctor_find(doctor, CP_FINDING_FAIL, "media plane",
			       "systemctl start conclave-dp; journalctl -u conclave-dp", "%s",
			       detail != NULL ? detail : "not healthy");
	}
	json_decref(answer.json);
}

void
cp_doctor_programs(struct cp_doctor *doctor)
{
	check_config(doctor, "conclave-dp");
	check_config(doctor, "conclave-cp");
	check_node(doctor);
}
