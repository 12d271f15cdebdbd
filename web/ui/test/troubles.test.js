// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { troublesOf } from "../src/lib/troubles.js";

const run = (id, outcome, more) => ({ id, type: "run", agent: "a", outcome,
	reached: false, text: "", ...more });

test("an agent's runs that went wrong, the newest first", () => {
	const events = [run("9", "not-sent"), run("8", "answered",
		{ reached: true }), run("7", "rejected", { agent: "b" }),
	run("6", "rejected"), run("5", "silent"), run("4", undefined),
	{ ...run("3", "not-sent"), type: "gap" }, run("2", "denied")];
	assert.deepEqual(troublesOf(events, "a", 8).map((e) => e.id),
		["9", "6", "2"]);
	assert.deepEqual(troublesOf(events, "a", 1).map((e) => e.id), ["9"]);
	assert.deepEqual(troublesOf(events, "c", 8), []);
	// A filter's word in the target's name.
	const filtered = run("1", "rejected", { reached: true });
	assert.deepEqual(troublesOf([filtered], "a", 8), [filtered]);
});
