// The floors of a conference: who holds each and for how long, who waits, and what may be decided about that.
import {conference, del, post} from './api.js';
import {ask, button, el, keyed, setClass, setText, span} from './dom.js';
import {nameOf} from './roster.js';

const MODES = {'first-come': 'who asks first gets it', chair: 'a chair decides', moderator: 'moderators give it'};
const PRIORITIES = ['lowest priority', 'low priority', '', 'high priority', 'highest priority'];

function rulesOf(floor) {
	return [floor.media.join(' and '), MODES[floor.mode] ?? floor.mode, floor.holders > 1 ? `${floor.holders} at a time` : '',
		floor.limit_s ? `${span(floor.limit_s)} each` : ''].filter(Boolean).join(' · ');
}

function stateOf(request, nameOfId) {
	const words = {
		granted: [request.held_s === null ? 'holds it' : `for ${span(request.held_s)}`, request.left_s === null ? '' : `${span(request.left_s)} left`],
		accepted: ['in the queue'],
		pending: ['asks for it'],
	}[request.status] ?? [request.status];

	return [...words, PRIORITIES[request.priority], request.asked_by && request.asked_by !== request.participant ? `asked by ${nameOfId(request.asked_by)}` : '']
		.filter(Boolean).join(' · ');
}

// A reason for who is refused or loses the floor: a text that may be empty, null when the dialog was left.
async function askReason(title, action) {
	const reason = el('input', {id: 'reason', name: 'reason', maxlength: 95, autofocus: true, autocomplete: 'off', 'aria-describedby': 'reason-hint'});
	const value = await ask(title, el('div', {class: 'field'}, el('label', {for: 'reason'}, 'Why'), reason,
		el('small', {id: 'reason-hint'}, 'The phone may show it; it can be left empty.')), [['', 'Leave it', 'quiet'], ['yes', action, 'danger']]);

	return value === 'yes' ? reason.value.trim() : null;
}

// What can be done about a floor, each a request to the API; look: afterwards.
function deeds(id, page, look) {
	const pathOf = (floor) => `${conference(id)}/floors/${encodeURIComponent(floor.name)}`;
	const doing = async (work) => {
		try {
			await work();
		} catch (error) {
			page.failed(error);
		}
		look();
	};
	const decide = (floor, request, verb, body) => doing(() => post(`${pathOf(floor)}/requests/${request.request}/${verb}`, body));
	const withReason = async (floor, request, verb, title, action) => {
		const reason = await askReason(title, action);

		if (reason !== null)
			decide(floor, request, verb, reason ? {reason} : {});
	};

	return {
		grant: (floor, request) => decide(floor, request, 'grant'),
		place: (floor, request, place) => decide(floor, request, 'place', {place}),
		deny: (floor, request) => withReason(floor, request, 'deny', `Refuse ${request.name} the floor ${floor.name}`, 'Refuse'),
		revoke: (floor, request) => withReason(floor, request, 'revoke', `Take the floor ${floor.name} from ${request.name}`, 'Take it'),
		release: (floor, request) => doing(() => del(`${pathOf(floor)}/requests/${request.request}`)),
		ask: (floor, participant) => doing(() => post(`${pathOf(floor)}/requests`, {participant})),
		chair: (floor, participant) => doing(() => post(`${pathOf(floor)}/chairs`, {participant})),
		unchair: (floor, participant) => doing(() => del(`${pathOf(floor)}/chairs/${participant}`)),
	};
}

// Who holds the floor or waits for it: a line, updated in place.
function makeRequest(panel, act) {
	const one = (name, text, work, more = {}) => button(text, () => node.request && work(panel.floor, node.request), {class: name, ...more});
	const step = (by) => (floor, request) => {
		const place = request.place + by;

		if (place >= 1 && place <= floor.requests.filter((other) => other.status === 'accepted').length)
			act.place(floor, request, place);
	};
	const node = el('li', {}, el('span', {class: 'mark', 'aria-hidden': 'true'}), el('span', {class: 'who'}, el('span', {class: 'name'}), el('span', {class: 'sub'})),
		el('span', {class: 'acts'}, one('grant primary', 'Grant', act.grant), one('up', '↑', step(-1)), one('down', '↓', step(1)),
			one('release', 'Give back', act.release), one('revoke', 'Take back', act.revoke), one('deny quiet', 'Refuse', act.deny)));

	return node;
}

function updateRequest(node, request, panel) {
	const {floor} = panel, {status, name} = request;
	const queued = floor.requests.filter((one) => one.status === 'accepted').length;
	const isOwn = panel.isOwn(request.participant);
	const acts = {
		grant: [status === 'pending', `Grant ${name} the floor ${floor.name}`],
		up: [status === 'accepted' && queued > 1, `${name} one place forward`],
		down: [status === 'accepted' && queued > 1, `${name} one place back`],
		release: [isOwn, status === 'granted' ? `Give the floor ${floor.name} back` : `Ask for the floor ${floor.name} no more`],
		revoke: [status === 'granted' && !isOwn, `Take the floor ${floor.name} from ${name}`],
		deny: [status !== 'granted' && !isOwn, `Refuse ${name} the floor ${floor.name}`],
	};

	node.request = request;
	node.className = status;
	setText(node.querySelector('.mark'), {granted: '', accepted: String(request.place ?? ''), pending: '?'}[status] ?? '');
	setText(node.querySelector('.name'), name);
	setText(node.querySelector('.sub'), stateOf(request, panel.nameOfId));
	setClass(node, 'ends', status === 'granted' && request.left_s !== null && request.left_s <= floor.warning_s);
	for (const [key, [isShown, label]] of Object.entries(acts)) {
		const control = node.querySelector(`.${key}`);

		control.hidden = !isShown;
		control.setAttribute('aria-label', label);
		control.title = label;
	}
	// Not disabled: that would take the keyboard's focus away.
	node.querySelector('.up').setAttribute('aria-disabled', request.place === 1);
	node.querySelector('.down').setAttribute('aria-disabled', request.place === queued);
}

function updateChairs(panel, act) {
	const {floor} = panel;

	panel.chairs.hidden = floor.chairs.length === 0;
	keyed(panel.chairList, floor.chairs, (chair) => chair.id, () => {
		const node = el('li', {}, el('span', {class: 'name'}), button('×', () => act.unchair(panel.floor, node.chair.id), {class: 'quiet'}));

		return node;
	}, (node, chair) => {
		const label = `${chair.name} is to be no chair of ${floor.name}`;

		node.chair = chair;
		setText(node.querySelector('.name'), chair.name);
		node.querySelector('button').setAttribute('aria-label', label);
		node.querySelector('button').title = label;
	});
}

// Whom a floor can be given to, and who can be made a chair: everybody, once.
function updateChoice(panel, legs) {
	const {floor, select} = panel;
	const isThere = (list, key, leg) => list.some((one) => one[key] === leg.id);
	const chosen = legs.find((leg) => String(leg.id) === select.value);

	if (document.activeElement !== select)
		keyed(select, [{id: ''}, ...legs], (leg) => leg.id, (leg) => el('option', {value: leg.id}),
			(node, leg) => setText(node, leg.id === '' ? 'Participant …' : nameOf(leg)));
	const isFull = floor.requests.filter((one) => one.status !== 'pending').length >= floor.holders;
	setText(panel.give, isFull ? 'Queue' : 'Give floor');
	panel.give.setAttribute('aria-disabled', !chosen || isThere(floor.requests, 'participant', chosen));
	panel.makeChair.hidden = floor.mode !== 'chair' && floor.chairs.length === 0;
	panel.makeChair.setAttribute('aria-disabled', !chosen || isThere(floor.chairs, 'id', chosen));
}

// One floor: a card. panel is what is known of it, {floor, …}; it stays with the card.
function makePanel(floor, act, people) {
	const heading = `floor-${floor.id}`;
	const choose = (work) => (event) => {
		if (event.currentTarget.getAttribute('aria-disabled') !== 'true') {
			work(panel.floor, Number(panel.select.value));
			panel.select.value = '';
		}
	};
	const panel = {
		...people, floor,
		title: el('h2', {id: heading}), rules: el('p', {class: 'sub'}), list: el('ol', {class: 'requests'}), free: el('p', {class: 'free'}, 'Nobody has it.'),
		chairList: el('ul', {class: 'chairs', 'aria-label': 'Chairs'}), select: el('select', {}),
	};

	panel.select.addEventListener('change', () => people.changed());
	panel.give = button('', choose(act.ask), {class: 'give'});
	panel.makeChair = button('Make chair', choose(act.chair), {class: 'make-chair'});
	panel.chairs = el('div', {class: 'chair-line'}, el('span', {class: 'sub', 'aria-hidden': 'true'}, 'Chairs'), panel.chairList);
	panel.node = el('section', {class: 'floor', 'aria-labelledby': heading}, el('header', {}, panel.title, panel.rules), panel.free, panel.list, panel.chairs,
		el('div', {class: 'line'}, panel.select, panel.give, panel.makeChair));
	panel.node.panel = panel;
	return panel.node;
}

function updatePanel(node, floor, legs, act) {
	const {panel} = node, focus = node.contains(document.activeElement) ? document.activeElement : null;

	panel.floor = floor;
	setText(panel.title, floor.name);
	setText(panel.rules, rulesOf(floor));
	panel.free.hidden = floor.requests.some((one) => one.status === 'granted');
	panel.list.setAttribute('aria-label', `Who has ${floor.name}, and who waits`);
	panel.list.hidden = floor.requests.length === 0;
	keyed(panel.list, floor.requests, (one) => one.request, () => makeRequest(panel, act), (line, one) => updateRequest(line, one, panel));
	updateChairs(panel, act);
	panel.select.setAttribute('aria-label', `Participant, for the floor ${floor.name}`);
	updateChoice(panel, legs);
	// A button that did its work may be gone: the keyboard goes on beside it.
	if (focus && !(focus.isConnected && focus.checkVisibility()))
		([...focus.closest('li')?.querySelectorAll('button') ?? []].find((one) => one.isConnected && one.checkVisibility()) ?? panel.select).focus();
}

// "stage: Anna; board: nobody".
export function holdersOf(floors) {
	return floors.map((floor) => {
		const names = floor.requests.filter((one) => one.status === 'granted').map((one) => one.name);

		return `${floor.name}: ${names.join(', ') || 'nobody'}`;
	}).join('; ');
}

// All floors of a conference; show(floors, legs) brings them up to date.
export function floorsPanel(id, page, look) {
	const act = deeds(id, page, look);
	const grid = el('div', {class: 'floors'});
	const said = el('p', {class: 'unseen', role: 'status'});
	const node = el('div', {hidden: true}, grid, said);
	let known = [], present = [];
	const people = {
		isOwn: (participant) => Boolean(page.identity) && present.some((leg) => leg.id === participant && leg.identity === page.identity),
		nameOfId(participant) {
			const leg = present.find((one) => one.id === participant);

			return leg ? nameOf(leg) : 'somebody who has left';
		},
		changed: () => show(known, present),
	};

	function show(floors, legs) {
		known = floors;
		present = legs;
		node.hidden = floors.length === 0;
		keyed(grid, floors, (floor) => floor.id, (floor) => makePanel(floor, act, people), (card, floor) => updatePanel(card, floor, legs, act));
		setText(said, holdersOf(floors)); // for screen readers
	}

	return {node, show};
}
