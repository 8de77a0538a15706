/* REFER: who may ask the focus to call, to hang up or to refer, and what came of it (RFC 4579 5.5 to 5.10, RFC 3515). */
#include "ctrlplane/app/app_state.h"

void
cp_refer_on_request(void *ctx, struct cp_sip_refer *refer,
		    const struct cp_sip_refer_request *request)
{
	cp_sip_refer_refuse(refer,
			    &(struct cp_sip_refusal){
				    .status = 403,
				    .warning_code = 399,
				    .warning_text = "You may not call or remove anybody here"});
}

void
cp_refer_on_report(void *ctx, void *owner, int status, bool is_over)
{
}
