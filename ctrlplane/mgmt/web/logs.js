// Call records, and who changed what: two lists that are read backwards, a page at a time.
import {get} from './api.js';
import {button, clock, el, setText, whyOf} from './dom.js';

const moment = (time) => el('span', {class: 'moment'}, clock(time));

const KINDS = {
	records: {
		title: 'Call records', member: 'records',
		columns: [['Conference', (r) => r.conference], ['Participant', (r) => r.display || r.identity || 'anonymous'], ['Joined', (r) => moment(r.joined_at)],
			['Left', (r) => moment(r.left_at)], ['How', (r) => [r.method, r.departure].filter(Boolean).join(', ')],
			['Why', (r) => whyOf(r.reason, r.left_by)], ['Protection', (r) => r.protection]],
	},
	audit: {
		title: 'Changes', member: 'entries',
		columns: [['When', (r) => moment(r.at)], ['Who', (r) => r.by || 'by policy'], ['Conference', (r) => r.conference || ''], ['What', (r) => r.what],
			['Participant', (r) => r.participant ?? '']],
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
			const answer = await get(`/${kind}?limit=100${before}`);
			const rows = answer[member];

			for (const row of rows)
				body.append(el('tr', {}, columns.map(([label, value]) => el('td', {'data-label': label}, value(row) ?? ''))));
			empty.hidden = body.childElementCount > 0;
			more.hidden = answer.next_before === null;
			before = `&before=${answer.next_before}`;
		} catch (error) {
			setText(empty, error.message);
			empty.hidden = body.childElementCount > 0;
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
