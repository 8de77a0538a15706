// Small plots: the last two minutes of one figure, as a line with its present value. SVG, drawn by hand: no library.
import {el, setText} from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 240, HEIGHT = 48;

function svg(name, attributes) {
	const node = document.createElementNS(SVG, name);

	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value);
	return node;
}

// A plot: add(value) once a second; node is for the page.
export function plot(title, unit, {points = 120, floor = 1} = {}) {
	const values = [];
	const line = svg('polyline', {fill: 'none', 'stroke-width': 1.5, 'vector-effect': 'non-scaling-stroke'});
	const area = svg('polygon', {class: 'area'});
	const picture = svg('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'});
	const now = el('output', {});
	const top = el('span', {class: 'top'});
	const node = el('figure', {class: 'plot'}, el('figcaption', {}, title, ' ', now), picture, top);

	picture.append(area, line);
	return {
		node,
		add(value) {
			values.push(value);
			if (values.length > points)
				values.shift();
			const most = Math.max(floor, ...values);
			const at = values.map((v, i) => [
				WIDTH - (values.length - 1 - i) * (WIDTH / (points - 1)),
				HEIGHT - 1 - (v / most) * (HEIGHT - 4),
			].map((n) => n.toFixed(1)).join(','));
			const left = (WIDTH - (values.length - 1) * (WIDTH / (points - 1))).toFixed(1);

			line.setAttribute('points', at.join(' '));
			area.setAttribute('points', [`${left},${HEIGHT}`, ...at, `${WIDTH},${HEIGHT}`].join(' '));
			const digits = value !== 0 && Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
			setText(now, `${value.toFixed(digits)}${unit}`);
			setText(top, `max ${most.toFixed(most < 10 && !Number.isInteger(most) ? 1 : 0)}${unit}`);
		},
	};
}
