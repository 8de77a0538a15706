/*
 * A writer of XML text: a growing buffer, escapes, nothing else. Documents go out many times a second and are joined of pieces that
 * were written before, which a tree or libxml2's writer would only copy around.
 */
#ifndef CP_EVENT_XML_H
#define CP_EVENT_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty. Not NUL-terminated. */
struct cp_xml {
	char *text;
	size_t len, room;
	bool has_failed; /* out of memory: what came after is missing */
};

void cp_xml_fini(struct cp_xml *x);
void cp_xml_raw(struct cp_xml *x, const char *text, size_t len); /* as it stands */
void cp_xml_str(struct cp_xml *x, const char *markup);		 /* as it stands */
/* Content or an attribute's value: escaped; what XML 1.0 does not allow or is no UTF-8 becomes U+FFFD. */
void cp_xml_text(struct cp_xml *x, const char *text);
/* <name>text</name>; nothing where text is NULL or empty. */
void cp_xml_element(struct cp_xml *x, const char *name, const char *text);
void cp_xml_number(struct cp_xml *x, const char *name, uint32_t value);
void cp_xml_bool(struct cp_xml *x, const char *name, bool value);
/* dateTime in UTC; nothing for 0. */
void cp_xml_when(struct cp_xml *x, const char *name, int64_t unix_s);

#endif
