// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSort, formatState, parseSort, parseState, patchState }
	from "../src/lib/url-state.js";

test("a view survives its address", () => {
	const view = { page: "map", range: "custom",
		from: "2026-11-22T10:00:00.000Z", to: "2026-11-22T11:00:00.000Z",
		tz: "local", layout: "force", colour: "loss", delay_ms: 50,
		sel: "link:192.0.2.1>?192.0.2.1~192.0.2.9~1/2", q: "a&b=c",
		sort: "delay:desc" };
	assert.deepEqual(parseState(formatState(view)), view);
});

test("nonsense in an address is dropped, not believed", () => {
	assert.deepEqual(parseState("?page=map&layout=spiral&delay_ms=-4&x=1"),
		{ page: "map" });
	assert.deepEqual(parseState(""), { page: "now" });
	assert.deepEqual(parseState("?page=__proto__"),
		{ page: "missing", wanted: "__proto__" });
});

test("another page keeps the time and nothing else", () => {
	const state = { page: "map", range: "6h", tz: "local", sel: "node:x" };
	assert.deepEqual(patchState(state, { page: "agents" }),
		{ page: "agents", range: "6h", tz: "local" });
	assert.deepEqual(patchState(state, { sel: undefined }).page, "map");
});

test("the ends of a custom range leave with it", () => {
	assert.equal(formatState({ page: "now", range: "1h",
		from: "2026-11-22T10:00:00Z" }), "?page=now&range=1h");
	assert.equal(formatState({ page: "outbreaks", log: true, split: false }),
		"?page=outbreaks&log=1");
});

test("sort orders are read strictly", () => {
	const fallback = { id: "a", descending: false };
	assert.deepEqual(parseSort("b:desc", fallback),
		{ id: "b", descending: true });
	assert.equal(parseSort("b:up", fallback), fallback);
	assert.equal(formatSort({ id: "b", descending: true }), "b:desc");
});
