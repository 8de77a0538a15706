/* Timestamps and eras. */
#include "ctrlplane/mikey/time.h"

#include <errno.h>

#define NTP_TO_UNIX_S 2208988800ULL /* 1900 to 1970 */

static uint64_t
big_endian(struct cp_mikey_octets value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value.len; i++)
		number = number << 8 | value.at[i];
	return number;
}

size_t
cp_mikey_ts_len(uint8_t type)
{
	if (type == CP_MIKEY_TS_NTP_UTC || type == CP_MIKEY_TS_NTP)
		return 8;
	return type == CP_MIKEY_TS_COUNTER || type == CP_MIKEY_TS_NTP_UTC_32 ? 4 : 0;
}

uint64_t
cp_mikey_time_of_ntp(uint64_t ntp)
{
	uint64_t seconds = ntp >> 32;

	if ((seconds & 0x80000000) == 0)
		seconds += 1ULL << 32;
	if (seconds < NTP_TO_UNIX_S)
		return 0;
	return (seconds - NTP_TO_UNIX_S) << 32 | (uint32_t)ntp;
}

uint64_t
cp_mikey_time_to_ntp(uint64_t time)
{
	return time + (NTP_TO_UNIX_S << 32);
}

uint64_t
cp_mikey_ts_iv(uint8_t type, struct cp_mikey_octets value)
{
	uint64_t number = big_endian(value);

	return type == CP_MIKEY_TS_NTP_UTC_32 ? number << 32 : number;
}

int
cp_mikey_ts_time(uint64_t *time, uint8_t type, struct cp_mikey_octets value)
{
	if ((type != CP_MIKEY_TS_NTP_UTC && type != CP_MIKEY_TS_NTP_UTC_32) ||
	    value.len != cp_mikey_ts_len(type))
		return -EPROTO;
	*time = cp_mikey_time_of_ntp(cp_mikey_ts_iv(type, value));
	return 0;
}

bool
cp_mikey_time_is_near(uint64_t a, uint64_t b, uint32_t skew_s)
{
	return (a > b ? a - b : b - a) <= (uint64_t)skew_s << 32;
}
