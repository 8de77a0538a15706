/*
 * A document as a tree of the elements that copy.c looks at. libxml2 checks and splits the text; of what it says only our elements,
 * their keys and their texts are kept, in chunks that serve document after document, as its parser does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "ctrlplane/event/copy_state.h"

#define CHUNK 16384    /* octets, the first of which stays from document to document */
#define TEXT_KEPT 4096 /* octets of a buffer that stays */
#define NAMES_KEPT \
	512 /* the parser remembers names: past so many, made up by somebody, it is made anew */

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char octets[];
};

struct cp_copy_reader {
	xmlParserCtxt *parser;
	struct chunk *chunks;		/* the newest first */
	struct cp_copy_node *root, *at; /* at: the element that is open */
	struct cp_copy_node *leaf;	/* … in it, whose text comes; NULL: none */
	unsigned int nested;		/* elements open that are not kept */
	char *text;
	size_t text_len, text_room;
	int rc;
};

/* By name; in the order of enum cp_copy_name. */
static const struct {
	const char *name;
	bool is_leaf; /* its text counts, whatever it is made of */
} elements[] = {
	[CP_COPY_ACTIVE] = {"active", true},
	[CP_COPY_BY] = {"by", true},
	[CP_COPY_CALL_ID] = {"call-id", true},
	[CP_COPY_CALL_INFO] = {"call-info", false},
	[CP_COPY_DESCRIPTION] = {"conference-description", false},
	[CP_COPY_INFO] = {"conference-info", false},
	[CP_COPY_STATE] = {"conference-state", false},
	[CP_COPY_LEFT] = {"disconnection-info", false},
	[CP_COPY_LEAVING] = {"disconnection-method", true},
	[CP_COPY_DISPLAY] = {"display-text", true},
	[CP_COPY_ENDPOINT] = {"endpoint", false},
	[CP_COPY_ENTRY] = {"entry", true},
	[CP_COPY_FROM_TAG] = {"from-tag", true},
	[CP_COPY_JOINED] = {"joining-info", false},
	[CP_COPY_JOINING] = {"joining-method", true},
	[CP_COPY_LABEL] = {"label", true},
	[CP_COPY_LOCKED] = {"locked", true},
	[CP_COPY_USERS_MAXIMUM] = {"maximum-user-count", true},
	[CP_COPY_MEDIA] = {"media", false},
	[CP_COPY_REASON] = {"reason", true},
	[CP_COPY_REFERRED] = {"referred", false},
	[CP_COPY_ROLES] = {"roles", false},
	[CP_COPY_SIP] = {"sip", false},
	[CP_COPY_SRC_ID] = {"src-id", true},
	[CP_COPY_STATUS] = {"status", true},
	[CP_COPY_SUBJECT] = {"subject", true},
	[CP_COPY_TO_TAG] = {"to-tag", true},
	[CP_COPY_TYPE] = {"type", true},
	[CP_COPY_USER] = {"user", false},
	[CP_COPY_USER_COUNT] = {"user-count", true},
	[CP_COPY_USERS] = {"users", false},
	[CP_COPY_WHEN] = {"when", true},
};

/* CP_COPY_NAMES: none of ours. */
static enum cp_copy_name
name_of(const char *name)
{
	size_t low = 0, high = CP_COPY_NAMES;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, elements[middle].name);

		if (order == 0)
			return (enum cp_copy_name)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return CP_COPY_NAMES;
}

static void
stop(struct cp_copy_reader *r, int rc)
{
	r->rc = rc;
	xmlStopParser(r->parser);
}

/* Zeroed; NULL: out of memory, and reading has stopped. */
static void *
take_room(struct cp_copy_reader *r, size_t len)
{
	const size_t align = _Alignof(max_align_t);
	struct chunk *c = r->chunks;
	size_t size = (len + align - 1) / align * align;

	if (!c || c->size - c->used < size) {
		size_t wanted = size > CHUNK ? size : CHUNK;

		c = malloc(sizeof(*c) + wanted);
		if (!c) {
			stop(r, -ENOMEM);
			return NULL;
		}
		c->next = r->chunks;
		c->used = 0;
		c->size = wanted;
		r->chunks = c;
	}
	c->used += size;
	return memset(c->octets + c->used - size, 0, len);
}

static char *
keep_text(struct cp_copy_reader *r, const char *text, size_t len)
{
	char *kept = take_room(r, len + 1);

	if (kept)
		memcpy(kept, text, len);
	return kept;
}

static bool
is_text(const xmlChar *from, const xmlChar *to, const char *wanted)
{
	size_t len = (size_t)(to - from);

	return len == strlen(wanted) && memcmp(from, wanted, len) == 0;
}

static enum cp_copy_part
part_of(const xmlChar *from, const xmlChar *to)
{
	return is_text(from, to, "full")      ? CP_COPY_WHOLE
	       : is_text(from, to, "partial") ? CP_COPY_PART
	       : is_text(from, to, "deleted") ? CP_COPY_NO_MORE
					      : CP_COPY_PART_BAD;
}

/* Attributes as libxml2's SAX2 hands them over: name, prefix, namespace, value from and to. Ours have no namespace. */
static void
take_attributes(struct cp_copy_reader *r, struct cp_copy_node *node, const xmlChar **at, int count)
{
	const char *key = node->name == CP_COPY_MEDIA ? "id" : "entity";

	for (; count > 0; count--, at += 5) {
		const char *name = (const char *)at[0];
		char **to = NULL;

		if (at[1])
			continue;
		if (strcmp(name, "state") == 0)
			node->part = part_of(at[3], at[4]);
		else if (strcmp(name, key) == 0)
			to = &node->key;
		else if (strcmp(name, "version") == 0)
			to = &node->version;
		if (to)
			*to = keep_text(r, (const char *)at[3], (size_t)(at[4] - at[3]));
	}
}

static void
put(struct cp_copy_reader *r, struct cp_copy_node *node)
{
	node->parent = r->at;
	if (!r->at) {
		r->root = node;
		return;
	}
	*(r->at->last ? &r->at->last->next : &r->at->first) = node;
	r->at->last = node;
}

/* rule zero: the parameters are libxml2's. */
static void
on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	 int namespace_count, const xmlChar **namespaces, int attribute_count, int defaulted,
	 const xmlChar **attributes)
{
	struct cp_copy_reader *r = ctx;
	enum cp_copy_name known = CP_COPY_NAMES;
	struct cp_copy_node *node;

	if (r->leaf || r->nested > 0) {
		r->nested++;
		return;
	}
	if (uri && strcmp((const char *)uri, CP_COPY_NS) == 0)
		known = name_of((const char *)name);
	if (!r->root && known != CP_COPY_INFO) {
		stop(r, -EBADMSG);
		return;
	}
	if (known == CP_COPY_NAMES) {
		r->nested++;
		return;
	}
	node = take_room(r, sizeof(*node));
	if (!node)
		return;
	node->name = known;
	take_attributes(r, node, attributes, attribute_count);
	put(r, node);
	if (elements[known].is_leaf) {
		r->leaf = node;
		r->text_len = 0;
	} else {
		r->at = node;
	}
}

static void
on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct cp_copy_reader *r = ctx;

	if (r->nested > 0) {
		r->nested--;
	} else if (r->leaf) {
		r->leaf->text = keep_text(r, r->text, r->text_len);
		r->leaf = NULL;
	} else if (r->at) {
		r->at = r->at->parent;
	}
}

static void
on_text(void *ctx, const xmlChar *text, int len)
{
	struct cp_copy_reader *r = ctx;
	size_t wanted = r->text_len + (size_t)len;

	if (!r->leaf)
		return;
	if (wanted > r->text_room) {
		char *more = realloc(r->text, 2 * wanted);

		if (!more) {
			stop(r, -ENOMEM);
			return;
		}
		r->text = more;
		r->text_room = 2 * wanted;
	}
	memcpy(r->text + r->text_len, text, (size_t)len);
	r->text_len = wanted;
}

/* A DTD, where entities would come from, is refused. */
static void
on_dtd(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	stop(ctx, -EBADMSG);
}

static int
open_parser(struct cp_copy_reader *r)
{
	r->parser = xmlNewParserCtxt();
	if (!r->parser)
		return -ENOMEM;
	*r->parser->sax = (xmlSAXHandler){
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_dtd,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
	};
	r->parser->userData = r;
	return 0;
}

static void
close_parser(struct cp_copy_reader *r)
{
	if (r->parser)
		xmlFreeParserCtxt(r->parser);
	r->parser = NULL;
}

/* For the next document: what an ordinary one needs stays. */
static void
clear(struct cp_copy_reader *r)
{
	while (r->chunks && (r->chunks->next || r->chunks->size > CHUNK)) {
		struct chunk *next = r->chunks->next;

		free(r->chunks);
		r->chunks = next;
	}
	if (r->chunks)
		r->chunks->used = 0;
	if (r->text_room > TEXT_KEPT) {
		free(r->text);
		r->text = NULL;
		r->text_room = 0;
	}
	if (r->parser && xmlDictSize(r->parser->dict) > NAMES_KEPT)
		close_parser(r);
	r->root = r->at = r->leaf = NULL;
	r->nested = 0;
	r->rc = 0;
}

int
cp_copy_read(const struct cp_copy_node **root, struct cp_copy *copy, const char *text, size_t len)
{
	struct cp_copy_reader *r = copy->reader;
	int rc = 0;

	if (!r)
		r = copy->reader = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	clear(r);
	if (!r->parser)
		rc = open_parser(r);
	if (rc != 0)
		return rc;
	/*
	 * No tree of libxml2's own: our functions stand where its would build one. NOENT: &amp; in keys is &; there are no other
	 * entities, for a DTD has been refused before it could declare one.
	 */
	xmlFreeDoc(xmlCtxtReadMemory(r->parser, text, (int)len, NULL, NULL,
				     XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOERROR |
					     XML_PARSE_NOWARNING));
	if (r->rc != 0)
		return r->rc;
	if (!r->parser->wellFormed || !r->root)
		return -EBADMSG;
	*root = r->root;
	return 0;
}

void
cp_copy_reader_destroy(struct cp_copy_reader *r)
{
	if (!r)
		return;
	clear(r);
	close_parser(r);
	free(r->chunks);
	free(r->text);
	free(r);
}
