/* Section "announcements": what is played when. */
#ifndef CP_APP_SETUP_ANNOUNCEMENTS_H
#define CP_APP_SETUP_ANNOUNCEMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "configs/loader/loader.h"
#include "ctrlplane/conf/event.h"

#define CP_ANNOUNCE_MINUTES "{minutes}" /* in ends_in: the number */

/* sounds: by enum cp_prompt; each the name of a file in directory, a list of tones, or empty: silence. */
struct cp_config_announcements {
	bool enabled;
	char *directory; /* NULL: none */
	int64_t gain_db;
	char *sounds[CP_PROMPTS];
};

extern const struct conf_option cp_announcements_options[];

void cp_config_check_announcements(const struct cp_config_announcements *a,
				   const struct conf_section *section, const char *path,
				   struct conf_errors *errors);

/* What sounds where the file of a prompt cannot be had: its default, a list of tones. */
const char *cp_announcements_fallback(enum cp_prompt prompt);

#endif
