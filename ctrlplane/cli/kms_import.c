/* Users from a CSV file (RFC 4180 without line breaks inside fields; blanks around fields do not count): all or none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "ctrlplane/cli/kms_state.h"
#include "ctrlplane/keys/hex.h"

#define LINE_MAX_OCTETS 16384
#define MISTAKES_MAX 20

enum column { IDENTITY, PSK_ID, PSK128, PSK256, ACT_FOR, RESPONDERS, RATE, ENABLED, COLUMNS };

static const char *const names[COLUMNS] = {"identity", "psk_id",     "psk128", "psk256",
					   "act_for",  "responders", "rate",   "enabled"};

/* One import under way. */
struct import {
	struct cp_cli_kms *kms;
	const char *path;
	int line, mistakes, added;
	int place[COLUMNS]; /* field of each column; -1: none */
	int field_count;
	FILE *made; /* CSV of the keys that were made, in memory; NULL: none may be */
};

static int
mistake(struct import *import, const char *what, const char *value)
{
	if (import->mistakes++ < MISTAKES_MAX)
		fprintf(stderr, "conclave: %s:%d: %s%s%s\n", import->path, import->line, what,
			value[0] != '\0' ? ": " : "", value);
	return -EINVAL;
}

static void
trim_end(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
}

/* Takes the next field off the line, without quotes or the blanks around it, in place. NULL: none, or a broken one. */
static char *
next_field(char **rest)
{
	char *from = *rest, *to, *field;

	if (from == NULL)
		return NULL;
	from += strspn(from, " \t");
	to = field = from;
	if (*from != '"') {
		*rest = strchr(from, ',');
		if (*rest != NULL)
			*(*rest)++ = '\0';
		trim_end(field);
		return field;
	}
	for (from++; *from != '\0'; from++) {
		if (*from == '"' && from[1] != '"')
			break;
		from += *from == '"';
		*to++ = *from;
	}
	if (*from != '"')
		return NULL;
	from += 1 + strspn(from + 1, " \t");
	if (*from != ',' && *from != '\0')
		return NULL;
	*rest = *from == ',' ? from + 1 : NULL;
	*to = '\0';
	return field;
}

static int
split(char *line, char *fields[COLUMNS], int max)
{
	int count = 0;
	char *field;

	while (line != NULL && count < max) {
		field = next_field(&line);
		if (field == NULL)
			return -EINVAL;
		fields[count++] = field;
	}
	return line == NULL ? count : -EINVAL;
}

static int
read_head(struct import *import, char *line)
{
	char *fields[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		import->place[i] = -1;
	import->field_count = split(line, fields, COLUMNS);
	if (import->field_count < 0)
		return mistake(import, "not a line of columns", "");
	for (int i = 0; i < import->field_count; i++) {
		int column = 0;

		while (column < COLUMNS && strcasecmp(names[column], fields[i]) != 0)
			column++;
		if (column == COLUMNS || import->place[column] >= 0)
			return mistake(import, "no such column, or a second time", fields[i]);
		import->place[column] = i;
	}
	return import->place[IDENTITY] >= 0 ? 0 : mistake(import, "no column identity", "");
}

/* A line of the file. */
struct row {
	struct cp_store_user user;
	char identity[CP_STORE_TEXT_MAX];
	char act_for[LINE_MAX_OCTETS], responders[LINE_MAX_OCTETS];
};

/* Patterns, separated by blanks or ';'. */
static int
read_patterns(struct import *import, char *out, char *text)
{
	char pattern[CP_STORE_TEXT_MAX], *word;
	size_t len = 0;

	out[0] = '\0';
	while ((word = strsep(&text, " ;")) != NULL) {
		if (word[0] == '\0')
			continue;
		if (!cp_cli_kms_identity(pattern, word, true))
			return mistake(import, "not a pattern", word);
		len += (size_t)snprintf(out + len, LINE_MAX_OCTETS - len, "%s%s", len ? "\n" : "",
					pattern);
	}
	return 0;
}

/* In quotes where it must be. */
static void
write_field(FILE *file, const char *text)
{
	bool is_quoted = text[strcspn(text, "\", \t#")] != '\0';

	if (is_quoted)
		fputc('"', file);
	for (; *text != '\0'; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, file);
	if (is_quoted)
		fputc('"', file);
}

static int
read_keys(struct import *import, struct row *row, char *const digits[CP_STORE_SETS])
{
	bool has_key = false;

	for (int i = 0; i < CP_STORE_SETS; i++) {
		row->user.has_psk[i] = digits[i][0] != '\0';
		has_key |= row->user.has_psk[i];
		if (row->user.has_psk[i] &&
		    cp_hex_decode(row->user.psk[i], cp_store_key_octets[i], digits[i]) != 0)
			return mistake(import,
				       i == 0 ? "psk128 wants 32 hexadecimal digits"
					      : "psk256 wants 64 hexadecimal digits",
				       "");
	}
	if (has_key)
		return 0;
	if (import->made == NULL)
		return mistake(import, "no keys, and no --psk-file for new ones", row->identity);
	if (cp_cli_kms_make_keys(&row->user, NULL) != CP_CLI_OK)
		return -EIO;
	write_field(import->made, row->identity);
	fputc(',', import->made);
	write_field(import->made, row->user.psk_id != NULL ? row->user.psk_id : "");
	for (int i = 0; i < CP_STORE_SETS; i++) {
		char text[2 * CP_STORE_KEY_MAX + 1];

		cp_hex_encode(text, row->user.psk[i], cp_store_key_octets[i]);
		fprintf(import->made, ",%s", text);
		explicit_bzero(text, sizeof(text));
	}
	fputc('\n', import->made);
	return 0;
}

static int
read_rest(struct import *import, struct row *row, char *const *field)
{
	char *end;

	row->user.rate = -1;
	row->user.is_enabled = strcasecmp(field[ENABLED], "no") != 0;
	if (strlen(field[PSK_ID]) >= CP_STORE_TEXT_MAX)
		return mistake(import, "not a name of keys", field[PSK_ID]);
	if (row->user.is_enabled && field[ENABLED][0] != '\0' &&
	    strcasecmp(field[ENABLED], "yes") != 0)
		return mistake(import, "enabled is yes or no", field[ENABLED]);
	if (field[RATE][0] != '\0') {
		row->user.rate = strtol(field[RATE], &end, 10);
		if (*end != '\0' || row->user.rate < 0 || row->user.rate > 1000000)
			return mistake(import, "rate is a number up to 1000000", field[RATE]);
	}
	if (read_patterns(import, row->act_for, field[ACT_FOR]) != 0 ||
	    read_patterns(import, row->responders, field[RESPONDERS]) != 0)
		return -EINVAL;
	return 0;
}

static int
read_row(struct import *import, struct row *row, char *line)
{
	char *fields[COLUMNS], *field[COLUMNS];
	static char none[COLUMNS][1];
	int error;

	memset(&row->user, 0, sizeof(row->user));
	memset(none, 0, sizeof(none));
	if (split(line, fields, COLUMNS) != import->field_count)
		return mistake(import, "not as many fields as columns, or a broken quote", "");
	for (int i = 0; i < COLUMNS; i++)
		field[i] = import->place[i] >= 0 ? fields[import->place[i]] : none[i];
	if (!cp_cli_kms_identity(row->identity, field[IDENTITY], false))
		return mistake(import, "not an identity", field[IDENTITY]);
	row->user.identity = row->identity;
	row->user.psk_id = field[PSK_ID][0] != '\0' ? field[PSK_ID] : NULL;
	row->user.act_for = row->act_for;
	row->user.responders = row->responders;
	error = read_rest(import, row, field);
	return error != 0 ? error : read_keys(import, row, &field[PSK128]);
}

static void
add_row(struct import *import, struct row *row, char *line)
{
	int error = read_row(import, row, line);

	if (error == 0 && import->mistakes == 0) {
		error = cp_store_user_add(import->kms->store, &row->user, import->kms->now);
		if (error == -EEXIST)
			mistake(import, "this identity or this name of keys is taken",
				row->identity);
		else if (error != 0)
			mistake(import, cp_store_why(import->kms->store), row->identity);
	} else if (error != 0 && error != -EINVAL) {
		import->mistakes++;
	}
	import->added += error == 0;
	explicit_bzero(&row->user, sizeof(row->user));
}

/* The next line without its end; false: there is none, or one that is not to be had. */
static bool
next_line(struct import *import, char line[LINE_MAX_OCTETS], FILE *file)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, which some programs write */
	size_t len;

	if (fgets(line, LINE_MAX_OCTETS, file) == NULL)
		return false;
	len = strlen(line);
	import->line++;
	if (len == LINE_MAX_OCTETS - 1 && line[len - 1] != '\n') {
		mistake(import, "the line is too long", "");
		return false;
	}
	if (len == 0 || (line[len - 1] != '\n' && !feof(file))) {
		mistake(import, "an octet 0", "");
		return false;
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (import->line == 1 && strncmp(line, mark, 3) == 0)
		memmove(line, line + 3, strlen(line + 3) + 1);
	return true;
}

static void
read_file(struct import *import, FILE *file)
{
	static char line[LINE_MAX_OCTETS];
	static struct row row;
	bool has_head = false;

	while (next_line(import, line, file)) {
		if (line[strspn(line, " \t")] == '\0' || line[0] == '#')
			continue;
		if (has_head)
			add_row(import, &row, line);
		else if (read_head(import, line) != 0)
			break;
		has_head = true;
	}
	if (ferror(file))
		mistake(import, "cannot be read", strerror(errno));
	else if (!has_head && import->mistakes == 0)
		mistake(import, "no line of columns", "");
	explicit_bzero(line, sizeof(line));
}

/* Keys that others can read are no secret. */
static void
warn_of_readers(const struct import *import, FILE *file)
{
	struct stat info;

	if (import->place[PSK128] < 0 && import->place[PSK256] < 0)
		return;
	if (fstat(fileno(file), &info) == 0 && (info.st_mode & 077) != 0)
		fprintf(stderr, "conclave: %s: others than its owner can read the keys in it\n",
			import->path);
}

/* All is in the store but the end of the transaction. */
static int
finish(struct import *import, const char *made, size_t made_len)
{
	struct cp_cli_kms *kms = import->kms;
	const char *path = cp_cli_kms_text(kms, "psk_file");
	int status = CP_CLI_OK;

	if (import->mistakes > MISTAKES_MAX)
		cp_cli_kms_fail("and %d more", import->mistakes - MISTAKES_MAX);
	if (import->mistakes > 0)
		status = cp_cli_kms_fail("nothing was imported");
	else if (path != NULL)
		status = cp_cli_kms_write(kms, path, made, made_len);
	if (status != CP_CLI_OK) {
		cp_store_rollback(kms->store);
		return status;
	}
	status = cp_cli_kms_commit(kms, NULL, 0);
	if (status != CP_CLI_OK)
		return status;
	return cp_cli_kms_print(kms, json_pack("{s:i}", "imported", import->added));
}

int
cp_cli_kms_import(struct cp_cli_kms *kms)
{
	struct import import = {.kms = kms, .path = cp_cli_kms_text(kms, "file")};
	char *made = NULL;
	size_t made_len = 0;
	FILE *file = fopen(import.path, "r");
	int status;

	if (file == NULL)
		return cp_cli_kms_fail("%s: %s", import.path, strerror(errno));
	if (cp_cli_kms_text(kms, "psk_file") != NULL) {
		import.made = open_memstream(&made, &made_len);
		if (import.made != NULL)
			fputs("identity,psk_id,psk128,psk256\n", import.made);
	}
	if (cp_store_begin(kms->store) != 0) {
		status = cp_cli_kms_fail("%s: %s", kms->store_path, cp_store_why(kms->store));
	} else {
		read_file(&import, file);
		warn_of_readers(&import, file);
		if (import.made != NULL)
			fflush(import.made);
		status = finish(&import, made, made_len);
	}
	fclose(file);
	if (import.made != NULL)
		fclose(import.made);
	if (made != NULL)
		explicit_bzero(made, made_len);
	free(made);
	return status;
}
