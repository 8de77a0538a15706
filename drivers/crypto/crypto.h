/*
 * intel-ipsec-mb's multi-buffer manager: the best instruction set of this CPU, proven by known answers before it is given out.
 *
 * The manager itself (intel-ipsec-mb.h) is used by dataplane/srtp alone. One a thread.
 */
#ifndef DRV_CRYPTO_H
#define DRV_CRYPTO_H

struct IMB_MGR;

/* In locked memory, since it holds states of HMAC keys. NULL: *why is one line for the operator, errno EPERM
 * (RLIMIT_MEMLOCK), ENOMEM or ELIBACC (the CPU or a wrong answer). */
struct IMB_MGR *drv_crypto_open(const char **why);
void drv_crypto_close(struct IMB_MGR *mgr);

/* "ipsec-mb 1.3.0, AVX512 with VAES" */
const char *drv_crypto_name(const struct IMB_MGR *mgr);

/* Known answers of every algorithm that the suites use, by the calls that carry media. NULL, or what failed. */
const char *drv_crypto_selftest(struct IMB_MGR *mgr);

#endif
