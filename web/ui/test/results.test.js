// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { cellText, chartColumns, columnTitle, flatRow, linesOf, shownColumns,
	sortValue } from "../src/pages/results/columns.js";

const column = (name, type, more = {}) => ({ name, type, element: null,
	unit: "", help: "", key: false, low: null, high: null, probability: null,
	...more });
const columns = [
	column("dst", "address", { key: true }),
	column("speed", "rate", { unit: "probes" }),
	column("loss", "number", { unit: "share", low: "lo", high: "hi",
		probability: "p" }),
	column("lo", "number"), column("hi", "number"), column("p", "number"),
	column("rtt_ns", "duration"), column("at_ns", "time"),
	column("hops", "list", { element: "address" }),
	column("ok", "boolean"),
];
const named = (name) => columns.find((c) => c.name === name);

test("columns that hold an interval stand beside their own", () => {
	assert.deepEqual(shownColumns(columns).map((c) => c.name),
		["dst", "speed", "loss", "rtt_ns", "at_ns", "hops", "ok"]);
	assert.deepEqual(chartColumns(columns).map((c) => c.name),
		["loss", "speed", "rtt_ns"]);
	assert.deepEqual(["loss", "speed", "rtt_ns", "dst"].map((n) =>
		columnTitle(named(n))), ["loss (share)", "speed (probes/s)", "rtt",
		"dst"]);
});

test("a cell says its value, its interval and its probability", () => {
	const row = { loss: 0.25, lo: 0.125, hi: 0.5, p: 0.95, rtt_ns: 1500000,
		at_ns: 1, at: "2026-11-22T00:00:00Z", hops: ["192.0.2.1",
			"192.0.2.2"], ok: true, dst: null, speed: 10 };
	assert.equal(cellText(named("loss"), row),
		"0.25 [0.125 \u2013 0.5] 95\u00a0%");
	assert.equal(cellText(named("rtt_ns"), row), "1.5\u00a0ms");
	assert.equal(cellText(named("at_ns"), row), "2026-11-22T00:00:00Z");
	assert.equal(cellText(named("hops"), row), "192.0.2.1, 192.0.2.2");
	assert.equal(cellText(named("ok"), row), "yes");
	assert.equal(cellText(named("dst"), row), "\u2013");
	assert.equal(cellText(named("hops"), { hops: [] }), "\u2013");
	assert.equal(cellText(named("loss"), { ...row, lo: null }),
		"0.25 95\u00a0%");
	assert.equal(sortValue(named("hops"), row), 2);
});

test("rows are curves by agent and key", () => {
	const item = (agent, dst, minute, loss) => ({ agent, recorded_at:
		`2026-11-22T00:0${minute}:00Z`, row: { dst, loss, lo: 0, hi: 1 } });
	const lines = linesOf(columns, named("loss"), [item("a", "x", 2, 0.2),
		item("a", "x", 1, 0.1), item("b", "x", 1, 0.3),
		item("b", "y", 1, null)], (id) => id.toUpperCase());
	assert.deepEqual(lines.map((l) => [l.name,
		l.points.map((p) => p.value)]),
	[["A \u00b7 x", [0.1, 0.2]], ["B \u00b7 x", [0.3]]]);
	assert.equal(lines[0].points[0].high, 1);
	assert.deepEqual(flatRow({ agent: "a", row: { n: 1 } }),
		{ agent: "a", n: 1 });
});
