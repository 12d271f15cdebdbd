// SPDX-License-Identifier: ISC
// Agents: which vantage points there are, whether they can be trusted right
// now, and how to add one.
import { apiUrl, get, getAll } from "../../lib/api.js";
import { commands, freshName, isLoopback, targetsOf }
	from "../../lib/commands.js";
import { h, replace } from "../../lib/dom.js";
import { eventStream } from "../../lib/events.js";
import { NONE, formatBytes, formatCompact, formatCount, formatDelay,
	formatLoss } from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { agoMark, badge, facts, sparkBars, stateMark, timeMark }
	from "../../lib/marks.js";
import { Panel, commandBlock, emptyState } from "../../lib/panel.js";
import { Table } from "../../lib/table.js";
import { troublesOf } from "../../lib/troubles.js";
import { failedRuns, unsentShares, unsentTotal, unsentWords }
	from "../../lib/unsent.js";
import { formatSort, parseSort } from "../../lib/url-state.js";

const ORDER = { gone: 0, late: 1, new: 2, up: 3 };
const RUNS_READ = 100, RUNS_SHOWN = 8;
const TROUBLES_SHOWN = 8, GAPS_SHOWN = 8, GAPS_SINCE = "-400d";
const DEFAULT_SORT = { id: "state", descending: false };

const WATCH_ORDER = { none: 0, some: 1, all: 2 };
const WATCH_LEVEL = { none: "bad", some: "warn" };

const watchMark = (agent) => WATCH_LEVEL[agent.watch]
	? badge(agent.watch === "none" ? "blind" : "in part",
		WATCH_LEVEL[agent.watch])
	: agent.watch === "all" ? "yes" : NONE;

const deniedTotal = (agent) => Object.values(agent.denied ?? {})
	.reduce((sum, n) => sum + n, 0);
const dropShare = (agent) => agent.captured > 0
	&& agent.capture_dropped !== null
	? agent.capture_dropped / (agent.captured + agent.capture_dropped) : null;

function clockText(clock) {
	if (!clock || clock.state === "unknown")
		return NONE;
	const error = typeof clock.error_ns === "number" && clock.error_ns > 0
		? `\u00b1${formatDelay(clock.error_ns)}` : "";
	return clock.state === "synchronised" ? error || "in step"
		: `free ${error}`.trim();
}

function columns(app) {
	const count = (id, label, hint, when = "") => ({ id, label, hint,
		class: `num ${when}`, descending: true, value: (a) => a[id],
		cell: (a) => formatCompact(a[id]) });
	return [
		{ id: "name", label: "Agent", class: "grow", value: (a) => a.name,
		  cell: (a) => h("span", { class: "agent-name" }, a.name) },
		{ id: "state", label: "State", value: (a) => ORDER[a.state] ?? 9,
		  cell: (a) => stateMark(a.state) },
		{ id: "watch", label: "Watch",
		  hint: "Whether its sensor watches what it is to",
		  value: (a) => WATCH_ORDER[a.watch] ?? 3,
		  cell: (a) => watchMark(a) },
		{ id: "tags", label: "Tags", class: "optional",
		  cell: (a) => a.tags.map((t) => badge(t)) },
		{ id: "seen", label: "Last seen", descending: true,
		  value: (a) => a.last_seen_at ?? "",
		  cell: (a) => agoMark(a.last_seen_at, app.now(), app.utc) },
		count("stored", "Stored", "Records that the collector committed",
			"wide-only"),
		{ id: "lost", label: "Lost", class: "num", descending: true,
		  hint: "Records that the agent declared lost",
		  value: (a) => a.lost, cell: (a) => a.lost > 0
			? badge(formatCompact(a.lost), "warn") : "0" },
		count("captured", "Captured", "Packets that the sensor read",
			"wide-only"),
		{ id: "dropped", label: "Dropped", class: "num optional",
		  descending: true, hint: "Packets that the sensor missed",
		  value: dropShare, cell: (a) => formatLoss(dropShare(a)) },
		{ id: "unsent", label: "Not sent", class: "num", descending: true,
		  hint: "Probes of the last 24 hours that could not leave it",
		  value: unsentTotal, cell: (a) => unsentTotal(a) > 0
			? badge(formatCompact(unsentTotal(a)), "warn") : "0" },
		{ id: "denied", label: "Denied", class: "num optional",
		  descending: true, hint: "Packets that the guardian refused",
		  value: deniedTotal, cell: (a) => formatCompact(deniedTotal(a)) },
		{ id: "clock", label: "Clock", class: "optional",
		  value: (a) => a.clock?.error_ns,
		  cell: (a) => clockText(a.clock) },
		{ id: "spool", label: "Spool", class: "num optional",
		  descending: true, hint: "Waiting on the agent\u2019s disk",
		  value: (a) => a.spool_bytes,
		  cell: (a) => formatBytes(a.spool_bytes) },
	];
}

export class AgentsView {
	constructor(app) {
		this.app = app;
		this.agents = null;
		this.search = h("input", { type: "search", class: "search-input",
			placeholder: "Name, tag or address",
			"aria-label": "Search agents",
			on: { input: () => app.set({ q: this.search.value },
				{ replace: true }) } });
		this.addButton = h("button", { type: "button",
			class: "button primary", "aria-expanded": "false",
			on: { click: () => app.set({ add: !app.state.add }) } },
			icon("plus"), "Add an agent");
		this.panel = new Panel({ title: "Vantage points",
			class: "agents-panel",
			source: () => ({ name: "agents", url: apiUrl("agents"),
				rows: this.agents ?? [] }) });
		this.table = this.buildTable();
		this.panel.fill(this.table.el);
		this.addBox = h("div", { class: "add-box" });
		this.detail = h("aside", { class: "detail", hidden: true,
			"aria-label": "Agent details" });
		this.el = h("div", { class: "agents" },
			h("div", { class: "toolbar" },
				h("label", { class: "search" }, icon("search"), this.search),
				this.addButton),
			this.addBox,
			h("div", { class: "with-detail" }, this.panel.el, this.detail));
	}

	buildTable() {
		const { app } = this;
		return new Table({
			caption: "All agents", columns: columns(app),
			key: (a) => a.id,
			print: (a) => JSON.stringify(a) + app.utc
				+ Math.floor(app.now() / 1000) + app.rangeId(),
			href: (a) => app.href({ sel: a.id }),
			select: (a) => app.set({ sel: a.id }),
			sort: parseSort(app.state.sort, DEFAULT_SORT),
			onSort: (sort) => app.set({ sort: formatSort(sort) },
				{ replace: true }),
			empty: () => this.emptyTable(),
		});
	}

	emptyTable() {
		if (this.agents?.length)
			return emptyState({ title: "No agent matches",
				text: `Nothing named, tagged or addressed `
					+ `\u201c${this.app.state.q}\u201d.` });
		return emptyState({ title: "No agent yet",
			text: "The four steps above make the first one. It appears "
				+ "here by itself." });
	}

	async refresh(signal) {
		const first = this.agents === null;
		this.agents = await getAll("agents", {}, signal);
		this.app.takeNames(this.agents);
		if (first && this.agents.length === 0)
			this.app.set({ add: true }, { replace: true });
		this.draw();
		await Promise.all([this.readGaps(signal), this.readRuns(signal)]);
	}

	// Which of the chosen agent's newest runs failed, and why.
	async readRuns(signal) {
		const agent = this.agents?.find((a) => a.id === this.app.state.sel);
		const key = agent ? `${agent.id} ${agent.stored}` : "";
		if (!agent || this.failed?.key === key)
			return;
		const { items } = await get("runs", { agent: agent.id,
			limit: RUNS_READ }, signal);
		this.failed = { key, agent: agent.id,
			items: failedRuns(items, RUNS_SHOWN) };
		this.draw();
	}

	// What the chosen agent declared lost, the newest few.
	async readGaps(signal) {
		const agent = this.agents?.find((a) => a.id === this.app.state.sel);
		const key = agent ? `${agent.id} ${agent.lost}` : "";
		if (!agent?.lost || this.gaps?.key === key)
			return;
		const { items } = await get("gaps", { agent: agent.id,
			from: GAPS_SINCE, limit: GAPS_SHOWN }, signal);
		this.gaps = { key, agent: agent.id, items };
		this.draw();
	}

	stateChanged() {
		const { state } = this.app;
		if (document.activeElement !== this.search)
			this.search.value = state.q ?? "";
		this.table.setSort(parseSort(state.sort, DEFAULT_SORT));
		this.addButton.setAttribute("aria-expanded",
			String(Boolean(state.add)));
		this.drawAdd();
		this.draw();
		// It comes with the next refresh anyway.
		this.readGaps().catch(() => {});
		this.readRuns().catch(() => {});
	}

	escape() {
		if (this.app.state.sel)
			this.app.set({ sel: undefined });
		else
			this.app.set({ add: undefined, q: undefined },
				{ replace: true });
	}

	matches(agent) {
		const q = (this.app.state.q ?? "").toLowerCase();
		return [agent.name, agent.id, ...agent.tags,
			...(agent.addresses ?? [])]
			.some((text) => text.toLowerCase().includes(q));
	}

	draw() {
		if (!this.agents)
			return;
		if (this.steps)
			this.showCommands();
		const shown = this.agents.filter((a) => this.matches(a));
		this.table.update(shown, this.app.state.sel ?? null);
		this.panel.note.textContent = shown.length === this.agents.length
			? formatCount(shown.length)
			: `${shown.length} of ${this.agents.length}`;
		const chosen = this.agents.find((a) => a.id === this.app.state.sel);
		this.detail.hidden = !this.app.state.sel;
		if (this.app.state.sel)
			this.drawDetail(chosen);
	}

	closeButton() {
		return h("button", { type: "button", class: "icon-button",
			"aria-label": "Close details",
			on: { click: () => this.app.set({ sel: undefined }) } },
			icon("close"));
	}

	drawDetail(agent) {
		const troubles = agent ? troublesOf(eventStream.items, agent.id,
			TROUBLES_SHOWN) : [];
		const print = JSON.stringify(agent ?? null) + this.app.utc
			+ troubles[0]?.id
			+ (this.gaps?.agent === agent?.id ? this.gaps?.key : "")
			+ (this.failed?.agent === agent?.id
				? JSON.stringify(this.failed?.items) : "");
		if (this.detail.dataset.print === print)
			return;
		this.detail.dataset.print = print;
		if (!agent)
			return replace(this.detail, h("header", { class: "detail-head" },
				h("h2", null, "Unknown agent"), this.closeButton()),
				h("p", { class: "quiet" },
					"The collector has no agent with this id."));
		replace(this.detail,
			h("header", { class: "detail-head" },
				h("div", null, h("h2", null, agent.name),
					h("p", { class: "quiet mono small" }, agent.id)),
				this.closeButton()),
			h("div", { class: "detail-state" }, stateMark(agent.state),
				agent.tags.map((t) => badge(t))),
			this.identity(agent), this.watchRows(agent),
			this.accounts(agent),
			this.gapRows(agent), this.unsentRows(agent),
			this.failedRows(agent), this.troubleRows(troubles),
			this.denied(agent), this.counters(agent),
			h("p", { class: "detail-links" },
				h("a", { href: this.app.href({ page: "map",
					agent: agent.id }) }, "Its part of the map"),
				h("a", { href: this.app.href({ page: "outbreaks",
					agent: agent.id }) }, "What it caught")));
	}

	identity(agent) {
		const { utc } = this.app, now = this.app.now();
		return facts([
			["Last seen", agoMark(agent.last_seen_at, now, utc)],
			["Enrolled", timeMark(agent.enrolled_at, now, utc)],
			["Addresses", h("span", { class: "mono" },
				(agent.addresses ?? []).join(", ") || NONE)],
			["Version", agent.version || NONE],
			["Clock", `${agent.clock?.state ?? "unknown"} `
				+ (agent.clock?.error_ns > 0
					? `(\u00b1${formatDelay(agent.clock.error_ns)})` : "")],
			["Epoch", h("span", { class: "mono" }, String(agent.epoch))],
		]);
	}

	// The promise of the spool, as a sum that the reader can check.
	accounts(agent) {
		const left = agent.produced - agent.stored - agent.lost;
		const segment = (n, level) => agent.produced > 0 && n > 0
			? h("span", { class: level, style: {
				width: `${(100 * n) / agent.produced}%` } }) : null;
		return h("section", { class: "detail-part" },
			h("h3", null, "Records"),
			h("div", { class: "sum-bar", "aria-hidden": "true" },
				segment(agent.stored, "ok"), segment(left, "info"),
				segment(agent.lost, "bad")),
			facts([
				["Produced", formatCount(agent.produced)],
				["Stored", formatCount(agent.stored)],
				["On the way", formatCount(Math.max(0, left))],
				["Declared lost", formatCount(agent.lost)],
				["Spool", formatBytes(agent.spool_bytes)],
			]));
	}

	// What its sensor is to watch, and since when it does or does not.
	watchRows(agent) {
		if (!agent.interfaces?.length)
			return null;
		const { utc } = this.app, now = this.app.now();
		return h("section", { class: "detail-part watch" },
			h("h3", null, "Sensor"),
			facts(agent.interfaces.map((i) => [
				h("span", { class: "mono" }, i.name),
				h("span", null, i.watched ? "watched since "
					: `${i.why ?? "not watched"}, since `,
				timeMark(i.since, now, utc),
				i.ring_bytes > 0
					? `, ring of ${formatBytes(i.ring_bytes)}` : "")])));
	}

	gapRows(agent) {
		if (this.gaps?.agent !== agent.id || !this.gaps.items.length)
			return null;
		const { utc } = this.app, now = this.app.now();
		return h("section", { class: "detail-part gaps" },
			h("h3", null, "Lost last"),
			h("table", { class: "plain" }, h("tbody", null,
				this.gaps.items.map((gap) => h("tr", null,
					h("th", { scope: "row" }, agoMark(gap.at, now, utc)),
					h("td", null, gap.reason),
					h("td", { class: "num" },
						formatCount(gap.records)))))));
	}

	// Its day: what could not be sent, hour by hour.
	unsentRows(agent) {
		const { utc } = this.app, now = this.app.now();
		const rows = agent.unsent ?? [];
		return rows.length === 0 ? null
			: h("section", { class: "detail-part unsent" },
				h("h3", null, "Not sent, the last 24 hours"),
				h("ul", null, rows.map((row) => h("li", null,
					h("span", { class: "unsent-name" }, unsentWords(row)),
					h("span", { class: "num" }, formatCount(row.probes)),
					h("span", { class: "quiet" }, "since ",
						timeMark(row.since, now, utc), ", last ",
						timeMark(row.last_at, now, utc)),
					sparkBars(unsentShares(row), {
						label: "By hour, the last 24" })))));
	}

	failedRows(agent) {
		const { utc } = this.app, now = this.app.now();
		if (this.failed?.agent !== agent.id || !this.failed.items.length)
			return null;
		return h("section", { class: "detail-part failed-runs" },
			h("h3", null, "Runs that failed"),
			h("table", { class: "plain" }, h("tbody", null,
				this.failed.items.map((run) => h("tr", null,
					h("th", { scope: "row" },
						timeMark(run.last_at, now, utc)),
					h("td", null, `${run.script}: ${run.error}`))))));
	}

	troubleRows(troubles) {
		const { utc } = this.app, now = this.app.now();
		return troubles.length === 0 ? null
			: h("section", { class: "detail-part" },
				h("h3", null, "Not measured lately"),
				h("table", { class: "plain" }, h("tbody", null,
					troubles.map((event) => h("tr", null,
						h("th", { scope: "row" },
							timeMark(event.at, now, utc)),
						h("td", null, event.text))))));
	}

	denied(agent) {
		const reasons = Object.entries(agent.denied ?? {})
			.sort((a, b) => b[1] - a[1]);
		const most = Math.max(1, ...reasons.map(([, n]) => n));
		return h("section", { class: "detail-part" },
			h("h3", null, "Packets"),
			facts([
				["Sent", formatCount(agent.sent)],
				agent.counters?.["guardian.failed"] ? ["Could not be sent",
					formatCount(agent.counters["guardian.failed"])] : null,
				["Captured", formatCount(agent.captured)],
				["Missed by the capture",
					formatCount(agent.capture_dropped)],
				["Refused by the guardian", formatCount(deniedTotal(agent))],
			]),
			reasons.length === 0 ? null : h("ul", { class: "bars" },
				reasons.map(([reason, n]) => h("li", null,
					h("span", { class: "bar-name" }, reason),
					h("span", { class: "bar", "aria-hidden": "true" },
						h("span", { style: {
							width: `${(100 * n) / most}%` } })),
					h("span", { class: "num" }, formatCount(n))))));
	}

	counters(agent) {
		const rows = Object.entries(agent.counters ?? {}).sort();
		if (rows.length === 0)
			return null;
		return h("details", { class: "detail-part" },
			h("summary", null, "All counters"),
			h("table", { class: "plain" }, h("tbody", null,
				rows.map(([name, n]) => h("tr", null,
					h("th", { scope: "row", class: "mono" }, name),
					h("td", { class: "num" }, formatCount(n)))))));
	}

	drawAdd() {
		const open = Boolean(this.app.state.add);
		this.addBox.hidden = !open;
		if (!open)
			return;
		if (!this.steps)
			this.addBox.append(this.buildAdd());
		this.showCommands();
	}

	// What the reader fills in goes into the commands at once.
	buildAdd() {
		const field = (label, props) => {
			const input = h("input", { type: "text", spellcheck: "false",
				autocomplete: "off", ...props,
				on: { input: () => this.showCommands() } });
			this.fields[props.name] = input;
			return h("label", { class: "field" }, h("span", null, label),
				input);
		};
		const block = (name) => this.steps[name] = commandBlock("");
		const step = (title, ...content) => h("li", null,
			h("h3", null, title), content);
		this.fields = {};
		this.steps = {};
		return h("section", { class: "panel add-panel",
			"aria-label": "Add an agent" },
			h("header", { class: "panel-head" }, h("h2", null,
				"Add an agent"), h("div", { class: "panel-actions" },
				h("button", { type: "button", class: "icon-button",
					"aria-label": "Close", on: { click: () =>
						this.app.set({ add: undefined }) } },
					icon("close")))),
			h("ol", { class: "steps" },
				step("On the collector, make a token",
					h("div", { class: "fields" },
						field("Its name", { name: "name" }),
						field("Tags", { name: "tags",
							placeholder: "europe lab" })),
					block("token"),
					h("p", { class: "quiet" }, "It works once, and for a "
						+ "quarter of an hour. The tags decide which "
						+ "campaigns it joins.")),
				step("On the new machine, enrol",
					h("div", { class: "fields" },
						field("The token", { name: "token",
							placeholder: "paste it, or be asked" })),
					block("enrol"),
					h("p", { class: "quiet" }, isLoopback()
						? "This page has a loopback address, so the line "
							+ "works on this machine only. For others, open "
							+ "the page by the collector\u2019s own name."
						: "The agent makes its own key; the collector "
							+ "learns only the public half.")),
				step("Start it", block("start"),
					h("p", { class: "quiet" }, "It appears below within "
						+ "seconds. Nothing listens on that machine.")),
				step("Give it work",
					h("div", { class: "fields" },
						field("Targets", { name: "targets" })),
					block("submit"),
					h("p", { class: "quiet" }, "All agents trace these, "
						+ "addresses or names, every minute; the map "
						+ "fills."))));
	}

	showCommands() {
		const { fields, steps, agents } = this;
		const value = (name) => fields[name].value.trim();
		const list = (name) => value(name).split(/[\s,]+/).filter(Boolean);
		const name = freshName(agents ?? []);
		const targets = targetsOf(agents ?? []);
		fields.name.placeholder = name;
		fields.targets.placeholder = targets.join(" ");
		steps.token.set(commands.token({ name: value("name") || name,
			tags: list("tags") }));
		steps.enrol.set(commands.enrol({ token: value("token") }));
		steps.start.set(commands.start());
		steps.submit.set(commands.submitTrace(list("targets").length
			? list("targets") : targets));
	}
}
