// One conference, live: its roster, who is on its list, what happens, how it sounds.
import {actions} from './actions.js';
import {Problem, conference, del, follow, get, participants, post} from './api.js';
import {chatPanel} from './chat.js';
import {button, clock, el, keyed, setText, whyOf} from './dom.js';
import {floorsPanel, holdersOf} from './floors.js';
import {plot} from './plot.js';
import {nameOf, roster} from './roster.js';
import {parsePeople} from './settings.js';

const EVENTS_SHOWN = 200;

// The list of who may join, with a line to add to it.
function peoplePanel(id, page) {
	const path = `${conference(id)}/authorised`;
	const list = el('ul', {class: 'people'});
	const field = el('input', {id: 'add', name: 'add', placeholder: 'sip:anna@example.net', autocapitalize: 'off', spellcheck: 'false', required: true});
	const role = el('select', {'aria-label': 'As'}, ['participant', 'moderator', 'listener'].map((name) => el('option', {value: name}, name)));

	async function load() {
		try {
			const {authorised} = await get(path);

			keyed(list, authorised, (one) => one.uri, () => el('li', {}, el('span', {}), el('small', {}), button('Take off', null, {class: 'quiet'})),
				(node, one) => {
					setText(node.querySelector('span'), one.uri);
					setText(node.querySelector('small'), one.role);
					const off = node.querySelector('button');
					off.setAttribute('aria-label', `Take ${one.uri} off the list`);
					off.onclick = () => change(() => del(`${path}/${encodeURIComponent(one.uri)}`));
				});
			form.hidden = false;
			setText(note, '');
		} catch (error) {
			if (error.status !== 403) {
				page.failed(error);
				return;
			}
			form.hidden = true; // who may not see the list may not change it
			setText(note, error.message);
		}
	}

	async function change(work) {
		try {
			await work();
			field.value = '';
		} catch (error) {
			page.failed(error);
		}
		load();
	}

	const note = el('p', {class: 'empty list-note'});
	const form = el('form', {onsubmit: (event) => {
		event.preventDefault();
		const [one] = parsePeople(field.value);

		if (one)
			change(() => post(path, {role: role.value, ...one}));
	}}, el('div', {class: 'line'}, el('label', {for: 'add'}, 'Let in'), field, role, el('button', {class: 'primary'}, 'Add')), list);

	return {node: el('div', {}, form, note), load};
}

// The latest events, the newest first.
function eventsPanel() {
	const list = el('ol', {class: 'events', reversed: true});

	return {
		node: list,
		add(name, data) {
			const who = data.floor ? holdersOf([data.floor]) : typeof data.participant === 'object' ? nameOf(data.participant)
				: data.talkers?.map((one) => one.name).join(', ') ?? data.key;
			const why = whyOf(data.reason, data.by);

			if (name === 'hello')
				return;
			list.prepend(el('li', {}, el('time', {}, clock(new Date())), el('b', {}, name.replaceAll('-', ' ')), who ?? '', why ? ` – ${why}` : ''));
			while (list.childElementCount > EVENTS_SHOWN)
				list.lastElementChild.remove();
		},
	};
}

// Plots, fed once a second by what the participants' counters say; rates are differences between two looks.
function statsPanel() {
	const plots = {
		people: plot('Participants', ''), talkers: plot('Talking', ''), rate: plot('Packets in', '/s', {floor: 50}),
		loss: plot('Loss', ' %'), delay: plot('Added delay, the longest', ' ms', {floor: 60}), jitter: plot('Jitter, the largest', ' ms', {floor: 10}),
	};
	let before = new Map(), beforeMs = 0;

	return {
		node: el('div', {class: 'plots'}, Object.values(plots).map((one) => one.node)),
		add(legs) {
			const nowMs = performance.now(), now = new Map();
			let packets = 0, lost = 0;

			for (const leg of legs.filter((one) => one.media)) {
				const last = before.get(leg.id);

				now.set(leg.id, leg.media);
				if (!last)
					continue;
				packets += Math.max(0, leg.media.packets_rx - last.packets_rx);
				lost += Math.max(0, leg.media.lost - last.lost);
			}
			const most = (name) => Math.max(0, ...legs.map((leg) => leg.media?.[name] ?? 0));
			plots.people.add(legs.length);
			plots.talkers.add(legs.filter((leg) => leg.talking).length);
			if (beforeMs) {
				plots.rate.add(packets * 1000 / (nowMs - beforeMs));
				plots.loss.add(packets + lost > 0 ? lost * 100 / (packets + lost) : 0);
			}
			plots.delay.add(most('delay_ms'));
			plots.jitter.add(most('jitter_ms'));
			before = now;
			beforeMs = nowMs;
		},
	};
}

// Panels as tabs (WAI-ARIA): arrow keys move among them. onchoose(panel): it is shown now. A tab may be hidden.
function tabs(panels, onchoose) {
	const buttons = panels.map(([name], i) => button(name, () => choose(i), {role: 'tab', id: `tab-${i}`, 'aria-controls': `panel-${i}`}));
	const bodies = panels.map(([, panel], i) => el('div', {role: 'tabpanel', id: `panel-${i}`, 'aria-labelledby': `tab-${i}`}, panel));
	const choose = (at) => {
		buttons.forEach((one, i) => {
			one.setAttribute('aria-selected', i === at);
			one.tabIndex = i === at ? 0 : -1;
			bodies[i].hidden = i !== at;
		});
		onchoose(panels[at][1]);
	};
	const at = (panel) => panels.findIndex(([, one]) => one === panel);
	const node = el('div', {}, el('div', {class: 'tabs', role: 'tablist', onkeydown: (event) => {
		const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
		const shown = buttons.filter((one) => !one.hidden), from = shown.indexOf(document.activeElement);

		if (!step || from < 0)
			return;
		const next = shown[(from + step + shown.length) % shown.length];
		choose(buttons.indexOf(next));
		next.focus();
	}}, buttons), bodies);

	choose(0);
	return {
		node,
		isShown: (panel) => !bodies[at(panel)].hidden,
		tab: (panel) => buttons[at(panel)],
		offer(panel, isOffered) {
			if (!isOffered && !bodies[at(panel)].hidden)
				choose(0);
			buttons[at(panel)].hidden = !isOffered;
		},
	};
}

// The chat's tab says how many messages nobody has seen.
function markUnread(tab, count) {
	tab.replaceChildren('Chat', count > 0 ? el('span', {class: 'unread'}, count > 99 ? '99+' : String(count)) : '');
	if (count > 0)
		tab.setAttribute('aria-label', `Chat, ${count} unread`);
	else
		tab.removeAttribute('aria-label');
}

export function conferenceView(id, page) {
	const state = {conf: {}, legs: [], floors: [], chat: null, isClosing: false};
	let timer = 0, isOpen = true;
	const soon = () => {
		if (isOpen && !timer && !state.isClosing)
			timer = setTimeout(look, 150);
	};
	const act = actions(id, page, state, soon);
	const table = roster(act), floors = floorsPanel(id, page, soon), people = peoplePanel(id, page), events = eventsPanel(), stats = statsPanel();
	const chat = chatPanel(id, page, {
		look: soon, isShown: () => panels.isShown(chat.node), onunread: (count) => markUnread(panels.tab(chat.node), count),
	});
	const panels = tabs([['Participants', table.node], ['Chat', chat.node], ['May join', people.node], ['Statistics', stats.node], ['Events', events.node]],
		(panel) => panel === chat.node && chat.seen());
	const title = el('h1', {}, id), uris = el('p', {class: 'uris'}), facts = el('p', {class: 'facts'});
	const lock = button('Lock', act.lock, {id: 'lock'}), admitAll = button('Let all in', act.admitAll, {id: 'admit-all', class: 'primary', hidden: true});
	const node = el('section', {}, el('p', {class: 'back'}, el('a', {href: '#/'}, '← Conferences')),
		el('div', {class: 'head'}, el('div', {}, title, uris, facts), el('div', {class: 'actions'}, admitAll,
			button('Call out', act.call, {id: 'call', class: 'primary'}), lock, button('Announce', act.announce, {id: 'announce'}),
			button('Settings', act.change, {id: 'settings'}), button('Close', act.close, {id: 'close', class: 'danger'}))),
		floors.node,
		panels.node);

	async function look() {
		timer = 0;
		try {
			[state.conf, state.legs, {floors: state.floors}, state.chat] = await Promise.all([get(conference(id)), participants(id),
				get(`${conference(id)}/floors`), get(`${conference(id)}/chat`)]);
			if (!isOpen)
				return;
		} catch (error) {
			gone(error);
			return;
		}
		show();
	}

	function gone(error) {
		if (!isOpen)
			return;
		if (error.status === 404) {
			node.replaceChildren(el('p', {class: 'empty'}, 'This conference is over. ', el('a', {href: '#/'}, 'All conferences')));
			clearInterval(second);
		} else if (error instanceof Problem) {
			page.failed(error);
		} // else nobody answers: the line above says that it is being tried
	}

	function show() {
		const {conf, legs} = state;

		setText(title, conf.title || conf.id);
		page.setTitle(conf.title || conf.id);
		setText(uris, (conf.uris ?? []).join('  '));
		setText(facts, [`protection: ${conf.security}`, conf.locked ? 'locked' : '', conf.has_pin ? 'PIN' : '', conf.lobby ? 'lobby' : '',
			conf.max_participants ? `at most ${conf.max_participants}` : '', conf.end_at ? `ends ${clock(conf.end_at)}` : ''].filter(Boolean).join(' · '));
		setText(lock, conf.locked ? 'Unlock' : 'Lock');
		lock.setAttribute('aria-pressed', Boolean(conf.locked));
		admitAll.hidden = !legs.some((leg) => leg.waiting === 'lobby');
		floors.show(state.floors, legs);
		panels.offer(chat.node, state.chat.on);
		chat.show(state.chat);
		table.show(conf, legs, state.floors);
	}

	look();
	people.load();
	const stream = follow(`${conference(id)}/events`, (name, data) => {
		if (name === 'chat-message') {
			chat.add(data);
			return;
		}
		events.add(name, data);
		soon();
	}, (isLive) => {
		page.live(isLive);
		soon();
	});
	const second = setInterval(() => {
		if (document.visibilityState !== 'visible')
			return;
		stats.add(state.legs);
		soon();
	}, 1000);
	return {
		node, title: id,
		close() {
			isOpen = false;
			chat.close();
			stream.close();
			clearInterval(second);
			clearTimeout(timer);
			page.live(null);
		},
	};
}
