// SPDX-License-Identifier: ISC
// The words on the map, each with a halo of the ground so that a line under
// it does not cross it out: the values of links that stand out, the names of
// nodes, and the plate of what the mouse is on.
import { boxAt, planLabels } from "./label-plan.js";

const NAME_HEIGHT = 13, VALUE_HEIGHT = 18, VALUE_OFF = 12;
const LINKS_TO_AVOID = 500; // with more, lines are everywhere anyway
const LEAST_LENGTH = 24;

function haloText(context, text, x, y, { fill, halo, font, width = 3.5 }) {
	context.font = font;
	context.lineJoin = "round";
	context.lineWidth = width;
	context.strokeStyle = halo;
	context.strokeText(text, x, y);
	context.fillStyle = fill;
	context.fillText(text, x, y);
}

const fontOf = (view, size, weight = 400) =>
	`${weight} ${size}px ${view.sigma.getSetting("labelFont")}`;
const nameFont = (view, node) => fontOf(view, 11, node.strong ? 600 : 400);
const valueFont = (view) => fontOf(view, 10.5, 600);

// What the mouse is on: its name on a plate.
export function drawHover(context, data, view) {
	const c = view.colours;
	const text = data.role === "silent" ? "a router that does not answer"
		: data.label;
	context.font = fontOf(view, 11, 600);
	const width = context.measureText(text).width + 14;
	const x = data.x - width / 2, y = data.y + data.size + 3;
	context.beginPath();
	context.roundRect(x, y, width, 19, 5);
	context.fillStyle = c.raised;
	context.fill();
	context.lineWidth = 1;
	context.strokeStyle = c["line-strong"];
	context.stroke();
	context.textAlign = "center";
	context.fillStyle = c.text;
	context.fillText(text, data.x, y + 13.5);
	context.textAlign = "start";
}

// Under its node, over it, beside it.
function nodeWish(context, node, view) {
	context.font = nameFont(view, node);
	const width = context.measureText(node.label).width + 4;
	const { x, y, size } = node;
	const beside = size + 2 + width / 2;
	const away = size + 2 + NAME_HEIGHT / 2;
	return { width, height: NAME_HEIGHT, over: node.must, spots: [
		[x, y + away], [x, y - away], [x + beside, y], [x - beside, y],
		[x + beside - 6, y + away - 4], [x + beside - 6, y - away + 4],
		[x - beside + 6, y + away - 4], [x - beside + 6, y - away + 4]] };
}

// Above the middle of its link, or below, or a piece along it.
function linkWish(context, link, view) {
	context.font = valueFont(view);
	const width = context.measureText(link.label).width + 12;
	const [x1, y1, x2, y2] = link.line;
	const slope = Math.abs(Math.atan2(y2 - y1, x2 - x1));
	const away = VALUE_OFF + Math.abs(Math.sin(slope)) * (width / 2 - 6);
	return { width, height: VALUE_HEIGHT, over: true,
		spots: [[0.5, 0], [0.35, 0], [0.65, 0], [0.5, 8], [0.2, 0], [0.8, 0],
			[0.5, 18], [0.3, 14], [0.7, 14]].flatMap(([t, more]) => {
			const x = x1 + t * (x2 - x1), y = y1 + t * (y2 - y1);
			return slope > 0.8 && slope < 2.34
				? [[x + away + more, y], [x - away - more, y]]
				: [[x, y - VALUE_OFF - more], [x, y + VALUE_OFF + more]];
		}) };
}

function drawValue(context, link, [x, y], width, view) {
	const c = view.colours;
	context.beginPath();
	context.roundRect(x - width / 2 + 1, y - 8.5, width - 2, 17, 5);
	context.fillStyle = c.surface;
	context.fill();
	context.lineWidth = 1.2;
	context.strokeStyle = link.color;
	context.stroke();
	context.font = valueFont(view);
	context.fillStyle = c.text;
	context.fillText(link.label, x, y + 3.8);
}

function drawName(context, node, [x, y], view) {
	const c = view.colours;
	haloText(context, node.label, x, y + 4, { halo: c.surface,
		fill: node.dim ? c["text-3"] : node.strong ? c.text : c["text-2"],
		font: nameFont(view, node) });
}

function drawSilent(context, node, view) {
	const c = view.colours;
	haloText(context, "?", node.x, node.y + 3.5, { halo: c.surface,
		fill: node.dim ? c["line-strong"] : c["text-3"], width: 0.1,
		font: fontOf(view, 10, 600) });
}

// nodes: [{x, y, size, label, role, strong, must, dim, named}], links:
// [{line, label, color}], both the most important first.  Gives how many
// words found a place.
export function drawLabels(context, { nodes, links, lines, frame }, view) {
	const values = links.filter(({ label, line: [x1, y1, x2, y2] }) =>
		label && Math.hypot(x2 - x1, y2 - y1) >= LEAST_LENGTH);
	const names = nodes.filter((n) => n.named);
	const wishes = [...values.map((l) => linkWish(context, l, view)),
		...names.map((n) => nodeWish(context, n, view))];
	const spots = planLabels(wishes, { frame,
		marks: nodes.map((n) => boxAt(n.x, n.y, 2 * n.size, 2 * n.size)),
		lines: lines.length > LINKS_TO_AVOID ? [] : lines });
	context.textAlign = "center";
	nodes.filter((n) => n.role === "silent" && n.size >= 4)
		.forEach((n) => drawSilent(context, n, view));
	names.forEach((node, i) => spots[values.length + i]
		&& drawName(context, node, spots[values.length + i], view));
	values.forEach((link, i) => spots[i]
		&& drawValue(context, link, spots[i], wishes[i].width, view));
	context.textAlign = "start";
}
