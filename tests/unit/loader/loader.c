/* The configuration loader: every kind, every error with its line and how to mend it, defaults, and
 * rendering. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "configs/loader/common.h"
#include "configs/loader/loader.h"
#include "configs/loader/nearest.h"

struct guest {
	char *id;
	int64_t gain;
	struct conf_strings roles;
	int mode;
};

struct media {
	char *address, *note;
	int64_t port, wait_ms, room;
	bool is_on;
	int mode;
	struct conf_strings peers;
	struct conf_objects guests;
};

struct list {
	struct conf_objects guests;
};

static const char *const modes[] = {"open", "closed", NULL};

static const struct conf_option guest_fields[] = {
	{.path = "id",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct guest, id),
	 .is_required = true,
	 .help = "Name"},
	{.path = "mix.gain",
	 .kind = CONF_INT,
	 .offset = offsetof(struct guest, gain),
	 .fallback = "-3",
	 .min = -60,
	 .max = 20,
	 .help = "Gain in dB"},
	{.path = "roles",
	 .kind = CONF_STRINGS,
	 .offset = offsetof(struct guest, roles),
	 .fallback = "[listener]",
	 .help = "Roles"},
	{.path = "mode",
	 .kind = CONF_ENUM,
	 .offset = offsetof(struct guest, mode),
	 .fallback = "closed",
	 .choices = modes,
	 .help = "Mode"},
	{.path = NULL},
};

static const struct conf_option media_options[] = {
	{.path = "udp.address",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct media, address),
	 .fallback = "::1",
	 .help = "Address"},
	{.path = "udp.port",
	 .kind = CONF_INT,
	 .offset = offsetof(struct media, port),
	 .fallback = "5060",
	 .min = 1,
	 .max = 65535,
	 .help = "Port"},
	{.path = "wait",
	 .kind = CONF_DURATION,
	 .offset = offsetof(struct media, wait_ms),
	 .fallback = "20ms",
	 .min = 10,
	 .max = 3600000,
	 .help = "how long"},
	{.path = "room",
	 .kind = CONF_SIZE,
	 .offset = offsetof(struct media, room),
	 .fallback = "64K",
	 .help = "Room"},
	{.path = "on",
	 .kind = CONF_BOOL,
	 .offset = offsetof(struct media, is_on),
	 .fallback = "true",
	 .help = "On"},
	{.path = "mode",
	 .kind = CONF_ENUM,
	 .offset = offsetof(struct media, mode),
	 .fallback = "open",
	 .choices = modes,
	 .help = "open: all come in"},
	{.path = "note",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct media, note),
	 .help = "Note"},
	{.path = "peers",
	 .kind = CONF_STRINGS,
	 .offset = offsetof(struct media, peers),
	 .fallback = "[a, '::1']",
	 .help = "Peers"},
	{.path = "guests",
	 .kind = CONF_OBJECTS,
	 .offset = offsetof(struct media, guests),
	 .fields = guest_fields,
	 .object_size = sizeof(struct guest),
	 .help = "Guests"},
	{.path = NULL},
};

static const struct conf_option list_options[] = {
	{.path = "",
	 .kind = CONF_OBJECTS,
	 .offset = offsetof(struct list, guests),
	 .fields = guest_fields,
	 .object_size = sizeof(struct guest),
	 .help = "All guests"},
	{.path = NULL},
};

/* One load and all that it fills. */
struct fixture {
	struct media media;
	struct list list;
	struct conf_errors errors;
	struct conf_section sections[4];
	int status;
};

static void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->sections[0] = (struct conf_section){
		.name = "media", .options = media_options, .into = &f->media, .help = "Media"};
	f->sections[1] =
		(struct conf_section){.name = "guests", .options = list_options, .into = &f->list};
	f->sections[2] = (struct conf_section){.name = "other"};
}

static void
load(struct fixture *f, const char *text)
{
	begin(f);
	f->status = conf_load_text("c.yaml", text, strlen(text), f->sections, &f->errors);
}

static void
end(struct fixture *f)
{
	conf_free(f->sections);
	conf_errors_free(&f->errors);
}

static void
assert_defaults(const struct media *media)
{
	assert_string_equal(media->address, "::1");
	assert_int_equal(media->port, 5060);
	assert_int_equal(media->wait_ms, 20);
	assert_int_equal(media->room, 65536);
	assert_true(media->is_on);
	assert_int_equal(media->mode, 0);
	assert_null(media->note);
	assert_int_equal(media->peers.count, 2);
	assert_string_equal(media->peers.items[1], "::1");
	assert_int_equal(media->guests.count, 0);
}

static void
no_file_and_an_empty_file_give_defaults(void **state)
{
	static const char *const texts[] = {"", "\n# nothing\n", "media:\n",
					    "media: {udp: , peers: ~, wait: null}\n",
					    "other: [1, {a: b}]\n"};
	struct fixture f;

	begin(&f);
	assert_int_equal(conf_load(NULL, f.sections, &f.errors), 0);
	assert_defaults(&f.media);
	end(&f);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		load(&f, texts[i]);
		assert_int_equal(f.status, 0);
		assert_defaults(&f.media);
		end(&f);
	}
}

static void
every_kind_is_read(void **state)
{
	struct fixture f;
	const struct guest *guests;

	load(&f, "media:\n"
		 "  udp:\n"
		 "    address: 10.0.0.1\n"
		 "    port: 5080\n"
		 "  wait: 1h\n"
		 "  room: 2M\n"
		 "  on: false\n"
		 "  mode: closed\n"
		 "  note: \"null\"\n"
		 "  peers: []\n"
		 "  guests:\n"
		 "    - id: anna\n"
		 "      mix: {gain: 6}\n"
		 "      roles: [chair, talker]\n"
		 "      mode: open\n"
		 "    - {id: bert}\n"
		 "guests:\n"
		 "  - id: carl\n");
	assert_int_equal(f.status, 0);
	assert_string_equal(f.media.address, "10.0.0.1");
	assert_int_equal(f.media.port, 5080);
	assert_int_equal(f.media.wait_ms, 3600000);
	assert_int_equal(f.media.room, 2 << 20);
	assert_false(f.media.is_on);
	assert_int_equal(f.media.mode, 1);
	assert_string_equal(f.media.note, "null");
	assert_int_equal(f.media.peers.count, 0);
	assert_int_equal(f.media.guests.count, 2);
	guests = f.media.guests.items;
	assert_string_equal(guests[0].id, "anna");
	assert_int_equal(guests[0].gain, 6);
	assert_string_equal(guests[0].roles.items[1], "talker");
	assert_int_equal(guests[0].roles.lines[1], 14);
	assert_int_equal(guests[0].mode, 0);
	assert_string_equal(guests[1].id, "bert");
	assert_int_equal(guests[1].gain, -3);
	assert_string_equal(guests[1].roles.items[0], "listener");
	assert_int_equal(guests[1].mode, 1);
	assert_int_equal(f.media.guests.lines[1], 16);
	assert_int_equal(f.list.guests.count, 1);
	assert_int_equal(conf_line(&f.sections[0], "udp.port"), 4);
	assert_int_equal(conf_line(&f.sections[0], "note"), 9);
	end(&f);
}

static void
a_defaulted_option_has_no_line(void **state)
{
	struct fixture f;

	load(&f, "media: {on: true}\n");
	assert_int_equal(conf_line(&f.sections[0], "on"), 1);
	assert_int_equal(conf_line(&f.sections[0], "udp.port"), 0);
	assert_int_equal(conf_line(&f.sections[0], "nothing"), 0);
	end(&f);
}

static void
each_error_names_its_line_and_how_to_mend_it(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"media:\n  udp:\n    prot: 1\n",
		 "c.yaml:3: unknown option 'media.udp.prot'; did you mean 'media.udp.port'?"},
		{"media:\n  zebra: 1\n", "c.yaml:2: unknown option 'media.zebra'; "
					 "configs/reference.yaml lists all there are"},
		{"\nmedai: {}\n", "c.yaml:2: unknown section 'medai'; did you mean 'media'?"},
		{"zebra: {}\n",
		 "c.yaml:1: unknown section 'zebra'; configs/reference.yaml lists all there are"},
		{"media:\n  on: true\n  on: true\n",
		 "c.yaml:3: 'on' stands twice in 'media', first in line 2; keep one"},
		{"media: {}\nmedia: {}\n",
		 "c.yaml:2: 'media' stands twice in 'the file', first in line 1; keep one"},
		{"media:\n  udp: {port: 1}\n  udp: {address: a}\n",
		 "c.yaml:3: 'udp' stands twice in 'media', first in line 2; keep one"},
		{"media:\n  udp: {port: 70000}\n", "c.yaml:2: 'media.udp.port' cannot be 70000, it "
						   "is out of range; write a number, 1 to 65535"},
		{"media:\n  udp: {port: many}\n",
		 "c.yaml:2: 'media.udp.port' cannot be 'many'; write a number, 1 to 65535"},
		{"media:\n  udp: {port: '5'}\n", "c.yaml:2: 'media.udp.port' is in quotes, which "
						 "makes it a string; write it without"},
		{"media:\n  udp: {port: 99999999999999999999}\n",
		 "c.yaml:2: 'media.udp.port' cannot be '99999999999999999999'; write a number, 1 "
		 "to 65535"},
		{"media:\n  udp: 5\n", "c.yaml:2: 'media.udp' is a single value; write a mapping"},
		{"media:\n  wait: 5\n", "c.yaml:2: 'media.wait' cannot be '5'; write a duration "
					"such as 20ms, 5s, 10m or 1h, 10ms to 1h"},
		{"media:\n  wait: 2h\n",
		 "c.yaml:2: 'media.wait' cannot be 2h, it is out of range; write a duration such "
		 "as 20ms, 5s, 10m or 1h, 10ms to 1h"},
		{"media:\n  room: 9999999999G\n", "c.yaml:2: 'media.room' cannot be '9999999999G'; "
						  "write a size such as 4096, 64K or 256M"},
		{"media:\n  on: yes\n",
		 "c.yaml:2: 'media.on' cannot be 'yes'; write true or false"},
		{"media:\n  mode: opne\n",
		 "c.yaml:2: 'media.mode' cannot be 'opne'; did you mean 'open'?"},
		{"media:\n  mode: zebra\n",
		 "c.yaml:2: 'media.mode' cannot be 'zebra'; write one of open, closed"},
		{"media:\n  peers: a\n",
		 "c.yaml:2: 'media.peers' is a single value; write a list of strings"},
		{"media:\n  peers:\n    - a\n    - [b]\n",
		 "c.yaml:4: 'media.peers' is a list of strings; this is a list"},
		{"media:\n  guests: {}\n",
		 "c.yaml:2: 'media.guests' is a mapping; write a list of mappings"},
		{"media:\n  guests:\n    - 5\n", "c.yaml:3: 'media.guests[0]' is a single value; "
						 "write a mapping ('key: value' lines)"},
		{"guests:\n  - id: a\n  - mode: open\n",
		 "c.yaml:3: 'guests[1].id' is missing; it has no default"},
		{"guests:\n  - {id: a, mdoe: open}\n",
		 "c.yaml:2: unknown option 'guests[0].mdoe'; did you mean 'guests[0].mode'?"},
		{"media: 5\n", "c.yaml:1: 'media' is a single value; write a mapping"},
		{"[1]\n", "c.yaml:1: the file is a list; write sections, as media: {...}"},
		{"media:\n  [a]: b\n",
		 "c.yaml:2: a list in 'media' stands where an option's name should"},
		{"media: {}\n---\nmedia: {}\n",
		 "c.yaml:2: a second document begins here; remove the '---'"},
		{"media:\n  note: \"a\\0b\"\n", "c.yaml:2: 'media.note' has a NUL character in it"},
		{"media:\n  \"a\\e[31m\": 1\n", "c.yaml:2: unknown option 'media.a?[31m'; "
						"configs/reference.yaml lists all there are"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;

		load(&f, rows[i].text);
		assert_int_equal(f.status, -EINVAL);
		assert_int_equal(f.errors.count, 1);
		assert_string_equal(f.errors.texts[0], rows[i].error);
		end(&f);
	}
}

static void
what_is_not_yaml_is_an_error_with_its_line(void **state)
{
	struct fixture f;

	load(&f, "media:\n  on: true\n\tmode: open\n");
	assert_int_equal(f.status, -EINVAL);
	assert_int_equal(f.errors.count, 1);
	assert_non_null(strstr(f.errors.texts[0], "c.yaml:3: not YAML: "));
	end(&f);
}

static void
all_errors_come_in_one_go_in_order(void **state)
{
	struct fixture f;
	char text[4096] = "media:\n";

	load(&f, "media:\n  on: 1\n  udp: {port: x}\nmedai: 1\n");
	assert_int_equal(f.errors.count, 3);
	assert_non_null(strstr(f.errors.texts[0], "c.yaml:2: "));
	assert_non_null(strstr(f.errors.texts[2], "c.yaml:4: "));
	assert_defaults(&f.media); /* what was wrong kept its default */
	end(&f);
	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), 32, "  zebra%d: 1\n", i);
	load(&f, text);
	assert_int_equal(f.errors.count, 40);
	end(&f);
}

static void
a_file_that_is_not_there_is_said_so(void **state)
{
	struct fixture f;

	begin(&f);
	assert_int_equal(conf_load("/nonexistent/c.yaml", f.sections, &f.errors), -ENOENT);
	assert_string_equal(
		f.errors.texts[0],
		"/nonexistent/c.yaml: cannot read the configuration: No such file or directory");
	end(&f);
}

static void
an_alias_to_itself_and_many_aliases_end(void **state)
{
	struct fixture f;
	char *text = malloc(400000);
	size_t len;

	load(&f, "guests: &g\n  - id: a\n    roles: *g\n  - *g\n");
	assert_int_equal(f.status, -EINVAL);
	end(&f);
	len = (size_t)sprintf(text, "other: &r [");
	for (int i = 0; i < 1000; i++)
		len += (size_t)sprintf(text + len, "a,");
	len += (size_t)sprintf(text + len, "]\nguests:\n");
	for (int i = 0; i < 2000; i++)
		len += (size_t)sprintf(text + len, "  - {id: a, roles: *r}\n");
	load(&f, text);
	assert_int_equal(f.status, -EINVAL);
	assert_non_null(strstr(f.errors.texts[0], "more than 200000 values"));
	end(&f);
	free(text);
}

static void
the_check_prints_all_and_gives_the_status(void **state)
{
	struct fixture f;
	char *out = NULL, *err = NULL;
	size_t out_len, err_len;
	FILE *out_file = open_memstream(&out, &out_len), *err_file = open_memstream(&err, &err_len);

	load(&f, "media: {on: 1}\n");
	conf_error(&f.errors, "c.yaml", 7, "two %s disagree", "things");
	assert_int_equal(conf_check_report("c.yaml", &f.errors, out_file, err_file), 1);
	end(&f);
	load(&f, "media: {on: true}\n");
	assert_int_equal(conf_check_report("c.yaml", &f.errors, out_file, err_file), 0);
	end(&f);
	fclose(out_file);
	fclose(err_file);
	assert_string_equal(out, "c.yaml: ok\n");
	assert_string_equal(err, "c.yaml:1: 'media.on' cannot be '1'; write true or false\n"
				 "c.yaml:7: two things disagree\n"
				 "c.yaml: 2 errors\n");
	free(out);
	free(err);
}

static void
what_is_rendered_loads_as_the_defaults(void **state)
{
	struct fixture f;
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	begin(&f);
	conf_render(f.sections, file);
	fclose(file);
	assert_non_null(strstr(
		text, "# Media.\nmedia:\n  udp:\n    # Address. [string]\n    address: \"::1\"\n"));
	assert_non_null(strstr(
		text,
		"guests: []\n# Each entry has:\n#   # Name. [string, required]\n#   id: null\n"));
	assert_non_null(strstr(text, "  # How long. [10ms to 1h]\n  wait: 20ms\n"));
	assert_non_null(strstr(text, "  # open: all come in. [open | closed]\n  mode: open\n"));
	assert_int_equal(conf_load_text("c.yaml", text, len, f.sections, &f.errors), 0);
	assert_defaults(&f.media);
	for (const struct conf_option *o = media_options; o->path != NULL; o++)
		assert_true(conf_line(&f.sections[0], o->path) > 0);
	end(&f);
	free(text);
}

static void
the_manual_has_every_option(void **state)
{
	struct fixture f;
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	begin(&f);
	conf_render_man(f.sections, file);
	fclose(file);
	assert_non_null(strstr(text, ".B media.udp.port\nPort.\n[1 to 65535] Default: 5060.\n"));
	assert_non_null(strstr(
		text, ".B media.guests[].mix.gain\nGain in dB.\n[\\-60 to 20] Default: \\-3.\n"));
	assert_non_null(strstr(text, ".B guests[].id\nName.\n[string, required]\n"));
	free(text);
}

static void
the_nearest_word_is_near(void **state)
{
	static const struct {
		const char *word, *candidate;
		bool is_near;
	} rows[] = {
		{"prot", "port", true},
		{"lsit", "list", true},
		{"particpant", "participant", true},
		{"a", "zebra", false},
		{"conference", "node", false},
		{"udp.prot", "udp.port", true},
		{"", "x", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf_nearest nearest = {.word = rows[i].word};

		conf_nearest_try(&nearest, rows[i].candidate);
		assert_int_equal(nearest.best != NULL, rows[i].is_near);
	}
}

/* Own sections first, with their tables; all others are known and skipped, and nothing stands twice. */
static void
every_program_knows_all_sections(void **state)
{
	static struct conf_log log;
	const struct conf_section own[] = {
		{.name = "log", .options = conf_log_options, .into = &log}, {.name = NULL}};
	struct conf_section sections[CONF_SECTIONS_MAX];
	size_t count = 0;

	memset(sections, 0x5a, sizeof(sections));
	conf_sections(sections, own);
	assert_ptr_equal(sections[0].into, &log);
	for (; sections[count].name != NULL; count++) {
		assert_int_equal(sections[count].options != NULL, count == 0);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(sections[i].name, sections[count].name);
	}
	assert_true(count > 10 && count < CONF_SECTIONS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_knows_all_sections),
		cmocka_unit_test(no_file_and_an_empty_file_give_defaults),
		cmocka_unit_test(every_kind_is_read),
		cmocka_unit_test(a_defaulted_option_has_no_line),
		cmocka_unit_test(each_error_names_its_line_and_how_to_mend_it),
		cmocka_unit_test(what_is_not_yaml_is_an_error_with_its_line),
		cmocka_unit_test(all_errors_come_in_one_go_in_order),
		cmocka_unit_test(a_file_that_is_not_there_is_said_so),
		cmocka_unit_test(an_alias_to_itself_and_many_aliases_end),
		cmocka_unit_test(the_check_prints_all_and_gives_the_status),
		cmocka_unit_test(what_is_rendered_loads_as_the_defaults),
		cmocka_unit_test(the_manual_has_every_option),
		cmocka_unit_test(the_nearest_word_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
