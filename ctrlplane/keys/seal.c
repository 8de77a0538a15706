/* AES-256-GCM (NIST SP 800-38D) with random nonces of 96 bits under a master key file. */
#include "ctrlplane/keys/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrlplane/keys/hex.h"

#define NONCE 12
#define TAG 16
#define ROOM 4096 /* a page of its own */

struct cp_seal {
	uint8_t key[CP_SEAL_KEY];
};

static int
fail(int error, char *why, size_t size, const char *path, const char *what)
{
	snprintf(why, size, "%s: %s", path, what);
	return -error;
}

/* The file's first octets, once its owner and mode are found to be right. */
static int
read_private(char *text, size_t room, const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	ssize_t len;
	int error = 0;

	if (fd < 0) {
		error = errno;
		snprintf(why, size,
			 error == ENOENT ? "%s: no master key; make one with conclave kms init"
					 : "%s: the master key cannot be read",
			 path);
		return -error;
	}
	len = fstat(fd, &info) == 0 ? read(fd, text, room - 1) : -1;
	if (len < 0)
		error = fail(errno, why, size, path, strerror(errno));
	else if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0)
		error = fail(EPERM, why, size, path,
			     "others than its owner have access to the master key; chmod 600 it");
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return error;
}

int
cp_seal_open(struct cp_seal **out, const char *path, char *why, size_t size)
{
	struct cp_seal *seal;
	char text[2 * CP_SEAL_KEY + 64];
	int error = read_private(text, sizeof(text), path, why, size);

	if (error != 0)
		goto wipe;
	text[strcspn(text, " \t\r\n")] = '\0';
	seal = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (seal == MAP_FAILED || mlock(seal, ROOM) != 0 ||
	    madvise(seal, ROOM, MADV_DONTDUMP) != 0) {
		error = fail(ENOMEM, why, size, path,
			     "no locked memory for the master key; raise RLIMIT_MEMLOCK");
		if (seal != MAP_FAILED)
			munmap(seal, ROOM);
	} else if (cp_hex_decode(seal->key, CP_SEAL_KEY, text) != 0) {
		error = fail(
			EINVAL, why, size, path,
			"a master key is 64 hexadecimal digits; make one with conclave kms init");
		cp_seal_close(seal);
	} else {
		*out = seal;
	}
wipe:
	explicit_bzero(text, sizeof(text));
	return error;
}

void
cp_seal_close(struct cp_seal *seal)
{
	if (seal == NULL)
		return;
	explicit_bzero(seal, sizeof(*seal));
	munmap(seal, ROOM);
}

int
cp_seal_make_file(const char *path, char *why, size_t size)
{
	char text[2 * CP_SEAL_KEY + 2];
	uint8_t key[CP_SEAL_KEY];
	int fd, error = 0;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return fail(EIO, why, size, path, "the kernel has no random octets");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(errno, why, size, path, strerror(errno));
	cp_hex_encode(text, key, sizeof(key));
	strcat(text, "\n");
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd) != 0) {
		error = fail(errno != 0 ? errno : EIO, why, size, path,
			     "the master key cannot be written");
		unlink(path);
	}
	close(fd);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text, sizeof(text));
	return error;
}

int
cp_seal_wrap(uint8_t *out, const struct cp_seal *seal, struct cp_seal_text text)
{
	EVP_CIPHER_CTX *ctx;
	int len, error = -EIO;

	if (text.len == 0 || text.len > CP_SEAL_MAX)
		return -EINVAL;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx != NULL && getrandom(out, NONCE, 0) == NONCE &&
	    EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key, out) == 1 &&
	    EVP_EncryptUpdate(ctx, NULL, &len, (const uint8_t *)text.label,
			      (int)strlen(text.label)) == 1 &&
	    EVP_EncryptUpdate(ctx, out + NONCE, &len, text.octets, (int)text.len) == 1 &&
	    EVP_EncryptFinal_ex(ctx, out + NONCE + text.len, &len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + text.len) == 1)
		error = 0;
	EVP_CIPHER_CTX_free(ctx);
	return error;
}

int
cp_seal_unwrap(uint8_t *out, const struct cp_seal *seal, struct cp_seal_text text)
{
	EVP_CIPHER_CTX *ctx;
	size_t plain;
	int len, error = -EBADMSG;

	if (text.len <= CP_SEAL_OVERHEAD || text.len > CP_SEAL_MAX + CP_SEAL_OVERHEAD)
		return -EBADMSG;
	plain = text.len - CP_SEAL_OVERHEAD;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx != NULL &&
	    EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key, text.octets) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &len, (const uint8_t *)text.label,
			      (int)strlen(text.label)) == 1 &&
	    EVP_DecryptUpdate(ctx, out, &len, text.octets + NONCE, (int)plain) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG,
				(void *)(uintptr_t)(text.octets + NONCE + plain)) == 1 &&
	    EVP_DecryptFinal_ex(ctx, out + plain, &len) == 1)
		error = 0;
	else
		explicit_bzero(out, plain);
	EVP_CIPHER_CTX_free(ctx);
	return error;
}
