// SPDX-License-Identifier: ISC
// Curves over time by uPlot, dressed in the colours of the page.  One place
// knows uPlot; the pages say what the curves are.
import uPlot from "uplot";
import { cssColour, h, replace } from "./dom.js";
import { niceTop } from "./scales.js";
import { formatDateTime } from "./time.js";

const NAMES = { line: "--chart-line", band: "--chart-band",
	grid: "--chart-grid", axis: "--chart-axis",
	expected: "--chart-expected", alarm: "--chart-alarm",
	alarmLine: "--chart-alarm-line", surface: "--surface", text: "--text",
	ok: "--ok", warn: "--warn", bad: "--bad", quiet: "--quiet" };

export function chartColours() {
	return Object.fromEntries(Object.entries(NAMES).map(
		([name, property]) => [name, cssColour(property)]));
}

// On a logarithm only whole decades are marked.
const decades = (u, splits) => splits.map((v) =>
	v > 0 && Math.abs(Math.log10(v) % 1) < 1e-6 ? v : null);

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const TIME_STEPS_S = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE,
	10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR,
	12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

function axes(colours, { format, utc, log }) {
	const font = `11px ${getComputedStyle(document.body).fontFamily}`;
	const common = { stroke: colours.axis, font,
		grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
	return [
		{ ...common, grid: { show: false }, size: 28, gap: 6,
		  space: (u, i, min, max, width) => width < 400 ? 56 : 72,
		  incrs: TIME_STEPS_S,
		  values: (u, splits, _a, _s, step) => timeLabels(splits, step, utc) },
		{ ...common, size: 52, gap: 6, space: 34,
		  ...log ? { filter: decades,
			grid: { ...common.grid, filter: decades } } : {},
		  values: (u, splits) => splits.map((v) => v === null ? ""
			: format(v)) },
	];
}

// Clock times, and the date where a day begins.
function timeLabels(splits, step_s, utc) {
	return splits.map((s) => {
		const [date, clock] = formatDateTime(s * 1000, utc).split(" ");
		if (step_s >= 86400 || clock === "00:00:00")
			return date.slice(5);
		return step_s < 60 ? clock : clock.slice(0, 5);
	});
}

function shade(u, alarm, colours) {
	const { ctx, bbox } = u;
	const left = Math.max(bbox.left, u.valToPos(alarm.from_s, "x", true));
	const right = Math.min(bbox.left + bbox.width,
		u.valToPos(alarm.to_s, "x", true));
	if (right <= bbox.left || left >= bbox.left + bbox.width)
		return;
	ctx.save();
	ctx.fillStyle = colours.alarm;
	ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
	ctx.fillStyle = colours.alarmLine;
	ctx.fillRect(left, bbox.top, 1.5 * devicePixelRatio, bbox.height);
	ctx.restore();
}

// The word of an alarm at its beginning, a line lower where there is one
// already.  taken: the ends of the lines so far.
function label(u, alarm, colours, taken) {
	const { ctx, bbox } = u;
	const from = u.valToPos(alarm.from_s, "x", true);
	const to = u.valToPos(alarm.to_s, "x", true);
	if (to <= bbox.left || from >= bbox.left + bbox.width)
		return;
	const ratio = devicePixelRatio;
	ctx.save();
	ctx.font = `600 ${11 * ratio}px `
		+ getComputedStyle(document.body).fontFamily;
	const width = ctx.measureText(alarm.label).width + 12 * ratio;
	const x = Math.min(Math.max(bbox.left, from),
		bbox.left + bbox.width - width);
	let line = taken.findIndex((end) => end < x);
	if (line < 0)
		line = taken.length;
	taken[line] = x + width;
	const y = bbox.top + (4 + 22 * line) * ratio;
	ctx.textAlign = "left";
	ctx.textBaseline = "alphabetic";
	ctx.setLineDash([]);
	ctx.fillStyle = colours.surface;
	ctx.beginPath();
	ctx.roundRect(x + 4 * ratio, y, width, 18 * ratio, 4 * ratio);
	ctx.fill();
	ctx.strokeStyle = colours.alarmLine;
	ctx.lineWidth = ratio;
	ctx.stroke();
	ctx.fillStyle = colours.text;
	ctx.fillText(alarm.label, x + 10 * ratio, y + 13 * ratio);
	ctx.restore();
}

const PATHS = {
	line: () => uPlot.paths.linear(),
	bars: () => uPlot.paths.bars({ size: [0.86, 80], align: 1 }),
};

function seriesOf(spec, colours) {
	return { label: spec.label, scale: spec.scale ?? "y",
		stroke: spec.stroke ?? colours.line, fill: spec.fill,
		width: spec.width ?? 1.75, dash: spec.dash,
		points: { show: false }, spanGaps: Boolean(spec.gaps),
		paths: PATHS[spec.paths ?? "line"]() };
}

export class TimeChart {
	// options: label, height, sync, readout(index) => Node[]
	constructor(options) {
		this.options = options;
		this.readout = h("div", { class: "chart-readout",
			"aria-hidden": "true" });
		this.canvas = h("div", { class: "chart-canvas" });
		this.el = h("div", { class: "chart", role: "img",
			"aria-label": options.label }, this.readout, this.canvas);
		this.observer = new ResizeObserver(() => this.fit());
		this.observer.observe(this.canvas);
	}

	// view: {x: [s], series: [{label, values, stroke, gaps (a line goes over
	// what is null), ...}], bands, from_s, to_s, log, utc, format, alarms: [{from_s, to_s, label}], summary}
	update(view) {
		this.view = view;
		if (view.summary)
			this.el.setAttribute("aria-label", view.summary);
		const shape = JSON.stringify([view.log, view.utc,
			view.series.map((s) => [s.label, s.paths]),
			(view.alarms ?? []).map((a) => [a.from_s, a.label]),
			document.documentElement.dataset.theme]);
		const data = this.data();
		if (this.plot && shape === this.shape) {
			this.plot.setData(data, false);
			this.plot.batch(() => {
				this.plot.setScale("x",
					{ min: view.from_s, max: view.to_s });
			});
		} else
			this.build(data);
		this.shape = shape;
		this.showReadout(null);
	}

	data() {
		const { x, series, log } = this.view;
		// a logarithm has no zero: what is nothing sits on the lowest line
		const floor = (v) => v === null || v === undefined ? null
			: Math.max(v, LOG_FLOOR);
		return [x, ...series.map((s) => log ? s.values.map(floor)
			: s.values)];
	}

	yRange(min, max) {
		if (!this.view.log)
			return [min < 0 ? -niceTop(-min) : 0, niceTop(max)];
		return [LOG_FLOOR, Math.max(10, 10 ** Math.ceil(Math.log10(
			Math.max(max ?? 1, 1) * 1.1)))];
	}

	build(data) {
		const { view, options } = this, colours = chartColours();
		this.plot?.destroy();
		this.plot = new uPlot({
			width: Math.max(50, this.canvas.clientWidth),
			height: options.height, padding: [10, 30, 0, 0],
			ms: 1e-3, legend: { show: false },
			cursor: { y: false, points: { size: 6 }, drag: { setScale: false,
				x: false, y: false },
				sync: options.sync ? { key: options.sync, setSeries: false }
					: undefined },
			scales: {
				x: { time: true, range: () =>
					[this.view.from_s, this.view.to_s] },
				y: { distr: view.log ? 3 : 1, log: 10,
					range: (u, min, max) => this.yRange(min, max) },
			},
			axes: axes(colours, view),
			series: [{}, ...view.series.map((s) => seriesOf(s, colours))],
			bands: view.bands?.map((series) => ({ series,
				fill: colours.band })),
			hooks: {
				drawClear: [(u) => (this.view.alarms ?? [])
					.forEach((a) => shade(u, a, colours))],
				draw: [(u) => {
					const taken = [];
					for (const alarm of this.view.alarms ?? [])
						label(u, alarm, colours, taken);
				}],
				setCursor: [(u) => this.showReadout(u.cursor.idx)],
			},
		}, data, this.canvas);
	}

	showReadout(index) {
		if (index === null || index === undefined
		    || !(index < this.view.x.length))
			return replace(this.readout, this.options.readout?.(null) ?? "");
		replace(this.readout, this.options.readout?.(index) ?? "");
	}

	fit() {
		if (this.plot && this.canvas.clientWidth > 50)
			this.plot.setSize({ width: this.canvas.clientWidth,
				height: this.options.height });
	}

	themeChanged() {
		this.shape = "";
		if (this.view)
			this.update(this.view);
	}

	destroy() {
		this.observer.disconnect();
		this.plot?.destroy();
	}
}

const LOG_FLOOR = 0.5;

export function readoutItem(swatch, name, value) {
	return h("span", { class: "readout-item" }, swatch
		? h("i", { style: { background: swatch } }) : null,
		name ? `${name} ` : "", h("b", null, value));
}
