/* SRTP security policies: RFC 3830 section 6.10.1, RFC 7714 section 15, profile 5. */
#ifndef CP_MIKEY_SP_H
#define CP_MIKEY_SP_H

#include "ctrlplane/mikey/base.h"
#include "dataplane/api/suite.h"

#define CP_MIKEY_SP_MAX 30 /* octets of parameters that we write */

/* The parameters of a suite: their length. */
size_t cp_mikey_sp_encode(uint8_t params[CP_MIKEY_SP_MAX], enum dp_suite suite);

/* The suite that parameters name; what is left out has RFC 3830's default. DP_SUITE_NONE: one that we
 * do not have, or parameters that nobody understands. */
enum dp_suite cp_mikey_sp_decode(struct cp_mikey_octets params);

#endif
