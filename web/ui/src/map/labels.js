// SPDX-License-Identifier: ISC
// The words on the map, each with a halo of the ground so that a line under
// it does not cross it out.

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

export function drawNodeLabel(context, data, view) {
	if (!data.label)
		return;
	const c = view.colours;
	context.textAlign = "center";
	if (data.role === "silent")
		haloText(context, "?", data.x, data.y + 3.5, { halo: c.surface,
			fill: data.dim ? c["line-strong"] : c["text-3"], width: 0.1,
			font: fontOf(view, 10, 600) });
	else if (!data.dim)
		haloText(context, data.label, data.x, data.y + data.size + 12, {
			fill: data.role === "source" ? c.text : c["text-2"],
			halo: c.surface,
			font: fontOf(view, 11, data.role === "source" ? 600 : 400) });
	context.textAlign = "start";
}

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

// The value of a link that stands out, upright above its middle: the names of
// nodes are below them.
export function drawLinkLabel(context, edge, source, target, view) {
	if (!edge.label)
		return;
	const c = view.colours;
	const dx = target.x - source.x, dy = target.y - source.y;
	const length = Math.hypot(dx, dy);
	if (length < 40)
		return;
	const x = source.x + dx / 2, y = source.y + dy / 2 - 10;
	context.font = fontOf(view, 10.5, 600);
	const width = context.measureText(edge.label).width + 10;
	context.beginPath();
	context.roundRect(x - width / 2, y - 8.5, width, 17, 5);
	context.fillStyle = c.surface;
	context.fill();
	context.lineWidth = 1.2;
	context.strokeStyle = edge.color;
	context.stroke();
	context.textAlign = "center";
	context.fillStyle = c.text;
	context.fillText(edge.label, x, y + 3.8);
	context.textAlign = "start";
}
