/* The list of commands as tables, for the HTTP API and for the CLI. */
#ifndef CP_MGMT_COMMANDS_H
#define CP_MGMT_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cp_command_id {
#define CP_COMMAND(id, ...) CP_COMMAND_##id,
#include "ctrlplane/mgmt/commands.list"
	CP_COMMAND_COUNT
};

enum cp_param_kind {
	CP_PARAM_TEXT,	 /* min and max: octets */
	CP_PARAM_LINES,	 /* the same, of one line or more */
	CP_PARAM_TEXTS,	 /* a list of texts */
	CP_PARAM_NUMBER, /* whole, min to max */
	CP_PARAM_REAL,	 /* min to max */
	CP_PARAM_FLAG,	 /* true or false; as an option its presence is true */
	CP_PARAM_CHOICE, /* one of choices */
	CP_PARAM_TIME,	 /* RFC 3339; with min 0 it may be empty */
	CP_PARAM_PEOPLE, /* a list of URIs, or of objects with uri and role */
	CP_PARAM_FLOORS, /* a list of floors, see floor_list.h */
	CP_PARAM_FILE,	 /* text of many lines; for the CLI the name of its file */
};

enum cp_param_place {
	CP_PLACE_PATH,
	CP_PLACE_WORD,
	CP_PLACE_MAYBE,
	CP_PLACE_BODY,
	CP_PLACE_QUERY,
	CP_PLACE_OPTION,
};

struct cp_param {
	enum cp_command_id command;
	const char *name;
	enum cp_param_kind kind;
	enum cp_param_place place;
	int64_t min, max;
	const char *choices; /* each with its NUL, the last with two; NULL: none */
	const char *label;   /* what stands for it in the usage */
	const char *text;
};

struct cp_command {
	enum cp_command_id id;
	const char *noun;
	const char *verb;   /* empty: the noun alone is the command */
	const char *method; /* "LOCAL": no route */
	const char *path;   /* "/v1/conferences/{conference}" */
	const char *text;
};

extern const struct cp_command cp_commands[CP_COMMAND_COUNT];

/* The parameters of a command stand together: count of them at the result. */
const struct cp_param *cp_command_params(enum cp_command_id id, size_t *count);

bool cp_command_is_local(const struct cp_command *command);

/* It is a word of the command line, not an option. */
bool cp_param_is_word(const struct cp_param *param);
/* It is a member of the body. */
bool cp_param_is_member(const struct cp_param *param);
/* Its value is a list: it may be given several times. */
bool cp_param_is_list(const struct cp_param *param);

#endif
