/* Timestamps of MIKEY: RFC 3830 section 6.6, RFC 6043 section 6.3, eras by RFC 4330 section 3. Our
 * own time is Unix time with 32 bits of fraction, 1970 to 2106. */
#ifndef CP_MIKEY_TIME_H
#define CP_MIKEY_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include "ctrlplane/mikey/base.h"

#define CP_MIKEY_T_MAX 8 /* octets of the longest TS value */

/* Octets of a TS value by its type, 0: no such type. */
size_t cp_mikey_ts_len(uint8_t type);

/* NTP seconds with their top bit set lie in 1968 to 2036, others in 2036 to 2104. What lies before
 * 1970 counts as 1970. */
uint64_t cp_mikey_time_of_ntp(uint64_t ntp);
uint64_t cp_mikey_time_to_ntp(uint64_t time);

/* The 64 bits that an IV takes: NTP-UTC-32 padded behind, COUNTER before (RFC 3830 6.6). */
uint64_t cp_mikey_ts_iv(uint8_t type, struct cp_mikey_octets value);

/* -EPROTO: the type is none of UTC. */
int cp_mikey_ts_time(uint64_t *time, uint8_t type, struct cp_mikey_octets value);

/* Not further off than skew_s, either way. */
bool cp_mikey_time_is_near(uint64_t a, uint64_t b, uint32_t skew_s);

#endif
