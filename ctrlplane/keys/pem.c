/* Certificates and keys of TLS, looked at. */
#include "ctrlplane/keys/pem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

static int
fail(int error, char *why, size_t size, const char *path, const char *what)
{
	snprintf(why, size, "%s: %s", path, what);
	return error;
}

static int
read_certificate(X509 **out, const char *path, char *why, size_t size)
{
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return fail(-errno, why, size, path, strerror(errno));
	*out = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	return *out != NULL ? 0 : fail(-EINVAL, why, size, path, "no certificate in PEM");
}

/* Nobody is asked for a password. */
static int
no_password(char *out, int size, int is_writing, void *arg)
{
	return 0;
}

static int
read_key(EVP_PKEY **out, const char *path, char *why, size_t size)
{
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return fail(-errno, why, size, path, strerror(errno));
	*out = PEM_read_PrivateKey(file, NULL, no_password, NULL);
	fclose(file);
	return *out != NULL
		       ? 0
		       : fail(-EINVAL, why, size, path, "no key in PEM, or one with a password");
}

static int
end_of(int64_t *out, const X509 *certificate)
{
	struct tm end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return -EINVAL;
	*out = timegm(&end);
	return 0;
}

int
cp_pem_examine(int64_t *end, const char *certificate, const char *key, char *why, size_t size)
{
	EVP_PKEY *pkey = NULL;
	X509 *x509 = NULL;
	int error = read_certificate(&x509, certificate, why, size);

	if (error == 0)
		error = read_key(&pkey, key, why, size);
	if (error == 0 && X509_check_private_key(x509, pkey) != 1)
		error = fail(-EXDEV, why, size, key, "the key of another certificate");
	if (error == 0 && end_of(end, x509) != 0)
		error = fail(-EINVAL, why, size, certificate, "no time at which it ends");
	EVP_PKEY_free(pkey);
	X509_free(x509);
	return error;
}
