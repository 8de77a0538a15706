// Small helpers around the DOM. Text is always set as text: nothing that a peer named itself becomes markup.

// el('button', {type: 'button', onclick: f, class: 'x', 'aria-label': 'y'}, child, …)
export function el(name, attributes = {}, ...children) {
	const node = document.createElement(name);

	for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith('on'))
			node.addEventListener(key.slice(2), value);
		else if (value === true)
			node.setAttribute(key, '');
		else if (value !== false && value !== null && value !== undefined)
			node.setAttribute(key, value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined));
	return node;
}

export function button(text, onclick, attributes = {}) {
	return el('button', {type: 'button', onclick, ...attributes}, text);
}

// Only what differs is written, so that a selection, a focus and a screen reader stay undisturbed.
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export function setClass(node, name, on) {
	if (node.classList.contains(name) !== on)
		node.classList.toggle(name, on);
}

// Keeps the children of parent in step with items: make(item) once for each key, update(node, item) each time. The focus stays
// where it is, so the keyboard does not lose its place: it goes along with a node that is moved.
export function keyed(parent, items, key, make, update) {
	const focus = document.activeElement;
	const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
	let next = parent.firstElementChild;

	for (const item of items) {
		const name = String(key(item));
		let node = old.get(name);

		old.delete(name);
		if (!node) {
			node = make(item);
			node.dataset.key = name;
		}
		if (node === next)
			next = next.nextElementSibling;
		else
			parent.insertBefore(node, next);
		update(node, item);
	}
	for (const node of old.values())
		node.remove();
	if (focus !== document.activeElement && parent.contains(focus))
		focus.focus({preventScroll: true});
}

// A line that says what happened and goes by itself; errors stay longer. What is there already only stays on.
export function toast(text, kind = 'info') {
	const box = document.getElementById('toasts');
	const node = [...box.children].find((one) => one.textContent === text) ?? el('p', {}, text);

	node.className = `toast ${kind}`;
	if (!node.isConnected)
		box.append(node);
	clearTimeout(node.timer);
	node.timer = setTimeout(() => node.remove(), kind === 'error' ? 9000 : 4000);
}

// Asks in a dialog of the page. Resolves to the value of the button that was pressed; '' when it was left.
export function ask(title, body, buttons) {
	// Enter presses a form's first submit button: the one that does what was asked for.
	const form = el('form', {method: 'dialog'}, el('h2', {}, title), body,
		el('div', {class: 'actions'}, buttons.map(([value, text, kind]) => kind === 'primary' || kind === 'danger'
			? el('button', {value, class: kind}, text) : button(text, () => dialog.close(value), {class: kind}))));
	const dialog = el('dialog', {'aria-label': title}, form);

	document.body.append(dialog);
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => {
			dialog.remove();
			resolve(dialog.returnValue);
		});
	});
}

export function confirm(title, text, action) {
	return ask(title, el('p', {}, text), [['', 'Leave it', 'quiet'], ['yes', action, 'danger']]).then((value) => value === 'yes');
}

// "hung up", "enough, by ops": why something was, and who did it where that is not said yet.
export function whyOf(reason, by) {
	return [reason, by && !reason?.includes(' by ') ? `by ${by}` : ''].filter(Boolean).join(', ');
}

// "40 s", "3 min", "2 h 5 min".
export function span(seconds) {
	if (seconds < 60)
		return `${seconds} s`;
	if (seconds < 3600)
		return `${Math.floor(seconds / 60)} min`;
	return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}

// The same since a time of the API.
export function since(time) {
	const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));

	return Number.isFinite(seconds) ? span(seconds) : '';
}

export function clock(time) {
	const date = new Date(time);

	return Number.isNaN(date.getTime()) ? '' : date.toLocaleString(undefined, {dateStyle: 'short', timeStyle: 'medium'});
}
