// SPDX-License-Identifier: ISC
// Small marks that several pages share: states, verdicts, sparklines, times.
import { h, svg } from "./dom.js";
import { sparkPath } from "./scales.js";
import { formatAgo, formatDateTime, formatMoment, parseTime } from "./time.js";

// A shape beside the word, so that colour is never the only carrier.
const STATES = {
	up: ["ok", "\u25cf", "up"],
	late: ["warn", "\u25d0", "late"],
	gone: ["bad", "\u25cb", "gone"],
	new: ["info", "\u25c7", "new"],
};

export function stateMark(state) {
	const [level, shape, word] = STATES[state] ?? ["quiet", "\u25cb", state];
	return h("span", { class: `state ${level}` },
		h("span", { class: "shape", "aria-hidden": "true" }, shape), word);
}

const VERDICTS = {
	worm: "bad", scan: "info", backscatter: "quiet", flood: "warn",
	misconfiguration: "quiet", other: "quiet",
};

export function verdictBadge(verdict) {
	return h("span", { class: `badge ${VERDICTS[verdict] ?? "quiet"}` },
		verdict ?? "other");
}

export function badge(text, level = "quiet") {
	return h("span", { class: `badge ${level}` }, text);
}

export function spark(values, { label, level = "info" } = {}) {
	const width = 96, height = 22;
	const path = sparkPath(values, width, height - 3);
	return svg("svg", { class: `spark ${level}`, role: "img",
		viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none",
		"aria-label": label },
		path ? svg("path", { d: path, transform: "translate(0 1.5)" }) : null);
}

// A time as people say it, with the exact one behind it.
export function timeMark(text, now, utc) {
	const ms = parseTime(text);
	return h("time", { datetime: text, title: Number.isFinite(ms)
		? `${formatDateTime(ms, utc)} ${utc ? "UTC" : "local"}` : undefined },
		formatMoment(ms, now, utc));
}

export function agoMark(text, now, utc) {
	const ms = parseTime(text);
	return h("time", { datetime: text, title: Number.isFinite(ms)
		? `${formatDateTime(ms, utc)} ${utc ? "UTC" : "local"}` : undefined },
		formatAgo(ms, now));
}

// A list of names and values.
export function facts(pairs) {
	return h("dl", { class: "facts" }, pairs.filter(Boolean).map(
		([name, value]) => h("div", null, h("dt", null, name),
			h("dd", null, value))));
}
