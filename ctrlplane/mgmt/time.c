/* Times of the API as text (RFC 3339). */
#include "ctrlplane/mgmt/time.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Exactly count digits. */
static bool
digits(int *out, const char **at, int count)
{
	*out = 0;
	for (int i = 0; i < count; i++, (*at)++) {
		if (!isdigit((unsigned char)**at))
			return false;
		*out = *out * 10 + (**at - '0');
	}
	return true;
}

static bool
expect(const char **at, const char *any_of)
{
	if (**at == '\0' || strchr(any_of, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

/* ".25": milliseconds, what is finer is cut. */
static bool
fraction(int *out_ms, const char **at)
{
	int scale = 100;

	*out_ms = 0;
	if (**at != '.')
		return true;
	if (!isdigit((unsigned char)*++*at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++, scale /= 10)
		*out_ms += (**at - '0') * scale;
	return true;
}

/* "Z" or "+01:00": seconds that local time is ahead. */
static bool
zone(int *out_s, const char **at)
{
	int sign, hours, minutes;

	*out_s = 0;
	if (expect(at, "Zz"))
		return true;
	sign = **at == '-' ? -1 : 1;
	if (!expect(at, "+-") || !digits(&hours, at, 2) || !expect(at, ":") ||
	    !digits(&minutes, at, 2) || hours > 23 || minutes > 59)
		return false;
	*out_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool
is_date(const struct tm *t)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = t->tm_year + 1900;
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return year >= 1970 && t->tm_mon >= 0 && t->tm_mon < 12 && t->tm_mday >= 1 &&
	       t->tm_mday <= days[t->tm_mon] + (t->tm_mon == 1 && is_leap) && t->tm_hour < 24 &&
	       t->tm_min < 60 && t->tm_sec < 60;
}

int
cp_time_parse(int64_t *out_ms, const char *text)
{
	struct tm t = {0};
	int ms, ahead_s;
	int64_t all;

	if (!digits(&t.tm_year, &text, 4) || !expect(&text, "-") || !digits(&t.tm_mon, &text, 2) ||
	    !expect(&text, "-") || !digits(&t.tm_mday, &text, 2) || !expect(&text, "Tt ") ||
	    !digits(&t.tm_hour, &text, 2) || !expect(&text, ":") || !digits(&t.tm_min, &text, 2) ||
	    !expect(&text, ":") || !digits(&t.tm_sec, &text, 2) || !fraction(&ms, &text) ||
	    !zone(&ahead_s, &text) || *text != '\0')
		return -EINVAL;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	if (!is_date(&t))
		return -EINVAL;
	all = ((int64_t)timegm(&t) - ahead_s) * 1000 + ms;
	if (all <= 0)
		return -EINVAL;
	*out_ms = all;
	return 0;
}

void
cp_time_print(char text[CP_TIME_TEXT], int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm parts;
	size_t len;

	gmtime_r(&seconds, &parts);
	len = strftime(text, CP_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + len, CP_TIME_TEXT - len, ".%03dZ", (int)(unix_ms % 1000));
}
