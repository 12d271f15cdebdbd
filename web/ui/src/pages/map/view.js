// SPDX-License-Identifier: ISC
// Map: which ways packets take, and which of their links are slow or lossy.
import { apiUrl, get, getAll } from "../../lib/api.js";
import { commands, targetsOf } from "../../lib/commands.js";
import { h, isPhone, replace } from "../../lib/dom.js";
import { formatCount, formatDelay, formatLoss, nodeLabel, nodeShortLabel,
	plural } from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { Panel, emptyState } from "../../lib/panel.js";
import { LEVELS, linkState } from "../../lib/scales.js";
import { Table } from "../../lib/table.js";
import { toRfc3339 } from "../../lib/time.js";
import { toast } from "../../lib/toast.js";
import { formatSort, parseSort } from "../../lib/url-state.js";
import { MapDetail } from "./detail.js";
import { GraphView, hasWebGl } from "./graph-view.js";
import { LayoutClient } from "./layout-client.js";
import { LayoutMemory } from "./layout-memory.js";
import { Legend } from "./legend.js";
import { withTwins } from "./twins.js";
import { linkName } from "../now/view.js";

const DEFAULT_DELAY_MS = 20, DEFAULT_LOSS_PERCENT = 2;
// The traces behind the map, for the tools that read them.
const TRACE_FILES = [["csv", "CSV"], ["warts", "scamper\u2019s warts"],
	["atlas", "RIPE Atlas JSON"]];
const NODE_SORT = { id: "traces", descending: true };

function segmented(label, choices, choose) {
	const buttons = choices.map(([value, word]) => h("button", {
		type: "button", data: { value },
		on: { click: () => choose(value) } }, word));
	const el = h("div", { class: "segmented", role: "group",
		"aria-label": label }, buttons);
	el.mark = (value) => buttons.forEach((b) => b.setAttribute(
		"aria-pressed", String(b.dataset.value === value)));
	return el;
}

export class MapView {
	constructor(app) {
		this.app = app;
		this.topology = null;
		this.agents = [];
		this.layout = new LayoutClient();
		this.memory = this.memoryFor();
		this.detail = new MapDetail(app, this);
		this.legend = new Legend((patch) => app.set(patch,
			{ replace: true }));
		this.buildTools();
		this.buildStage();
		this.buildSide();
		this.el = h("div", { class: "map" }, this.tools,
			h("div", { class: "map-grid" }, this.stage, this.side));
	}

	buildTools() {
		const { app } = this;
		this.search = h("input", { type: "search", class: "search-input",
			placeholder: "Find an address or a name",
			"aria-label": "Search the map", on: {
				input: () => app.set({ q: this.search.value },
					{ replace: true }),
				keydown: (e) => e.key === "Enter" && this.selectMatch(),
			} });
		this.layoutSwitch = segmented("Layout", [["layered", "Layered"],
			["force", "Force"]], (layout) => app.set({ layout }));
		this.colourSwitch = segmented("Colour links by",
			[["delay", "Delay"], ["loss", "Loss"]],
			(colour) => app.set({ colour }, { replace: true }));
		this.agentSelect = h("select", { "aria-label": "Vantage point",
			on: { change: () => app.set({
				agent: this.agentSelect.value || undefined }) } },
			h("option", { value: "" }, "All agents"));
		this.tools = h("div", { class: "toolbar map-tools" },
			h("label", { class: "search" }, icon("search"), this.search),
			h("div", { class: "tool-group" }, this.agentSelect,
				this.colourSwitch, this.layoutSwitch));
	}

	buildStage() {
		this.canvas = h("div", { class: "map-canvas", "aria-hidden": "true" });
		const button = (name, label, act) => h("button", { type: "button",
			class: "icon-button", "aria-label": label, title: label,
			on: { click: act } }, icon(name));
		this.zoomBox = h("div", { class: "map-zoom" },
			button("plus", "Zoom in (+)", () => this.graph?.zoom(1)),
			button("minus", "Zoom out (\u2212)", () => this.graph?.zoom(-1)),
			button("fit", "Fit the whole map (0)", () => this.graph?.fit()),
			button("relayout", "Lay out again, forget places",
				() => this.relayout()));
		this.notice = h("div", { class: "map-notice", hidden: true });
		this.leftOut = h("p", { class: "map-left-out quiet", hidden: true });
		this.stage = h("section", { class: "panel map-stage",
			"aria-label": "Map" }, this.canvas, this.notice, this.leftOut,
			h("div", { class: "map-foot" }, this.legend.el, this.zoomBox));
	}

	buildSide() {
		this.tabs = segmented("Table of", [["links", "Links"],
			["nodes", "Nodes"]], (tab) => this.app.set({ tab: tab === "links"
			? undefined : tab, sort: undefined }, { replace: true }));
		this.panel = new Panel({ title: "As a table", class: "map-table",
			actions: [this.tabs],
			source: () => ({ name: `map-${this.tab()}`,
				url: apiUrl("topology", this.params()),
				rows: this.topology?.[this.tab()] ?? [] }),
			files: TRACE_FILES.map(([format, name]) => [
				`Download traces: ${name}`, () => apiUrl("records",
					{ kind: "trace", format, ...this.params() })]) });
		this.tables = { links: this.linkTable(), nodes: this.nodeTable() };
		this.side = h("div", { class: "map-side" }, this.detail.el,
			this.panel.el);
	}

	mounted() {
		this.webgl = hasWebGl();
		this.el.classList.toggle("no-webgl", !this.webgl);
		if (!this.webgl) {
			this.notice.hidden = false;
			replace(this.notice, h("p", null, "This browser draws no WebGL, "
				+ "so there is no picture. The table holds the same links "
				+ "and nodes."));
			return;
		}
		this.graph = new GraphView(this.canvas, {
			node: (id) => this.choose(`node:${id}`),
			link: (id) => this.choose(`link:${id}`),
			nothing: () => this.escape(),
			moved: (id, place) => {
				this.memory.pin(id, place);
				toast("Pinned. Its place is remembered in this browser");
			},
		}, { readOnly: isPhone() });
		this.sizes = new ResizeObserver(() => this.graph.resize());
		this.sizes.observe(this.canvas);
	}

	unmount() {
		this.sizes?.disconnect();
		this.graph?.kill();
		this.layout.stop();
		this.detail.clear();
	}

	themeChanged() {
		this.graph?.themeChanged();
		this.detail.themeChanged();
	}

	tab() {
		return this.app.state.tab ?? "links";
	}

	kind() {
		return this.app.state.layout ?? "layered";
	}

	memoryFor() {
		return new LayoutMemory(this.kind(), this.app.state.agent);
	}

	params() {
		const { from, to } = this.app.range();
		return { from: toRfc3339(from), to: toRfc3339(to),
			agent: this.app.state.agent };
	}

	selection() {
		const m = /^(node|link):(.+)$/.exec(this.app.state.sel ?? "");
		return m ? { kind: m[1], id: m[2] } : null;
	}

	linkSort() {
		return { id: this.thresholds().colour, descending: true };
	}

	thresholds() {
		const { state } = this.app;
		return { colour: state.colour ?? "delay", thresholds: {
			delay_ns: (state.delay_ms ?? DEFAULT_DELAY_MS) * 1e6,
			loss: (state.loss_percent ?? DEFAULT_LOSS_PERCENT) / 100 } };
	}

	agentName(id) {
		return this.app.agentName(id);
	}

	choose(sel) {
		this.app.set({ sel, focus: undefined });
	}

	escape() {
		const { sel, q } = this.app.state;
		if (sel)
			this.app.set({ sel: undefined, focus: undefined });
		else if (q)
			this.app.set({ q: undefined }, { replace: true });
	}

	key(key) {
		if (key === "+" || key === "=")
			this.graph?.zoom(1);
		else if (key === "-")
			this.graph?.zoom(-1);
		else if (key === "0")
			this.graph?.fit();
		else
			return false;
		return true;
	}

	listRoot() {
		return this.side;
	}

	async refresh(signal) {
		const [topology, agents] = await Promise.all([
			get("topology", this.params(), signal),
			getAll("agents", {}, signal)]);
		this.agents = agents;
		this.app.takeNames(agents);
		this.topology = this.withNames(topology);
		this.showAgents();
		await this.place();
		this.draw();
		await this.detail.refresh(this.selection(), signal);
	}

	// A source is known by its agent's name.
	withNames(topology) {
		const names = new Map(this.agents.flatMap((a) =>
			(a.addresses ?? []).map((address) => [address, a.name])));
		return { ...topology, nodes: topology.nodes.map((n) => ({ ...n,
			name: n.name ?? names.get(n.addr) ?? null })) };
	}

	showAgents() {
		const wanted = this.app.state.agent ?? "";
		replace(this.agentSelect, h("option", { value: "" }, "All agents"),
			this.agents.map((a) => h("option", { value: a.id }, a.name)));
		this.agentSelect.value = wanted;
	}

	// Gives every node a place: the remembered ones, else the worker's.
	async place() {
		const { nodes, links } = this.drawn();
		const key = `${this.kind()} ${this.app.state.agent ?? ""}`;
		if (this.placedKey !== key)
			this.memory = this.memoryFor();
		const changed = this.placedKey !== key;
		this.placedKey = key;
		if (!this.graph || nodes.length === 0)
			return;
		if (!this.memory.has(nodes)) {
			const { memory } = this;
			const positions = await this.layout.ask(this.kind(), nodes, links,
				memory);
			if (!positions)
				return; // a newer question is on its way
			memory.take(positions);
		}
		this.graph.update(nodes, links, this.drawnOnce && changed
			? this.currentPlaces() : this.memory.at);
		if (this.drawnOnce && changed)
			this.graph.move(this.memory.at);
		this.drawnOnce = true;
	}

	// What is drawn of the topology.
	drawn() {
		return this.kind() === "layered" ? withTwins(this.topology)
			: this.topology;
	}

	currentPlaces() {
		const places = new Map(this.memory.at);
		this.graph.graph.forEachNode((id, { x, y }) =>
			places.set(id, [x, y]));
		return places;
	}

	async relayout() {
		if (!this.topology || !this.graph)
			return;
		this.memory.forget();
		const { nodes, links } = this.drawn();
		const positions = await this.layout.ask(this.kind(), nodes, links,
			this.memory);
		if (!positions)
			return;
		this.memory.take(positions);
		this.graph.fit();
		this.graph.move(this.memory.at);
	}

	unpin(id) {
		this.memory.unpin(id);
		this.memory.at.delete(id);
		this.poke();
	}

	stateChanged() {
		const { state } = this.app;
		if (document.activeElement !== this.search)
			this.search.value = state.q ?? "";
		this.layoutSwitch.mark(this.kind());
		this.colourSwitch.mark(this.thresholds().colour);
		this.tabs.mark(this.tab());
		this.legend.update(this.thresholds());
		this.panel.fill(this.tables[this.tab()].el);
		this.tables.links.setSort(parseSort(state.sort, this.linkSort()));
		this.tables.nodes.setSort(parseSort(state.sort, NODE_SORT));
		const asks = JSON.stringify([state.range, state.from, state.to,
			state.agent, this.kind(), state.sel]);
		const fresh = this.asked !== undefined && this.asked !== asks;
		this.asked = asks;
		this.draw();
		if (fresh)
			this.poke();
	}

	draw() {
		if (!this.topology)
			return;
		const { nodes, links } = this.topology;
		const empty = nodes.length === 0;
		this.showEmpty(empty);
		this.showLeftOut();
		const matches = this.matches();
		const selected = this.selection();
		if (this.graph) {
			this.graph.setLook({ ...this.thresholds(), selected, matches,
				focus: this.app.state.focus ?? null });
			const sel = this.app.state.sel;
			if (sel && sel !== this.centred)
				this.graph.reveal(this.endsOf(selected));
			this.centred = sel;
		}
		this.drawTables(nodes, links, matches, selected);
		this.detail.show(selected);
	}

	endsOf(selected) {
		if (selected.kind === "node")
			return [selected.id];
		const link = this.topology.links.find((l) => l.id === selected.id);
		return link ? [link.from, link.to] : [];
	}

	// The collector shows the busiest paths of a large net.
	showLeftOut() {
		const { nodes, paths_left_out, addresses_left_out } = this.topology;
		this.leftOut.hidden = !paths_left_out;
		if (!paths_left_out)
			return;
		const shown = nodes.filter((n) => n.addr).length;
		this.leftOut.textContent = `The ${formatCount(shown)} busiest of `
			+ `about ${plural(shown + addresses_left_out, "address",
				"addresses")} are shown. One agent or a shorter time `
			+ "shows more of it.";
	}

	drawTables(nodes, links, matches, selected) {
		const has = (id) => !matches || matches.has(id);
		const shown = { nodes: nodes.filter((n) => has(n.id)),
			links: links.filter((l) => has(l.from) || has(l.to)) };
		const table = this.tables[this.tab()];
		table.update(shown[this.tab()], selected?.id ?? null);
		this.panel.note.textContent = matches
			? plural(matches.size, "match", "matches")
			: formatCount(shown[this.tab()].length);
	}

	showEmpty(empty) {
		if (!this.webgl)
			return;
		this.notice.hidden = !empty;
		this.legend.el.hidden = empty;
		this.zoomBox.hidden = empty;
		if (empty)
			replace(this.notice, emptyState({
				title: "No traces in this time",
				text: "The map is drawn from traces. Let all agents trace a "
					+ "target every minute, or choose a longer time.",
				command: commands.submitTrace(targetsOf(this.agents)) }));
	}

	// The nodes that the search finds; null without a search.
	matches() {
		const q = (this.app.state.q ?? "").trim().toLowerCase();
		if (!q)
			return null;
		return new Set(this.topology.nodes.filter((n) =>
			`${n.id} ${n.addr ?? ""} ${n.name ?? ""}`.toLowerCase()
				.includes(q)).map((n) => n.id));
	}

	selectMatch() {
		const [first] = this.matches() ?? [];
		if (first)
			this.choose(`node:${first}`);
	}

	linkTable() {
		const { app } = this;
		const state = (l) => linkState(l, this.thresholds().thresholds);
		const rank = (l) => {
			const { level, word } = state(l);
			return `${LEVELS.indexOf(level)} ${word}`;
		};
		return new Table({
			caption: "Links of the map", key: (l) => l.id,
			print: (l) => JSON.stringify([l, state(l), app.state]),
			href: (l) => app.href({ sel: `link:${l.id}`, focus: undefined }),
			select: (l) => this.choose(`link:${l.id}`),
			sort: parseSort(app.state.sort, this.linkSort()),
			onSort: (sort) => app.set({ sort: formatSort(sort) },
				{ replace: true }),
			empty: () => h("p", { class: "quiet" }, "No links."),
			columns: [
				{ id: "link", label: "Link", class: "grow",
				  value: (l) => l.id, cell: linkName },
				{ id: "delay", label: "Delay", class: "num",
				  descending: true, value: (l) => l.delay_ns,
				  cell: (l) => formatDelay(l.delay_ns) },
				{ id: "loss", label: "Loss", class: "num", descending: true,
				  value: (l) => l.loss, cell: (l) => formatLoss(l.loss) },
				{ id: "state", label: "State", descending: true,
				  class: "level", value: rank,
				  cell: (l) => h("span", { class: `level ${state(l).level}` },
					state(l).word) },
			],
		});
	}

	nodeTable() {
		const { app } = this;
		return new Table({
			caption: "Nodes of the map", key: (n) => n.id,
			print: (n) => JSON.stringify([n, app.state]),
			href: (n) => app.href({ sel: `node:${n.id}`, focus: undefined }),
			select: (n) => this.choose(`node:${n.id}`),
			sort: parseSort(app.state.sort, NODE_SORT),
			onSort: (sort) => app.set({ sort: formatSort(sort) },
				{ replace: true }),
			empty: () => h("p", { class: "quiet" }, "No nodes."),
			columns: [
				{ id: "node", label: "Node", class: "grow",
				  value: (n) => n.name ?? n.id,
				  cell: (n) => h("span", { class: "mono",
					title: nodeLabel(n.id) },
					n.name ? `${n.name} ${n.addr}` : nodeShortLabel(n.id)) },
				{ id: "role", label: "Role", value: (n) => n.role,
				  cell: (n) => n.id.startsWith("?") ? "no answer" : n.role },
				{ id: "rtt", label: "Min RTT", class: "num",
				  value: (n) => n.rtt_min_ns,
				  cell: (n) => formatDelay(n.rtt_min_ns) },
				{ id: "traces", label: "Traces", class: "num",
				  descending: true, value: (n) => n.traces,
				  cell: (n) => formatCount(n.traces) },
			],
		});
	}
}
