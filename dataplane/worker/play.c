/* Playing clips: begin, go on, end. A tick costs a copy of 20 ms; nothing is read or decoded here. */
#include "dataplane/worker/play.h"

#include <string.h>
#include "dataplane/worker/worker_state.h"

uint32_t
dp_play_of_conf(const struct dp_worker *w, uint32_t conf)
{
	return w->legs_max + conf;
}

static struct dp_conference *
conf_of(const struct dp_worker *w, uint32_t at)
{
	return &w->confs[at < w->legs_max ? w->legs[at].conf : at - w->legs_max];
}

/* Out of the list; the place is free. */
static void
leave(struct dp_worker *w, uint32_t at)
{
	struct dp_play *play = &w->plays[at];
	uint32_t last = w->playing[--w->stats.playing];

	w->playing[play->place] = last;
	w->plays[last].place = play->place;
	play->clip = NULL;
	conf_of(w, at)->plays--;
	w->stats.plays_ended++;
}

static void
end(struct dp_worker *w, uint32_t at, enum dp_play_end how)
{
	const struct dp_event_rec rec = {
		.event = DP_EVENT_PLAYED,
		.conf = conf_of(w, at)->id,
		.leg = at < w->legs_max ? w->legs[at].id : 0,
		.a = w->plays[at].id,
		.b = how,
	};

	leave(w, at);
	dp_worker_event(w, &rec);
}

void
dp_play_begin(struct dp_worker *w, uint32_t at, const struct dp_msg_play *in)
{
	struct dp_play *play = &w->plays[at];

	if (play->clip != NULL)
		end(w, at, DP_PLAYED_DISPLACED);
	*play = (struct dp_play){
		.clip = in->clip,
		.id = in->id,
		.next = in->offset,
		.place = w->stats.playing,
		.flags = in->flags,
		.except = in->except,
		.gain = in->gain,
	};
	w->playing[w->stats.playing++] = at;
	conf_of(w, at)->plays++;
	w->stats.plays++;
}

bool
dp_play_stop(struct dp_worker *w, uint32_t at, uint32_t id)
{
	const struct dp_play *play = &w->plays[at];

	if (play->clip == NULL || (id != 0 && play->id != id))
		return false;
	end(w, at, DP_PLAYED_STOPPED);
	return true;
}

void
dp_play_forget(struct dp_worker *w, uint32_t at)
{
	if (w->plays[at].clip != NULL)
		leave(w, at);
}

void
dp_play_retire(struct dp_worker *w, const struct dp_clip *clip)
{
	/* backwards: the last takes the place of one that ends */
	for (uint32_t i = w->stats.playing; i > 0; i--)
		if (w->plays[w->playing[i - 1]].clip == clip)
			end(w, w->playing[i - 1], DP_PLAYED_NO_CLIP);
}

bool
dp_play_next(struct dp_worker *w, uint32_t at, int16_t *row)
{
	struct dp_play *play = &w->plays[at];
	const struct dp_clip *clip = play->clip;
	bool is_loop = (play->flags & DP_PLAY_LOOP) != 0;

	if (clip == NULL)
		return false;
	for (uint32_t done = 0, n; done < DP_SAMPLES; done += n) {
		if (is_loop && play->next == clip->samples)
			play->next = 0;
		n = clip->samples - play->next;
		if (n > DP_SAMPLES - done)
			n = DP_SAMPLES - done;
		if (n == 0) {
			memset(row + done, 0, (DP_SAMPLES - done) * sizeof(*row));
			break;
		}
		memcpy(row + done, clip->pcm + play->next, n * sizeof(*row));
		play->next += n;
	}
	if (!play->gain.is_unity)
		w->mix->gain(row, &play->gain, DP_SAMPLES);
	w->stats.play_frames++;
	if (!is_loop && play->next == clip->samples)
		end(w, at, DP_PLAYED_OUT);
	return true;
}
