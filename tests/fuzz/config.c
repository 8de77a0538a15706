/* The configuration loader on any octets: no crash, no leak, every option keeps a value within its
 * range. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "configs/loader/loader.h"

struct person {
	char *name;
	int64_t age;
	struct conf_strings roles;
};

struct settings {
	char *address;
	int64_t port, wait_ms, room;
	bool is_on;
	int mode;
	struct conf_strings peers;
	struct conf_objects people;
};

struct list {
	struct conf_objects people;
};

static const char *const modes[] = {"open", "closed", NULL};

static const struct conf_option person_fields[] = {
	{.path = "name",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct person, name),
	 .is_required = true},
	{.path = "age",
	 .kind = CONF_INT,
	 .offset = offsetof(struct person, age),
	 .fallback = "30",
	 .min = 1,
	 .max = 150},
	{.path = "work.roles",
	 .kind = CONF_STRINGS,
	 .offset = offsetof(struct person, roles),
	 .fallback = "[guest]"},
	{.path = NULL},
};

static const struct conf_option options[] = {
	{.path = "udp.address",
	 .kind = CONF_STRING,
	 .offset = offsetof(struct settings, address),
	 .fallback = "::1"},
	{.path = "udp.port",
	 .kind = CONF_INT,
	 .offset = offsetof(struct settings, port),
	 .fallback = "5060",
	 .min = 1,
	 .max = 65535},
	{.path = "wait",
	 .kind = CONF_DURATION,
	 .offset = offsetof(struct settings, wait_ms),
	 .fallback = "20ms",
	 .min = 1,
	 .max = 60000},
	{.path = "room",
	 .kind = CONF_SIZE,
	 .offset = offsetof(struct settings, room),
	 .fallback = "64K"},
	{.path = "on",
	 .kind = CONF_BOOL,
	 .offset = offsetof(struct settings, is_on),
	 .fallback = "true"},
	{.path = "mode",
	 .kind = CONF_ENUM,
	 .offset = offsetof(struct settings, mode),
	 .fallback = "open",
	 .choices = modes},
	{.path = "peers",
	 .kind = CONF_STRINGS,
	 .offset = offsetof(struct settings, peers),
	 .fallback = "[a, b]"},
	{.path = "people",
	 .kind = CONF_OBJECTS,
	 .offset = offsetof(struct settings, people),
	 .fields = person_fields,
	 .object_size = sizeof(struct person)},
	{.path = NULL},
};

static const struct conf_option list_options[] = {
	{.path = "",
	 .kind = CONF_OBJECTS,
	 .offset = offsetof(struct list, people),
	 .fields = person_fields,
	 .object_size = sizeof(struct person)},
	{.path = NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings = {0};
	struct list list = {0};
	struct conf_errors errors = {0};
	struct conf_section sections[] = {
		{.name = "media", .options = options, .into = &settings},
		{.name = "people", .options = list_options, .into = &list},
		{.name = "other"},
		{.name = NULL},
	};
	int status = conf_load_text("fuzz", (const char *)data, size, sections, &errors);

	if ((status == 0) != (errors.count == 0) || settings.port < 1 || settings.port > 65535 ||
	    settings.address == NULL || settings.mode < 0 || settings.mode > 1 ||
	    settings.wait_ms < 1 || settings.wait_ms > 60000)
		abort();
	for (size_t i = 0; i < list.people.count; i++)
		if (((struct person *)list.people.items)[i].age < 1)
			abort();
	conf_free(sections);
	conf_errors_free(&errors);
	return 0;
}
