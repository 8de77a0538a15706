/* Options of section "announcements", their defaults (tones) and checks. */
#include "ctrlplane/app/setup/announcements.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctrlplane/prompt/loader.h"

#define OPTION(field) .offset = offsetof(struct cp_config_announcements, field)
#define SOUND(name, prompt, tones, text)                                                      \
	{                                                                                     \
		.path = name, .kind = CONF_STRING, OPTION(sounds[prompt]), .fallback = tones, \
		.help = text                                                                  \
	}

const struct conf_option cp_announcements_options[] = {
	{.path = "enabled",
	 .kind = CONF_BOOL,
	 OPTION(enabled),
	 .fallback = "true",
	 .help = "play announcements, also the question for a PIN"},
	{.path = "directory",
	 .kind = CONF_STRING,
	 OPTION(directory),
	 .help = "folder with WAV files; absent: tones only. A sound below is a file's name in it, "
		 "a list of "
		 "tones "
		 "(tone:HZ[+HZ]:MS, and more with commas; 0 Hz is a pause), or \"\" for silence"},
	{.path = "gain_db",
	 .kind = CONF_INT,
	 OPTION(gain_db),
	 .fallback = "0",
	 .min = -60,
	 .max = 20,
	 .help = "louder or softer than they are, in dB"},
	SOUND("enter_pin", CP_PROMPT_ENTER_PIN, "tone:660:150,0:80,880:150",
	      "enter the PIN, then #"),
	SOUND("wrong_pin", CP_PROMPT_WRONG_PIN, "tone:240:400", "the PIN was wrong, try again"),
	SOUND("goodbye", CP_PROMPT_GOODBYE, "tone:440:150,0:50,340:150,0:50,240:400",
	      "too many wrong PINs; then the call ends"),
	SOUND("lobby", CP_PROMPT_LOBBY, "tone:540:200,0:200,540:200",
	      "you wait for a moderator to let you in"),
	SOUND("welcome", CP_PROMPT_WELCOME, "tone:660:120,880:120,1100:200",
	      "you are in the conference now"),
	SOUND("joined", CP_PROMPT_JOINED, "tone:880:100,1180:120",
	      "to all others: somebody has joined"),
	SOUND("left", CP_PROMPT_LEFT, "tone:1180:100,880:120", "to all: somebody has left"),
	SOUND("muted", CP_PROMPT_MUTED, "tone:600:120,400:160", "you are muted"),
	SOUND("unmuted", CP_PROMPT_UNMUTED, "tone:400:120,600:160", "you are heard again"),
	SOUND("listener", CP_PROMPT_LISTENER, "tone:400:160,0:80,400:160", "you only listen"),
	SOUND("locked", CP_PROMPT_LOCKED, "tone:500:100,0:50,500:100,0:50,500:100",
	      "to all: nobody else gets in"),
	SOUND("unlocked", CP_PROMPT_UNLOCKED, "tone:700:100,0:50,700:100",
	      "to all: others get in again"),
	SOUND("ends_in", CP_PROMPT_ENDS_IN, "tone:1000:120,0:80,1000:120,0:80,1000:300",
	      "to all: the conference ends soon; {minutes} in a file's name becomes how soon, "
	      "e.g. ends-in-{minutes}.wav"),
	SOUND("alone", CP_PROMPT_ALONE, NULL,
	      "music for the only one there, over and over; absent: silence"),
	{.path = NULL},
};

const char *
cp_announcements_fallback(enum cp_prompt prompt)
{
	for (const struct conf_option *o = cp_announcements_options; o->path; o++)
		if (o->offset ==
		    offsetof(struct cp_config_announcements, sounds) + prompt * sizeof(char *))
			return o->fallback ? o->fallback : "";
	return "";
}

static const char *
check_file(const struct cp_config_announcements *a, const char *name)
{
	char path[512];
	struct stat st;

	if (!cp_loader_is_name(name))
		return "is neither a list of tones nor a plain file name (letters, digits, '.', "
		       "'_', '-')";
	if (!a->directory)
		return "is a file, but 'announcements.directory' is not set";
	snprintf(path, sizeof(path), "%s/%s", a->directory, name);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode)
		       ? NULL
		       : "is no file in 'announcements.directory'";
}

static const char *
check_sound(const struct cp_config_announcements *a, enum cp_prompt prompt, const char *sound)
{
	const char *mark = strstr(sound, CP_ANNOUNCE_MINUTES);
	char name[CP_LOADER_NAME_MAX];

	if (!*sound)
		return NULL;
	if (strncmp(sound, CP_TONE_PREFIX, strlen(CP_TONE_PREFIX)) == 0)
		return cp_tone_check(sound) == 0 ? NULL
						 : "is no list of tones; write for example "
						   "tone:880:120,0:60,440+480:250";
	if (prompt != CP_PROMPT_ENDS_IN || !mark)
		return check_file(a, sound);
	/* the numbers come later: here only the name */
	snprintf(name, sizeof(name), "%.*s10%s", (int)(mark - sound), sound,
		 mark + strlen(CP_ANNOUNCE_MINUTES));
	if (!a->directory || !cp_loader_is_name(name))
		return check_file(a, name);
	return NULL;
}

void
cp_config_check_announcements(const struct cp_config_announcements *a,
			      const struct conf_section *section, const char *path,
			      struct conf_errors *errors)
{
	struct stat st;

	if (a->directory && (stat(a->directory, &st) != 0 || !S_ISDIR(st.st_mode))) {
		conf_error(errors, path, conf_line(section, "directory"), "'%s' is no folder",
			   a->directory);
		return;
	}
	for (const struct conf_option *o = cp_announcements_options; o->path; o++) {
		size_t first = offsetof(struct cp_config_announcements, sounds);
		size_t prompt = (o->offset - first) / sizeof(char *);
		const char *wrong;

		if (o->offset < first || !a->sounds[prompt])
			continue;
		wrong = check_sound(a, (enum cp_prompt)prompt, a->sounds[prompt]);
		if (wrong)
			conf_error(errors, path, conf_line(section, o->path), "'%s' %s",
				   a->sounds[prompt], wrong);
	}
}
