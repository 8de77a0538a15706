// All conferences, and making a new one.
import {follow, get, post} from './api.js';
import {button, clock, el, keyed, setText, since, toast} from './dom.js';
import {askSettings} from './settings.js';

const SECURITY = {'mikey-ticket': 'MIKEY-TICKET', sdes: 'SDES', either: 'where offered', none: 'none'};

function row() {
	const cell = (label, ...children) => el('td', {'data-label': label}, children);

	return el('tr', {}, el('th', {scope: 'row'}, el('a', {class: 'title'}), el('span', {class: 'sub'})),
		cell('In it', el('span', {class: 'count'})), cell('Protection', el('span', {class: 'badge'})),
		cell('State', el('span', {class: 'state'})), cell('Since', el('span', {class: 'since'})));
}

function stateOf(conf) {
	const words = [];

	if (conf.locked)
		words.push('locked');
	if (conf.lobby)
		words.push('lobby');
	if (conf.start_at && Date.parse(conf.start_at) > Date.now())
		words.push(`starts ${clock(conf.start_at)}`);
	else if (conf.end_at)
		words.push(`ends ${clock(conf.end_at)}`);
	return words.join(', ') || 'open';
}

function update(node, conf) {
	const link = node.querySelector('a');

	setText(link, conf.title || conf.id);
	link.href = `#/c/${encodeURIComponent(conf.id)}`;
	setText(node.querySelector('.sub'), conf.uris?.[0] ?? conf.id);
	setText(node.querySelector('.count'), conf.max_participants ? `${conf.participants} of ${conf.max_participants}` : String(conf.participants));
	const badge = node.querySelector('.badge');
	setText(badge, SECURITY[conf.security] ?? conf.security);
	badge.className = `badge ${conf.security}`;
	setText(node.querySelector('.state'), stateOf(conf));
	setText(node.querySelector('.since'), since(conf.created_at));
}

async function create(page) {
	const made = await askSettings(page, {}, {title: 'New conference', action: 'Create', isNew: true, send: (body) => post('/conferences', body)});

	if (!made)
		return;
	toast(`${made.title || made.id} is there.`);
	location.hash = `#/c/${encodeURIComponent(made.id)}`;
}

export function listView(page) {
	const body = el('tbody', {});
	const empty = el('p', {class: 'empty', hidden: true}, 'No conference yet. Make one, and give its address to who is to join.');
	const table = el('table', {class: 'list'}, el('thead', {}, el('tr', {}, ['Conference', 'In it', 'Protection', 'State', 'Since'].map((name) =>
		el('th', {scope: 'col'}, name)))), body);
	const node = el('section', {}, el('div', {class: 'head'}, el('h1', {}, 'Conferences'),
		button('New conference', () => create(page), {class: 'primary', id: 'create'})), table, empty);
	let timer = 0, isOpen = true;

	async function load() {
		try {
			const {conferences} = await get('/conferences');

			keyed(body, conferences, (conf) => conf.id, row, update);
			empty.hidden = conferences.length > 0;
			table.hidden = conferences.length === 0;
		} catch (error) {
			page.failed(error);
		}
	}

	// Many events at once are one look.
	function soon() {
		if (isOpen && !timer)
			timer = setTimeout(() => {
				timer = 0;
				load();
			}, 250);
	}

	load();
	const stream = follow('/events', soon, (isLive) => {
		page.live(isLive);
		soon();
	});
	const minute = setInterval(soon, 30000);
	return {
		node,
		close() {
			isOpen = false;
			stream.close();
			clearInterval(minute);
			clearTimeout(timer);
			page.live(null);
		},
	};
}
