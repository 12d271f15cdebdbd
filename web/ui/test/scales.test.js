// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { bucket, bucketShare, fillBins, linkLevel, linkState, nearestStep,
	niceTop, slotsFor, sortBy, sparkArea, sparkPath, stepTimes,
	stepValues } from "../src/lib/scales.js";

const limits = { delay_ns: 20e6, loss: 0.01 };

test("a link is raised at the threshold and bad at three times it", () => {
	const level = (delay_ns) => linkLevel({ delay_ns }, "delay", limits);
	assert.equal(level(19e6), "ok");
	assert.equal(level(20e6), "warn");
	assert.equal(level(60e6), "bad");
	assert.equal(level(null), "unknown");
	assert.equal(linkLevel({ loss: 0.05 }, "loss", limits), "bad");
	assert.equal(linkLevel({ delay_ns: 1, loss: null }, "loss", limits),
		"unknown");
});

test("a sparkline starts at zero and breaks at gaps", () => {
	assert.equal(sparkPath([0, 1], 10, 10), "M0.0 10.0L10.0 0.0");
	assert.equal(sparkPath([1, null, 1], 10, 10), "M0.0 0.0M10.0 0.0");
	assert.equal(sparkPath([null, null], 10, 10), "");
	assert.equal(sparkPath([0, 0], 10, 10), "M0.0 10.0L10.0 10.0");
});

test("slots keep the biggest value and leave holes", () => {
	assert.deepEqual(bucket([{ at: 0, value: 1 }, { at: 1, value: 5 },
		{ at: 9, value: 2 }, { at: 99, value: 7 }], 0, 10, 5),
		[5, null, null, null, 2]);
});

test("missing bins become gaps, not slopes", () => {
	const points = [{ at_s: 0, v: 1 }, { at_s: 10, v: 2 }, { at_s: 40, v: 3 }];
	assert.deepEqual(fillBins(points, 10, (p) => p.v),
		{ x: [0, 10, 20, 30, 40], y: [1, 2, null, null, 3] });
	assert.deepEqual(fillBins([], 10, (p) => p.v), { x: [], y: [] });
});

test("a value holds for its bin and not longer", () => {
	const [a, b, c, d] = stepTimes([0, 10], 10);
	assert.deepEqual([a, c], [0, 10]);
	assert.ok(b > 9.9 && b < 10 && d > 19.9 && d < 20);
	assert.deepEqual(stepValues([1, null]), [1, 1, null, null]);
});

test("the unknown comes last whichever way one sorts", () => {
	const items = [{ v: 2 }, { v: null }, { v: 1 }];
	const read = (i) => i.v;
	assert.deepEqual(sortBy(items, read, false).map(read), [1, 2, null]);
	assert.deepEqual(sortBy(items, read, true).map(read), [2, 1, null]);
	const names = ["n10", "n9"];
	assert.deepEqual(sortBy(names, (n) => n, false), ["n9", "n10"]);
});

test("a slider stands at the step nearest to the value", () => {
	assert.equal(nearestStep([1, 2, 5, 10], 6), 2);
	assert.equal(nearestStep([1, 2, 5, 10], 0), 0);
});

test("an axis ends at a round number with air above", () => {
	assert.equal(niceTop(40), 50);
	assert.equal(niceTop(0.3), 0.4);
	assert.equal(niceTop(0), 1);
	assert.equal(niceTop(undefined), 1);
	for (const n of [1, 7, 99, 1234])
		assert.ok(niceTop(n) > n && niceTop(n) < n * 2.3);
});

test("a sparkline never has more slots than bins", () => {
	assert.equal(slotsFor(0, 300e3, 10, 48), 30);
	assert.equal(slotsFor(0, 3600e3, 60, 48), 48);
	assert.equal(slotsFor(0, 1e3, 60, 48), 2);
});

test("a link is judged by delay and by loss", () => {
	const limits = { delay_ns: 20e6, loss: 0.02 };
	const state = (delay_ms, loss, loss_samples = 100) => linkState(
		{ delay_ns: delay_ms && delay_ms * 1e6, loss, loss_samples }, limits);
	assert.equal(state(6, 0.1).word, "lossy");
	assert.equal(state(6, 0.1).level, "bad");
	assert.equal(state(25, 0).word, "slow");
	assert.equal(state(25, 0.1).word, "slow, lossy");
	assert.equal(state(25, 0.1).level, "bad");
	assert.equal(state(6, 0.01).word, "fine");
	assert.equal(state(null, null).word, "not known");
	assert.equal(state(6, 0.25, 4).word, "unsure");
	const sure = (loss_low) => linkState({ delay_ns: 1, loss: 0.05,
		loss_low, loss_samples: 60 }, limits).word;
	assert.equal(sure(-0.004), "unsure");
	assert.equal(sure(0.02), "lossy");
	assert.equal(state(6, 0.25, 4).level, "unknown");
	const once = { delay_ns: 90e6, loss: 0, loss_samples: 40, traces: 1 };
	assert.equal(linkState(once, limits).word, "unsure");
	assert.equal(linkState({ ...once, traces: 3 }, limits).word, "slow");
});

test("few packets do not outweigh many in a share", () => {
	const at = (time, share, weight) => ({ at: time, share, weight });
	assert.deepEqual(bucketShare([at(0, 1, 1), at(1, 0, 99),
		at(10, null, 0), at(12, 0.5, 2)], 0, 20, 2), [0.01, 0.5]);
	assert.deepEqual(bucketShare([], 0, 20, 2), [null, null]);
});

test("the ground under a line has its gaps", () => {
	assert.equal(sparkArea([1, 1, null, 1, 1], 4, 10), "M0.0 10L0.0 0.0"
		+ "L1.0 0.0L1.0 10ZM3.0 10L3.0 0.0L4.0 0.0L4.0 10Z");
	assert.equal(sparkArea([null], 4, 10), "");
});
