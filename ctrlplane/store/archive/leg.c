/* Legs that are up: what a restart of ours must not forget of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ctrlplane/store/archive/archive_state.h"

static const char write_sql[] =
	"INSERT OR REPLACE INTO leg(id, conference, user, wait, keying, method, private, referred, "
	"suite, muted, deaf, held, gain, joined, connected, floors, role, proof, identity, "
	"display, "
	"person, "
	"tel, via, call_id, agent, join_reason, join_by, referred_by) VALUES(?, ?, ?, ?, ?, ?, ?, "
	"?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

int
cp_archive_save_leg(struct cp_archive *archive, const struct cp_leg *leg, int64_t wall_ahead_ms)
{
	struct cp_job *job = cp_job_create(CP_JOB_SAVE_LEG);

	if (job == NULL || (job->leg = malloc(sizeof(*job->leg))) == NULL) {
		cp_job_destroy(job);
		return -ENOMEM;
	}
	*job->leg = *leg;
	job->conf_id = leg->conf->id;
	job->wall_ahead_ms = wall_ahead_ms;
	return cp_archive_put(archive, job);
}

int
cp_archive_write_leg(struct cp_archive *archive, const struct cp_job *job)
{
	const struct cp_leg *l = job->leg;
	const int64_t numbers[] = {l->id,
				   job->conf_id,
				   l->user_id,
				   l->wait,
				   l->keying,
				   l->method,
				   l->is_private,
				   cp_archive_wall(l->referred_ms, job->wall_ahead_ms),
				   l->suite,
				   l->is_muted,
				   l->is_deaf,
				   l->is_held,
				   l->gain_cdb,
				   cp_archive_wall(l->joined_ms, job->wall_ahead_ms),
				   cp_archive_wall(l->connected_ms, job->wall_ahead_ms),
				   l->floors};
	const char *const texts[] = {cp_conf_role_name(l->role),
				     cp_conf_proof_name(l->proof),
				     l->identity,
				     l->display,
				     l->person,
				     l->tel,
				     l->via,
				     l->call_id,
				     l->agent,
				     l->join_reason,
				     l->join_by,
				     l->referred_by};
	sqlite3_stmt *st = cp_archive_prepared(archive, CP_ST_LEG, write_sql);
	int at = 1, error;

	if (st == NULL)
		return -EIO;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sqlite3_bind_int64(st, at++, numbers[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		sqlite3_bind_text(st, at++, texts[i], -1, SQLITE_STATIC);
	error = cp_archive_step(st);
	return error == 0 ? cp_archive_begin_record(archive, job) : error;
}

static enum cp_conf_proof
proof_of(const char *name)
{
	enum cp_conf_proof proof = CP_PROOF_KMS;

	while (proof > CP_PROOF_NONE && strcmp(cp_conf_proof_name(proof), name) != 0)
		proof--;
	return proof;
}

static void
read_numbers(struct cp_leg *l, sqlite3_stmt *row)
{
	l->id = (uint32_t)sqlite3_column_int64(row, 0);
	l->user_id = (uint32_t)sqlite3_column_int64(row, 2);
	l->wait = (enum cp_leg_wait)sqlite3_column_int(row, 3);
	l->keying = (enum cp_conf_keying)sqlite3_column_int(row, 4);
	l->method = (enum cp_join_method)sqlite3_column_int(row, 5);
	l->is_private = sqlite3_column_int(row, 6) != 0;
	l->referred_ms = sqlite3_column_int64(row, 7);
	l->suite = (enum dp_suite)sqlite3_column_int(row, 8);
	l->is_muted = sqlite3_column_int(row, 9) != 0;
	l->is_deaf = sqlite3_column_int(row, 10) != 0;
	l->is_held = sqlite3_column_int(row, 11) != 0;
	l->gain_cdb = (int16_t)sqlite3_column_int(row, 12);
	l->joined_ms = sqlite3_column_int64(row, 13);
	l->connected_ms = sqlite3_column_int64(row, 14);
	l->floors = (uint8_t)sqlite3_column_int(row, 27);
	/* numbers are indexes of tables of names */
	if (l->wait < CP_WAIT_NONE || l->wait > CP_WAIT_GOODBYE)
		l->wait = CP_WAIT_LOBBY;
	if (l->keying < CP_KEYING_UNKNOWN || l->keying > CP_KEYING_MIKEY)
		l->keying = CP_KEYING_UNKNOWN;
	if (l->method < CP_JOIN_DIALED_IN || l->method >= CP_JOIN_METHODS)
		l->method = CP_JOIN_DIALED_IN;
	if (l->suite < DP_SUITE_NONE || l->suite >= DP_SUITE_COUNT)
		l->suite = DP_SUITE_NONE;
}

static void
read_leg(struct cp_leg *l, sqlite3_stmt *row)
{
	const struct {
		char *to;
		size_t size;
	} texts[] = {
		{l->identity, sizeof(l->identity)}, {l->display, sizeof(l->display)},
		{l->person, sizeof(l->person)},	    {l->tel, sizeof(l->tel)},
		{l->via, sizeof(l->via)},	    {l->call_id, sizeof(l->call_id)},
		{l->agent, sizeof(l->agent)},	    {l->join_reason, sizeof(l->join_reason)},
		{l->join_by, sizeof(l->join_by)},   {l->referred_by, sizeof(l->referred_by)},
	};

	read_numbers(l, row);
	if (cp_conf_role_of(&l->role, cp_slice_text(cp_archive_text(row, 15))) != 0)
		l->role = CP_ROLE_LISTENER;
	l->proof = proof_of(cp_archive_text(row, 16));
	for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++)
		snprintf(texts[i].to, texts[i].size, "%s", cp_archive_text(row, 17 + i));
}

/* Whose leg we do not know any more: we died between the end of its conference and that of its record. */
static int
close_records(struct cp_archive *archive)
{
	sqlite3_stmt *st = NULL;
	int error = cp_sqlite_error(sqlite3_prepare_v2(
		archive->db,
		"UPDATE record SET ended = ?, departure = 'failed', reason = 'Ended while the "
		"server "
		"was restarting' WHERE ended = 0 AND leg NOT IN (SELECT id FROM leg)",
		-1, &st, NULL));

	if (error != 0)
		return error;
	sqlite3_bind_int64(st, 1, cp_archive_clock_ms());
	error = cp_sqlite_error(sqlite3_step(st));
	sqlite3_finalize(st);
	return error;
}

int
cp_archive_load_legs(struct cp_archive *archive, cp_archive_leg_fn each, void *arg)
{
	static const char sql[] =
		"SELECT id, conference, user, wait, keying, method, private, referred, suite, "
		"muted, "
		"deaf, held, gain, joined, connected, role, proof, identity, display, person, tel, "
		"via, call_id, agent, join_reason, join_by, referred_by, floors FROM leg ORDER BY "
		"joined "
		"DESC";
	struct cp_leg *leg = calloc(1, sizeof(*leg));
	sqlite3_stmt *row = NULL;
	int result = SQLITE_DONE, error = -ENOMEM;

	if (leg != NULL)
		error = cp_sqlite_error(sqlite3_prepare_v2(archive->db, sql, -1, &row, NULL));
	while (error == 0 && (result = sqlite3_step(row)) == SQLITE_ROW) {
		*leg = (struct cp_leg){0};
		read_leg(leg, row);
		error = each(arg, (uint32_t)sqlite3_column_int64(row, 1), leg);
	}
	sqlite3_finalize(row);
	free(leg);
	if (error == 0)
		error = cp_sqlite_error(result);
	return error != 0 ? error : close_records(archive);
}
