// The table of participants: who, how it is verified and protected, how it sounds, and what may be done to it.
import {button, el, keyed, setClass, setText, since} from './dom.js';

const VERIFIED = {kms: 'verified by the KMS', asserted: 'vouched for by a trusted peer', digest: 'by password', none: 'not verified'};
const ROLES = ['creator', 'moderator', 'participant', 'listener'];

const cell = (label, ...children) => el('td', {'data-label': label}, children);

function make(leg, act) {
	const role = el('select', {class: 'role', 'aria-label': 'Role', onchange: (event) => act.role(node.leg, event.target.value)},
		ROLES.map((name) => el('option', {value: name, disabled: name === 'creator'}, name)));
	const node = el('tr', {},
		el('th', {scope: 'row'}, el('span', {class: 'talk', role: 'img'}), el('span', {class: 'name'}), el('span', {class: 'marks'}), el('span', {class: 'sub'})),
		cell('Level', el('div', {class: 'meter', role: 'meter', 'aria-label': 'Level', 'aria-valuemin': -60, 'aria-valuemax': 0}, el('i', {}))),
		cell('Protection', el('span', {class: 'badge'}), el('span', {class: 'sub verified'})),
		cell('State', el('span', {class: 'state'})),
		cell('Loss', el('span', {class: 'loss'})), cell('Delay', el('span', {class: 'delay'})), cell('For', el('span', {class: 'since'})),
		cell('Role', role),
		el('td', {class: 'acts'},
			button('Let in', () => act.admit(node.leg), {class: 'admit primary', hidden: true}),
			button('Mute', () => act.mute(node.leg), {class: 'mute', 'aria-pressed': 'false'}),
			button('Deafen', () => act.deaf(node.leg), {class: 'deaf quiet', 'aria-pressed': 'false'}),
			button('More …', () => act.more(node.leg), {class: 'more quiet'}),
			button('Remove', () => act.remove(node.leg), {class: 'remove danger'})));

	return node;
}

export function nameOf(leg) {
	return leg.display || leg.identity || leg.uri || 'anonymous';
}

// Is there a floor for that medium?
function hasFloor(conf, medium) {
	return Boolean(conf.floors?.some((floor) => floor.media.includes(medium)));
}

// "stage" for who holds it, "stage 2" for the second in its queue, "stage ?" for who waits for a chair: [{name, text, kind, title}].
function marksOf(floors, id) {
	return floors.flatMap((floor) => floor.requests.filter((one) => one.participant === id).map((one) => ({
		granted: {text: floor.name, kind: 'holds', title: `holds the floor ${floor.name}`},
		accepted: {text: `${floor.name} ${one.place}`, kind: 'waits', title: `number ${one.place} in the queue for ${floor.name}`},
		pending: {text: `${floor.name} ?`, kind: 'waits', title: `asks for ${floor.name}`},
	}[one.status])));
}

// Nobody hears it, by the focus's word: it is muted, only listens, or has not the floor.
const isUnheard = (leg) => leg.status === 'muted-via-focus';

function stateOf(leg, conf) {
	const words = [leg.on_hold ? 'on hold' : leg.state === 'adopted' ? 'media only' : leg.status.replaceAll('-', ' ')];

	if (isUnheard(leg))
		words[0] = leg.muted ? 'muted' : leg.role === 'listener' ? 'listens' : hasFloor(conf, 'audio') ? 'no floor' : 'muted by the focus';

	if (leg.waiting !== 'none')
		words[0] = {pin: 'keys in the PIN', lobby: 'in the lobby', goodbye: 'is told why it must go'}[leg.waiting] ?? leg.waiting;
	if (leg.muted && !words[0].includes('muted'))
		words.push('muted');
	if (leg.deaf)
		words.push('hears nobody');
	return words.join(', ');
}

const KIND = (protection) => protection.startsWith('mikey') ? 'mikey-ticket' : protection.startsWith('SDES') ? 'sdes' : 'none';

// What nobody hears is no level of the conference.
function updateLevel(meter, leg) {
	const level = isUnheard(leg) ? null : leg.media?.level_dbov ?? null;
	const share = level === null ? 0 : Math.max(0, Math.min(1, (level + 60) / 60));

	meter.firstChild.style.width = `${Math.round(share * 100)}%`;
	setClass(meter, 'loud', level !== null && level > -9);
	meter.setAttribute('aria-valuenow', level ?? -60);
	meter.setAttribute('aria-valuetext', isUnheard(leg) ? 'not heard' : level === null ? 'silent' : `${level} dB`);
}

function lossOf(media) {
	const all = (media?.packets_rx ?? 0) + (media?.lost ?? 0);

	return all > 0 ? `${(media.lost * 100 / all).toFixed(1)} %` : '';
}

function toggle(node, on, names) {
	setText(node, on ? names[1] : names[0]);
	node.setAttribute('aria-pressed', on);
}

function update(node, leg, conf, floors) {
	const name = nameOf(leg), talk = node.querySelector('.talk'), role = node.querySelector('.role'), badge = node.querySelector('td .badge');

	node.leg = leg;
	setText(node.querySelector('.name'), name);
	setText(node.querySelector('th .sub'), [leg.identity && leg.identity !== name ? leg.identity : '', leg.nickname ? `in the chat: ${leg.nickname}` : '']
		.filter(Boolean).join(' · '));
	keyed(node.querySelector('.marks'), marksOf(floors, leg.id), (mark) => mark.text, (mark) => el('span', {class: `badge ${mark.kind}`}, mark.text),
		(badgeOf, mark) => {
			badgeOf.title = mark.title;
		});
	const talks = leg.talking && !isUnheard(leg);
	setClass(node, 'talking', talks);
	talk.setAttribute('aria-label', talks ? 'talks' : 'silent');
	updateLevel(node.querySelector('.meter'), leg);
	setText(badge, leg.protection.split(/[, ]/)[0]);
	badge.className = `badge ${KIND(leg.protection)}`;
	badge.title = leg.protection;
	setText(node.querySelector('.verified'), [leg.suite, VERIFIED[leg.verified_by] ?? leg.verified_by].filter(Boolean).join(' · '));
	setText(node.querySelector('.state'), stateOf(leg, conf));
	setText(node.querySelector('.loss'), lossOf(leg.media));
	setText(node.querySelector('.delay'), leg.media ? `${Math.round(leg.media.delay_ms)} ms` : '');
	setText(node.querySelector('.since'), since(leg.joined_at));
	if (document.activeElement !== role)
		role.value = leg.role;
	node.querySelector('.admit').hidden = leg.waiting !== 'lobby';
	toggle(node.querySelector('.mute'), leg.muted, ['Mute', 'Unmute']);
	toggle(node.querySelector('.deaf'), leg.deaf, ['Deafen', 'Undeafen']);
	for (const act of node.querySelectorAll('.acts button'))
		act.setAttribute('aria-label', `${act.textContent} ${name}`);
}

// act: {role, admit, mute, deaf, more, remove}, each with the participant. show(conf, legs, floors) brings the table up to date.
export function roster(act) {
	const body = el('tbody', {});
	const empty = el('p', {class: 'empty'}, 'Nobody is here yet.');
	const table = el('table', {class: 'list roster'}, el('thead', {}, el('tr', {}, ['Participant', 'Level', 'Protection', 'State', 'Loss', 'Delay', 'For',
		'Role', ''].map((name) => el('th', {scope: 'col'}, name)))), body);

	return {
		node: el('div', {}, table, empty),
		show(conf, legs, floors) {
			keyed(body, legs, (leg) => leg.id, (leg) => make(leg, act), (row, leg) => update(row, leg, conf, floors));
			table.hidden = legs.length === 0;
			empty.hidden = legs.length > 0;
		},
	};
}
