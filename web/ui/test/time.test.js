// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { aroundAlarm, formatAgo, formatDateTime, formatMoment, formatSpan,
	fromInputValue, linkBin_s, parseTime, pickBin_s, resolveRange,
	toInputValue }
	from "../src/lib/time.js";

const NOON = Date.UTC(2026, 10, 22, 12, 0, 0);

test("nanoseconds in a time are read, not refused", () => {
	assert.equal(parseTime("2026-11-22T12:00:00.123456789Z"), NOON + 123);
	assert.equal(parseTime("2026-11-22T12:00:00Z"), NOON);
	assert.ok(Number.isNaN(parseTime("yesterday")));
	assert.ok(Number.isNaN(parseTime(null)));
});

test("a named range ends now, an unknown one is the default", () => {
	assert.deepEqual(resolveRange({ range: "5m" }, NOON), { from: NOON - 300000,
		to: NOON, refresh_ms: 5000, id: "5m" });
	assert.equal(resolveRange({ range: "2y" }, NOON).id, "1h");
	assert.equal(resolveRange({}, NOON).id, "1h");
});

test("a custom range is fixed, and must not be backwards", () => {
	const state = { range: "custom", from: "2026-11-01T00:00:00Z",
		to: "2026-11-02T00:00:00Z" };
	assert.equal(resolveRange(state, NOON).refresh_ms, 0);
	assert.equal(resolveRange({ ...state, to: state.from }, NOON).id, "1h");
});

test("bins grow with the span and stay below a few thousand", () => {
	assert.equal(pickBin_s(5 * 60e3), 10);
	assert.equal(pickBin_s(3600e3), 60);
	assert.equal(pickBin_s(7 * 86400e3), 3600);
	assert.equal(pickBin_s(365 * 86400e3), 86400);
});

test("spans have two units at most", () => {
	assert.equal(formatSpan(400), "0\u00a0s");
	assert.equal(formatSpan(59e3), "59\u00a0s");
	assert.equal(formatSpan(4 * 3600e3 + 5 * 60e3), "4\u00a0h 5\u00a0min");
	assert.equal(formatSpan(12 * 3600e3 + 5 * 60e3), "12\u00a0h");
	assert.equal(formatSpan(3 * 86400e3), "3\u00a0d");
	assert.equal(formatAgo(NOON - 500, NOON), "just now");
	assert.equal(formatAgo(NaN, NOON), "never");
});

test("a moment of another day carries its date", () => {
	assert.equal(formatMoment(NOON, NOON + 1000, true), "12:00:00");
	assert.equal(formatMoment(NOON, NOON + 86400e3, true),
		"2026-11-22 12:00:00");
	assert.equal(formatDateTime(NOON, true), "2026-11-22 12:00:00");
});

test("form fields go there and back in UTC and in local time", () => {
	for (const utc of [true, false])
		assert.equal(fromInputValue(toInputValue(NOON, utc), utc), NOON);
	assert.equal(fromInputValue("2026-11-22T12:00", true), NOON);
});

test("the time around an alarm shows what was before, and not the future",
	() => {
		const onset = Date.parse("2026-11-22T01:00:00Z"), minute = 60000;
		const alarm = { onset_at: "2026-11-22T01:00:00Z", ended_at: null };
		assert.deepEqual(aroundAlarm(alarm, onset + 10 * minute),
			{ from: onset - 10 * minute, to: onset + 10 * minute });
		alarm.ended_at = "2026-11-22T01:00:30Z";
		assert.deepEqual(aroundAlarm(alarm, onset + 60 * minute),
			{ from: onset - 2 * minute, to: onset + 2.5 * minute });
	});

test("a share of packets needs a minute of them", () => {
	assert.equal(linkBin_s(5 * 60000, "delay"), 10);
	assert.equal(linkBin_s(5 * 60000, "loss"), 60);
	assert.equal(linkBin_s(7 * 86400000, "loss"), 3600);
});
