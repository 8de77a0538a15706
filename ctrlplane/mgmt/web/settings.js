// The form of a conference's settings: to create one, and to change one. Sent is only what differs from what the server says.
import {ask, el} from './dom.js';
import {floorForm} from './floor_form.js';

const text = (name, label, more = {}) => ({name, label, type: 'text', ...more});
const flag = (name, label) => ({name, label, type: 'checkbox'});
const choice = (name, label, options, hint) => ({name, label, type: 'select', options, hint});

const MAIN = [
	text('title', 'Title', {maxlength: 95}),
	choice('security', 'Protection of media', [['', 'as the server’s default'], ['mikey-ticket', 'MIKEY-TICKET, verified by the KMS'],
		['sdes', 'SRTP by SDES, to the next hop'], ['either', 'SRTP where offered'], ['none', 'none']]),
	text('start_at', 'Starts', {type: 'datetime-local'}),
	text('end_at', 'Ends', {type: 'datetime-local'}),
	text('max_participants', 'At most so many participants', {type: 'number', min: 0, max: 100000, hint: '0: as many as the server takes'}),
];
const RULES = [
	flag('open', 'Anybody with an identity may join'),
	flag('anonymous', 'Anonymous participants may join'),
	flag('mutes_on_entry', 'Participants are muted when they join'),
	flag('lobby', 'Participants wait in the lobby until they are let in'),
	flag('locked', 'Locked: nobody else joins'),
	flag('announces', 'Announce who comes and goes'),
	flag('chat', 'It has a chat'),
	flag('ends_with_creator', 'Over when the creator leaves'),
	flag('ends_when_empty', 'Over when the last one leaves'),
];
const MORE = [
	text('subject', 'Subject', {maxlength: 255}),
	text('creator', 'Creator', {maxlength: 255, placeholder: 'sip:anna@example.net'}),
	choice('who_may_change', 'Who may change these settings', [['creator', 'the creator'], ['moderators', 'moderators'],
		['participants', 'participants']]),
	text('pin', 'PIN', {pattern: '[0-9]{4,16}', hint: '4 to 16 digits to key in; it is never shown again', autocomplete: 'off'}),
	text('chat_history', 'Messages of the chat that who comes gets', {type: 'number', min: 0, max: 100, hint: '0: those from now on only'}),
	text('loudest_n', 'Mix the loudest', {type: 'number', min: 0, max: 64, hint: '0: all'}),
	choice('notify_protection', 'Encrypt the roster for subscribers', [['default', 'by the protection of media'], ['required', 'always'],
		['preferred', 'where they have a key'], ['off', 'never']]),
];

function local(time) {
	if (!time)
		return '';
	const date = new Date(time);

	return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function input(field, value) {
	const id = `f-${field.name}`;

	if (field.type === 'checkbox') {
		const box = el('input', {type: 'checkbox', id, name: field.name});

		box.checked = Boolean(value);
		return el('label', {class: 'check', for: id}, box, ' ', field.label);
	}
	const hint = field.hint ? el('small', {id: `${id}-hint`}, field.hint) : null;
	let control;
	if (field.type === 'select') {
		control = el('select', {id, name: field.name},
			field.options.map(([v, label]) => el('option', {value: v}, label)));
		control.value = value ?? field.options[0][0];
	} else {
		const {name, label, hint: _, ...attributes} = field;

		control = el('input', {...attributes, id, name, 'aria-describedby': hint ? `${id}-hint` : null});
		control.value = field.type === 'datetime-local' ? local(value) : value ?? '';
	}
	return el('div', {class: 'field'}, el('label', {for: id}, field.label), control, hint);
}

function valueOf(field, form) {
	const control = form.elements[field.name];

	if (field.type === 'checkbox')
		return control.checked;
	if (field.type === 'number')
		return control.value === '' ? null : Number(control.value);
	if (field.type === 'datetime-local')
		return control.value === '' ? null : new Date(control.value).toISOString().replace('.000Z', 'Z');
	return control.value;
}

const same = (field, before, now) => {
	if (field.type === 'datetime-local')
		return local(before) === local(now);
	return (before ?? (field.type === 'checkbox' ? false : '')) === (now ?? '');
};

// The dialog's form is gone by the time that its values are read; its fields are not.
function holder(node) {
	return {elements: Object.fromEntries([...node.querySelectorAll('[name]')].map((control) => [control.name, control]))};
}

// Asks until the server takes it, or the dialog is left (null). send(changes): the request; its answer is the result.
export async function askSettings(page, conf, {title, action, send, isNew = false}) {
	const form = settings(conf, isNew);

	for (let problem = ''; ;) {
		const note = problem ? el('p', {class: 'problem', role: 'alert'}, problem) : null;

		if (await ask(title, el('div', {}, note, form.node), [['', 'Cancel', 'quiet'], ['yes', action, 'primary']]) !== 'yes')
			return null;
		try {
			return await send(form.changes(holder(form.node)));
		} catch (error) {
			problem = error.message;
			if (error.status === 401) {
				page.failed(error);
				return null;
			}
		}
	}
}

// Fields for a dialog. conf: as the server shows it, {} for a new one. changes(form): what to send.
function settings(conf, isNew) {
	const fields = [...MAIN, ...RULES, ...MORE];
	const id = el('div', {class: 'field'}, el('label', {for: 'f-id'}, 'Name in its address'),
		el('input', {id: 'f-id', name: 'id', maxlength: 63, pattern: '[A-Za-z0-9_.!~*\'\\(\\)\\-]+', placeholder: 'made up when empty',
			autocapitalize: 'off', spellcheck: 'false'}));
	const people = el('div', {class: 'field'}, el('label', {for: 'f-authorised'}, 'Who may join'),
		el('textarea', {id: 'f-authorised', name: 'authorised', rows: 3, placeholder: 'sip:anna@example.net\nsip:boss@example.net=moderator',
			spellcheck: 'false'}),
		el('small', {}, 'One address a line, with =moderator or =listener behind it where it is one. Empty: see the boxes below.'));
	const floors = floorForm(conf.floors);
	const [title, ...main] = MAIN.map((field) => input(field, conf[field.name]));
	const node = el('div', {class: 'fields'}, title, isNew ? id : null, main, isNew ? people : null,
		el('fieldset', {}, el('legend', {}, 'Rules'), RULES.map((field) => input(field, conf[field.name]))),
		floors.node,
		el('details', {}, el('summary', {}, 'More'), MORE.map((field) => input(field, conf[field.name]))));

	return {
		node,
		changes(form) {
			const out = {};

			for (const field of fields) {
				const value = valueOf(field, form);

				if (same(field, conf[field.name], value) || (isNew && (value === '' || value === null)))
					continue;
				if (field.type === 'select' && value === '')
					continue;
				out[field.name] = value;
			}
			if (floors.changed())
				out.floors = floors.changed();
			if (isNew && form.elements.id.value)
				out.id = form.elements.id.value;
			const list = isNew ? parsePeople(form.elements.authorised.value) : [];
			if (list.length > 0)
				out.authorised = list;
			return out;
		},
	};
}

// "sip:anna@example.net=moderator" a line → what the API takes.
export function parsePeople(lines) {
	return lines.split(/[\n,]+/).map((line) => line.trim()).filter(Boolean).map((line) => {
		const match = line.match(/^(.*)=(moderator|listener|participant|creator)$/);

		return match ? {uri: match[1], role: match[2]} : {uri: line};
	});
}
