/* Files of pre-shared keys. */
#include "ctrlplane/keys/psk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrlplane/keys/hex.h"

static char *
trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]) != NULL)
		end--;
	*end = '\0';
	return text;
}

static int
take_key(struct cp_secret **out, size_t len, const char *digits)
{
	uint8_t octets[CP_SECRET_MAX];
	int error;

	if (*out != NULL || cp_hex_decode(octets, len, digits) != 0)
		return -EINVAL;
	error = cp_secret_create(out, octets, len);
	cp_wipe(octets, sizeof(octets));
	return error;
}

static int
take_text(char out[CP_PSK_TEXT_MAX], const char *text)
{
	if (out[0] != '\0' || text[0] == '\0' || strlen(text) >= CP_PSK_TEXT_MAX)
		return -EINVAL;
	strcpy(out, text);
	return 0;
}

/* A line of the file; 0 for an empty one. */
static int
take_line(struct cp_psk_file *out, char *line)
{
	char *colon, *name, *value;

	if (line[0] == '#' || *trim(line) == '\0')
		return 0;
	colon = strchr(line, ':');
	if (colon == NULL)
		return -EINVAL;
	*colon = '\0';
	name = trim(line);
	value = trim(colon + 1);
	if (strcmp(name, "identity") == 0)
		return take_text(out->identity, value);
	if (strcmp(name, "psk_id") == 0)
		return take_text(out->psk_id, value);
	if (strcmp(name, "psk128") == 0)
		return take_key(&out->psk[0], cp_psk_octets[0], value);
	if (strcmp(name, "psk256") == 0)
		return take_key(&out->psk[1], cp_psk_octets[1], value);
	return -EINVAL;
}

static int
parse(struct cp_psk_file *out, char *text, const char *path, char *why, size_t size)
{
	char *line;
	int number = 0;

	while ((line = strsep(&text, "\n")) != NULL) {
		int error;

		number++;
		error = take_line(out, line);
		if (error != 0) {
			snprintf(why, size,
				 error == -EINVAL
					 ? "%s:%d: not a line of a key file (identity, psk_id, "
					   "psk256 with 64 or psk128 with 32 digits, each once)"
					 : "%s:%d: no locked memory for the key",
				 path, number);
			return error;
		}
	}
	if (out->psk[0] != NULL || out->psk[1] != NULL)
		return 0;
	snprintf(why, size, "%s: no key in it; it wants a line psk256 or psk128", path);
	return -EINVAL;
}

int
cp_psk_file_read(struct cp_psk_file *out, const char *path, char *why, size_t size)
{
	char text[2 * CP_PSK_FILE_MAX];
	struct stat info;
	ssize_t len;
	int fd, error = 0;

	memset(out, 0, sizeof(*out));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd >= 0 && fstat(fd, &info) == 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (len < 0) {
		error = -errno;
		snprintf(why, size, "%s: %s", path, strerror(errno));
	} else if ((info.st_mode & 077) != 0) {
		error = -EPERM;
		snprintf(why, size, "%s: others than its owner can read the key; chmod 600 it",
			 path);
	}
	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	if (error == 0)
		error = parse(out, text, path, why, size);
	cp_wipe(text, sizeof(text));
	return error;
}

void
cp_psk_file_fini(struct cp_psk_file *file)
{
	for (size_t i = 0; i < CP_PSK_SETS; i++) {
		cp_secret_put(file->psk[i]);
		file->psk[i] = NULL;
	}
}

size_t
cp_psk_file_format(char *text, const struct cp_psk_text *psk)
{
	static const char *const names[CP_PSK_SETS] = {"psk128", "psk256"};
	char digits[2 * CP_SECRET_MAX + 1];
	size_t len;

	len = (size_t)snprintf(text, CP_PSK_FILE_MAX,
			       "# Keys of a user of the KMS. Whoever has them is that user.\n"
			       "identity: %.255s\n",
			       psk->identity);
	if (psk->psk_id != NULL && psk->psk_id[0] != '\0')
		len += (size_t)snprintf(text + len, CP_PSK_FILE_MAX - len, "psk_id: %.255s\n",
					psk->psk_id);
	for (size_t i = CP_PSK_SETS; i-- > 0;) {
		if (psk->psk[i] == NULL)
			continue;
		cp_hex_encode(digits, psk->psk[i], cp_psk_octets[i]);
		len += (size_t)snprintf(text + len, CP_PSK_FILE_MAX - len, "%s: %s\n", names[i],
					digits);
	}
	cp_wipe(digits, sizeof(digits));
	return len;
}
