/* Layout of a store, for this folder. */
#ifndef CP_STORE_STORE_STATE_H
#define CP_STORE_STORE_STATE_H

#include <sqlite3.h>
#include "ctrlplane/keys/seal.h"
#include "ctrlplane/store/sqlite/error.h"
#include "ctrlplane/store/store.h"

/* Statements that are prepared once: those of every exchange. */
enum cp_store_statement {
	CP_STORE_AUDIT_ADD,
	CP_STORE_TPK_USED,
	CP_STORE_GENERATION,
	CP_STORE_STATEMENTS
};

struct cp_store {
	sqlite3 *db;
	struct cp_seal *seal;
	sqlite3_stmt *prepared[CP_STORE_STATEMENTS];
};

int cp_store_run(struct cp_store *store, const char *sql);
int cp_store_prepare(sqlite3_stmt **out, struct cp_store *store, const char *sql);
/* Steps a statement that gives no rows, and finalizes it. */
int cp_store_finish(sqlite3_stmt *statement);
/* A prepared one, reset; NULL when it cannot be. */
sqlite3_stmt *cp_store_prepared(struct cp_store *store, enum cp_store_statement which,
				const char *sql);

/* NULL and empty become SQL's NULL. */
int cp_store_bind_text(sqlite3_stmt *statement, int index, const char *text);
/* Never NULL. */
const char *cp_store_text(sqlite3_stmt *statement, int column);

/* A key, sealed under what it is and whose. */
struct cp_store_label {
	const char *what; /* "psk", "tpk" */
	const char *whose;
	int set;
};
int cp_store_bind_key(struct cp_store *store, sqlite3_stmt *statement, int index,
		      const struct cp_store_label *label, const uint8_t *key);
/* -EBADMSG: does not open. */
int cp_store_key(uint8_t *key, struct cp_store *store, sqlite3_stmt *statement, int column,
		 const struct cp_store_label *label);

#endif
