// SPDX-License-Identifier: ISC
// The panel of what is selected on the map: a node, or a link with its past.
import { apiUrl, get } from "../../lib/api.js";
import { TimeChart, readoutItem } from "../../lib/chart.js";
import { cssColour, h, replace } from "../../lib/dom.js";
import { NONE, formatCount, formatDelay, formatLoss, linkEnds, nodeLabel,
	nodeShortLabel } from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { badge, facts, timeMark } from "../../lib/marks.js";
import { dataMenu } from "../../lib/panel.js";
import { fillBins, isRaised, linkState } from "../../lib/scales.js";
import { formatMoment, linkBin_s, parseTime, toRfc3339 } from "../../lib/time.js";

const LEVEL_BADGE = { unknown: "quiet", ok: "ok" };
const ROLE_WORDS = { source: "vantage point", router: "router",
	destination: "destination" };

// As many bins as a chart has, so that its readout finds them by index.
function everyBin(x, bins) {
	const at = new Map(bins.map((b) => [b.at_s, b]));
	return x.map((at_s) => at.get(at_s) ?? { at_s, samples: 0 });
}

export class MapDetail {
	constructor(app, view) {
		this.app = app;
		this.view = view; // {topology, agentName(id), thresholds(), memory}
		this.el = h("aside", { class: "detail", hidden: true,
			"aria-label": "Details of the selection" });
		this.charts = null;
	}

	// selection: {kind, id} or null
	show(selection) {
		this.el.hidden = !selection;
		if (!selection) {
			this.clear();
			return;
		}
		const key = `${selection.kind}:${selection.id}`;
		if (this.key !== key) {
			this.clear();
			this.key = key;
			this.build(selection);
		}
		this.fillFacts(selection);
	}

	clear() {
		this.key = null;
		this.bins = [];
		this.lossBins = [];
		for (const chart of Object.values(this.charts ?? {}))
			chart.destroy();
		this.charts = null;
	}

	build({ kind, id }) {
		this.state = h("div", { class: "detail-state" });
		this.factBox = h("div");
		this.more = h("div");
		replace(this.el, this.head(kind, id), this.state, this.factBox,
			this.more);
		if (kind === "link")
			this.buildCharts(id);
	}

	head(kind, id) {
		const [from, to] = linkEnds(id);
		const title = kind === "node" ? nodeLabel(id)
			: [nodeShortLabel(from), h("span", { class: "link-arrow",
				"aria-label": "to" }, icon("arrow")), nodeShortLabel(to)];
		return h("header", { class: "detail-head" },
			h("div", null, h("p", { class: "quiet small" },
				kind === "node" ? "Node" : "Link"),
				h("h2", { class: "mono detail-title" }, title)),
			h("button", { type: "button", class: "icon-button",
				"aria-label": "Close details",
				on: { click: () => this.app.set({ sel: undefined,
					focus: undefined }) } }, icon("close")));
	}

	buildCharts(id) {
		const readout = (name, draw) => (i) => this[name].length ? draw(
			this[name][i ?? this[name].length - 1]) : null;
		const when = (bin) => formatMoment(bin.at_s * 1000, this.app.now(),
			this.app.utc);
		this.charts = {
			delay: new TimeChart({ label: "Delay of this link over time",
				height: 150, sync: "link", readout: readout("bins", (bin) => [
					readoutItem(null, "", when(bin)),
					readoutItem(null, "median",
						formatDelay(bin.delay_median_ns)),
					readoutItem(null, "range",
						`${formatDelay(bin.delay_min_ns)} \u2013 `
						+ formatDelay(bin.delay_max_ns))]) }),
			loss: new TimeChart({ label: "Loss of this link over time",
				height: 92, sync: "link", readout: readout("lossBins", (bin) => [
					readoutItem(null, "", when(bin)),
					readoutItem(null, "lost", formatLoss(bin.loss)),
					readoutItem(null, "of", `${formatCount(bin.samples)} `
						+ "probes")]) }),
		};
		const path = `links/${encodeURIComponent(id)}/series`;
		const menu = dataMenu("Past of this link", () => ({ name: "link",
			url: apiUrl(path, this.span()), rows: this.bins }));
		replace(this.more, h("section", { class: "detail-part" },
			h("div", { class: "detail-row" }, h("h3", null, "Delay"), menu),
			this.charts.delay.el, h("h3", null, "Loss"),
			this.charts.loss.el),
			h("p", { class: "quiet small detail-note" },
				"Delay is the median difference of round trips to both "
				+ "ends. A router that answers slowly looks like a slow "
				+ "link unless something behind it is fast. A bin shows the "
				+ "loss that its own packets make sure of; the loss of the "
				+ "whole time may be more."));
	}

	span(measure = "delay") {
		const { from, to } = this.app.range();
		return { from: toRfc3339(from), to: toRfc3339(to),
			bin: linkBin_s(to - from, measure) };
	}

	// The past of the selected link.
	async refresh(selection, signal) {
		if (selection?.kind !== "link")
			return;
		const { charts } = this;
		const path = `links/${encodeURIComponent(selection.id)}/series`;
		const ask = async (measure) => {
			const span = this.span(measure);
			const { bins, bin_s } = await get(path, span, signal);
			return { span: { ...span, bin: bin_s ?? span.bin },
				bins: bins.map((b) => ({ ...b,
					at_s: parseTime(b.at) / 1000 })) };
		};
		const delay = await ask("delay");
		const loss = this.span("loss").bin === this.span().bin ? delay
			: await ask("loss");
		if (this.charts !== charts || !charts)
			return;
		this.drawDelay(delay);
		this.drawLoss(loss);
	}

	common(x, span) {
		return { x, from_s: parseTime(span.from) / 1000,
			to_s: parseTime(span.to) / 1000, utc: this.app.utc };
	}

	drawDelay({ bins, span }) {
		const read = (name) => fillBins(bins, span.bin, (b) => b[name]);
		const { x, y: median } = read("delay_median_ns");
		const toMs = (values) => values.map((v) => v === null ? null : v / 1e6);
		this.bins = everyBin(x, bins);
		this.charts.delay.update({ ...this.common(x, span), bands: [[2, 1]],
			format: (v) => v === 0 ? "0" : formatDelay(v * 1e6),
			series: [
				{ label: "smallest", values: toMs(read("delay_min_ns").y),
				  width: 0 },
				{ label: "biggest", values: toMs(read("delay_max_ns").y),
				  width: 0 },
				{ label: "median", values: toMs(median),
				  stroke: cssColour("--chart-line") },
			] });
	}

	drawLoss({ bins, span }) {
		const { x, y } = fillBins(bins, span.bin, (b) => b.loss);
		this.lossBins = everyBin(x, bins);
		this.charts.loss.update({ ...this.common(x, span),
			format: (v) => `${v}\u00a0%`,
			series: [{ label: "loss", paths: "bars", width: 0,
				fill: cssColour("--bad"), values: y.map((v) => v === null
					|| v === undefined ? null : v * 100) }] });
	}

	fillFacts({ kind, id }) {
		const { nodes, links } = this.view.topology ?? { nodes: [], links: [] };
		const item = (kind === "node" ? nodes : links)
			.find((x) => x.id === id);
		const print = JSON.stringify([item, this.app.utc, this.app.state.focus,
			this.view.thresholds(), this.view.memory.pinned.has(id)]);
		if (this.print === print && this.factBox.hasChildNodes())
			return;
		this.print = print;
		if (!item) {
			replace(this.state);
			replace(this.factBox, h("p", { class: "quiet" },
				`No trace saw this ${kind} in the chosen time.`));
			return;
		}
		if (kind === "node")
			this.fillNode(item, links);
		else
			this.fillLink(item, nodes, links);
	}

	agentNames(ids) {
		return ids?.length ? ids.map((id) => this.view.agentName(id))
			.sort().join(", ") : NONE;
	}

	fillLink(link, nodes, links) {
		const { utc } = this.app, now = this.app.now();
		const state = linkState(link, this.view.thresholds().thresholds);
		const ends = [link.from, link.to].map((id) =>
			nodes.find((n) => n.id === id)?.agents ?? []);
		const agents = ends[0].filter((a) => ends[1].includes(a));
		const back = links.find((l) => l.id === `${link.to}>${link.from}`);
		replace(this.state, isRaised(state.level) ? [
			isRaised(state.delay) ? badge("slow", state.delay) : null,
			isRaised(state.loss) ? badge("lossy", state.loss) : null]
			: badge(state.word, LEVEL_BADGE[state.level]));
		replace(this.factBox, facts([
			["Delay", `${formatDelay(link.delay_ns)}`
				+ (link.delay_mad_ns > 0
					? ` \u00b1 ${formatDelay(link.delay_mad_ns)}` : "")],
			["Loss", link.loss === null ? NONE : `${formatLoss(link.loss)} of `
				+ `${formatCount(link.loss_samples)}`],
			["Traces", formatCount(link.traces)],
			["Seen", h("span", null, timeMark(link.first_at, now, utc),
				" \u2013 ", timeMark(link.last_at, now, utc))],
			["Seen by", this.agentNames(agents)],
			back ? ["Other way", h("a", { href: this.app.href({
				sel: `link:${back.id}` }) }, formatDelay(back.delay_ns))]
				: null,
		]));
	}

	fillNode(node, links) {
		const { utc } = this.app, now = this.app.now();
		const silent = node.id.startsWith("?");
		replace(this.state,
			badge(silent ? "does not answer" : ROLE_WORDS[node.role]
				?? node.role, silent ? "quiet" : "info"),
			node.mpls ? badge("MPLS") : null,
			node.rejects ? badge("rejects", "warn") : null,
			this.focusSwitch());
		replace(this.factBox, facts([
			node.name ? ["Name", node.name] : null,
			["Traces", formatCount(node.traces)],
			["Smallest round trip", formatDelay(node.rtt_min_ns)],
			[node.rejects ? "Probes lost or rejected"
				: "Probes without answer", formatLoss(node.loss)],
			node.rejects ? ["Rejects", h("span", null,
				`${node.rejects.with}: `
				+ `${formatCount(node.rejects.traces)} of `
				+ `${formatCount(node.traces)} traces, since `,
				timeMark(node.rejects.since, now, utc), ", last ",
				timeMark(node.rejects.last_at, now, utc))] : null,
			["Seen by", this.agentNames(node.agents)],
			this.view.memory.pinned.has(node.id) ? ["Place",
				h("button", { type: "button", class: "link-button",
					on: { click: () => this.view.unpin(node.id) } },
					"pinned by you, let go")] : null,
		]));
		const near = links.filter((l) => l.from === node.id
			|| l.to === node.id);
		replace(this.more, h("section", { class: "detail-part" },
			h("h3", null, "Links"), h("ul", { class: "near-links" },
				near.map((l) => this.nearLink(l, node.id)))));
	}

	nearLink(link, id) {
		const out = link.from === id;
		return h("li", null, h("a", { class: "row-link",
			href: this.app.href({ sel: `link:${link.id}`,
				focus: undefined }) },
			h("span", { class: "quiet near-way" }, out ? "to" : "from"),
			h("span", { class: "mono" },
				nodeShortLabel(out ? link.to : link.from))),
			h("span", { class: "num" }, formatDelay(link.delay_ns)),
			h("span", { class: "num" }, formatLoss(link.loss)));
	}

	focusSwitch() {
		const now = this.app.state.focus ?? 0;
		return h("div", { class: "segmented small", role: "group",
			"aria-label": "Show only the neighbourhood" },
			[[0, "All"], [1, "1 hop"], [2, "2 hops"], [3, "3"]].map(
				([hops, word]) => h("button", { type: "button",
					"aria-pressed": String(now === hops),
					on: { click: () => this.app.set(
						{ focus: hops || undefined }, { replace: true }) } },
					word)));
	}

	themeChanged() {
		for (const chart of Object.values(this.charts ?? {}))
			chart.themeChanged();
	}
}
