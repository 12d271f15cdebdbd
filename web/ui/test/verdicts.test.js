// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import test from "node:test";
import { judgementOf, oddsWords, reachWords, VERDICT_WORDS, victimOf }
	from "../src/lib/verdicts.js";

const slammer = { signature: "slammer", verdict: "worm", spoofable: true };
const mirai = { signature: "mirai", verdict: "worm", spoofable: false };

test("who may be forged is not said to have answered, nor to be infected", () => {
	const text = judgementOf([slammer]);
	assert.match(text, /packets of Slammer/);
	assert.match(text, /No handshake was completed/);
	assert.match(text, /infection there is not proven/);
	assert.doesNotMatch(text, /answered|is infected/);
});

test("a completed handshake proves the worm that came with it alone", () => {
	const text = judgementOf([slammer, mirai]);
	assert.match(text, /completed a handshake.*Mirai.*is infected/);
	assert.doesNotMatch(text, /Slammer|answered/);
});

test("odds say how rarely the innocent do this, and no more", () => {
	assert.equal(oddsWords(4096),
		"an innocent source does this less often than once in 4,096");
	assert.match(oddsWords(2 ** 40), /once in 10\u00b9\u00b2$/);
	assert.equal(oddsWords(null), "");
	assert.equal(oddsWords(1), "");
	const scan = { verdict: "scan", signature: null, odds: 65536 };
	assert.match(judgementOf([scan]), /scan.*once in 65,536/);
});

test("a probe and an unrouted source are named, explained, not accused", () => {
	for (const verdict of ["probe", "unrouted", "backscatter"]) {
		const text = judgementOf([{ verdict, signature: null, odds: 4 }]);
		assert.ok(text.includes(verdict) && text.includes(
			VERDICT_WORDS[verdict]), text);
		assert.doesNotMatch(text, /infected|once in/);
	}
});

test("of backscatter the victim is named where it is another", () => {
	assert.equal(victimOf({ src: "192.0.2.1", victim: "192.0.2.66" }),
		"192.0.2.66");
	assert.equal(victimOf({ src: "192.0.2.1", victim: "192.0.2.1" }), null);
	assert.equal(victimOf({ src: "192.0.2.1", victim: null }), null);
});

test("what is estimated says so", () => {
	assert.equal(reachWords({ packets: 1, targets: 1, ports: 1 }),
		"1 packet to 1 address");
	assert.equal(reachWords({ packets: 900, targets: 412, ports: 300,
		targets_estimated: true, ports_at_least: true }),
		"900 packets to about 412 addresses and at least 300 ports");
});
