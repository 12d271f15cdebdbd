// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { LONGEST_MS, backoffMs } from "../src/lib/backoff.js";

test("waits double, are bounded, and differ between browsers", () => {
	const middle = () => 0.5;
	assert.deepEqual([1, 2, 3].map((n) => backoffMs(n, middle)),
		[1000, 2000, 4000]);
	assert.equal(backoffMs(1000, middle), LONGEST_MS);
	assert.equal(backoffMs(1, () => 0), 750);
	assert.equal(backoffMs(1, () => 1), 1250);
});
