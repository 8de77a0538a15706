/* Where a KMS answers over HTTP: profile section 3. */
#ifndef CP_KMS_SETUP_PATH_H
#define CP_KMS_SETUP_PATH_H

#define CP_KMS_PATH "/keymanagement"
#define CP_KMS_STATUS_PATH "/status" /* on loopback only */

#endif
