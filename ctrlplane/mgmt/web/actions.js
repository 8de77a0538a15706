// What can be done to a conference and who is in it: questions in dialogs, then a request.
import {conference, del, get, patch, post} from './api.js';
import {ask, confirm, el, toast} from './dom.js';
import {nameOf} from './roster.js';
import {askSettings} from './settings.js';

const TONES = 'tone:';

const field = (label, id, control, hint) => el('div', {class: 'field'}, el('label', {for: id}, label), control, hint ? el('small', {id: `${id}-hint`}, hint) : null);
const choices = (rows) => rows.map(([value, label]) => el('option', {value}, label));

// Whom to bring in, and how: {uri, verb}, or null when the dialog was left.
async function askWhom() {
	const uri = el('input', {id: 'line', name: 'line', required: true, autofocus: true, autocapitalize: 'off', spellcheck: 'false',
		placeholder: 'sip:anna@example.net'});
	const verb = el('select', {id: 'verb', name: 'verb', 'aria-describedby': 'verb-hint'},
		choices([['call', 'Call now'], ['refer', 'Ask to dial in']]));
	const value = await ask('Bring somebody into the conference', el('div', {class: 'fields'},
		field('SIP address', 'line', uri),
		field('How', 'verb', verb, 'Ask to dial in: the phone gets a REFER, and calls by itself.')), [['', 'Cancel', 'quiet'], ['yes', 'Go', 'primary']]);

	return value === 'yes' && uri.value.trim() ? {uri: uri.value.trim(), verb: verb.value} : null;
}

// The name of a clip of the server's list, or tones; '' when the dialog was left.
async function askClip(title) {
	const {announcements} = await get('/announcements');
	const group = (label, kind) => {
		const found = announcements.filter((one) => one.kind === kind);

		return found.length > 0 ? el('optgroup', {label}, choices(found.map((one) => [one.clip, kind === 'prompt' ? one.clip.replaceAll('-', ' ') : one.clip]))) : null;
	};
	const clip = el('select', {id: 'clip', name: 'clip', autofocus: true}, group('Files', 'file'), group('Prompts', 'prompt'),
		el('option', {value: TONES}, 'Tones …'));
	const tones = el('input', {id: 'tones', name: 'tones', value: `${TONES}880:200,0:100,660:400`, pattern: `${TONES}.+`, autocapitalize: 'off', spellcheck: 'false',
		'aria-describedby': 'tones-hint'});
	const own = field('Tones', 'tones', tones, 'tone:HZ:MS, … – 0 Hz is a pause, 440+480 are two at a time.');
	const show = () => {
		own.hidden = clip.value !== TONES;
		tones.disabled = own.hidden;
	};

	clip.addEventListener('change', show);
	show();
	const value = await ask(title, el('div', {class: 'fields'}, field('Announcement', 'clip', clip), own), [['', 'Cancel', 'quiet'], ['yes', 'Play', 'primary']]);
	return value !== 'yes' ? '' : clip.value === TONES ? tones.value.trim() : clip.value;
}

// What is seldom done to one participant: {what: 'gain', gain} or {what: 'announce'}; null when the dialog was left.
async function askMore(participant) {
	const gain = el('input', {id: 'gain', name: 'gain', type: 'range', min: -40, max: 20, step: 1, value: participant.gain_db, autofocus: true});
	const shown = el('output', {for: 'gain'});
	const show = () => {
		shown.value = `${gain.value > 0 ? '+' : ''}${gain.value} dB`;
		gain.setAttribute('aria-valuetext', shown.value);
	};

	gain.addEventListener('input', show);
	show();
	const what = await ask(nameOf(participant), el('div', {class: 'field'}, el('label', {for: 'gain', class: 'gain'}, 'Louder or softer', shown), gain),
		[['', 'Cancel', 'quiet'], ['announce', 'Announce …', 'other'], ['gain', 'Set loudness', 'primary']]);

	return what === '' ? null : {what, gain: Number(gain.value)};
}

// Each reports its own failure and has the view look again. state: {conf, legs, isClosing} of the view.
export function actions(id, page, state, look) {
	const path = conference(id);
	const doing = async (work, done) => {
		try {
			await work();
			if (done)
				toast(done);
		} catch (error) {
			page.failed(error);
		}
		look();
	};
	const leg = (participant, verb, body) => post(`${path}/participants/${participant.id}/${verb}`, body);
	const announce = async (title, send) => {
		try {
			const clip = await askClip(title);

			if (clip)
				doing(() => send({clip}), 'It is being played.');
		} catch (error) {
			page.failed(error);
		}
	};

	return {
		mute: (p) => doing(() => leg(p, p.muted ? 'unmute' : 'mute')),
		deaf: (p) => doing(() => leg(p, p.deaf ? 'undeaf' : 'deaf')),
		role: (p, role) => doing(() => leg(p, 'role', {role}), `${nameOf(p)} is ${role} now.`),
		admit: (p) => doing(() => leg(p, 'admit')),
		async more(p) {
			const wanted = await askMore(p);

			if (wanted?.what === 'gain')
				doing(() => leg(p, 'gain', {gain_db: wanted.gain}));
			else if (wanted)
				announce(`Play an announcement to ${nameOf(p)}`, (body) => leg(p, 'announce', body));
		},
		async remove(p) {
			if (await confirm('Remove from the conference', `${nameOf(p)} is hung up on.`, 'Remove'))
				doing(() => del(`${path}/participants/${p.id}`), `${nameOf(p)} was removed.`);
		},
		lock: () => doing(() => post(`${path}/${state.conf.locked ? 'unlock' : 'lock'}`)),
		admitAll: () => doing(() => post(`${path}/admit`)),
		announce: () => announce('Play an announcement to all', (body) => post(`${path}/announce`, body)),
		async call() {
			const whom = await askWhom();

			if (whom)
				doing(() => post(`${path}/${whom.verb}`, {uri: whom.uri}), `${whom.uri} is ${whom.verb === 'call' ? 'being called' : 'asked to dial in'}.`);
		},
		async close() {
			if (!await confirm('Close the conference', 'Everybody in it is hung up on, and its address is nobody’s any more.', 'Close it'))
				return;
			state.isClosing = true; // it is not looked at any more
			try {
				await del(path);
				toast('The conference is closed.');
				location.hash = '#/';
			} catch (error) {
				state.isClosing = false;
				page.failed(error);
			}
		},
		async change() {
			const send = (changes) => Object.keys(changes).length > 0 ? patch(path, changes) : null;

			if (await askSettings(page, state.conf, {title: 'Settings', action: 'Save', send}))
				toast('The settings are saved.');
			look();
		},
	};
}
