/* Opens and closes ipsec-mb managers (drivers/crypto/crypto.h). */
#include "drivers/crypto/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <intel-ipsec-mb.h>
#include "drivers/crypto/locked.h"

struct IMB_MGR *
drv_crypto_open(const char **why)
{
	void *at;
	IMB_MGR *mgr;
	IMB_ARCH arch;
	int status = drv_locked_get(&at, imb_get_mb_mgr_size());

	if (status < 0) {
		*why = status == -EPERM ? "RLIMIT_MEMLOCK is used up: no locked memory for the "
					  "cipher library; "
					  "raise LimitMEMLOCK= or ulimit -l"
					: "no memory for the cipher library";
		errno = -status;
		return NULL;
	}
	mgr = imb_set_pointers_mb_mgr(at, 0, 1);
	init_mb_mgr_auto(mgr, &arch);
	if (imb_get_errno(mgr) != 0 || arch < IMB_ARCH_SSE)
		*why = "this CPU lacks AES-NI, PCLMULQDQ or SSE4.2, which intel-ipsec-mb needs";
	else
		*why = drv_crypto_selftest(mgr);
	if (*why == NULL)
		return mgr;
	drv_locked_put(at, imb_get_mb_mgr_size());
	errno = ELIBACC;
	return NULL;
}

void
drv_crypto_close(struct IMB_MGR *mgr)
{
	drv_locked_put(mgr, imb_get_mb_mgr_size());
}

const char *
drv_crypto_name(const struct IMB_MGR *mgr)
{
	switch (mgr->used_arch) {
	case IMB_ARCH_SSE:
		return "ipsec-mb " IMB_VERSION_STR ", SSE";
	case IMB_ARCH_AVX:
		return "ipsec-mb " IMB_VERSION_STR ", AVX";
	case IMB_ARCH_AVX2:
		return "ipsec-mb " IMB_VERSION_STR ", AVX2";
	default:
		return mgr->features & IMB_FEATURE_VAES ? "ipsec-mb " IMB_VERSION_STR
							  ", AVX512 with VAES"
							: "ipsec-mb " IMB_VERSION_STR ", AVX512";
	}
}
