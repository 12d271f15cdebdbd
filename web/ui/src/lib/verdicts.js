// SPDX-License-Identifier: ISC
// What a verdict says of a source, what is proven, and what is not.
import { formatCount, plural, titleOf } from "./format.js";

export const VERDICT_WORDS = {
	worm: "the packets of a known worm",
	scan: "asked more addresses or ports than innocent sources do, or bears "
		+ "the fingerprint of a scanning tool",
	probe: "too little to tell a scanner from a mistake: counted, and "
		+ "nobody is accused",
	backscatter: "answers that nobody asked for: somebody was attacked in "
		+ "our names, and who answers is a victim or a router on its way",
	flood: "an attack on one victim, mostly in forged names",
	misconfiguration: "left-overs for a former user of an address, or "
		+ "local traffic that lost its way",
	unrouted: "from an address that the Internet does not route: forged or "
		+ "local, and no machine to look for",
	other: "nothing that says who or why",
};

const SUPERSCRIPT = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077"
	+ "\u2078\u2079";
const BILLION = 1e9;

// No probability of guilt: how rarely an innocent source does the same.
export function oddsWords(odds) {
	if (!(odds > 1))
		return "";
	const n = odds < BILLION ? formatCount(Math.floor(odds)) : "10"
		+ [...String(Math.floor(Math.log10(odds)))]
			.map((d) => SUPERSCRIPT[d]).join("");
	return `an innocent source does this less often than once in ${n}`;
}

const unique = (items) => [...new Set(items)];
const namesOf = (items) => unique(items.map((s) => titleOf(s.signature,
	s.verdict))).join(" and ");

function wormWords(worms) {
	const proven = worms.filter((s) => !s.spoofable);
	if (proven.length > 0)
		return "It completed a handshake, which who forges this address "
			+ `cannot, and sent the probes of ${namesOf(proven)}: a machine `
			+ "behind this address is infected.";
	return `It sent the packets of ${namesOf(worms)}. No handshake was `
		+ "completed, so nothing shows that this address is true: it may be "
		+ "forged, and an infection there is not proven.";
}

const WORST = ["scan", "flood", "probe", "misconfiguration", "backscatter",
	"unrouted", "other"];

// What the sightings of one address mean, for a reader who never saw this page
// before.
export function judgementOf(items) {
	const worms = items.filter((s) => s.verdict === "worm");
	if (worms.length > 0)
		return wormWords(worms);
	const verdict = WORST.find((v) => items.some((s) => s.verdict === v));
	const odds = oddsWords(Math.max(0, ...items
		.filter((s) => s.verdict === "scan").map((s) => s.odds ?? 0)));
	return `No packet of it matches a worm. Its verdict is ${verdict
		?? "other"}: ${VERDICT_WORDS[verdict] ?? VERDICT_WORDS.other}.`
		+ (odds ? ` By what it tried, ${odds}.` : "");
}

// "7 packets to about 40 addresses and 300 ports"
export function reachWords(s) {
	const targets = (s.targets_estimated ? "about " : "")
		+ plural(s.targets, "address", "addresses");
	const ports = s.ports > 1 ? ` and ${s.ports_at_least ? "at least " : ""}`
		+ plural(s.ports, "port") : "";
	return `${plural(s.packets, "packet")} to ${targets}${ports}`;
}

// Whom a backscatter's packets tell of, where it is not the source.
export const victimOf = (s) => s.victim && s.victim !== s.src
	? s.victim : null;
