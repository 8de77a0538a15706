/* Attributes of floor control and chat, written and read. */
#include "bench/load/sdp_stream.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *media, *plain, *secure;
} services[UE_SERVICES] = {
	[UE_FLOOR] = {"application", "TCP/BFCP", "TCP/TLS/BFCP"},
	[UE_CHAT] = {"message", "TCP/MSRP", "TCP/TLS/MSRP"},
};

enum ue_service
ue_stream_of(const char *media, const char *proto)
{
	unsigned i = 0;

	while (i < UE_SERVICES &&
	       (strcmp(services[i].media, media) != 0 ||
		(strcmp(services[i].plain, proto) != 0 && strcmp(services[i].secure, proto) != 0)))
		i++;
	return (enum ue_service)i;
}

const char *
ue_stream_proto(enum ue_service service, enum ue_stream_guard guard)
{
	return guard == UE_STREAM_PLAIN ? services[service].plain : services[service].secure;
}

/* The value of an attribute by that name into a field; false: it is another one. */
static bool
value_take(char *out, size_t size, const char *attribute, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(attribute, name, len) != 0 || attribute[len] != ':')
		return false;
	snprintf(out, size, "%s", attribute + len + 1);
	return true;
}

/* "1 mstrm:10 11", or with m-stream as RFC 4583 had it in places. */
static void
floorid_take(struct ue_stream_sdp *s, const char *value)
{
	const char *streams = strstr(value, "m-stream:");
	char *end;
	unsigned long id = strtoul(value, &end, 10);

	if (end == value || id > UINT16_MAX || s->floor_count == UE_STREAM_FLOORS_MAX)
		return;
	streams = streams ? streams + strlen("m-stream:") : strstr(value, "mstrm:");
	if (streams && strncmp(streams, "mstrm:", 6) == 0)
		streams += 6;
	s->floor[s->floor_count].id = (uint16_t)id;
	snprintf(s->floor[s->floor_count].streams, sizeof(s->floor[0].streams), "%s",
		 streams ? streams : "");
	s->floor_count++;
}

void
ue_stream_attribute(struct ue_stream_sdp *s, const char *a)
{
	if (value_take(s->setup, sizeof(s->setup), a, "setup") ||
	    value_take(s->connection, sizeof(s->connection), a, "connection") ||
	    value_take(s->fingerprint, sizeof(s->fingerprint), a, "fingerprint") ||
	    value_take(s->path, sizeof(s->path), a, "path") ||
	    value_take(s->accept_types, sizeof(s->accept_types), a, "accept-types") ||
	    value_take(s->wrapped_types, sizeof(s->wrapped_types), a, "accept-wrapped-types") ||
	    value_take(s->floorctrl, sizeof(s->floorctrl), a, "floorctrl"))
		return;
	if (strcmp(a, "msrp-cema") == 0)
		s->has_cema = true;
	else if (strcmp(a, "chatroom") == 0 ||
		 value_take(s->chatroom, sizeof(s->chatroom), a, "chatroom"))
		s->has_chatroom = true;
	else if (strncmp(a, "max-size:", 9) == 0)
		s->max_size = strtoull(a + 9, NULL, 10);
	else if (strncmp(a, "confid:", 7) == 0)
		s->confid = (uint32_t)strtoul(a + 7, NULL, 10);
	else if (strncmp(a, "userid:", 7) == 0)
		s->userid = (uint16_t)strtoul(a + 7, NULL, 10);
	else if (strncmp(a, "floorid:", 8) == 0)
		floorid_take(s, a + 8);
}

int
ue_stream_write(char *out, size_t size, const struct ue_stream_sdp *s, enum ue_service service)
{
	char fingerprint[136] = "", max_size[48] = "";

	if (s->fingerprint[0])
		snprintf(fingerprint, sizeof(fingerprint), "a=fingerprint:%s\r\n", s->fingerprint);
	if (s->max_size)
		snprintf(max_size, sizeof(max_size), "a=max-size:%" PRIu64 "\r\n", s->max_size);
	if (service == UE_FLOOR)
		return snprintf(out, size,
				"a=setup:%s\r\na=connection:%s\r\na=floorctrl:c-only\r\n"
				"a=bfcpver:1\r\n%s",
				s->setup, s->connection, fingerprint);
	return snprintf(out, size,
			"a=setup:%s\r\na=connection:%s\r\na=accept-types:message/cpim\r\n"
			"a=accept-wrapped-types:*\r\na=path:%s\r\n"
			"a=chatroom:nickname private-messages\r\n%s%s",
			s->setup, s->connection, s->path, max_size, fingerprint);
}
