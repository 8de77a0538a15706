// The form of a conference's floors, a part of its settings: a line for each.
import {button, el} from './dom.js';

const MEDIA = [['audio', 'Who is heard'], ['chat', 'Who writes in the chat'], ['audio chat', 'Both']];
const MODES = [['first-come', 'Who asks first'], ['chair', 'Whom a chair lets'], ['moderator', 'Whom moderators choose']];
const FLOORS_MAX = 8;

const choices = (rows, value) => rows.map(([name, label]) => el('option', {value: name, selected: name === value}, label));
const labelled = (label, control) => el('label', {}, el('span', {}, label), control);
const number = (name, value, max, label) => labelled(label, el('input', {type: 'number', 'data-name': name, min: name === 'holders' ? 1 : 0, max, value}));

function row(floor, remove) {
	const node = el('fieldset', {class: 'floor-row'},
		labelled('Name', el('input', {'data-name': 'name', value: floor.name, maxlength: 31, pattern: '[A-Za-z0-9_.\\-]+', required: true, autocapitalize: 'off',
			spellcheck: 'false', title: 'Letters, digits and -_.'})),
		labelled('Decides', el('select', {'data-name': 'media'}, choices(MEDIA, floor.media.join(' ')))),
		labelled('Goes to', el('select', {'data-name': 'mode'}, choices(MODES, floor.mode))),
		number('holders', floor.holders, 64, 'Holders at a time'), number('limit_s', floor.limit_s, 86400, 'Limit in s, 0: none'),
		number('warning_s', floor.warning_s, 86400, 'Warning, s before it'),
		button('Take out', () => remove(node), {class: 'quiet'}));

	return node;
}

function read(node) {
	const of = (name) => node.querySelector(`[data-name="${name}"]`).value;

	return {name: of('name').trim(), media: of('media').split(' '), mode: of('mode'), holders: Number(of('holders')), limit_s: Number(of('limit_s')),
		warning_s: Number(of('warning_s'))};
}

const plain = (floors) => JSON.stringify((floors ?? []).map(({name, media, mode, holders, limit_s, warning_s}) => ({name, media, mode, holders, limit_s, warning_s})));

// floors: as the server shows them. changed(): those of the form where they differ, else undefined.
export function floorForm(floors) {
	const list = el('div', {class: 'floor-rows'});
	const add = button('Add a floor', () => {
		const taken = new Set([...list.children].map((node) => read(node).name));
		const name = ['stage', ...Array.from({length: FLOORS_MAX}, (_, i) => `floor-${i + 1}`)].find((one) => !taken.has(one));

		list.append(row({name, media: ['audio'], mode: 'first-come', holders: 1, limit_s: 0, warning_s: 0}, remove));
		show();
		list.lastElementChild.querySelector('input').focus();
	}, {id: 'add-floor'});
	const show = () => {
		[...list.children].forEach((node, i) => node.setAttribute('aria-label', `Floor ${i + 1}`));
		add.hidden = list.childElementCount >= FLOORS_MAX;
	};
	const remove = (node) => {
		node.remove();
		show();
		add.focus();
	};

	list.append(...(floors ?? []).map((floor) => row(floor, remove)));
	show();
	return {
		node: el('details', {open: Boolean(floors?.length)}, el('summary', {}, 'Floors: who may speak, one after the other'), list, add),
		changed() {
			const now = [...list.children].map(read);

			return plain(now) === plain(floors) ? undefined : now;
		},
	};
}
