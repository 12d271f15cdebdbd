// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { failedRuns, unsentShares, unsentTotal, unsentWords }
	from "../src/lib/unsent.js";

const row = (outcome, probes, more = {}) => ({ outcome, probes,
	reason: "network is down", device: "wan0", hours: [0, 2, 4], ...more });

test("what policy denied is not what could not be sent", () => {
	assert.equal(unsentTotal({ unsent: [row("not-sent", 3),
		row("denied", 5), row("not-sent", 4)] }), 7);
	assert.equal(unsentTotal({ unsent: [] }), 0);
	assert.equal(unsentTotal({}), 0);
});

test("a reason names its device, and policy", () => {
	assert.equal(unsentWords(row("not-sent", 1)), "network is down, wan0");
	assert.equal(unsentWords(row("denied", 1, { reason: "private",
		device: null })), "denied: private");
});

test("hours are shares of the fullest", () => {
	assert.deepEqual(unsentShares(row("not-sent", 6)), [0, 0.5, 1]);
	assert.deepEqual(unsentShares(row("not-sent", 0, { hours: [0, 0] })),
		[0, 0]);
});

test("runs that failed are the newest, and bounded", () => {
	const runs = [{ run: 3, error: "x" }, { run: 2, error: null },
		{ run: 1, error: "y" }];
	assert.deepEqual(failedRuns(runs, 8).map((r) => r.run), [3, 1]);
	assert.deepEqual(failedRuns(runs, 1).map((r) => r.run), [3]);
});
