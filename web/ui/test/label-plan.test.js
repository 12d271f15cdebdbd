// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { boxAt, planLabels, runsThrough } from "../src/pages/map/label-plan.js";

const frame = { left: 0, top: 0, right: 400, bottom: 200 };
const wish = (x, y, more) => ({ width: 60, height: 12,
	spots: [[x, y + 14], [x, y - 14]], ...more });
const plan = (wishes, { marks = [], lines = [] } = {}) =>
	planLabels(wishes, { marks, lines, frame });

test("no word covers another, however many want the same place", () => {
	const wishes = Array.from({ length: 60 }, (_, i) =>
		wish(40 + (i * 37) % 320, 20 + (i * 53) % 160));
	const boxes = plan(wishes).filter(Boolean)
		.map(([x, y]) => boxAt(x, y, 60, 12));
	assert.ok(boxes.length > 10);
	for (const [i, a] of boxes.entries())
		for (const b of boxes.slice(i + 1))
			assert.ok(a.right <= b.left || b.right <= a.left
				|| a.bottom <= b.top || b.bottom <= a.top);
});

test("the first one asked gets its spot, the next another, or none", () => {
	assert.deepEqual(plan([wish(100, 100), wish(110, 100), wish(120, 100)]),
		[[100, 114], [110, 86], null]);
});

test("a mark is not written over, but by a value that has no other place",
	() => {
		const marks = [boxAt(100, 114, 10, 10), boxAt(100, 86, 10, 10)];
		assert.deepEqual(plan([wish(100, 100)], { marks }), [null]);
		assert.deepEqual(plan([wish(100, 100, { over: true })], { marks }),
			[[100, 114]]);
	});

test("a word keeps off lines where it can, and inside the frame", () => {
	assert.deepEqual(plan([wish(100, 100)], { lines: [[0, 114, 400, 114]] }),
		[[100, 86]]);
	assert.deepEqual(plan([wish(100, 190)]), [[100, 176]]);
	assert.deepEqual(plan([wish(10, 100)]), [null]);
});

test("a line runs through a box or beside it", () => {
	const box = boxAt(50, 50, 20, 10);
	assert.ok(runsThrough([0, 0, 100, 100], box));
	assert.ok(runsThrough([50, 50, 51, 51], box));
	assert.ok(!runsThrough([0, 0, 30, 30], box));
	assert.ok(!runsThrough([0, 60, 100, 60], box));
});
