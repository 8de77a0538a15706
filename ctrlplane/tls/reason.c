/* Why a session failed, in words for the log. */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "ctrlplane/tls/tls_state.h"

static const struct {
	int code;
	enum cp_tls_cause cause;
	const char *text;
} known[] = {
	{SSL_R_HTTP_REQUEST, CP_TLS_CAUSE_NOT_TLS, "not TLS: an HTTP request"},
	{SSL_R_HTTPS_PROXY_REQUEST, CP_TLS_CAUSE_NOT_TLS, "not TLS: an HTTP request"},
	{SSL_R_WRONG_VERSION_NUMBER, CP_TLS_CAUSE_NOT_TLS, "not TLS, or of a version below 1.2"},
	{SSL_R_UNSUPPORTED_PROTOCOL, CP_TLS_CAUSE_NOT_TLS, "TLS of a version below 1.2"},
	{SSL_R_VERSION_TOO_LOW, CP_TLS_CAUSE_NOT_TLS, "TLS of a version below 1.2"},
	{SSL_R_NO_SHARED_CIPHER, CP_TLS_CAUSE_OTHER, "no cipher suite in common"},
	{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, CP_TLS_CAUSE_NO_KEY, "the peer has no PSK for us"},
	{SSL_R_BINDER_DOES_NOT_VERIFY, CP_TLS_CAUSE_WRONG_KEY, "wrong PSK"},
	{SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, CP_TLS_CAUSE_WRONG_KEY,
	 "wrong key, or octets were changed"},
	{SSL_R_DIGEST_CHECK_FAILED, CP_TLS_CAUSE_WRONG_KEY, "wrong key, or octets were changed"},
	{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, CP_TLS_CAUSE_CERTIFICATE,
	 "the peer has no certificate"},
};

static const char *
text_of(enum cp_tls_cause *cause, unsigned long error)
{
	const char *text = ERR_reason_error_string(error);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == known[i].code) {
			*cause = known[i].cause;
			return known[i].text;
		}
	return text ? text : "OpenSSL does not say why";
}

/* OpenSSL numbers the alerts of peers from SSL_AD_REASON_OFFSET. */
static bool
is_alert(unsigned long error)
{
	return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET;
}

/* What OpenSSL says, unless we know better. */
static void
find_reason(struct cp_tls *tls)
{
	unsigned long error = ERR_peek_error();

	if (tls->refusal) {
		tls->cause = tls->refusal_cause;
		snprintf(tls->reason, sizeof(tls->reason), "%s", tls->refusal);
	} else if (is_alert(error)) {
		snprintf(tls->reason, sizeof(tls->reason), "the peer's alert: %s",
			 SSL_alert_desc_string_long(ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET));
	} else {
		snprintf(tls->reason, sizeof(tls->reason), "%s", text_of(&tls->cause, error));
	}
}

void
cp_tls_fail(struct cp_tls *tls, enum cp_tls_cause cause, const char *text)
{
	if (tls->state != CP_TLS_FAILED) {
		tls->cause = cause;
		if (text)
			snprintf(tls->reason, sizeof(tls->reason), "%s", text);
		else
			find_reason(tls);
	}
	tls->state = CP_TLS_FAILED;
	cp_tls_psk_release(tls);
	ERR_clear_error();
}
