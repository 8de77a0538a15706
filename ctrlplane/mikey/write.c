/* Payloads that are written. */
#include "ctrlplane/mikey/write.h"

#include <string.h>
#include "ctrlplane/mikey/cipher.h"
#include "ctrlplane/mikey/time.h"

struct cp_mikey_writer
cp_mikey_writer(uint8_t *octets, size_t cap)
{
	return (struct cp_mikey_writer){.octets = octets, .cap = cap, .next_at = CP_MIKEY_NO_NEXT};
}

void
cp_mikey_put(struct cp_mikey_writer *w, struct cp_mikey_octets octets)
{
	if (octets.len > w->cap - w->len) {
		w->is_full = true;
		return;
	}
	if (octets.len > 0)
		memcpy(w->octets + w->len, octets.at, octets.len);
	w->len += octets.len;
}

static struct cp_mikey_octets
big_endian(uint8_t wire[8], uint64_t number, size_t octets)
{
	for (size_t i = 0; i < octets; i++)
		wire[i] = (uint8_t)(number >> (8 * (octets - 1 - i)));
	return cp_mikey_octets(wire, octets);
}

void
cp_mikey_put_number(struct cp_mikey_writer *w, uint64_t number, size_t octets)
{
	uint8_t wire[8];

	cp_mikey_put(w, big_endian(wire, number, octets));
}

size_t
cp_mikey_put_len(struct cp_mikey_writer *w)
{
	cp_mikey_put_number(w, 0, 2);
	return w->len - 2;
}

void
cp_mikey_end_len(struct cp_mikey_writer *w, size_t at)
{
	size_t len = w->len - at - 2;

	if (w->is_full)
		return;
	if (len > UINT16_MAX) {
		w->is_full = true;
		return;
	}
	w->octets[at] = (uint8_t)(len >> 8);
	w->octets[at + 1] = (uint8_t)len;
}

void
cp_mikey_put_next(struct cp_mikey_writer *w, uint8_t type)
{
	if (w->next_at != CP_MIKEY_NO_NEXT && !w->is_full)
		w->octets[w->next_at] = type;
	w->next_at = w->len;
	cp_mikey_put_number(w, CP_MIKEY_PAYLOAD_LAST, 1);
}

void
cp_mikey_put_hdr(struct cp_mikey_writer *w, const struct cp_mikey_msg *msg)
{
	cp_mikey_put_number(w, 1, 1);
	cp_mikey_put_number(w, msg->data_type, 1);
	w->next_at = w->len;
	cp_mikey_put_number(w, CP_MIKEY_PAYLOAD_LAST, 1);
	cp_mikey_put_number(w, (unsigned)(msg->v_flag << 7 | msg->prf), 1);
	cp_mikey_put_number(w, msg->csb_id, 4);
	cp_mikey_put_number(w, msg->cs_count, 1);
	cp_mikey_put_number(w, msg->map_type, 1);
	for (size_t i = 0; i < msg->cs_count; i++) {
		const struct cp_mikey_cs *cs = &msg->cs[i];

		cp_mikey_put_number(w, cs->id, 1);
		cp_mikey_put_number(w, cs->prot, 1);
		cp_mikey_put_number(w, (unsigned)(cs->s << 7 | cs->policy_count), 1);
		cp_mikey_put(w, cp_mikey_octets(cs->policies, cs->policy_count));
		cp_mikey_put_number(w, cs->session_data.len, 2);
		cp_mikey_put(w, cs->session_data);
		cp_mikey_put_number(w, cs->spi.len, 1);
		cp_mikey_put(w, cs->spi);
	}
}

void
cp_mikey_put_ts(struct cp_mikey_writer *w, const struct cp_mikey_ts *ts)
{
	cp_mikey_put_next(w, ts->role == 0 ? CP_MIKEY_PAYLOAD_T : CP_MIKEY_PAYLOAD_TR);
	if (ts->role != 0)
		cp_mikey_put_number(w, ts->role, 1);
	cp_mikey_put_number(w, ts->type, 1);
	cp_mikey_put(w, ts->value);
}

void
cp_mikey_put_t(struct cp_mikey_writer *w, uint64_t time)
{
	uint8_t wire[8];
	const struct cp_mikey_ts ts = {0, CP_MIKEY_TS_NTP_UTC,
				       big_endian(wire, cp_mikey_time_to_ntp(time), 8)};

	cp_mikey_put_ts(w, &ts);
}

void
cp_mikey_put_tr(struct cp_mikey_writer *w, uint8_t role, uint32_t ntp_s)
{
	uint8_t wire[8];
	const struct cp_mikey_ts ts = {role, CP_MIKEY_TS_NTP_UTC_32, big_endian(wire, ntp_s, 4)};

	cp_mikey_put_ts(w, &ts);
}

void
cp_mikey_put_idr(struct cp_mikey_writer *w, uint8_t role, struct cp_mikey_id id)
{
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_IDR);
	cp_mikey_put_number(w, role, 1);
	cp_mikey_put_number(w, id.type, 1);
	cp_mikey_put_number(w, id.data.len, 2);
	cp_mikey_put(w, id.data);
}

void
cp_mikey_put_randr(struct cp_mikey_writer *w, uint8_t role, struct cp_mikey_octets rand)
{
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_RANDR);
	cp_mikey_put_number(w, role, 1);
	cp_mikey_put_number(w, rand.len, 1);
	cp_mikey_put(w, rand);
}

void
cp_mikey_put_sp(struct cp_mikey_writer *w, const struct cp_mikey_sp *sp)
{
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_SP);
	cp_mikey_put_number(w, sp->no, 1);
	cp_mikey_put_number(w, sp->prot, 1);
	cp_mikey_put_number(w, sp->params.len, 2);
	cp_mikey_put(w, sp->params);
}

void
cp_mikey_put_genext(struct cp_mikey_writer *w, uint8_t type, struct cp_mikey_octets data)
{
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_GENEXT);
	cp_mikey_put_number(w, type, 1);
	cp_mikey_put_number(w, data.len, 2);
	cp_mikey_put(w, data);
}

void
cp_mikey_put_err(struct cp_mikey_writer *w, uint8_t error)
{
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_ERR);
	cp_mikey_put_number(w, error, 1);
	cp_mikey_put_number(w, 0, 2);
}

void
cp_mikey_put_copy(struct cp_mikey_writer *w, const struct cp_mikey_payload *payload)
{
	cp_mikey_put_next(w, (uint8_t)payload->type);
	cp_mikey_put(w, cp_mikey_octets(payload->whole.at + 1, payload->whole.len - 1));
}

size_t
cp_mikey_put_v(struct cp_mikey_writer *w, uint8_t alg)
{
	static const uint8_t zeros[CP_MIKEY_MAC_MAX];

	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_V);
	cp_mikey_put_number(w, alg, 1);
	cp_mikey_put(w, cp_mikey_octets(zeros, (size_t)cp_mikey_mac_len(alg)));
	return w->len - (size_t)cp_mikey_mac_len(alg);
}
