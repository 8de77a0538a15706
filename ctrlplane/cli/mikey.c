/* "mikey show": where the message comes from, and how the tree is printed. */
#include "ctrlplane/cli/mikey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctrlplane/cli/mikey_state.h"
#include "ctrlplane/keys/secret.h"

#define INPUT_MAX 262144 /* octets of a file */

static int
fail(const char *what, const char *why)
{
	fprintf(stderr, "conclave: %s: %s\n", what, why);
	return CP_CLI_FAILED;
}

/* A file, standard input for "-", or the word itself where no file is called so. */
static int
find_messages(struct cp_cli_mikey_input inputs[CP_CLI_MIKEY_MAX], const char *word)
{
	FILE *file = strcmp(word, "-") == 0 ? stdin : fopen(word, "rb");
	uint8_t *text;
	size_t len;
	int count;

	if (file == NULL)
		return cp_cli_mikey_find(inputs, (const uint8_t *)word, strlen(word));
	text = malloc(INPUT_MAX);
	if (text == NULL) {
		count = -ENOMEM;
	} else {
		len = fread(text, 1, INPUT_MAX, file);
		count = cp_cli_mikey_find(inputs, text, len);
	}
	free(text);
	if (file != stdin)
		fclose(file);
	return count;
}

static void print_object(json_t *object, int depth, bool is_item);

/* name and value in a line; what is a list or an object, one step further in below its name. */
static void
print_node(json_t *node, const char *name, int depth)
{
	bool is_flat = true;
	json_t *item;
	size_t i;

	printf("%*s", 2 * depth, "");
	if (json_is_string(node)) {
		printf("%-16s %s\n", name, json_string_value(node));
	} else if (json_is_integer(node)) {
		printf("%-16s %lld\n", name, (long long)json_integer_value(node));
	} else if (json_is_boolean(node)) {
		printf("%-16s %s\n", name, json_is_true(node) ? "yes" : "no");
	} else if (json_is_object(node)) {
		printf("%s\n", name);
		print_object(node, depth + 1, false);
	} else {
		json_array_foreach (node, i, item)
			is_flat &= !json_is_object(item);
		printf("%-*s", is_flat ? 16 : 0, name);
		json_array_foreach (node, i, item)
			if (is_flat)
				printf(" %lld", (long long)json_integer_value(item));
		printf("%s\n", json_array_size(node) == 0 ? " -" : "");
		json_array_foreach (node, i, item)
			if (!is_flat)
				print_object(item, depth + 1, true);
	}
}

/* An item of a list stands under its first value. */
static void
print_object(json_t *object, int depth, bool is_item)
{
	const char *name;
	json_t *value;

	json_object_foreach (object, name, value) {
		print_node(value, name, depth);
		if (is_item)
			depth++;
		is_item = false;
	}
}

/* One message: its tree, and what its keys say. */
static json_t *
examine(const struct cp_cli *cli, const struct cp_cli_mikey_input *input,
	const struct cp_cli_mikey_input *initial, bool *holds)
{
	const char *path = json_string_value(json_object_get(cli->params, "keys"));
	struct cp_cli_mikey_keys keys = {
		.reveal = json_is_true(json_object_get(cli->params, "reveal"))};
	struct cp_mikey_msg *msgs = calloc(2, sizeof(*msgs));
	enum cp_mikey_set set;
	json_t *tree;
	int error = 0;

	if (msgs == NULL)
		return NULL;
	tree = cp_cli_mikey_tree(&msgs[0], cp_mikey_octets(input->octets, input->len));
	if (json_object_get(tree, "error") != NULL)
		*holds = false;
	if (initial->octets != NULL &&
	    cp_mikey_msg_decode(&msgs[1], cp_mikey_octets(initial->octets, initial->len)) < 0) {
		fail("--initial", "is no message that can be parsed");
		*holds = false;
	} else if (path != NULL && *holds && cp_mikey_set_of_prf(&set, msgs[0].prf) == 0) {
		error = cp_cli_mikey_keys_read(&keys, path, set);
		if (error == 0)
			json_object_set_new(
				tree, "with keys",
				cp_cli_mikey_examine(&msgs[0],
						     initial->octets != NULL ? &msgs[1] : NULL,
						     &keys, holds));
		else
			fail(path, error == -EINVAL
					   ? "a key is not of 16 or 32 octets in hexadecimal"
					   : strerror(-error));
		*holds &= error == 0;
	}
	cp_cli_mikey_keys_wipe(&keys);
	free(msgs);
	return tree;
}

/* All messages that were found. */
static int
show(const struct cp_cli *cli, const struct cp_cli_mikey_input *inputs, int count,
     const struct cp_cli_mikey_input *initial)
{
	json_t *all = json_array(), *tree;
	bool holds = true;
	size_t i;

	for (int n = 0; n < count; n++)
		json_array_append_new(all, examine(cli, &inputs[n], initial, &holds));
	if (cli->is_json) {
		json_dumpf(count == 1 ? json_array_get(all, 0) : all, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		json_array_foreach (all, i, tree) {
			if (i > 0)
				putchar('\n');
			print_object(tree, 0, false);
		}
	}
	json_decref(all);
	return holds ? CP_CLI_OK : CP_CLI_FAILED;
}

int
cp_cli_mikey(const struct cp_cli *cli)
{
	const char *word = json_string_value(json_object_get(cli->params, "message"));
	const char *first = json_string_value(json_object_get(cli->params, "initial"));
	struct cp_cli_mikey_input inputs[CP_CLI_MIKEY_MAX], initial[CP_CLI_MIKEY_MAX] = {{NULL, 0}};
	int count = find_messages(inputs, word), initials = 0, status;

	if (count < 0)
		return fail(strlen(word) < 64 ? word : "the message",
			    "is neither a file nor base64, hexadecimal or an SDP body with MIKEY");
	if (first != NULL)
		initials = find_messages(initial, first);
	if (initials < 0)
		status =
			fail("--initial",
			     "is neither a file nor base64, hexadecimal or an SDP body with MIKEY");
	else
		status = show(cli, inputs, count, &initial[0]);
	cp_cli_mikey_drop(inputs, (size_t)count);
	cp_cli_mikey_drop(initial, initials > 0 ? (size_t)initials : 0);
	return status;
}
