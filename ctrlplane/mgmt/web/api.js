// The HTTP API as the page uses it: JSON, problem documents (RFC 9457), bearer tokens, server-sent events.

const KEY = 'conclave.token'; // of this tab only: it is gone when the tab is

// All mistakes of a request, or the one thing that went wrong.
function textOf(status, {errors, detail, title}) {
	if (errors?.length > 0)
		return errors.map((one) => `${one.pointer.replace(/^[#/?]+/, '').replaceAll('_', ' ')} ${one.detail}`).join('; ');
	return detail || title || `The server answered ${status}.`;
}

export class Problem extends Error {
	constructor(status, document) {
		super(textOf(status, document));
		this.status = status;
		this.document = document;
	}
}

export function token() {
	return sessionStorage.getItem(KEY) || '';
}

export function setToken(value) {
	if (value)
		sessionStorage.setItem(KEY, value);
	else
		sessionStorage.removeItem(KEY);
}

function headers(more = {}) {
	return token() ? {...more, Authorization: `Bearer ${token()}`} : more;
}

async function problem(response) {
	let document = {};

	try {
		document = await response.json();
	} catch {
		// Not one of ours: a proxy's page. The status has to do.
	}
	return new Problem(response.status, document);
}

// method and path below /v1; body: an object, or nothing. The answer's JSON, or null where it has none.
export async function call(method, path, body) {
	const options = {method, headers: headers(body === undefined ? {} : {'Content-Type': 'application/json'})};

	if (body !== undefined)
		options.body = JSON.stringify(body);
	const response = await fetch(`/v1${path}`, options);
	if (!response.ok)
		throw await problem(response);
	const text = await response.text();
	return text ? JSON.parse(text) : null;
}

export const get = (path) => call('GET', path);
export const post = (path, body = {}) => call('POST', path, body);
export const patch = (path, body) => call('PATCH', path, body);
export const put = (path, body) => call('PUT', path, body);
export const del = (path) => call('DELETE', path);
export const conference = (id) => `/conferences/${encodeURIComponent(id)}`;

// All pages of a list of participants.
export async function participants(id) {
	const all = [];

	for (let after = 0; after !== null;) {
		const page = await get(`${conference(id)}/participants?limit=1000&after=${after}`);

		all.push(...page.participants);
		after = page.next_after;
	}
	return all;
}

// One block of an event stream (WHATWG HTML 9.2.6): its fields.
function parseEvent(block) {
	const event = {name: 'message', id: '', data: []};

	for (const line of block.split('\n')) {
		const colon = line.indexOf(':');
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');

		if (field === 'event')
			event.name = value;
		else if (field === 'id')
			event.id = value;
		else if (field === 'data')
			event.data.push(value);
	}
	return event;
}

async function readStream(path, state, onevent, signal) {
	const response = await fetch(`/v1${path}`, {
		signal, headers: headers(state.last ? {Accept: 'text/event-stream', 'Last-Event-ID': state.last} : {Accept: 'text/event-stream'}),
	});

	if (!response.ok)
		throw await problem(response);
	state.onstate(true);
	state.delay = 500;
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	for (let rest = ''; ;) {
		const {value, done} = await reader.read();

		if (done)
			return;
		const blocks = (rest + value).replaceAll('\r\n', '\n').split('\n\n');
		rest = blocks.pop();
		for (const event of blocks.map(parseEvent)) {
			state.last = event.id || state.last;
			if (event.data.length > 0)
				onevent(event.name, JSON.parse(event.data.join('\n')));
		}
	}
}

// Follows live events until close() of what it returns; reconnects by itself and goes on after the last that it saw.
// EventSource cannot show a bearer token, so the stream is read by fetch.
export function follow(path, onevent, onstate) {
	const stop = new AbortController();
	const state = {last: '', delay: 500, onstate};

	(async () => {
		while (!stop.signal.aborted) {
			try {
				await readStream(path, state, onevent, stop.signal);
			} catch (error) {
				if (stop.signal.aborted || (error instanceof Problem && [401, 403, 404, 410].includes(error.status)))
					return;
			}
			state.onstate(false);
			await new Promise((resolve) => setTimeout(resolve, state.delay));
			state.delay = Math.min(state.delay * 2, 10000);
		}
	})();
	return {close: () => stop.abort()};
}
