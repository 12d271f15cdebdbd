// SPDX-License-Identifier: ISC
// Now: is everything well, and if not, where to look.
import { isOpen } from "../../lib/alarms.js";
import { apiUrl, get, getAll } from "../../lib/api.js";
import { commands, targetsOf } from "../../lib/commands.js";
import { h, keyed, replace } from "../../lib/dom.js";
import { EVENT_TYPES, eventStream, onEvent } from "../../lib/events.js";
import { alarmFacts, formatCompact, formatCount, formatDelay, formatLoss,
	linkEnds, nodeLabel, nodeShortLabel,
	plural, titleOf } from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { badge, spark, sparkBars, timeMark } from "../../lib/marks.js";
import { Panel, emptyState } from "../../lib/panel.js";
import { bucket, bucketShare, slotsFor } from "../../lib/scales.js";
import { Table } from "../../lib/table.js";
import { formatMoment, linkBin_s, parseTime, toRfc3339 } from "../../lib/time.js";
import { WormSources } from "./worms.js";

const SPARK_SLOTS = 48;
const EVENTS_SHOWN = 60;

const arrow = () => h("span", { class: "link-arrow", "aria-label": "to" },
	icon("arrow"));

export function linkName(link) {
	const [from, to] = link.from ? [link.from, link.to] : linkEnds(link.id);
	return h("span", { class: "link-name",
		title: `${nodeLabel(from)} \u2192 ${nodeLabel(to)}` },
		h("span", { class: "mono" }, nodeShortLabel(from)), arrow(),
		h("span", { class: "mono" }, nodeShortLabel(to)));
}

// The page that shows more of what an event reports.
function whereTo(event) {
	const agent = event.agent?.id ?? event.agent ?? undefined;
	const { signature, verdict } = event.alarm ?? event;
	switch (event.type) {
	case "alarm":
	case "sighting":
		return { page: "outbreaks", signature: signature || undefined,
			verdict: verdict ?? undefined };
	case "run":
		return { page: "map", agent };
	default:
		return { page: "agents", sel: agent };
	}
}

const isSlow = (link) => /slow/.test(link.why ?? "");
const isLossy = (link) => /lossy/.test(link.why ?? "");

const TYPE_WORDS = { all: "All", agent: "Agents", alarm: "Alarms",
	sighting: "Sightings", run: "Runs", gap: "Gaps" };

export class NowView {
	constructor(app) {
		this.app = app;
		this.sparks = new Map(); // link id -> values
		this.tiles = h("div", { class: "tiles" });
		this.alarms = new Panel({ title: "Alarms", class: "alarms-panel",
			source: () => ({ name: "alarms", url: apiUrl("overview"),
				rows: app.overview?.alarms ?? [] }) });
		this.alarmList = h("ul", { class: "alarm-list" });
		this.alarmNote = h("p", { class: "alarm-note", hidden: true },
			"Nothing rises or falls beyond its past now. What was last:");
		this.links = new Panel({ title: "Worst links", class: "links-panel",
			source: () => ({ name: "worst-links", url: apiUrl("overview"),
				rows: app.overview?.worst_links ?? [] }) });
		this.links.note.textContent = "in the last hour";
		this.linkTable = this.buildLinkTable();
		this.links.fill(this.linkTable.el);
		this.worms = new WormSources(app);
		this.eventPanel = new Panel({ title: "Live events", class: "event-panel",
			source: () => ({ name: "events", url: apiUrl("events"),
				rows: eventStream.items }) });
		this.eventList = h("ol", { class: "event-list", tabindex: "0",
			"aria-label": "Events, newest first" });
		this.chips = this.buildChips();
		this.eventPanel.fill(this.chips, this.eventList);
		this.el = h("div", { class: "now" }, this.tiles,
			h("div", { class: "now-grid" },
				h("div", { class: "stack" }, this.alarms.el, this.worms.el,
					this.links.el),
				this.eventPanel.el));
		this.off = [app.onOverview((o) => this.showOverview(o)),
			onEvent(() => this.showEvents())];
		this.showSkeleton();
	}

	unmount() {
		for (const off of this.off)
			off();
	}

	stateChanged() {
		for (const chip of this.chips.children)
			chip.setAttribute("aria-pressed", String(
				chip.dataset.kind === (this.app.state.kind ?? "all")));
		if (this.app.overview)
			this.showOverview(this.app.overview);
		this.showEvents();
	}

	listRoot() {
		return this.el;
	}

	escape() {
		this.app.set({ kind: undefined }, { replace: true });
	}

	showSkeleton() {
		if (this.app.overview)
			return;
		replace(this.tiles, ["Agents", "Links", "Alarms", "Records"].map(
			(name) => h("div", { class: "tile skeleton" },
				h("span", { class: "tile-name" }, name),
				h("span", { class: "tile-value" }, "\u00a0"),
				h("span", { class: "tile-note" }, "\u00a0"))));
	}

	// The trends of the worst links; the rest comes with the overview.
	async refresh(signal) {
		await this.app.firstOverview;
		const { worst_links: links } = this.app.overview;
		const { from, to } = this.app.range();
		await this.worms.refresh({ from: toRfc3339(from), to: toRfc3339(to) },
			signal);
		// where all of them are young, an empty beginning shows nothing
		this.trendFrom = Math.max(from, Math.min(to - 60000,
			...links.map((l) => parseTime(l.first_at) || from)));
		this.trendCut = this.trendFrom > from;
		const span = { from: toRfc3339(this.trendFrom), to: toRfc3339(to) };
		for (const link of links)
			this.sparks.set(link.id, {
				delay: isLossy(link) && !isSlow(link) ? null
					: await this.askTrend(link, span, "delay", signal),
				loss: isLossy(link)
					? await this.askTrend(link, span, "loss", signal) : null });
		if (links.length === 0)
			this.agents = await getAll("agents", {}, signal);
		if (links.length === 0)
			this.measured = (await get("topology", { from: span.from,
				to: span.to }, signal)).links.length;
		this.linkTable.draw();
	}

	async askTrend(link, span, measure, signal) {
		const from = parseTime(span.from), to = parseTime(span.to);
		const bin = linkBin_s(to - from, measure);
		const { bins, bin_s } = await get(
			`links/${encodeURIComponent(link.id)}/series`, { ...span, bin },
			signal);
		const slots = slotsFor(from, to, Math.max(bin, bin_s ?? 0),
			SPARK_SLOTS);
		const points = bins.map((b) => ({ at: parseTime(b.at),
			value: b.delay_median_ns, share: b.loss, weight: b.samples }));
		return measure === "loss" ? bucketShare(points, from, to, slots)
			: bucket(points, from, to, slots);
	}

	showOverview(overview) {
		this.showTiles(overview);
		this.showAlarms(overview);
		this.linkTable.update(overview.worst_links);
	}

	showTiles(overview) {
		this.tiles.querySelectorAll(".skeleton").forEach((t) => t.remove());
		const tiles = [this.agentTile(overview), this.linkTile(overview),
			this.alarmTile(overview), this.recordTile(overview)];
		keyed(this.tiles, tiles, { key: (t) => t.name, make: () => h("a"),
			draw: (a, t) => this.drawTile(a, t),
			print: (t) => JSON.stringify([t, this.app.href(t.link)]) });
	}

	drawTile(a, { name, value, of, note, level, link }) {
		a.className = `tile ${level}`;
		a.href = this.app.href(link);
		replace(a, h("span", { class: "tile-name" }, name),
			h("span", { class: "tile-value" }, value,
				of ? h("span", { class: "tile-of" }, of) : null),
			h("span", { class: "tile-note" }, note));
	}

	agentTile({ agents }) {
		const { up, late, total } = agents, blind = agents.blind ?? 0;
		const gone = total - up - late;
		const note = total === 0 ? "none enrolled yet"
			: late + gone + blind === 0
			? "all reporting" : [late ? `${late} late` : null,
				gone > 0 ? `${gone} not reporting` : null,
				blind > 0 ? `${blind} with a blind sensor` : null]
				.filter(Boolean).join(", ");
		return { link: { page: "agents" }, name: "Agents up",
			value: formatCount(up), of: ` of ${formatCount(total)}`, note,
			level: gone > 0 ? "bad" : late + blind > 0 ? "warn"
				: total ? "ok" : "quiet" };
	}

	linkTile({ worst_links }) {
		const bad = worst_links.filter((l) => l.why);
		const worst = bad[0];
		return { name: "Links degraded", link: { page: "map",
				sel: worst ? `link:${worst.id}` : undefined },
			value: bad.length === 10 ? "10+" : formatCount(bad.length),
			note: worst ? `worst: ${[isSlow(worst)
				? formatDelay(worst.delay_ns) : null, isLossy(worst)
				? `${formatLoss(worst.loss)} lost` : null]
				.filter(Boolean).join(", ")}` : "none stands out",
			level: bad.length ? "warn" : "ok" };
	}

	alarmTile({ alarms }) {
		const open = alarms.filter(isOpen);
		const first = open[0];
		return { name: "Alarms open", link: { page: "outbreaks",
				signature: first?.signature || undefined,
				verdict: first?.verdict },
			value: formatCount(open.length),
			note: first ? `${titleOf(first.signature, first.verdict)} `
				+ `${first.direction === "fall" ? "falls" : "rises"}`
				: "nothing unusual",
			level: open.length ? "bad" : "ok" };
	}

	recordTile({ records }) {
		const rate = Number(records.per_second ?? 0);
		const lost = records.lost > 0;
		return { link: { page: "agents" }, name: "Records stored",
			value: formatCompact(records.stored),
			note: `${formatCount(Number(rate.toFixed(1)))} a second, `
				+ (lost ? `${formatCompact(records.lost)} lost`
					: "none lost"),
			level: lost ? "warn" : "ok" };
	}

	showAlarms({ alarms }) {
		const now = this.app.now(), { utc } = this.app;
		if (alarms.length === 0) {
			this.alarms.fill(emptyState({ title: "No alarms",
				text: "No signature\u2019s sources rise or fall beyond what "
					+ "its own past explains." }));
			return;
		}
		if (!this.alarmList.isConnected)
			this.alarms.fill(this.alarmNote, this.alarmList);
		this.alarmNote.hidden = alarms.some(isOpen);
		keyed(this.alarmList, alarms, {
			key: (a) => a.id, make: () => h("li"),
			draw: (li, a) => replace(li, this.alarmRow(a, now, utc)),
			print: (a) => JSON.stringify(a) + utc + this.app.rangeId(),
		});
	}

	alarmRow(alarm, now, utc) {
		const open = !alarm.ended_at;
		return h("a", { class: `alarm-row row-link ${open ? "open" : "over"}`,
			href: this.app.href({ page: "outbreaks",
				signature: alarm.signature || undefined,
				verdict: alarm.verdict, alarm: alarm.id,
				agent: alarm.agent ?? undefined }) },
			h("span", { class: "alarm-mark", "aria-hidden": "true" },
				icon(alarm.direction === "fall" ? "down" : "up")),
			h("span", { class: "alarm-text" },
				h("strong", null, titleOf(alarm.signature, alarm.verdict)),
				h("span", null, alarmFacts(alarm, now, utc)),
				alarm.at.length ? h("span", { class: "alarm-at" }, "at ",
					alarm.at.map((id) => this.app.agentName(id)).sort()
						.join(", ")) : null),
			badge(open ? "open" : "over", open ? "bad" : "quiet"));
	}

	buildLinkTable() {
		const value = (name) => (l) => l[name];
		return new Table({
			caption: "The worst links, with their trend",
			key: (l) => l.id,
			print: (l) => JSON.stringify([l, this.sparks.get(l.id),
				this.app.rangeId(), this.app.utc]),
			href: (l) => this.app.href({ page: "map", sel: `link:${l.id}` }),
			select: (l) => this.app.set({ page: "map",
				sel: `link:${l.id}` }),
			sort: { id: "score", descending: true },
			columns: [
				{ id: "link", label: "Link", cell: linkName },
				{ id: "trend", label: "Trend", class: "trend",
				  cell: (l) => this.sparkCell(l) },
				{ id: "delay", label: "Delay", class: "num", descending: true,
				  value: value("delay_ns"),
				  cell: (l) => formatDelay(l.delay_ns) },
				{ id: "loss", label: "Loss", class: "num", descending: true,
				  value: value("loss"), cell: (l) => formatLoss(l.loss) },
				{ id: "score", label: "Why", class: "why", descending: true,
				  value: value("score"),
				  cell: (l) => h("span", { class: "badges" },
					isSlow(l) ? badge("slow", "warn") : null,
					isLossy(l) ? badge("lossy", "warn") : null,
					l.why ? null : h("span", { class: "quiet" }, "fine")) },
			],
			empty: () => this.app.overview
				? this.emptyLinks(this.app.overview) : h("span"),
		});
	}

	// What makes a link bad, over the chosen time: its delay as a line, its
	// loss as bars, both where both are.
	sparkCell(link) {
		const { delay, loss } = this.sparks.get(link.id) ?? {};
		const over = this.trendCut ? `since ${formatMoment(this.trendFrom,
			this.app.now(), this.app.utc)}` : `over ${this.app.rangeName()}`;
		return h("span", { class: "trends" },
			loss ? this.lossTrend(link, loss, `Loss ${over}`) : null,
			delay ? this.trend(delay, formatDelay, (label) => spark(delay,
				{ label, fill: true, level: link.why ? "warn" : "info" }),
			`Delay ${over}`) : null);
	}

	// Few packets a minute make the loss of the hour sure, but of no minute.
	lossTrend(link, loss, name) {
		const most = Math.max(...loss.map((v) => v ?? 0));
		if (most < link.loss / 4)
			return h("span", { class: "quiet small" },
				"too few packets to say when");
		return this.trend(loss, formatLoss, (label) =>
			sparkBars(loss, { label }), name);
	}

	trend(values, format, draw, name) {
		const known = values.filter((v) => v !== null);
		if (known.length === 0)
			return h("span", { class: "quiet small" },
				"not measured in this time");
		const [least, most] = [Math.min(...known), Math.max(...known)];
		const label = `${name}: ${format(least)} to ${format(most)}`;
		return h("span", { class: "trend-box", title: label }, draw(label),
			h("span", { class: "trend-top", "aria-hidden": "true" },
				`max ${format(most)}`));
	}

	emptyLinks(overview) {
		if (overview?.agents.total === 0)
			return emptyState({ title: "No agent yet",
				text: "An agent is a machine that measures. "
					+ "Add the first one:",
				command: commands.token(),
				link: h("a", { href: this.app.href({ page: "agents",
					add: true }) }, "All steps") });
		if (this.measured > 0)
			return emptyState({ title: "No link stands out",
				text: `${plural(this.measured, "link")} measured, none `
					+ "slower or lossier than its neighbours explain.",
				link: h("a", { href: this.app.href({ page: "map" }) },
					"See them on the map") });
		return emptyState({ title: "No measured links yet",
			text: "Links come from traces. Let all agents trace a "
				+ "target every minute:",
			command: commands.submitTrace(targetsOf(this.agents ?? [])) });
	}

	buildChips() {
		return h("div", { class: "chips", role: "group",
			"aria-label": "Kind of event" },
			["all", ...EVENT_TYPES].map((kind) => h("button", {
				type: "button", class: "chip", data: { kind },
				on: { click: () => this.app.set({ kind: kind === "all"
					? undefined : kind }, { replace: true }) } },
				TYPE_WORDS[kind])));
	}

	showEvents() {
		const { kind } = this.app.state;
		const items = eventStream.items.filter((e) => !kind || e.type === kind)
			.slice(0, EVENTS_SHOWN);
		const { utc } = this.app;
		if (items.length === 0) {
			replace(this.eventList, h("li", { class: "event-none" },
				eventStream.live ? "Nothing has happened yet. New events appear "
					+ "here by themselves." : "Connecting\u2026"));
			this.feedEmpty = true;
			return;
		}
		if (this.feedEmpty)
			replace(this.eventList);
		this.feedEmpty = false;
		keyed(this.eventList, items, {
			key: (e) => e.id, make: () => h("li"),
			draw: (li, e) => replace(li,
				h("a", { class: `event-row row-link ${e.type}`,
					href: this.app.href(whereTo(e)) },
					timeMark(e.at, this.app.now(), utc),
					h("span", { class: "event-text" }, e.text))),
			print: (e) => e.id + utc + this.app.rangeId(),
		});
	}
}
