// The chat of a conference: what was said to all since the page was opened, who is in it, and saying something as the conference.
import {conference, post} from './api.js';
import {button, el, keyed, setClass, setText} from './dom.js';

const MESSAGES_SHOWN = 500;
const TEXT_MAX = 4000;

const timeOf = (date) => date.toLocaleTimeString(undefined, {hour: '2-digit', minute: '2-digit'});

function sizeOf(octets) {
	return octets < 1000 ? `${octets} octets` : octets < 1e6 ? `${Math.round(octets / 1000)} kB` : `${(octets / 1e6).toFixed(1)} MB`;
}

const nameOf = (member) => member.nickname || member.name;

// The lines of what was said. Follows the newest unless one has scrolled up; isSeen(): somebody looks at it.
function messageLog(isSeen, onunread) {
	const list = el('ol', {class: 'messages', role: 'log', 'aria-live': 'polite', 'aria-label': 'Messages', tabindex: 0});
	const empty = el('p', {class: 'free'}, 'What is said to all from now on is shown here.');
	const older = el('p', {class: 'sub', hidden: true}, `The latest ${MESSAGES_SHOWN} are shown.`);
	const newer = button('↓ New messages', () => toEnd(), {class: 'newer', hidden: true});
	const mark = el('li', {class: 'unread-from', 'aria-hidden': 'true'}, 'new');
	const isAtEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 40;
	let unread = 0;

	function toEnd() {
		list.scrollTop = list.scrollHeight;
		newer.hidden = true;
	}
	function forget() {
		for (let count = list.querySelectorAll('li.said').length; count > MESSAGES_SHOWN; count--) {
			list.querySelector('li.said').remove();
			older.hidden = false;
		}
	}
	list.addEventListener('scroll', () => {
		if (isAtEnd())
			newer.hidden = true;
	});
	return {
		node: el('div', {class: 'log'}, empty, older, list, newer),
		// line: {who, more, text, note, kind, at}
		add(line) {
			const follows = isAtEnd(), at = new Date(line.at);

			empty.hidden = true;
			if (!isSeen()) {
				if (unread === 0)
					list.append(mark);
				unread++;
				onunread(unread);
			}
			list.append(el('li', {class: `said ${line.kind}`}, el('p', {class: 'from'}, el('b', {}, line.who), line.more ? el('span', {}, line.more) : null,
				el('time', {datetime: at.toISOString()}, timeOf(at))), el('p', {class: line.note ? 'note' : 'text'}, line.note ?? line.text)));
			forget();
			if (follows)
				toEnd();
			else
				newer.hidden = false;
		},
		// It is looked at now.
		seen() {
			if (unread === 0)
				mark.remove();
			unread = 0;
			onunread(0);
			toEnd();
		},
	};
}

// Who is in the chat, and muting there.
function memberList(act) {
	const list = el('ul', {class: 'members'});
	const title = el('h2', {});
	const empty = el('p', {class: 'free'}, 'Nobody yet. Phones that offer a chat are listed here.');
	const stateOf = (one) => [one.nickname && one.nickname !== one.name ? one.name : '', one.connected ? '' : 'not connected', one.muted ? 'muted' : one.may_send ? '' : 'reads only',
		one.waiting_octets > 0 ? 'is behind' : ''].filter(Boolean).join(' · ');

	return {
		node: el('section', {class: 'beside'}, title, empty, list),
		show(members) {
			setText(title, `In the chat: ${members.length}`);
			empty.hidden = members.length > 0;
			keyed(list, members, (one) => one.participant, () => {
				const node = el('li', {}, el('span', {class: 'who'}, el('span', {class: 'name'}), el('span', {class: 'sub'})),
					button('Mute', () => act.mute(node.member), {class: 'quiet'}));

				return node;
			}, (node, one) => {
				const control = node.querySelector('button');

				node.member = one;
				setClass(node, 'away', !one.connected);
				setText(node.querySelector('.name'), nameOf(one));
				setText(node.querySelector('.sub'), stateOf(one));
				setText(control, one.muted ? 'Unmute' : 'Mute');
				control.setAttribute('aria-pressed', one.muted);
				control.setAttribute('aria-label', `${one.muted ? 'Unmute' : 'Mute'} ${nameOf(one)} in the chat`);
			});
		},
	};
}

// What the conference says: Enter sends, Shift+Enter begins a line. send(text, member): true when it is on its way.
function sayForm(send) {
	const text = el('textarea', {id: 'say', name: 'say', rows: 2, maxlength: TEXT_MAX, required: true, placeholder: 'Say something as the conference',
		'aria-label': 'Say something as the conference'});
	const to = el('select', {'aria-label': 'To'});
	const problem = el('p', {class: 'problem', role: 'alert'});
	let members = [];
	const form = el('form', {class: 'say', onsubmit: async (event) => {
		event.preventDefault();
		setText(problem, '');
		if (!text.value.trim())
			return;
		const said = text.value, wrong = await send(said, members.find((one) => String(one.participant) === to.value));

		setText(problem, wrong);
		if (!wrong && text.value === said)
			text.value = '';
	}}, text, el('div', {class: 'line'}, to, el('button', {class: 'primary'}, 'Send')), problem);

	text.addEventListener('keydown', (event) => {
		if (event.key !== 'Enter' || event.shiftKey || event.isComposing)
			return;
		event.preventDefault();
		form.requestSubmit();
	});
	return {
		node: form,
		show(now) {
			members = now.filter((one) => one.connected && one.takes_private);
			if (document.activeElement !== to)
				keyed(to, [{participant: ''}, ...members], (one) => one.participant, (one) => el('option', {value: one.participant}),
					(node, one) => setText(node, one.participant === '' ? 'to all' : `to ${nameOf(one)} only`));
		},
	};
}

// isShown(): the panel is before somebody's eyes; onunread(n): so many came that nobody has seen.
export function chatPanel(id, page, {look, isShown, onunread}) {
	const path = `${conference(id)}/chat`;
	let members = [];
	const log = messageLog(() => isShown() && document.visibilityState === 'visible', onunread);
	const list = memberList({
		async mute(member) {
			try {
				await post(`${path}/${member.participant}/${member.muted ? 'unmute' : 'mute'}`);
			} catch (error) {
				page.failed(error);
			}
			look();
		},
	});
	// Messages to all come back as events; one to a single participant is told to nobody else.
	const form = sayForm(async (text, to) => {
		try {
			const {recipients} = await post(`${path}/messages`, to ? {text, participant: to.participant} : {text});

			if (to)
				log.add({who: 'Conference', more: `to ${nameOf(to)} only`, text, kind: 'ours private', at: Date.now()});
			return recipients > 0 ? '' : 'Nobody is in the chat: it reached nobody.';
		} catch (error) {
			if (error.status === 401)
				page.failed(error);
			return error.message;
		}
	});
	const onvisible = () => {
		if (document.visibilityState === 'visible' && isShown())
			log.seen();
	};

	document.addEventListener('visibilitychange', onvisible);
	return {
		node: el('div', {class: 'chat'}, el('div', {class: 'talk-side'}, log.node, form.node), list.node),
		seen: log.seen,
		show(chat) {
			members = chat.members;
			list.show(members);
			form.show(members);
		},
		// The data of an event chat-message.
		add(data) {
			const member = members.find((one) => one.participant === data.participant);
			const name = member?.name ?? data.from ?? 'somebody';
			const isOurs = data.participant === null;

			log.add({
				who: isOurs ? 'Conference' : data.nickname || name, more: !isOurs && data.nickname && data.nickname !== name ? name : '',
				text: data.text, note: data.text === null ? `sent ${data.type}, ${sizeOf(data.size)}` : undefined,
				kind: isOurs ? 'ours' : 'theirs', at: data.at,
			});
		},
		close: () => document.removeEventListener('visibilitychange', onvisible),
	};
}
