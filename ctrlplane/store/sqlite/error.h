/* Results of SQLite as errors of ours, for all that keeps something in it. */
#ifndef CP_STORE_SQLITE_ERROR_H
#define CP_STORE_SQLITE_ERROR_H

/*
 * -errno for a result of SQLite, extended or not; 0 for SQLITE_OK, ROW and DONE. -EUCLEAN: the file is damaged or no database; it is
 * not -EBADMSG, by which the stores say that what they found in a sound file is not theirs to open.
 */
int cp_sqlite_error(int result);

#endif
