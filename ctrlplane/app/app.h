/* The program conclave-cp, put together: SIP, focus, client of the media plane and HTTP API on one event loop. */
#ifndef CP_APP_APP_H
#define CP_APP_APP_H

struct cp_config;

/* Runs until SIGTERM or SIGINT. The exit status: 0 after a polite end, 1 when it could not start (it said why). */
int cp_app_run(struct cp_config *config);

#endif
