/* The recorder: a WAV file in its own time, whatever order packets came in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/load/record.h"

static void
silence_late_and_new_streams(void **state)
{
	static const struct {
		uint32_t ts;
		int16_t sample;
	} packets[] = {
		{0xffffff00u, 1}, {0xffffffa0u, 2}, {0x00000040u, 3}, {0xffffffa0u, 9}, /* late */
		{0x00000180u, 5}, /* one is missing before it */
		{0x80000000u, 6}, /* another stream */
		{0x00001000u, 7}, /* and another */
	};
	static const int16_t want[] = {1, 2, 3, 0, 5, 6, 7};
	char path[] = "/tmp/conclave-record.XXXXXX", pattern[64], name[64];
	uint8_t file[4096];
	struct ue_record *record;
	FILE *in;

	assert_true(close(mkstemp(path)) == 0);
	snprintf(pattern, sizeof(pattern), "%s.%%d.wav", path);
	snprintf(name, sizeof(name), "%s.3.wav", path);
	assert_int_equal(ue_record_open(&record, pattern, 3), 0);
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		int16_t pcm[160];

		for (unsigned k = 0; k < 160; k++)
			pcm[k] = packets[i].sample;
		ue_record_add(record, packets[i].ts, pcm, 160);
	}
	ue_record_close(record);
	ue_record_close(NULL);
	in = fopen(name, "rb");
	assert_non_null(in);
	assert_int_equal(fread(file, 1, sizeof(file), in), 44 + 7 * 320);
	fclose(in);
	assert_memory_equal(file,
			    "RIFF\344\10\0\0WAVEfmt "
			    "\20\0\0\0\1\0\1\0\100\37\0\0\200\76\0\0\2\0\20\0data\300\10\0\0",
			    44);
	for (unsigned i = 0; i < 7 * 160; i++)
		assert_int_equal((int16_t)(file[44 + 2 * i] | file[45 + 2 * i] << 8),
				 want[i / 160]);
	unlink(name);
	unlink(path);
	assert_int_equal(ue_record_open(&record, "/nonexistent/x.wav", 0), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(silence_late_and_new_streams)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
