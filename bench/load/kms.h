/*
 * MIKEY to a KMS and back over HTTP (profile section 3), without waiting: requests go out and answers come in at each turn of
 * the signalling thread's clock.
 */
#ifndef BENCH_LOAD_KMS_H
#define BENCH_LOAD_KMS_H

#include <stddef.h>
#include <stdint.h>

struct ue_kms;

enum ue_kms_type {
	UE_KMS_TICKET_REQUEST,
	UE_KMS_TICKET_RESOLVE,
};

/* The answer, borrowed; len 0: there is none, and why says so. */
typedef void (*ue_kms_done_fn)(void *arg, const uint8_t *octets, size_t len, const char *why);

/* url as http://HOST:PORT or https; ca: PEM file of who signed its certificate, NULL: those of the system; it is kept. 0 or -errno. */
int ue_kms_create(struct ue_kms **out, const char *url, const char *ca, double timeout_s);

/* Requests under way are dropped, their done is not called. */
void ue_kms_destroy(struct ue_kms *kms);

/* One message, copied. done is called from ue_kms_turn, once. 0 or -errno: then never. */
int ue_kms_post(struct ue_kms *kms, enum ue_kms_type type, const uint8_t *octets, size_t len,
		ue_kms_done_fn done, void *arg);

/* Sends and receives what can be; no waiting. */
void ue_kms_turn(struct ue_kms *kms);

#endif
