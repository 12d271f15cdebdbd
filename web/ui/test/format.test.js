// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { alarmFacts, alarmWords, evidenceText, formatBin, formatBytes,
	formatCompact, formatCount, formatDelay, formatLoss, formatPort,
	hexDump, linkEnds, nodeLabel, peakOf, plural, shellQuote, sourcesOf,
	titleOf, toCsv, toNdjson }
	from "../src/lib/format.js";

const plain = (text) => text.replaceAll("\u00a0", " ");

test("counts are grouped, big ones get a unit", () => {
	assert.equal(formatCount(1234567), "1,234,567");
	assert.equal(formatCount(0), "0");
	assert.equal(formatCount(null), "\u2013");
	assert.equal(plain(formatCompact(9999)), "9,999");
	assert.equal(plain(formatCompact(12345)), "12.3 k");
	assert.equal(plain(formatCompact(999999)), "1 M");
	assert.equal(plural(1, "source"), "1 source");
	assert.equal(plural(2, "source"), "2 sources");
});

test("delays choose their unit, also where rounding crosses one", () => {
	assert.equal(plain(formatDelay(812)), "812 ns");
	assert.equal(plain(formatDelay(42500)), "42.5 \u00b5s");
	assert.equal(plain(formatDelay(999999)), "1 ms");
	assert.equal(plain(formatDelay(1234567890)), "1.23 s");
	assert.equal(plain(formatDelay(0)), "0 ms");
	assert.equal(formatDelay(null), "\u2013");
});

test("a loss that is not zero never reads as zero", () => {
	assert.equal(plain(formatLoss(0)), "0 %");
	assert.equal(plain(formatLoss(0.0000001)), "<0.1 %");
	assert.equal(plain(formatLoss(0.083)), "8.3 %");
	assert.equal(plain(formatLoss(0.5)), "50 %");
});

test("an alarm is a sentence", () => {
	const alarm = { observed: 40.2, expected: 0.31, bin_s: 10,
		onset_at: "2026-11-22T12:03:10Z", ended_at: null };
	const now = Date.UTC(2026, 10, 22, 13);
	assert.equal(plain(alarmFacts(alarm, now, true)),
		"40 sources in 10 s, expected 0.3, since 12:03:10");
	assert.equal(plain(alarmFacts({ ...alarm, observed: 1,
		ended_at: "2026-11-22T12:04:00Z", bin_s: 60 }, now, true)),
		"1 source in a minute, expected 0.3, 12:03:10 to 12:04:00");
	assert.equal(formatBin(undefined), "a bin");
	assert.equal(titleOf("code-red"), "Code Red");
	assert.equal(titleOf("", "backscatter"), "Backscatter");
	assert.equal(titleOf(null, undefined), "Unnamed traffic");
});

test("a count of sources that is a lower bound says so", () => {
	assert.equal(plain(sourcesOf(1, true)), "at least 1 source");
	assert.equal(plain(sourcesOf(1200, false)), plain(plural(1200, "source")));
});

test("protocols and ports are named", () => {
	assert.equal(formatPort(17, 1434), "udp 1434");
	assert.equal(formatPort(1, 8 << 8), "icmp 8/0");
	assert.equal(formatPort("tcp", 23), "tcp 23");
	assert.equal(formatPort(47, 0), "47 0");
});

test("bytes have binary units", () => {
	assert.equal(plain(formatBytes(0)), "0 B");
	assert.equal(plain(formatBytes(2048)), "2 KiB");
	assert.equal(plain(formatBytes(5 * 2 ** 20)), "5 MiB");
});

test("ids of links and silent nodes are taken apart", () => {
	assert.deepEqual(linkEnds("192.0.2.1>?192.0.2.1~192.0.2.9~1/2"),
		["192.0.2.1", "?192.0.2.1~192.0.2.9~1/2"]);
	assert.equal(nodeLabel("?192.0.2.1~192.0.2.9~1/2"),
		"? (silent 1/2, before 192.0.2.9)");
	assert.equal(nodeLabel("2001:db8::1"), "2001:db8::1");
});

test("CSV quotes what needs it and disarms formulas", () => {
	assert.equal(toCsv([{ a: 'x"y', b: "=1+1" }, { a: "p,q", b: -3 }]),
		'a,b\r\n"x""y",\'=1+1\r\n"p,q",-3\r\n');
	assert.equal(toCsv([{ a: 1 }, { b: null }]), "a,b\r\n1,\r\n,\r\n");
	assert.equal(toNdjson([{ a: 1 }, { a: 2 }]), '{"a":1}\n{"a":2}\n');
});

test("a word for the shell is quoted only if it must be", () => {
	assert.equal(shellQuote("ams-1"), "ams-1");
	assert.equal(shellQuote("it's"), "'it'\\''s'");
	assert.equal(shellQuote(""), "''");
	assert.equal(shellQuote("a?b&c"), "'a?b&c'");
});

test("a payload is shown sixteen bytes a line", () => {
	const lines = hexDump("04" + "41".repeat(16));
	assert.equal(lines.length, 2);
	assert.equal(lines[0].ascii, "." + "A".repeat(15));
	assert.equal(lines[1].offset, "0010");
	assert.deepEqual(hexDump(""), []);
});

const alarm = { direction: "rise", onset_at: "2026-11-22T01:00:00Z",
	ended_at: "2026-11-22T01:00:30Z", observed: 95.6, expected: 0.9,
	bin_s: 5 };
const point = (second, sources, missing = false) => ({ sources, missing,
	at: `2026-11-22T01:00:${second}Z` });

test("a peak lies within its alarm and is no bin without a watcher", () => {
	const points = [point("00", 20), point("10", 178), point("20", 40),
		point("25", 999, true), point("30", 500)];
	assert.deepEqual(peakOf(alarm, points),
		{ at: "2026-11-22T01:00:10Z", value: 178 });
	assert.equal(peakOf({ ...alarm, direction: "fall" }, points).value, 20);
	assert.equal(peakOf({ ...alarm, ended_at: null }, points).value, 500);
	assert.equal(peakOf(alarm, []), null);
});

test("an alarm in words says mean, peak and what was expected", () => {
	assert.equal(alarmWords(alarm, { value: 178 }), "on average 96 sources "
		+ "per 5\u00a0s, at most 178, where its past explains 0.9");
	assert.equal(alarmWords(alarm, null), "on average 96 sources per 5\u00a0s"
		+ ", where its past explains 0.9");
});

test("a report names times, ports, watchers and doubts", () => {
	const text = evidenceText("192.0.2.9", [{ signature: "slammer",
		verdict: "worm", proto: 17, dport: 1434, first_at: "T1",
		last_at: "T2", packets: 7, targets: 2, agents: ["b", "a"],
		payload_hash: "31", spoofable: true }], (id) => `agent ${id}`);
	for (const part of ["192.0.2.9", "Slammer (worm), udp 1434", "T1", "T2",
		"7 packets to 2 addresses", "agent a, agent b", "31", "forged"])
		assert.ok(text.includes(part), `${part} is not in ${text}`);
});

test("a blind sensor is said to be blind, not to have no sources", () => {
	const alarm = { detector: "silence", verdict: "sensor", signature: null,
		direction: "fall", observed: 0, expected: 1, bin_s: 60,
		onset_at: "2026-11-22T11:00:00Z", ended_at: null };
	const now = Date.parse("2026-11-22T12:00:00Z");
	assert.match(alarmFacts(alarm, now, true),
		/^blind, though its agent calls, since /);
	assert.doesNotMatch(alarmFacts(alarm, now, true), /sources/);
	assert.equal(titleOf(alarm.signature, alarm.verdict), "A sensor");
	assert.match(alarmWords(alarm, null), /counts nothing/);
	const one = { ...alarm, detector: "blind", test: "coverage of eth0" };
	assert.match(alarmFacts(one, now, true), /^blind at eth0, though /);
	assert.match(alarmWords(one, null), /counts nothing more at eth0,/);
});
