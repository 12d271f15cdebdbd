// SPDX-License-Identifier: ISC
// Outbreaks: how many sources send what, against what their own past would
// explain; who they are; and why an alarm fired.
import { isOpen, kindKey } from "../../lib/alarms.js";
import { apiUrl, get, getAll } from "../../lib/api.js";
import { TimeChart, chartColours, readoutItem } from "../../lib/chart.js";
import { commands } from "../../lib/commands.js";
import { cssColour, h, keyed, replace } from "../../lib/dom.js";
import { formatBin, formatCompact, formatCount, plural, sourcesOf,
	titleOf } from "../../lib/format.js";
import { badge, spark, verdictBadge } from "../../lib/marks.js";
import { Panel, emptyState } from "../../lib/panel.js";
import { OKABE_ITO, bucket, fillBins, slotsFor, stepTimes,
	stepValues } from "../../lib/scales.js";
import { formatMoment, parseTime, pickBin_s, toRfc3339 } from "../../lib/time.js";
import { AlarmPanel } from "./alarm-panel.js";
import { SightingsPanel } from "./sightings.js";
import { SourcePanel } from "./source.js";

const SPARK_SLOTS = 40;
const SPLIT_AGENTS = 8;
const STEPS_MOST = 100;
const LIVE_BIN_S = 60;

// What of a kind goes into a request.
const wanted = ({ signature, verdict }) => ({
	signature: signature || undefined, verdict });

export class OutbreaksView {
	constructor(app) {
		this.app = app;
		this.series = [];
		this.signatures = null;
		this.agents = [];
		this.split = [];
		this.list = h("ul", { class: "signature-list" });
		this.listPanel = new Panel({ title: "Signatures",
			class: "signatures-panel", source: () => ({ name: "signatures",
				url: apiUrl("signatures"),
				rows: this.signatures ?? [] }) });
		this.listPanel.fill(this.list);
		this.buildCharts();
		this.alarmPanel = new AlarmPanel(app);
		this.sightings = new SightingsPanel(app, (id) => this.agentName(id));
		this.search = this.sightings.search;
		this.source = new SourcePanel(app);
		this.main = h("div", { class: "stack" }, this.source.el,
			this.chartPanel.el, this.alarmPanel.el, this.sightings.el);
		this.blank = h("div", { class: "panel outbreaks-blank",
			hidden: true });
		this.el = h("div", { class: "outbreaks" }, this.blank,
			h("div", { class: "outbreaks-grid" }, this.listPanel.el,
				this.main));
	}

	buildCharts() {
		const { app } = this;
		const toggle = (key, word) => h("button", { type: "button",
			class: "button small toggle",
			on: { click: () => app.set({ [key]: !app.state[key] },
				{ replace: true }) } }, word);
		this.logButton = toggle("log", "Log scale");
		this.splitButton = toggle("split", "Per agent");
		this.agentSelect = h("select", { "aria-label": "Vantage point",
			on: { change: () => app.set({
				agent: this.agentSelect.value || undefined }) } });
		this.chartPanel = new Panel({ title: "Over time", class: "chart-panel",
			actions: [this.agentSelect, this.splitButton, this.logButton],
			source: () => ({ name: `series-${kindKey(this.kind())}`,
				url: apiUrl("series", { ...this.span(), bin: this.bin_s(),
					...wanted(this.kind()), agent: app.state.agent }),
				rows: this.current()?.points ?? [] }) });
		this.verdict = h("span");
		this.chartPanel.heading.after(this.verdict);
		this.sourceChart = new TimeChart({ label: "Distinct sources over time",
			height: 260, sync: "outbreak",
			readout: (i) => this.sourceReadout(i) });
		this.packetChart = new TimeChart({ label: "Packets over time",
			height: 110, sync: "outbreak",
			readout: (i) => this.packetReadout(i) });
		this.chartPanel.fill(h("div", { class: "charts" },
			h("h3", { class: "chart-title" }, "Distinct sources"),
			this.sourceChart.el,
			h("h3", { class: "chart-title" }, "Packets"),
			this.packetChart.el));
	}

	unmount() {
		this.sourceChart.destroy();
		this.packetChart.destroy();
	}

	themeChanged() {
		this.draw();
	}

	listRoot() {
		return document.activeElement?.closest(".signatures-panel, .sightings")
			?? this.listPanel.el;
	}

	key(key) {
		if (key !== "l")
			return false;
		this.logButton.click();
		return true;
	}

	escape() {
		const { payload, alarm, src, who } = this.app.state;
		if (who)
			this.app.set({ who: undefined });
		else if (payload)
			this.app.set({ payload: undefined });
		else if (src)
			this.app.set({ src: undefined }, { replace: true });
		else if (alarm)
			this.app.set({ alarm: undefined }, { replace: true });
	}

	span() {
		const { from, to } = this.app.range();
		return { from: toRfc3339(from), to: toRfc3339(to) };
	}

	bin_s() {
		const { from, to } = this.app.range();
		return pickBin_s(to - from);
	}

	agentName(id) {
		return this.app.agentName(id);
	}

	// The chosen kind of traffic; else the one with an open alarm, else the
	// one with the most sources.  What has no signature goes by its verdict.
	kind() {
		const { signature, verdict } = this.app.state;
		if (signature || verdict)
			return { signature, verdict: verdict ?? (this.signatures ?? [])
				.find((s) => s.signature === signature)?.verdict };
		return this.openAlarms()[0] ?? this.ordered()[0] ?? {};
	}

	openAlarms() {
		return (this.app.overview?.alarms ?? []).filter(isOpen);
	}

	// What rises first, then worms, then the many.
	ordered() {
		const open = new Set(this.openAlarms().map(kindKey));
		const rank = (s) => 2 * open.has(kindKey(s)) + (s.verdict === "worm");
		return [...this.signatures ?? []].sort((a, b) =>
			rank(b) - rank(a) || (b.sources ?? 0) - (a.sources ?? 0));
	}

	current() {
		const key = kindKey(this.kind());
		return this.series.find((s) => kindKey(s) === key);
	}

	title() {
		const { signature, verdict } = this.kind();
		return titleOf(signature, verdict);
	}

	async refresh(signal) {
		const span = this.span(), bin = this.bin_s();
		const { agent } = this.app.state;
		const [signatures, all, agents] = await Promise.all([
			getAll("signatures", {}, signal),
			get("series", { ...span, bin, agent }, signal),
			getAll("agents", {}, signal)]);
		this.app.takeNames(agents);
		Object.assign(this, { signatures, agents, series: all.series,
			drawn: { ...span, bin: all.bin_s } }); // maybe not what we asked
		this.split = this.app.state.split && !agent
			? await this.askSplit(span, bin, signal) : [];
		this.draw();
		await Promise.all([this.source.refresh(span, signal),
			this.alarmPanel.refresh(this.kind(), signal),
			this.sightings.refresh(span, this.kind(), signal)]);
	}

	async askSplit(span, bin, signal) {
		const kind = this.kind();
		const answers = await Promise.all(this.agents.slice(0, SPLIT_AGENTS)
			.map((a) => get("series", { ...span, bin, ...wanted(kind),
				agent: a.id }, signal)));
		return answers.flatMap((answer, i) => answer.series
			.filter((s) => kindKey(s) === kindKey(kind))
			.map((s) => ({ ...s, agent: s.agent ?? this.agents[i].id })));
	}

	stateChanged() {
		const { state } = this.app;
		const asks = JSON.stringify([state.range, state.from, state.to,
			state.agent, state.split, state.signature, state.verdict,
			state.alarm, state.who]);
		const fresh = this.asked !== undefined && this.asked !== asks;
		this.asked = asks;
		this.logButton.setAttribute("aria-pressed", String(!!state.log));
		this.splitButton.setAttribute("aria-pressed", String(!!state.split));
		this.draw();
		this.sightings.stateChanged();
		this.source.stateChanged();
		if (fresh)
			this.poke();
	}

	draw() {
		if (!this.signatures)
			return;
		const none = this.signatures.length === 0;
		this.blank.hidden = !none;
		this.blank.nextElementSibling.hidden = none;
		if (none)
			return this.drawBlank();
		this.drawAgents();
		this.drawList();
		this.drawHead();
		this.drawCharts();
		this.alarmPanel.show(this.alarms());
	}

	drawBlank() {
		replace(this.blank, emptyState({
			title: "No worm probe, scan or backscatter in this time",
			text: "Sightings come from agents whose sensor watches addresses "
				+ "that should get no packets. Choose a longer time, or "
				+ "watch what reaches a machine of yours right now:",
			command: commands.sensor(),
			link: h("a", { href: this.app.href({ page: "agents" }) },
				"See which agents capture") }));
	}

	drawAgents() {
		const wanted = this.app.state.agent ?? "";
		replace(this.agentSelect, h("option", { value: "" }, "All agents"),
			this.agents.map((a) => h("option", { value: a.id }, a.name)));
		this.agentSelect.value = wanted;
		this.splitButton.disabled = Boolean(wanted);
	}

	drawList() {
		const chosen = kindKey(this.kind());
		const open = new Map(this.openAlarms().map((a) => [kindKey(a), a]));
		this.listPanel.note.textContent = formatCount(this.signatures.length);
		keyed(this.list, this.ordered(), {
			key: kindKey, make: () => h("li"),
			draw: (li, s) => this.drawSignature(li, s, chosen, open),
			print: (s) => JSON.stringify([s, kindKey(s) === chosen,
				open.get(kindKey(s)), this.sparkOf(s), this.app.state]),
		});
	}

	sparkOf(kind) {
		const series = this.series.find((s) => kindKey(s) === kindKey(kind));
		const from = parseTime(this.drawn.from), to = parseTime(this.drawn.to);
		return bucket((series?.points ?? []).map((p) => ({
			at: parseTime(p.at), value: p.missing ? null : p.sources })),
			from, to, slotsFor(from, to, this.drawn.bin, SPARK_SLOTS));
	}

	drawSignature(li, s, chosen, open) {
		const alarm = open.get(kindKey(s));
		replace(li, h("a", { class: "row-link signature-row",
			"aria-current": kindKey(s) === chosen ? "true" : undefined,
			href: this.app.href({ ...wanted(s), alarm: undefined,
				src: undefined, payload: undefined }) },
			h("span", { class: "signature-name" },
				h("strong", null, titleOf(s.signature, s.verdict)),
				alarm ? badge(alarm.direction === "fall" ? "falls" : "rises",
					"bad") : null),
			spark(this.sparkOf(s), { level: alarm ? "warn" : "info",
				label: "sources over time" }),
			h("span", { class: "signature-facts" }, verdictBadge(s.verdict),
				h("span", null, sourcesOf(s.sources, s.sources_at_least), " since ",
					formatMoment(parseTime(s.first_at), this.app.now(),
						this.app.utc)))));
	}

	drawHead() {
		replace(this.chartPanel.heading, this.title());
		replace(this.verdict, verdictBadge(this.kind().verdict));
		this.chartPanel.note.textContent
			= `per ${formatBin(this.drawn.bin).replace(/^an? /, "")}`;
	}

	alarms() {
		const series = this.current();
		const agent = this.app.state.agent ?? null;
		const mine = (this.app.overview?.alarms ?? []).filter((a) =>
			kindKey(a) === kindKey(this.kind())
			&& (a.agent ?? null) === agent);
		const ids = new Set((series?.alarms ?? []).map((a) => a.id));
		const { from, to } = this.app.range();
		return [...series?.alarms ?? [], ...mine.filter((a) => !ids.has(a.id))]
			.filter((a) => parseTime(a.onset_at) < to && !(parseTime(
				a.ended_at) < from))
			.sort((a, b) => Number(isOpen(b)) - Number(isOpen(a))
				|| Number(a.direction === "fall")
					- Number(b.direction === "fall")
				|| (a.onset_at < b.onset_at ? 1 : -1));
	}

	drawCharts() {
		const series = this.current();
		// a bin that is still counting would look like a fall; where bins are
		// wide, leaving it out would hide what happens now
		const now_s = this.app.now() / 1000;
		const points = (series?.points ?? []).map((p) => ({ ...p,
			at_s: parseTime(p.at) / 1000 }))
			.filter((p) => this.drawn.bin > LIVE_BIN_S
				|| p.at_s + this.drawn.bin <= now_s);
		const { bin } = this.drawn;
		const read = (name) => fillBins(points, bin,
			(p) => p.missing ? null : p[name]);
		const { x, y: sources } = read("sources");
		this.shown = { x, sources, atLeast: read("sources_at_least").y,
			packets: read("packets").y,
			expected: read("expected").y, low: read("low").y,
			high: read("high").y };
		const to_s = parseTime(this.drawn.to) / 1000;
		const common = { x, from_s: parseTime(this.drawn.from) / 1000, to_s,
			utc: this.app.utc, log: Boolean(this.app.state.log),
			alarms: this.alarmMarks(to_s) };
		this.drawSources(common);
		this.packetChart.update({ ...common, alarms: [],
			format: formatCompact, series: [{ label: "packets",
				paths: "bars", width: 0, fill: cssColour("--quiet"),
				values: this.shown.packets }] });
	}

	drawSources(common) {
		const c = chartColours(), { shown } = this;
		const split = this.splitSeries(common.x);
		// what is expected of the sum says nothing about its parts
		const curves = split.length ? split : [
			{ label: "low", values: shown.low, width: 0 },
			{ label: "high", values: shown.high, width: 0 },
			{ label: "expected", values: shown.expected, width: 1.25,
			  stroke: c.expected, dash: [4, 4] },
			{ label: "sources", values: shown.sources, stroke: c.line },
		];
		const top = Math.max(0, ...shown.sources.filter((v) => v !== null));
		// few bins are seen one by one, many as a curve
		this.stepped = common.x.length <= STEPS_MOST;
		const x = this.stepped ? stepTimes(common.x, this.drawn.bin)
			: common.x;
		const series = this.stepped ? curves.map((s) => ({ ...s,
			values: stepValues(s.values) })) : curves;
		this.sourceChart.update({ ...common, x, series,
			bands: split.length ? [] : [[2, 1]], format: formatCount,
			summary: `${this.title()}: distinct sources per `
				+ `${formatBin(this.drawn.bin)}, at most ${formatCount(top)}`
				+ `; ${plural(common.alarms.length, "alarm")}` });
	}

	splitSeries(x) {
		return this.split.map((s, i) => {
			const at = new Map(s.points.map((p) =>
				[parseTime(p.at) / 1000, p.missing ? null : p.sources]));
			const atLeast = new Set(s.points.filter((p) => p.sources_at_least)
				.map((p) => parseTime(p.at) / 1000));
			return { label: this.agentName(s.agent), width: 1.5,
				stroke: OKABE_ITO[i % OKABE_ITO.length],
				dash: i >= OKABE_ITO.length / 2 ? [6, 3] : undefined,
				values: x.map((s_) => at.get(s_) ?? null),
				atLeast: x.map((s_) => atLeast.has(s_)) };
		});
	}

	alarmMarks(to_s) {
		return this.alarms().map((a) => ({
			from_s: parseTime(a.onset_at) / 1000,
			to_s: a.ended_at ? parseTime(a.ended_at) / 1000 : to_s,
			label: a.direction === "fall" ? "falls" : "rises" }))
			.sort((a, b) => a.from_s - b.from_s);
	}

	// The bin under the cursor, else the last that was watched.
	binAt(index, stepped) {
		if (index !== null)
			return stepped ? index >> 1 : index;
		const last = this.shown.sources.findLastIndex((v) => v !== null);
		return Math.max(0, last);
	}

	sourceReadout(index) {
		const { shown } = this;
		if (!shown?.x.length)
			return shown ? readoutItem(null, "", "None of it was seen in "
				+ this.app.rangeName()) : null;
		const i = this.binAt(index, this.stepped), c = chartColours();
		const known = (v) => v !== null && v !== undefined;
		const value = (v) => known(v) ? formatCount(Math.round(v * 10) / 10)
			: "not watched";
		const least = (is) => is ? "at least " : "";
		const split = this.splitSeries(shown.x);
		const counting = (shown.x[i] + this.drawn.bin) * 1000
			> this.app.now();
		const when = readoutItem(null, "", formatMoment(shown.x[i] * 1000,
			this.app.now(), this.app.utc) + (counting ? ", so far" : ""));
		if (split.length)
			return [when, ...split.map((s) => readoutItem(s.stroke, s.label,
				least(s.atLeast[i]) + value(s.values[i])))];
		const sources = readoutItem(c.line, "sources",
			least(shown.atLeast[i]) + value(shown.sources[i]));
		if (!known(shown.expected[i]))
			return [when, sources];
		return [
			when, sources,
			readoutItem(c.expected, "expected", value(shown.expected[i])),
			readoutItem(c.band, "usual", `${value(shown.low[i])} \u2013 `
				+ value(shown.high[i])),
		];
	}

	packetReadout(index) {
		const { shown } = this;
		if (!shown?.x.length)
			return null;
		const i = this.binAt(index, false);
		return [readoutItem(cssColour("--quiet"), "packets",
			formatCount(shown.packets[i]))];
	}
}
