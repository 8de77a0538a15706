/* Times of the API as text (RFC 3339). */
#ifndef CP_MGMT_TIME_H
#define CP_MGMT_TIME_H

#include <stddef.h>
#include <stdint.h>

#define CP_TIME_TEXT 32

/* Unix time in milliseconds of "2027-03-01T09:00:00Z", with or without a fraction, or with an offset. 0 or -EINVAL. */
int cp_time_parse(int64_t *out_ms, const char *text);

/* In UTC with milliseconds. */
void cp_time_print(char text[CP_TIME_TEXT], int64_t unix_ms);

#endif
