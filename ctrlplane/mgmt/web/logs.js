// Call records, and who changed what: two lists that are read backwards, a page at a time.
import {get} from './api.js';
import {button, clock, el} from './dom.js';

const KINDS = {
	records: {
		title: 'Call records', member: 'records',
		columns: [['Conference', (r) => r.conference], ['Participant', (r) => r.display || r.identity || 'anonymous'], ['Joined', (r) => clock(r.joined_at)],
			['Left', (r) => clock(r.left_at)], ['How', (r) => [r.joining_method, r.disconnection_method].filter(Boolean).join(', ')],
			['Why', (r) => r.left_reason || ''], ['Protection', (r) => r.protection || '']],
	},
	audit: {
		title: 'Changes', member: 'audit',
		columns: [['When', (r) => clock(r.at)], ['Who', (r) => r.by || ''], ['What', (r) => r.action || ''], ['Conference', (r) => r.conference || ''],
			['Detail', (r) => r.detail || '']],
	},
};

export function logView(kind, page) {
	const {title, member, columns} = KINDS[kind];
	const body = el('tbody', {});
	const more = button('Older ones', () => load(), {class: 'quiet', hidden: true});
	const empty = el('p', {class: 'empty', hidden: true}, 'Nothing yet.');
	let before = '';

	async function load() {
		try {
			const rows = (await get(`/${kind}?limit=100${before}`))[member];

			for (const row of rows)
				body.append(el('tr', {}, columns.map(([label, value]) => el('td', {'data-label': label}, String(value(row) ?? '')))));
			empty.hidden = body.childElementCount > 0;
			more.hidden = rows.length < 100;
			if (rows.length > 0)
				before = `&before=${rows[rows.length - 1].id}`;
		} catch (error) {
			page.failed(error);
		}
	}

	load();
	return {
		title,
		node: el('section', {}, el('div', {class: 'head'}, el('h1', {}, title)),
			el('table', {class: 'list log'}, el('thead', {}, el('tr', {}, columns.map(([name]) => el('th', {scope: 'col'}, name)))), body), empty, more),
		close() {},
	};
}
