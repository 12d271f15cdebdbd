// SPDX-License-Identifier: ISC
// From numbers to marks: levels, widths, lines.  Pure.

// Okabe and Ito's colours: told apart by every kind of eye.
export const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7",
	"#56b4e9", "#d55e00", "#f0e442", "#7f7f7f"];

// Chance alone makes some of many links look a little lossy.
const isChance = ({ loss, loss_low }, limit) => loss >= limit
	&& loss_low < limit / 4;

// How bad a link is by the chosen measure: "unknown", "ok", "warn" (at the
// threshold), "bad" (three times it; one static pair cannot fit a mesh, a
// multiple of the reader's own threshold can).
export const BAD_MULTIPLE = 3;
const SAMPLES_LEAST = 10; // a loss of one in four says nothing
const TRACES_LEAST = 3;   // nor does one answer that came late
export function linkLevel(link, measure, thresholds) {
	const value = measure === "loss" ? link.loss : link.delay_ns;
	const limit = measure === "loss" ? thresholds.loss
		: thresholds.delay_ns;
	const few = measure === "loss" ? link.loss_samples < SAMPLES_LEAST
		|| isChance(link, limit) : link.traces < TRACES_LEAST;
	if (value === null || value === undefined || few)
		return "unknown";
	if (value >= limit * BAD_MULTIPLE)
		return "bad";
	return value >= limit ? "warn" : "ok";
}

export const LEVELS = ["unknown", "ok", "warn", "bad"]; // worse and worse
export const LEVEL_WIDTH = { unknown: 1, ok: 1.6, warn: 3, bad: 4.5 };
export const isRaised = (level) => level === "warn" || level === "bad";

// Both measures together: {delay, loss, level (the worse), word}.  Unsure is
// what rests on too few packets.
export function linkState(link, thresholds) {
	const delay = linkLevel(link, "delay", thresholds);
	const loss = linkLevel(link, "loss", thresholds);
	const level = LEVELS[Math.max(LEVELS.indexOf(delay),
		LEVELS.indexOf(loss))];
	const words = [isRaised(delay) ? "slow" : null,
		isRaised(loss) ? "lossy" : null].filter(Boolean);
	if (words.length)
		return { delay, loss, level, word: words.join(", ") };
	const unsure = (loss === "unknown" && link.loss >= thresholds.loss)
		|| (delay === "unknown" && link.delay_ns >= thresholds.delay_ns);
	return unsure ? { delay, loss, level: "unknown", word: "unsure" }
		: { delay, loss, level, word: level === "unknown" ? "not known"
			: "fine" };
}

// A value on a slider of steps that grow like 1, 2, 5.
export const DELAY_STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500];
export const LOSS_STEPS_PERCENT = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
export function nearestStep(steps, value) {
	let best = 0;
	for (let i = 1; i < steps.length; i++)
		if (Math.abs(steps[i] - value) < Math.abs(steps[best] - value))
			best = i;
	return best;
}

// SVG path data of a sparkline; a null is a gap.  The scale starts at zero so
// that a flat line of small values does not look like a drama.
export function sparkPath(values, width, height) {
	const known = values.filter((v) => v !== null && v !== undefined);
	const top = Math.max(...known, 0);
	if (known.length === 0 || values.length < 2)
		return "";
	const x = (i) => (i / (values.length - 1)) * width;
	const y = (v) => height - (top > 0 ? v / top : 0) * height;
	let path = "", pen = false;
	values.forEach((v, i) => {
		if (v === null || v === undefined) {
			pen = false;
			return;
		}
		path += `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
		pen = true;
	});
	return path;
}

// The ground under such a line, piece by piece.
export function sparkArea(values, width, height) {
	return sparkPath(values, width, height).split("M").filter(Boolean)
		.map((piece) => {
			const points = piece.split("L").map((p) => p.split(" ")[0]);
			return `M${points[0]} ${height}L${piece}`
				+ `L${points.at(-1)} ${height}Z`;
		}).join("");
}

// Puts values by time into n equal slots of [from, to): the biggest of each.
export function bucket(points, from, to, n) {
	const out = new Array(n).fill(null);
	for (const { at, value } of points) {
		const i = Math.floor(((at - from) / (to - from)) * n);
		if (i < 0 || i >= n || value === null || value === undefined)
			continue;
		out[i] = out[i] === null ? value : Math.max(out[i], value);
	}
	return out;
}

// The same for shares: what is few is averaged with what is many by weight.
export function bucketShare(points, from, to, n) {
	const sum = new Array(n).fill(0), weights = new Array(n).fill(0);
	for (const { at, share, weight } of points) {
		const i = Math.floor(((at - from) / (to - from)) * n);
		if (i < 0 || i >= n || typeof share !== "number" || !(weight > 0))
			continue;
		sum[i] += share * weight;
		weights[i] += weight;
	}
	return sum.map((s, i) => weights[i] ? s / weights[i] : null);
}

// How many slots a sparkline of at most `most` has: never more than bins.
export function slotsFor(from, to, bin_s, most) {
	return Math.max(2, Math.min(most, Math.floor((to - from) / 1000 / bin_s)));
}

// One value per bin from the first to the last point, null where a bin is
// absent, so that a chart shows a gap instead of a slope through it.
export function fillBins(points, bin_s, read) {
	const out = { x: [], y: [] };
	if (points.length === 0)
		return out;
	let next = points[0].at_s;
	for (const point of points) {
		while (next < point.at_s - bin_s / 2 && out.x.length < 10000) {
			out.x.push(next);
			out.y.push(null);
			next += bin_s;
		}
		out.x.push(point.at_s);
		out.y.push(read(point));
		next = point.at_s + bin_s;
	}
	return out;
}

// Each bin as a flat piece of line: a value holds for its whole bin, and not
// longer.  Bin i becomes the points 2i and 2i + 1.
export function stepTimes(x, bin_s) {
	return x.flatMap((at) => [at, at + bin_s * 0.9999]);
}

export function stepValues(y) {
	return y.flatMap((v) => [v, v]);
}

// Sorts by a column; unknown values come last in both directions.
export function sortBy(items, read, descending) {
	const sign = descending ? -1 : 1;
	return items.map((item, i) => [item, read(item), i]).sort((a, b) => {
		const [, x, i] = a, [, y, j] = b;
		const xNone = x === null || x === undefined || Number.isNaN(x);
		const yNone = y === null || y === undefined || Number.isNaN(y);
		if (xNone || yNone)
			return xNone === yNone ? i - j : xNone ? 1 : -1;
		if (typeof x === "string" && typeof y === "string")
			return sign * x.localeCompare(y, "en", { numeric: true })
				|| i - j;
		return sign * (x - y) || i - j;
	}).map(([item]) => item);
}

// A round number that leaves a little air above the highest value.
export function niceTop(max) {
	if (!(max > 0))
		return 1;
	const want = max * 1.12, unit = 10 ** Math.floor(Math.log10(want));
	return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((n) => n * unit)
		.find((n) => n >= want) ?? want;
}
