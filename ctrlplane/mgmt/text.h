/* Text of others in JSON. */
#ifndef CP_MGMT_TEXT_H
#define CP_MGMT_TEXT_H

#include <jansson.h>

/* A new string. What is not UTF-8 (a peer's text, text that was cut) has '?' for every octet beyond ASCII. */
json_t *cp_json_text(const char *text);

#endif
