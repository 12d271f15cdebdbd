// SPDX-License-Identifier: ISC
// Colours as numbers, for what is drawn on a canvas.  Pure.

export function parseRgb(text) {
	const hex = /^#([0-9a-f]{6})/i.exec(text);
	if (hex)
		return [0, 2, 4].map((i) => parseInt(hex[1].slice(i, i + 2), 16));
	const m = /rgba?\(([^)]+)\)/.exec(text);
	return m ? m[1].split(/[\s,/]+/).slice(0, 3).map(Number) : [127, 127, 127];
}

// A part `share` of a, the rest of b, as #rrggbb.
export function mix(a, b, share) {
	const x = parseRgb(a), y = parseRgb(b);
	return `#${x.map((v, i) => Math.round(v * share + y[i] * (1 - share))
		.toString(16).padStart(2, "0")).join("")}`;
}
