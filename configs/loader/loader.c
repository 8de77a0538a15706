/*
 * Walks a YAML document along the tables of options. libyaml's document API gives nodes with lines;
 * the tables bound the walk in depth, NODES_MAX bounds it in length (an alias may name a long list
 * many times over).
 */
#include "configs/loader/loader.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "configs/loader/nearest.h"
#include "configs/loader/value.h"

#define FILE_OCTETS_MAX (4 << 20)
#define NODES_MAX 200000
#define NAME_MAX_OCTETS 160

/* One load under way. */
struct load {
	const char *path;
	struct conf_errors *errors;
	yaml_document_t *doc;
	size_t nodes; /* visited */
};

/* Where in the tables the walk is: a mapping whose keys are the options that begin with prefix. */
struct place {
	const struct conf_option *options;
	char *into;
	int *lines;
	const char *name;   /* for errors: "media" or "conferences[2]" */
	const char *prefix; /* within options, ends with '.' unless empty */
};

static void read_value(struct load *load, const struct place *place,
		       const struct conf_option *option, const yaml_node_t *node);
static void fill_scalars(struct load *load, const struct place *place);
static void complete(struct load *load, const struct place *place, int line);

static int
line_of(const yaml_node_t *node)
{
	return (int)node->start_mark.line + 1;
}

static const char *
kind_of(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping";
	default:
		return "a single value";
	}
}

static const char *
text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* Empty, ~ and null say: no value, that is, the default. */
static bool
is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (text_of(node)[0] == '\0' || strcmp(text_of(node), "~") == 0 ||
		strcmp(text_of(node), "null") == 0);
}

static bool
is_too_long(struct load *load, const yaml_node_t *node)
{
	if (++load->nodes == NODES_MAX)
		conf_error(load->errors, load->path, line_of(node),
			   "more than %d values; split the configuration", NODES_MAX);
	return load->nodes >= NODES_MAX;
}

static void
name_option(const struct place *place, const char *path, char *name)
{
	snprintf(name, NAME_MAX_OCTETS, "%s%s%s", place->name, path[0] != '\0' ? "." : "", path);
}

static void
read_scalar(struct load *load, const struct place *place, const struct conf_option *option,
	    const yaml_node_t *node)
{
	bool is_quoted = node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	char why[320], name[NAME_MAX_OCTETS];

	name_option(place, option->path, name);
	if (strlen(text_of(node)) != node->data.scalar.length)
		conf_error(load->errors, load->path, line_of(node),
			   "'%s' has a NUL character in it", name);
	else if (is_quoted && (option->kind == CONF_BOOL || option->kind == CONF_INT))
		conf_error(load->errors, load->path, line_of(node),
			   "'%s' is in quotes, which makes it a string; write it without", name);
	else if (!conf_value_parse(option, text_of(node), place->into + option->offset, why,
				   sizeof(why)))
		conf_error(load->errors, load->path, line_of(node), "'%s' %s", name, why);
}

static void
read_strings(struct load *load, const struct place *place, const struct conf_option *option,
	     const yaml_node_t *node)
{
	struct conf_strings *strings = (void *)(place->into + option->offset);
	size_t max = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	char name[NAME_MAX_OCTETS];

	name_option(place, option->path, name);
	strings->items = calloc(max + 1, sizeof(*strings->items));
	strings->lines = calloc(max + 1, sizeof(*strings->lines));
	for (size_t i = 0; i < max && strings->items != NULL && strings->lines != NULL; i++) {
		const yaml_node_t *item =
			yaml_document_get_node(load->doc, node->data.sequence.items.start[i]);

		if (is_too_long(load, item))
			return;
		if (item->type != YAML_SCALAR_NODE || is_null(item) ||
		    strlen(text_of(item)) != item->data.scalar.length) {
			conf_error(load->errors, load->path, line_of(item),
				   "'%s' is a list of strings; this is %s", name,
				   is_null(item) ? "empty" : kind_of(item));
			continue;
		}
		strings->items[strings->count] = strdup(text_of(item));
		if (strings->items[strings->count] != NULL)
			strings->lines[strings->count++] = line_of(item);
	}
}

static void read_mapping(struct load *load, const struct place *place, const yaml_node_t *node);

static void
read_object(struct load *load, const struct conf_option *option, const char *name, void *into,
	    const yaml_node_t *node)
{
	size_t fields = 0;
	int *lines;
	struct place inner = {.options = option->fields, .into = into, .name = name, .prefix = ""};

	while (option->fields[fields].path != NULL)
		fields++;
	lines = calloc(fields + 1, sizeof(*lines));
	if (lines == NULL)
		return;
	inner.lines = lines;
	fill_scalars(load, &inner);
	read_mapping(load, &inner, node);
	complete(load, &inner, line_of(node));
	free(lines);
}

static void
read_objects(struct load *load, const struct place *place, const struct conf_option *option,
	     const yaml_node_t *node)
{
	struct conf_objects *objects = (void *)(place->into + option->offset);
	size_t max = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	char list[NAME_MAX_OCTETS], name[NAME_MAX_OCTETS + 32];

	name_option(place, option->path, list);
	objects->items = calloc(max + 1, option->object_size);
	objects->lines = calloc(max + 1, sizeof(*objects->lines));
	for (size_t i = 0; i < max && objects->items != NULL && objects->lines != NULL; i++) {
		const yaml_node_t *item =
			yaml_document_get_node(load->doc, node->data.sequence.items.start[i]);

		if (is_too_long(load, item))
			return;
		snprintf(name, sizeof(name), "%s[%zu]", list, i);
		if (item->type != YAML_MAPPING_NODE) {
			conf_error(load->errors, load->path, line_of(item),
				   "'%s' is %s; write a mapping ('key: value' lines)", name,
				   kind_of(item));
			continue;
		}
		objects->lines[objects->count] = line_of(item);
		read_object(load, option, name,
			    (char *)objects->items + objects->count++ * option->object_size, item);
	}
}

static void
read_value(struct load *load, const struct place *place, const struct conf_option *option,
	   const yaml_node_t *node)
{
	yaml_node_type_t wanted = option->kind == CONF_STRINGS || option->kind == CONF_OBJECTS
					  ? YAML_SEQUENCE_NODE
					  : YAML_SCALAR_NODE;
	char expected[160], name[NAME_MAX_OCTETS];

	if (is_null(node))
		return;
	if (node->type != wanted) {
		name_option(place, option->path, name);
		conf_value_describe(option, expected, sizeof(expected));
		conf_error(load->errors, load->path, line_of(node), "'%s' is %s; write %s", name,
			   kind_of(node), expected);
	} else if (option->kind == CONF_STRINGS) {
		read_strings(load, place, option, node);
	} else if (option->kind == CONF_OBJECTS) {
		read_objects(load, place, option, node);
	} else {
		read_scalar(load, place, option, node);
	}
}

/* The option, or with is_group the first of those below path. */
static const struct conf_option *
find_option(const struct place *place, const char *path, bool is_group)
{
	size_t len = strlen(path);

	for (const struct conf_option *o = place->options; o->path != NULL; o++)
		if (strncmp(o->path, path, len) == 0 && o->path[len] == (is_group ? '.' : '\0'))
			return o;
	return NULL;
}

static void
report_unknown(struct load *load, const struct place *place, const char *path, int line)
{
	struct conf_nearest nearest = {.word = path};
	char name[NAME_MAX_OCTETS];

	for (const struct conf_option *o = place->options; o->path != NULL; o++)
		conf_nearest_try(&nearest, o->path);
	name_option(place, path, name);
	if (nearest.best != NULL)
		conf_error(load->errors, load->path, line,
			   "unknown option '%s'; did you mean '%s.%s'?", name, place->name,
			   nearest.best);
	else
		conf_error(load->errors, load->path, line,
			   "unknown option '%s'; configs/reference.yaml lists all there are", name);
}

/* The earlier pair of the mapping with the same key, or NULL. */
static const yaml_node_t *
find_earlier(struct load *load, const yaml_node_t *mapping, const yaml_node_pair_t *pair)
{
	const char *key = text_of(yaml_document_get_node(load->doc, pair->key));

	for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; p++) {
		const yaml_node_t *other = yaml_document_get_node(load->doc, p->key);

		if (other->type == YAML_SCALAR_NODE && strcmp(text_of(other), key) == 0)
			return other;
	}
	return NULL;
}

/* False, with the error reported, when the key is not a fresh string. */
static bool
may_read_key(struct load *load, const char *name, const yaml_node_t *mapping,
	     const yaml_node_pair_t *pair)
{
	const yaml_node_t *key = yaml_document_get_node(load->doc, pair->key);
	const yaml_node_t *earlier;

	if (is_too_long(load, key))
		return false;
	if (key->type != YAML_SCALAR_NODE) {
		conf_error(load->errors, load->path, line_of(key),
			   "%s in '%s' stands where an option's name should", kind_of(key), name);
		return false;
	}
	earlier = find_earlier(load, mapping, pair);
	if (earlier != NULL)
		conf_error(load->errors, load->path, line_of(key),
			   "'%.60s' stands twice in '%s', first in line %d; keep one", text_of(key),
			   name, line_of(earlier));
	return earlier == NULL;
}

static void
read_mapping(struct load *load, const struct place *place, const yaml_node_t *node)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;

	for (; pair < node->data.mapping.pairs.top && load->nodes < NODES_MAX; pair++) {
		const yaml_node_t *key = yaml_document_get_node(load->doc, pair->key);
		const yaml_node_t *value = yaml_document_get_node(load->doc, pair->value);
		const struct conf_option *option;
		char path[NAME_MAX_OCTETS];

		if (!may_read_key(load, place->name, node, pair))
			continue;
		snprintf(path, sizeof(path) - 1, "%s%s", place->prefix, text_of(key));
		option = find_option(place, path, false);
		if (option != NULL) {
			place->lines[option - place->options] = line_of(key);
			read_value(load, place, option, value);
		} else if (find_option(place, path, true) == NULL) {
			report_unknown(load, place, path, line_of(key));
		} else if (value->type == YAML_MAPPING_NODE) {
			struct place inner = *place;

			strcat(path, ".");
			inner.prefix = path;
			read_mapping(load, &inner, value);
		} else if (!is_null(value)) {
			conf_error(load->errors, load->path, line_of(value),
				   "'%s.%s' is %s; write a mapping", place->name, path,
				   kind_of(value));
		}
	}
}

/* A list of strings as it stands in a table of options. */
static void
fill_strings(struct load *load, const struct place *place, const struct conf_option *option)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	struct load inner = {.path = "built-in default", .errors = load->errors, .doc = &doc};

	if (!yaml_parser_initialize(&parser))
		return;
	yaml_parser_set_input_string(&parser, (const unsigned char *)option->fallback,
				     strlen(option->fallback));
	if (yaml_parser_load(&parser, &doc)) {
		if (yaml_document_get_root_node(&doc) != NULL)
			read_value(&inner, place, option, yaml_document_get_root_node(&doc));
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
}

/* Before the file is read: values overwrite. */
static void
fill_scalars(struct load *load, const struct place *place)
{
	for (const struct conf_option *o = place->options; o->path != NULL; o++) {
		char why[320];

		if (o->fallback == NULL || o->kind == CONF_OBJECTS || o->kind == CONF_STRINGS)
			continue;
		if (!conf_value_parse(o, o->fallback, place->into + o->offset, why, sizeof(why)))
			conf_error(load->errors, "built-in default", 0, "'%s.%s' %s", place->name,
				   o->path, why);
	}
}

/* After the file is read: what it must have, and lists that it does not have. line 0: there is no
 * file. */
static void
complete(struct load *load, const struct place *place, int line)
{
	for (const struct conf_option *o = place->options; o->path != NULL; o++) {
		const struct conf_strings *strings = (void *)(place->into + o->offset);
		char name[NAME_MAX_OCTETS];

		name_option(place, o->path, name);
		if (o->is_required && place->lines[o - place->options] == 0 && line > 0)
			conf_error(load->errors, load->path, line,
				   "'%s' is missing; it has no default", name);
		if (o->fallback != NULL && o->kind == CONF_STRINGS && strings->items == NULL)
			fill_strings(load, place, o);
	}
}

static struct conf_section *
find_section(struct conf_section *sections, const char *name, struct conf_nearest *nearest)
{
	for (struct conf_section *s = sections; s->name != NULL; s++) {
		if (strcmp(s->name, name) == 0)
			return s;
		conf_nearest_try(nearest, s->name);
	}
	return NULL;
}

static struct place
root_of(const struct conf_section *section)
{
	return (struct place){
		.options = section->options,
		.into = section->into,
		.lines = section->lines,
		.name = section->name,
		.prefix = "",
	};
}

static void
read_section(struct load *load, struct conf_section *section, const yaml_node_t *value)
{
	struct place place = root_of(section);

	if (section->options == NULL)
		return;
	if (section->options[0].path != NULL && section->options[0].path[0] == '\0') {
		section->lines[0] = line_of(value);
		read_value(load, &place, &section->options[0], value);
	} else if (value->type == YAML_MAPPING_NODE) {
		read_mapping(load, &place, value);
	} else if (!is_null(value)) {
		conf_error(load->errors, load->path, line_of(value), "'%s' is %s; write a mapping",
			   section->name, kind_of(value));
	}
}

static void
read_root(struct load *load, struct conf_section *sections, const yaml_node_t *root)
{
	const yaml_node_pair_t *pair;

	if (root == NULL || is_null(root))
		return;
	if (root->type != YAML_MAPPING_NODE) {
		conf_error(load->errors, load->path, line_of(root),
			   "the file is %s; write sections, as %s: {...}", kind_of(root),
			   sections[0].name);
		return;
	}
	for (pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(load->doc, pair->key);
		struct conf_nearest nearest = {0};
		struct conf_section *section;

		if (!may_read_key(load, "the file", root, pair))
			continue;
		nearest.word = text_of(key);
		section = find_section(sections, text_of(key), &nearest);
		if (section != NULL)
			read_section(load, section, yaml_document_get_node(load->doc, pair->value));
		else if (nearest.best != NULL)
			conf_error(load->errors, load->path, line_of(key),
				   "unknown section '%.60s'; did you mean '%s'?", text_of(key),
				   nearest.best);
		else
			conf_error(load->errors, load->path, line_of(key),
				   "unknown section '%.60s'; configs/reference.yaml lists all "
				   "there are",
				   text_of(key));
	}
}

static void
report_syntax(struct load *load, const yaml_parser_t *parser)
{
	bool has_context = parser->context != NULL;

	conf_error(load->errors, load->path, (int)parser->problem_mark.line + 1,
		   "not YAML: %s%s%s; look at indentation, quotes and tabs there",
		   parser->problem != NULL ? parser->problem : "unreadable", has_context ? " " : "",
		   has_context ? parser->context : "");
}

static void
read_document(struct load *load, struct conf_section *sections, yaml_parser_t *parser)
{
	yaml_document_t doc;

	if (!yaml_parser_load(parser, &doc)) {
		report_syntax(load, parser);
		return;
	}
	load->doc = &doc;
	read_root(load, sections, yaml_document_get_root_node(&doc));
	yaml_document_delete(&doc);
	if (!yaml_parser_load(parser, &doc)) {
		report_syntax(load, parser);
		return;
	}
	if (yaml_document_get_root_node(&doc) != NULL)
		conf_error(load->errors, load->path, (int)doc.start_mark.line + 1,
			   "a second document begins here; remove the '---'");
	yaml_document_delete(&doc);
}

/* Lines and defaults for each section. */
static int
prepare(struct load *load, struct conf_section *sections)
{
	for (struct conf_section *s = sections; s->name != NULL; s++) {
		size_t count = 0;
		struct place place;

		while (s->options != NULL && s->options[count].path != NULL)
			count++;
		free(s->lines);
		s->lines = calloc(count + 1, sizeof(*s->lines));
		if (s->lines == NULL)
			return -ENOMEM;
		place = root_of(s);
		if (s->options != NULL)
			fill_scalars(load, &place);
	}
	return 0;
}

static void
finish(struct load *load, struct conf_section *sections, int line)
{
	for (struct conf_section *s = sections; s->name != NULL; s++) {
		struct place place = root_of(s);

		if (s->options != NULL)
			complete(load, &place, line);
	}
}

int
conf_load_text(const char *name, const char *text, size_t len, struct conf_section *sections,
	       struct conf_errors *errors)
{
	struct load load = {.path = name, .errors = errors};
	size_t before = errors->count;
	yaml_parser_t parser;

	if (prepare(&load, sections) != 0 || !yaml_parser_initialize(&parser)) {
		conf_error(errors, name, 0, "out of memory");
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	read_document(&load, sections, &parser);
	yaml_parser_delete(&parser);
	finish(&load, sections, 1);
	return errors->count == before ? 0 : -EINVAL;
}

/* The whole file in memory, which the caller frees. */
static int
slurp(const char *path, char **text, size_t *len)
{
	FILE *file = fopen(path, "rb");
	char *buffer;
	int status = 0;

	if (file == NULL)
		return -errno;
	buffer = malloc(FILE_OCTETS_MAX + 1);
	if (buffer == NULL) {
		fclose(file);
		return -ENOMEM;
	}
	*len = fread(buffer, 1, FILE_OCTETS_MAX + 1, file);
	if (ferror(file))
		status = errno != 0 ? -errno : -EIO;
	else if (*len > FILE_OCTETS_MAX)
		status = -EFBIG;
	fclose(file);
	if (status != 0)
		free(buffer);
	else
		*text = buffer;
	return status;
}

int
conf_load(const char *path, struct conf_section *sections, struct conf_errors *errors)
{
	struct load load = {.path = "built-in defaults", .errors = errors};
	char *text = NULL;
	size_t len = 0;
	int status;

	if (path == NULL) {
		status = prepare(&load, sections);
		if (status == 0)
			finish(&load, sections, 0);
		return status;
	}
	status = slurp(path, &text, &len);
	if (status != 0) {
		conf_error(errors, path, 0, "cannot read the configuration: %s", strerror(-status));
		return status;
	}
	status = conf_load_text(path, text, len, sections, errors);
	explicit_bzero(text, len);
	free(text);
	return status;
}

int
conf_line(const struct conf_section *section, const char *option_path)
{
	for (size_t i = 0; section->lines != NULL && section->options[i].path != NULL; i++)
		if (strcmp(section->options[i].path, option_path) == 0)
			return section->lines[i];
	return 0;
}

void
conf_free(struct conf_section *sections)
{
	for (struct conf_section *s = sections; s->name != NULL; s++) {
		for (const struct conf_option *o = s->options; o != NULL && o->path != NULL; o++)
			conf_value_free(o, (char *)s->into + o->offset);
		free(s->lines);
		s->lines = NULL;
	}
}
