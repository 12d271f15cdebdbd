// SPDX-License-Identifier: ISC
// Results: the rows that any script recorded, by the tables that it declared,
// and one column over time with its interval.
import { apiUrl, get, getAll } from "../../lib/api.js";
import { TimeChart, chartColours, readoutItem } from "../../lib/chart.js";
import { h, replace } from "../../lib/dom.js";
import { formatCount, plural } from "../../lib/format.js";
import { Panel, emptyState } from "../../lib/panel.js";
import { OKABE_ITO } from "../../lib/scales.js";
import { Table } from "../../lib/table.js";
import { formatMoment, toRfc3339 } from "../../lib/time.js";
import { timeMark } from "../../lib/marks.js";
import { formatSort, parseSort } from "../../lib/url-state.js";
import { cellText, chartColumns, columnTitle, flatRow, isMeasure, linesOf,
	shownColumns, sortValue, valueText } from "./columns.js";

const ROWS_MOST = 2000;
const LINES_MOST = 8;
const DEFAULT_SORT = { id: "recorded_at", descending: true };
const ALL = "*"; // every line at once

export class ResultsView {
	constructor(app) {
		this.app = app;
		this.schemas = null;
		this.items = [];
		this.shown = null; // the table that the items are of
		const select = (label, key) => h("select", { "aria-label": label,
			on: { change: (event) => app.set({ [key]:
				event.target.value || undefined, ...key === "script"
				? { table: undefined } : {}, ...key === "script"
				|| key === "table" ? { column: undefined, line: undefined,
					sort: undefined } : {} }) } });
		this.scriptSelect = select("Script", "script");
		this.tableSelect = select("Table", "table");
		this.agentSelect = select("Vantage point", "agent");
		this.columnSelect = select("Column", "column");
		this.lineSelect = select("Curve", "line");
		this.chart = new TimeChart({ label: "A column over time",
			height: 240, readout: (i) => this.readout(i) });
		this.chartPanel = new Panel({ title: "Over time",
			class: "chart-panel",
			actions: [this.columnSelect, this.lineSelect] });
		this.chartPanel.fill(h("div", { class: "charts" }, this.chart.el));
		this.rowsPanel = new Panel({ title: "Rows", class: "rows-panel",
			source: () => ({
				name: `${this.schema()?.script}-${this.tableName()}`,
				url: apiUrl("results/rows", { ...this.wanted(),
					format: "csv" }),
				rows: this.items.map(flatRow) }) });
		this.blank = h("div", { class: "panel results-blank",
			hidden: true });
		const field = (label, input) => h("label", { class: "choice" },
			h("span", null, label), input);
		this.content = h("div", { class: "stack" },
			h("div", { class: "toolbar" },
				field("Script", this.scriptSelect),
				field("Table", this.tableSelect),
				field("From", this.agentSelect)),
			this.chartPanel.el, this.rowsPanel.el);
		this.el = h("div", { class: "results" }, this.blank, this.content);
	}

	unmount() {
		this.chart.destroy();
	}

	themeChanged() {
		this.draw();
	}

	listRoot() {
		return this.rowsPanel.el;
	}

	// The newest schema of the chosen script; else the newest there is.
	schema() {
		const { script } = this.app.state;
		return this.schemas?.find((s) => s.script === script)
			?? this.schemas?.[0];
	}

	tableName() {
		const tables = this.schema()?.tables ?? [];
		return (tables.find((t) => t.name === this.app.state.table)
			?? tables[0])?.name;
	}

	wanted() {
		const { from, to } = this.app.range();
		return { script: this.schema()?.script, table: this.tableName(),
			agent: this.app.state.agent, from: toRfc3339(from),
			to: toRfc3339(to) };
	}

	async refresh(signal) {
		const [schemas, agents] = await Promise.all([
			getAll("results", {}, signal), getAll("agents", {}, signal)]);
		this.schemas = schemas;
		this.agents = agents;
		this.app.takeNames(agents);
		if (schemas.length > 0)
			await this.readRows(signal);
		this.draw();
	}

	// A page may be short although there are more.
	async readRows(signal) {
		const items = [];
		let cursor, page;
		do {
			page = await get("results/rows", { ...this.wanted(),
				limit: 500, cursor }, signal);
			items.push(...page.items);
			cursor = page.next;
		} while (cursor && items.length < ROWS_MOST);
		this.items = items;
		this.more = Boolean(cursor);
		this.shown = page.table;
		this.drawn = this.app.range();
	}

	stateChanged() {
		const { state } = this.app;
		const asks = JSON.stringify([state.range, state.from, state.to,
			state.script, state.table, state.agent]);
		const fresh = this.asked !== undefined && this.asked !== asks;
		this.asked = asks;
		if (fresh)
			this.poke();
		else
			this.draw();
	}

	escape() {
		this.app.set({ line: undefined, agent: undefined },
			{ replace: true });
	}

	draw() {
		if (!this.schemas)
			return;
		const none = this.schemas.length === 0;
		this.blank.hidden = !none;
		this.content.hidden = none;
		if (none)
			return replace(this.blank, emptyState({
				title: "No script has recorded a table yet",
				text: "A script whose header declares tables fills this "
					+ "page by itself: their columns, units and intervals "
					+ "are all that it needs. How to write one is in",
				command: "man sonde-script" }));
		this.drawChoices();
		if (this.shown) {
			this.drawChart();
			this.drawRows();
		}
	}

	drawChoices() {
		const options = (select, pairs, value) => {
			const print = JSON.stringify(pairs);
			if (select.dataset.print !== print)
				replace(select, pairs.map(([v, label]) =>
					h("option", { value: v }, label)));
			select.dataset.print = print;
			select.value = value ?? "";
		};
		const scripts = [...new Set(this.schemas.map((s) => s.script))]
			.sort();
		options(this.scriptSelect, scripts.map((s) => [s, s]),
			this.schema().script);
		options(this.tableSelect, this.schema().tables.map((t) =>
			[t.name, t.name]), this.tableName());
		options(this.agentSelect, [["", "All agents"],
			...this.agents.map((a) => [a.id, a.name])],
		this.app.state.agent);
		const columns = chartColumns(this.shown?.columns ?? []);
		options(this.columnSelect, columns.map((c) =>
			[c.name, columnTitle(c)]), this.column()?.name);
		this.lines = this.column() ? linesOf(this.shown.columns,
			this.column(), this.items, (id) => this.app.agentName(id)) : [];
		options(this.lineSelect, [...this.lines.map((l) =>
			[l.name, l.name]), ...this.lines.length > 1
			? [[ALL, `All (at most ${LINES_MOST})`]] : []],
		this.chosenLines().length === 1 ? this.chosenLines()[0].name : ALL);
		this.lineSelect.hidden = this.lines.length < 2;
	}

	column() {
		const columns = chartColumns(this.shown?.columns ?? []);
		return columns.find((c) => c.name === this.app.state.column)
			?? columns[0];
	}

	// One curve, with its interval, unless all are asked for.
	chosenLines() {
		const { line } = this.app.state;
		if (line === ALL)
			return this.lines.slice(0, LINES_MOST);
		return [this.lines.find((l) => l.name === line)
			?? this.lines[0]].filter(Boolean);
	}

	drawChart() {
		const column = this.column(), lines = this.chosenLines();
		this.chartPanel.el.hidden = !column || lines.length === 0;
		if (this.chartPanel.el.hidden)
			return;
		const c = chartColours(), one = lines.length === 1;
		const x = [...new Set(lines.flatMap((l) => l.points.map((p) =>
			p.at_s)))].sort((a, b) => a - b);
		const values = (line, member) => {
			const at = new Map(line.points.map((p) => [p.at_s, p[member]]));
			return x.map((s) => at.get(s) ?? null);
		};
		const band = one && column.low ? [
			{ label: "low", values: values(lines[0], "low"), width: 0,
			  gaps: true },
			{ label: "high", values: values(lines[0], "high"), width: 0,
			  gaps: true }] : [];
		const curves = lines.map((line, i) => ({ label: line.name,
			values: values(line, "value"), gaps: true,
			stroke: one ? c.line : OKABE_ITO[i % OKABE_ITO.length] }));
		this.curves = { x, curves, band, column };
		const { from, to } = this.drawn;
		const most = Math.max(...curves.flatMap((s) =>
			s.values.filter((v) => v !== null)));
		replace(this.chartPanel.heading, columnTitle(column));
		this.chartPanel.note.textContent = column.help;
		this.chart.update({ x, from_s: from / 1000, to_s: to / 1000,
			series: [...band, ...curves],
			bands: band.length ? [[2, 1]] : [], utc: this.app.utc,
			format: (v) => valueText(column.type, v),
			summary: `${columnTitle(column)} of ${lines.map((l) => l.name)
				.join(", ")}: ${plural(x.length, "value")}, at most `
				+ valueText(column.type, most) });
	}

	readout(index) {
		if (!this.curves?.x.length)
			return null;
		const { x, curves, band, column } = this.curves;
		const c = chartColours(), i = index ?? x.length - 1;
		const value = (s) => valueText(column.type, s.values[i]);
		return [readoutItem(null, "", formatMoment(x[i] * 1000,
			this.app.now(), this.app.utc)),
		...curves.map((s) => readoutItem(s.stroke, s.label, value(s))),
		...band.length ? [readoutItem(c.band, "interval",
			`${value(band[0])} \u2013 ${value(band[1])}`)] : []];
	}

	drawRows() {
		const print = JSON.stringify(this.shown);
		if (this.tablePrint !== print) {
			this.tablePrint = print;
			this.table = this.buildTable();
			this.rowsPanel.fill(this.table.el);
		}
		this.table.setSort(parseSort(this.app.state.sort, DEFAULT_SORT));
		replace(this.rowsPanel.heading, this.shown.name);
		this.rowsPanel.note.textContent = `${this.shown.help}${
			this.shown.help ? ", " : ""}${this.more
			? `the newest ${formatCount(this.items.length)} rows`
			: plural(this.items.length, "row")}`;
		this.table.update(this.items);
	}

	buildTable() {
		const { app } = this;
		const number = (c) => isMeasure(c) && !c.low;
		return new Table({
			caption: `Rows of ${this.shown.name}`,
			columns: [
				{ id: "recorded_at", label: "Recorded", descending: true,
				  value: (i) => i.recorded_at,
				  cell: (i) => timeMark(i.recorded_at, app.now(), app.utc) },
				{ id: "agent_name", label: "Agent", class: "optional",
				  value: (i) => app.agentName(i.agent),
				  cell: (i) => app.agentName(i.agent) },
				...shownColumns(this.shown.columns).map((c) => ({
					id: c.name, label: columnTitle(c), hint: c.help,
					class: number(c) ? "num" : "",
					descending: isMeasure(c),
					value: (i) => sortValue(c, i.row),
					cell: (i) => this.cell(c, i.row) })),
			],
			key: (i) => `${i.agent}/${i.epoch}/${i.seq}`,
			print: (i) => JSON.stringify(i) + app.utc,
			sort: parseSort(app.state.sort, DEFAULT_SORT),
			onSort: (sort) => app.set({ sort: formatSort(sort) },
				{ replace: true }),
			empty: () => emptyState({ title: "No row in this time",
				text: "Choose a longer time, or another table." }),
		});
	}

	cell(column, row) {
		if (column.type === "time" && row[column.name] !== null)
			return timeMark(row[column.name.replace(/_ns$/, "")],
				this.app.now(), this.app.utc);
		return cellText(column, row);
	}
}
