/* Secrets at rest: what was sealed opens with the same key and label only; files of keys hold to their rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/keys/psk.h"
#include "ctrlplane/keys/seal.h"

static char folder[] = "/tmp/conclave-seal.XXXXXX";
static char path[64], why[512];

static void
write_file(const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static struct cp_seal *
fresh(void)
{
	struct cp_seal *seal = NULL;

	unlink(path);
	assert_int_equal(cp_seal_make_file(path, why, sizeof(why)), 0);
	assert_int_equal(cp_seal_open(&seal, path, why, sizeof(why)), 0);
	return seal;
}

static void
opens_with_its_key_and_label_only(void **state)
{
	struct cp_seal *seal = fresh(), *other;
	uint8_t plain[32], sealed[60], again[60], out[32], zero[32] = {0};

	memset(plain, 0x5a, sizeof(plain));
	assert_int_equal(cp_seal_wrap(sealed, seal, (struct cp_seal_text){"a", plain, 32}), 0);
	assert_int_equal(cp_seal_wrap(again, seal, (struct cp_seal_text){"a", plain, 32}), 0);
	assert_memory_not_equal(sealed, again, sizeof(sealed)); /* a nonce of its own each time */
	assert_null(memmem(sealed, sizeof(sealed), plain, 8));
	assert_int_equal(cp_seal_unwrap(out, seal, (struct cp_seal_text){"a", sealed, 60}), 0);
	assert_memory_equal(out, plain, 32);
	assert_int_equal(cp_seal_unwrap(out, seal, (struct cp_seal_text){"b", sealed, 60}),
			 -EBADMSG);
	assert_memory_equal(out, zero, 32);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_int_equal(cp_seal_unwrap(out, seal, (struct cp_seal_text){"a", sealed, 60}),
				 -EBADMSG);
		sealed[i] ^= 1;
	}
	for (size_t len = 0; len < sizeof(sealed); len++)
		assert_int_equal(cp_seal_unwrap(out, seal, (struct cp_seal_text){"a", sealed, len}),
				 -EBADMSG);
	other = fresh();
	assert_int_equal(cp_seal_unwrap(out, other, (struct cp_seal_text){"a", sealed, 60}),
			 -EBADMSG);
	assert_int_equal(cp_seal_wrap(sealed, seal, (struct cp_seal_text){"a", plain, 0}), -EINVAL);
	cp_seal_close(seal);
	cp_seal_close(other);
}

static void
master_key_files_hold_to_rules(void **state)
{
	struct cp_seal *seal = NULL;
	struct stat info;

	seal = fresh();
	cp_seal_close(seal);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(cp_seal_make_file(path, why, sizeof(why)), -EEXIST);
	chmod(path, 0640);
	assert_int_equal(cp_seal_open(&seal, path, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "chmod 600"));
	write_file("0123", 0600);
	assert_int_equal(cp_seal_open(&seal, path, why, sizeof(why)), -EINVAL);
	write_file("zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", 0600);
	assert_int_equal(cp_seal_open(&seal, path, why, sizeof(why)), -EINVAL);
	write_file("", 0600);
	assert_int_equal(cp_seal_open(&seal, path, why, sizeof(why)), -EINVAL);
	unlink(path);
	assert_int_equal(cp_seal_open(&seal, path, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "conclave kms init"));
}

static void
psk_files_come_back(void **state)
{
	uint8_t k128[16], k256[32];
	char text[CP_PSK_FILE_MAX];
	struct cp_psk_file file;

	memset(k128, 0x0f, sizeof(k128));
	memset(k256, 0xf9, sizeof(k256));
	cp_psk_file_format(text,
			   &(struct cp_psk_text){"sip:alice@ims.example", "b-tid", {k128, k256}});
	write_file(text, 0600);
	assert_int_equal(cp_psk_file_read(&file, path, why, sizeof(why)), 0);
	assert_string_equal(file.identity, "sip:alice@ims.example");
	assert_string_equal(file.psk_id, "b-tid");
	assert_int_equal(cp_secret_len(file.psk[0]), 16);
	assert_memory_equal(cp_secret_octets(file.psk[0]), k128, 16);
	assert_memory_equal(cp_secret_octets(file.psk[1]), k256, 32);
	cp_psk_file_fini(&file);
	assert_int_equal(cp_secret_count(), 0);
}

static void
bad_psk_files_are_refused(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		int error;
	} rows[] = {
		{"", 0600, -EINVAL},
		{"identity: sip:a@b\n", 0600, -EINVAL},
		{"psk128: 00112233445566778899aabbccddeeff\n", 0640, -EPERM},
		{"psk128: 00112233445566778899aabbccddeef\n", 0600, -EINVAL},
		{"psk256: 00112233445566778899aabbccddeeff\n", 0600, -EINVAL},
		{"psk128: 00112233445566778899aabbccddeeff\npsk128: "
		 "00112233445566778899aabbccddeeff\n",
		 0600, -EINVAL},
		{"password: x\n", 0600, -EINVAL},
		{"nothing\n", 0600, -EINVAL},
		{"# note\n\n psk128 : 00112233445566778899AABBCCDDEEFF \r\n", 0600, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_psk_file file;

		write_file(rows[i].text, rows[i].mode);
		assert_int_equal(cp_psk_file_read(&file, path, why, sizeof(why)), rows[i].error);
		cp_psk_file_fini(&file);
	}
	assert_int_equal(cp_secret_count(), 0);
}

static void
hex_is_exact(void **state)
{
	uint8_t octets[256], back[256];
	char text[513];

	for (int i = 0; i < 256; i++)
		octets[i] = (uint8_t)i;
	cp_hex_encode(text, octets, 256);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 504, "fcfdfeff");
	assert_int_equal(cp_hex_decode(back, 256, text), 0);
	assert_memory_equal(back, octets, 256);
	assert_int_equal(cp_hex_decode(back, 255, text), -EINVAL);
	text[1] = 'g';
	assert_int_equal(cp_hex_decode(back, 256, text), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_with_its_key_and_label_only),
		cmocka_unit_test(master_key_files_hold_to_rules),
		cmocka_unit_test(psk_files_come_back),
		cmocka_unit_test(bad_psk_files_are_refused),
		cmocka_unit_test(hex_is_exact),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/key", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
