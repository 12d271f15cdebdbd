// SPDX-License-Identifier: ISC
// Small marks that several pages share: states, verdicts, sparklines, times.
import { h, svg } from "./dom.js";
import { hexDump } from "./format.js";
import { sparkArea, sparkPath } from "./scales.js";
import { formatAgo, formatDateTime, formatMoment, parseTime } from "./time.js";
import { VERDICT_WORDS } from "./verdicts.js";

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
	worm: "bad", scan: "info", probe: "quiet", backscatter: "quiet",
	flood: "warn", misconfiguration: "quiet", unrouted: "quiet",
	other: "quiet",
};

export function verdictBadge(verdict) {
	return h("span", { class: `badge ${VERDICTS[verdict] ?? "quiet"}`,
		title: VERDICT_WORDS[verdict] }, verdict ?? "other");
}

// Octets, given as hex digits, to be read.
export function hexView(hex, label) {
	return h("div", { class: "hex", tabindex: "0", "aria-label": label },
		hexDump(hex).map((line) => h("div", { class: "hex-line" },
			h("span", { class: "hex-offset" }, line.offset),
			h("span", { class: "hex-bytes" }, line.hex),
			h("span", { class: "hex-ascii" }, line.ascii))));
}

export function badge(text, level = "quiet") {
	return h("span", { class: `badge ${level}` }, text);
}

const SPARK_WIDTH = 96, SPARK_HEIGHT = 22;

const sparkSvg = (level, label, ...children) => svg("svg", {
	class: `spark ${level}`, role: "img", "aria-label": label,
	viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`,
	preserveAspectRatio: "none" }, ...children);

// fill: the ground under the line is tinted, so that its height is seen.
export function spark(values, { label, level = "info", fill } = {}) {
	const height = SPARK_HEIGHT - 3;
	const path = sparkPath(values, SPARK_WIDTH, height);
	const area = fill ? sparkArea(values, SPARK_WIDTH, height) : "";
	const place = "translate(0 1.5)";
	return sparkSvg(level, label,
		area ? svg("path", { class: "area", d: area, transform: place })
			: null,
		path ? svg("path", { d: path, transform: place }) : null);
}

// Shares of 1 as bars from a common ground; none is less than a hairline.
export function sparkBars(values, { label }) {
	const step = SPARK_WIDTH / values.length;
	const top = Math.max(0.1, ...values.map((v) => v ?? 0));
	return sparkSvg("bars-of-loss", label, values.map((v, i) => {
		if (v === null)
			return null;
		const height = Math.max(0.8, v / top * (SPARK_HEIGHT - 2));
		return svg("rect", { x: (i * step).toFixed(2),
			y: (SPARK_HEIGHT - height).toFixed(2), height: height.toFixed(2),
			width: (step * 0.75).toFixed(2), class: v > 0 ? "some" : "none" });
	}));
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
