// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { groupAlarms, kindKey } from "../src/lib/alarms.js";

const alarm = (id, more) => ({ id, signature: "slammer", verdict: "worm",
	agent: null, direction: "rise", onset_at: "2026-11-22T02:24:00Z",
	ended_at: null, observed: 10, ...more });

test("agents stand behind the alarm of all together", () => {
	const groups = groupAlarms([alarm("1", { agent: "a" }),
		alarm("2", { agent: "b", observed: 90 }),
		alarm("3", { observed: 50 })]);
	assert.deepEqual(groups.map((g) => [g.id, g.at]), [["3", ["b", "a"]]]);
});

test("the collector's word on what belongs together is taken", () => {
	const groups = groupAlarms([alarm("1", { agents: ["a", "c"] }),
		alarm("2", { agent: "b", within: "1",
			onset_at: "2026-11-21T00:00:00Z",
			ended_at: "2026-11-21T01:00:00Z" }),
		alarm("3", { agent: "a", within: "1" })]);
	assert.deepEqual(groups.map((g) => [g.id, g.at]),
		[["1", ["a", "c", "b"]]]);
});

test("without one of all, the biggest leads", () => {
	const [group] = groupAlarms([alarm("1", { agent: "a" }),
		alarm("2", { agent: "b", observed: 90 })]);
	assert.deepEqual([group.id, group.at], ["2", ["b", "a"]]);
});

test("other kinds, directions and times are other alarms", () => {
	const groups = groupAlarms([alarm("1"), alarm("2", { signature: "mirai" }),
		alarm("3", { direction: "fall" }),
		alarm("4", { signature: null, verdict: "scan" }),
		alarm("5", { agent: "a", onset_at: "2026-11-20T00:00:00Z",
			ended_at: "2026-11-20T01:00:00Z" })]);
	assert.equal(groups.length, 5);
	assert.equal(groups.at(-1).id, "5", "what is over comes last");
});

test("what has no signature goes by its verdict", () => {
	assert.equal(kindKey({ signature: "", verdict: "scan" }), "(scan)");
	assert.equal(kindKey({ signature: "zmap", verdict: "scan" }), "zmap");
});
