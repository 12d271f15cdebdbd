// SPDX-License-Identifier: ISC
// Line icons on a grid of 16, drawn for these pages.
import { svg } from "./dom.js";

const PATHS = {
	auto: "M8 2.2a5.8 5.8 0 1 0 0 11.6zM8 2.2a5.8 5.8 0 0 1 0 11.6",
	light: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5"
		+ "M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13",
	dark: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z",
	search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
	close: "M4 4l8 8M12 4l-8 8",
	plus: "M8 3v10M3 8h10",
	minus: "M3 8h10",
	fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
	more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
	copy: "M5.5 5.5V3h7.5v7.5h-2.5M3 5.5h7.5V13H3z",
	keys: "M1.5 4h13v8h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01"
		+ "M4.5 9.5h7",
	alarm: "M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01",
	check: "M3 8.5 6.5 12 13 4.5",
	pin: "M8 9.5V14M5 2.5h6l-.8 4 1.8 3H4l1.8-3z",
	relayout: "M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 2v3h-3",
	up: "M4 10l4-4 4 4", down: "M4 6l4 4 4-4",
	arrow: "M3 8h9.5M9 4.5 12.5 8 9 11.5",
};

export function lineIcon(path, className = "icon") {
	return svg("svg", { class: className, viewBox: "0 0 16 16",
		"aria-hidden": "true", focusable: "false" },
		svg("path", { d: path }));
}

export function icon(name, className) {
	return lineIcon(PATHS[name], className);
}

export function brandMark() {
	return svg("svg", { class: "brand-mark", viewBox: "0 0 32 32",
		"aria-hidden": "true", focusable: "false" },
		svg("rect", { width: 32, height: 32, rx: 8, class: "brand-plate" }),
		svg("path", { class: "brand-line",
			d: "M16 5v9M9.5 14.5a8 8 0 1 0 13 0" }),
		svg("circle", { class: "brand-dot", cx: 16, cy: 18, r: 3.5 }));
}
