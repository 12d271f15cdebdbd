// SPDX-License-Identifier: ISC
// Time ranges and times as text.  Pure: the present is a parameter.

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// The ranges that end now.  A short one is asked for more often.
export const RANGES = [
	{ id: "5m", label: "5 min", name: "Live, last 5 minutes",
	  ms: 5 * MINUTE, refresh_ms: 5 * SECOND },
	{ id: "1h", label: "1 h", name: "Last hour",
	  ms: HOUR, refresh_ms: 15 * SECOND },
	{ id: "6h", label: "6 h", name: "Last 6 hours",
	  ms: 6 * HOUR, refresh_ms: 30 * SECOND },
	{ id: "24h", label: "24 h", name: "Last 24 hours",
	  ms: DAY, refresh_ms: 60 * SECOND },
	{ id: "7d", label: "7 d", name: "Last 7 days",
	  ms: 7 * DAY, refresh_ms: 60 * SECOND },
];
export const DEFAULT_RANGE = "1h";

// Milliseconds of an RFC 3339 text; NaN if it is none.
export function parseTime(text) {
	if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT/.test(text))
		return NaN;
	// Date keeps milliseconds; more digits are cut, not refused
	return Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
}

// What a view state asks for: {from, to} in ms, and how often to ask again
// (0: a fixed past).  An unusable custom range falls back to the default.
export function resolveRange(state, now_ms) {
	const from = parseTime(state.from), to = parseTime(state.to);
	if (state.range === "custom" && from < to)
		return { from, to, refresh_ms: 0, id: "custom" };
	const range = RANGES.find((r) => r.id === state.range)
		?? RANGES.find((r) => r.id === DEFAULT_RANGE);
	return { from: now_ms - range.ms, to: now_ms,
		refresh_ms: range.refresh_ms, id: range.id };
}

// The widest of the collector's bins that still gives a curve some shape.
export function pickBin_s(span_ms) {
	if (span_ms <= 20 * MINUTE)
		return 10;
	if (span_ms <= 24 * HOUR)
		return 60;
	return span_ms <= 60 * DAY ? 3600 : 86400;
}

// For a link: a share of packets lost needs enough of them.
const LOSS_BIN_S = 60;
export function linkBin_s(span_ms, measure) {
	const bin_s = pickBin_s(span_ms);
	return measure === "loss" ? Math.max(LOSS_BIN_S, bin_s) : bin_s;
}

// A time that shows an alarm with as much of what was before, and after.
const AROUND_LEAST_MS = 2 * MINUTE;
export function aroundAlarm(alarm, now_ms) {
	const onset = parseTime(alarm.onset_at);
	const end = parseTime(alarm.ended_at ?? "") || now_ms;
	const margin = Math.max(AROUND_LEAST_MS, end - onset);
	return { from: onset - margin, to: Math.min(now_ms, end + margin) };
}

export function toRfc3339(ms) {
	return new Date(ms).toISOString();
}

function parts(ms, utc) {
	const d = new Date(ms);
	const get = (name) => utc ? d[`getUTC${name}`]() : d[`get${name}`]();
	const two = (n) => String(n).padStart(2, "0");
	return {
		year: get("FullYear"), month: two(get("Month") + 1),
		day: two(get("Date")), hour: two(get("Hours")),
		minute: two(get("Minutes")), second: two(get("Seconds")),
	};
}

export function formatClock(ms, utc) {
	const p = parts(ms, utc);
	return `${p.hour}:${p.minute}:${p.second}`;
}

export function formatDate(ms, utc) {
	const p = parts(ms, utc);
	return `${p.year}-${p.month}-${p.day}`;
}

export function formatDateTime(ms, utc) {
	return `${formatDate(ms, utc)} ${formatClock(ms, utc)}`;
}

// The shortest text that is not ambiguous today.
export function formatMoment(ms, now_ms, utc) {
	if (!Number.isFinite(ms))
		return "never";
	return formatDate(ms, utc) === formatDate(now_ms, utc)
		? formatClock(ms, utc) : formatDateTime(ms, utc);
}

// "12 s", "3 min", "4 h 5 min", "2 d": at most two units, none of them zero.
export function formatSpan(ms) {
	const steps = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"]];
	const i = steps.findIndex(([size]) => ms >= size);
	if (i < 0)
		return "0\u00a0s";
	const [size, unit] = steps[i];
	const whole = Math.floor(ms / size);
	let text = `${whole}\u00a0${unit}`;
	if (i < 2 && whole < 10) {
		const [small, name] = steps[i + 1];
		const rest = Math.floor((ms - whole * size) / small);
		if (rest > 0)
			text += ` ${rest}\u00a0${name}`;
	}
	return text;
}

export function formatAgo(ms, now_ms) {
	if (!Number.isFinite(ms))
		return "never";
	const span = now_ms - ms;
	return span < 2 * SECOND ? "just now" : `${formatSpan(span)} ago`;
}

// For <input type="datetime-local">, which knows no time zone.
export function toInputValue(ms, utc) {
	const p = parts(ms, utc);
	return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}`;
}

export function fromInputValue(text, utc) {
	const full = /T\d\d:\d\d$/.test(text) ? `${text}:00` : text;
	return Date.parse(utc ? `${full}Z` : full);
}
