// SPDX-License-Identifier: ISC
// Columns of scripts' tables by what their schema says of them: no script is
// known here.  Pure.
import { NONE, formatCompact, formatDelay } from "../../lib/format.js";
import { parseTime } from "../../lib/time.js";

const IN_NS = ["time", "duration"];
const MEASURES = ["integer", "number", "duration", "rate"];

// A column that holds another one's interval is shown beside that one.
export function shownColumns(columns) {
	const serving = new Set(columns.flatMap((c) =>
		[c.low, c.high, c.probability]).filter(Boolean));
	return columns.filter((c) => !serving.has(c.name));
}

// What a chart can show, what has an interval before the rest.
export function chartColumns(columns) {
	const can = shownColumns(columns).filter((c) =>
		MEASURES.includes(c.type) && !c.key);
	return [...can.filter((c) => c.low), ...can.filter((c) => !c.low)];
}

export const isMeasure = (column) => MEASURES.includes(column.type);

const bare = (column) => IN_NS.includes(column.type)
	|| column.element === "duration"
	? column.name.replace(/_ns$/, "") : column.name;

// "rtt", "loss (share)", "speed (probes/s)"
export function columnTitle(column) {
	const rate = column.type === "rate" || column.element === "rate";
	const unit = `${column.unit}${rate ? "/s" : ""}`;
	return bare(column) + (unit ? ` (${unit})` : "");
}

export function valueText(type, value) {
	if (value === null || value === undefined)
		return NONE;
	switch (type) {
	case "duration": return formatDelay(value);
	case "number":
	case "rate": return Number.isInteger(value) ? formatCompact(value)
		: String(Number(value.toPrecision(4)));
	case "integer": return formatCompact(value);
	case "boolean": return value ? "yes" : "no";
	default: return String(value);
	}
}

// "0.2 [0.1 \u2013 0.4] 95 %"
export function cellText(column, row) {
	if (column.type === "time")
		return row[bare(column)] ?? NONE;
	const value = row[column.name];
	if (column.type === "list")
		return value?.length ? value.map((v) =>
			valueText(column.element, v)).join(", ") : NONE;
	let text = valueText(column.type, value);
	const low = row[column.low], high = row[column.high];
	if (typeof low === "number" && typeof high === "number")
		text += ` [${valueText(column.type, low)} \u2013 `
			+ `${valueText(column.type, high)}]`;
	const share = row[column.probability];
	if (typeof share === "number")
		text += ` ${Number((share * 100).toPrecision(4))}\u00a0%`;
	return text;
}

// What a table sorts a column by.
export function sortValue(column, row) {
	const value = row[column.name];
	return Array.isArray(value) ? value.length
		: typeof value === "boolean" ? Number(value) : value;
}

// The curve that a row belongs to: its agent and its keys but times.
export function lineOf(columns, item, nameOf) {
	return [nameOf(item.agent), ...columns.filter((c) => c.key
		&& c.type !== "time").map((c) => cellText(c, item.row))].join(" \u00b7 ");
}

// Rows as curves over time, those with the most rows first:
// [{name, points: [{at_s, value, low, high}]}]
export function linesOf(columns, column, items, nameOf) {
	const lines = new Map();
	for (const item of items) {
		const value = item.row[column.name];
		if (typeof value !== "number")
			continue;
		const name = lineOf(columns, item, nameOf);
		if (!lines.has(name))
			lines.set(name, { name, points: [] });
		lines.get(name).points.push({
			at_s: parseTime(item.recorded_at) / 1000, value,
			low: item.row[column.low] ?? null,
			high: item.row[column.high] ?? null });
	}
	for (const line of lines.values())
		line.points.sort((a, b) => a.at_s - b.at_s);
	return [...lines.values()].sort((a, b) =>
		b.points.length - a.points.length || (a.name < b.name ? -1 : 1));
}

// A row as one flat object, for a file.
export function flatRow(item) {
	const { row, ...rest } = item;
	return { ...rest, ...row };
}
