// The page: which view the address names, who is signed in, how the server is.
import {Problem, get, setToken, token} from './api.js';
import {ask, el, setClass, setText, toast} from './dom.js';
import {listView} from './conferences.js';
import {conferenceView} from './conference.js';
import {logView} from './logs.js';

const main = document.getElementById('main');
let view = null; // what is shown: {node, close()}
let isAsking = false;

// Views are named by the fragment: #/ · #/c/NAME · #/records · #/audit
function open() {
	const [, place, name] = location.hash.split('/').map(decodeURIComponent);
	const before = view;

	view = null;
	if (before)
		before.close();
	if (place === 'c' && name)
		view = conferenceView(name, page);
	else if (place === 'records' || place === 'audit')
		view = logView(place, page);
	else
		view = listView(page);
	main.replaceChildren(view.node);
	document.title = view.title ? `${view.title} · Conclave` : 'Conclave';
	if (before)
		main.focus({preventScroll: true});
	window.scrollTo(0, 0);
}

// Asks for a token. Views are opened anew with it.
async function signIn(why) {
	if (isAsking)
		return;
	isAsking = true;
	const field = el('input', {type: 'password', id: 'token', name: 'token', autocomplete: 'current-password', required: true, autofocus: true});
	const value = await ask('Sign in', el('div', {class: 'fields'},
		why ? el('p', {class: 'problem'}, why) : null,
		el('p', {}, 'A token is made on the server by ', el('code', {}, 'conclave token create NAME'), '.'),
		el('div', {class: 'field'}, el('label', {for: 'token'}, 'Token'), field)),
		[['', 'Not now', 'quiet'], ['yes', 'Sign in', 'primary']]);

	isAsking = false;
	if (value !== 'yes' || !field.value.trim())
		return;
	setToken(field.value.trim());
	await whoAmI();
	open();
}

// What the views share: who is signed in, what to do with an error, and where they are shown.
const page = {
	identity: null, // of a participant; null: an operator
	failed(error) {
		if (error instanceof Problem && error.status === 401)
			signIn(token() ? 'This token is not valid (any more).' : '');
		else
			toast(error.message, 'error');
	},
	setTitle(title) {
		document.title = `${title} · Conclave`;
	},
	live(isLive) {
		const link = document.getElementById('link');

		setText(link, isLive === null ? '' : isLive ? 'live' : 'reconnecting …');
		setClass(link, 'off', isLive === false);
	},
};

async function whoAmI() {
	const who = document.getElementById('who');

	try {
		const me = await get('/whoami');

		page.identity = me.identity;
		setText(who, `${me.name} · sign out`);
		who.hidden = !token();
		// What one would be refused anyway is not offered.
		document.getElementById('nav-audit').hidden = me.role !== 'admin';
		document.getElementById('nav-records').hidden = me.role !== 'admin' && me.identity !== null;
	} catch (error) {
		setText(who, 'Sign in');
		who.hidden = !(error instanceof Problem && error.status === 401);
		page.failed(error);
	}
}

const count = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;

async function status() {
	const node = document.getElementById('node');

	try {
		const now = await get('/status');

		node.replaceChildren(
			el('span', {}, count(now.conferences, 'conference')), el('span', {}, count(now.participants, 'participant')),
			now.state === 'no_media' ? el('strong', {class: 'problem'}, 'no media plane') : '',
			now.state === 'draining' ? el('strong', {}, 'draining') : '');
	} catch (error) {
		if (!(error instanceof Problem))
			setText(node, 'The server does not answer.');
	}
}

document.getElementById('who').addEventListener('click', () => {
	if (token()) {
		setToken('');
		location.reload();
	} else {
		signIn('');
	}
});
document.querySelector('.bar').insertBefore(el('nav', {'aria-label': 'Views'},
	el('a', {href: '#/'}, 'Conferences'), el('a', {href: '#/records', id: 'nav-records'}, 'Records'),
	el('a', {href: '#/audit', id: 'nav-audit'}, 'Changes')),
	document.getElementById('node'));
window.addEventListener('hashchange', open);
await whoAmI();
open();
status();
setInterval(() => document.visibilityState === 'visible' && status(), 3000);

