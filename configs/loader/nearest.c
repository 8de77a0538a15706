/* Edit distance with transpositions (optimal string alignment), for "did you mean". */
#include "configs/loader/nearest.h"
#include <string.h>

#define WORD_MAX 64

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1,
				      above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

/* Near is: at most a third of the word wrong. */
void
conf_nearest_try(struct conf_nearest *nearest, const char *candidate)
{
	size_t word_len = strlen(nearest->word), len = strlen(candidate), found;

	if (word_len > WORD_MAX || len > WORD_MAX)
		return;
	found = distance(nearest->word, word_len, candidate, len);
	if (found > (word_len < 3 ? 1 : (word_len + 2) / 3))
		return;
	if (nearest->best == NULL || found < nearest->distance) {
		nearest->best = candidate;
		nearest->distance = found;
	}
}
