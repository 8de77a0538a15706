/* What of a SIP dialog (RFC 3261 12) outlives a restart of ours: kept by the store, made and read by ctrlplane/sip. No keys. */
#ifndef CP_BASE_DIALOG_H
#define CP_BASE_DIALOG_H

#define CP_DIALOG_TEXT_MAX 512
#define CP_DIALOG_ROUTES_MAX 1536

/* As we see it. Texts; CSeq numbers are not among them, see ctrlplane/sip/kept.c. */
struct cp_dialog {
	char call_id[CP_DIALOG_TEXT_MAX];
	char local[CP_DIALOG_TEXT_MAX], remote[CP_DIALOG_TEXT_MAX]; /* URIs of From and To */
	char local_tag[CP_DIALOG_TEXT_MAX], remote_tag[CP_DIALOG_TEXT_MAX];
	char target[CP_DIALOG_TEXT_MAX]; /* URI of the peer's Contact */
	char routes
		[CP_DIALOG_ROUTES_MAX];	 /* "<uri>, <uri>" in the order of our requests; "": none */
	char listen[CP_DIALOG_TEXT_MAX]; /* our address, as configured */
	char contact[CP_DIALOG_TEXT_MAX]; /* ours, the header's value */
};

#endif
