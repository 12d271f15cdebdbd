// SPDX-License-Identifier: ISC
// A made-up world for working on the pages without a collector: vantage
// points, providers, a slow link, a lossy link, an outbreak.  Everything is a
// function of a seed and the time, so two looks at one instant agree.
import { createHash } from "node:crypto";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

// 0 <= x < 1, the same for the same words
export function chance(...words) {
	const h = createHash("sha256").update(words.join("|")).digest();
	return h.readUIntBE(0, 6) / 2 ** 48;
}

const id = (name) => createHash("sha256").update(name).digest("hex")
	.slice(0, 32);

export function poisson(mean, ...words) {
	if (mean > 60) { // near enough to normal
		const u = chance(...words, "u"), v = chance(...words, "v");
		const z = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(6.2832 * v);
		return Math.max(0, Math.round(mean + z * Math.sqrt(mean)));
	}
	let n = 0, p = chance(...words, n);
	const limit = Math.exp(-mean);
	while (p > limit)
		p *= chance(...words, ++n);
	return n;
}

export const AGENTS = [
	["ams-1", ["europe", "dark"], "192.0.2.10"],
	["fra-1", ["europe"], "192.0.2.74"],
	["nyc-1", ["america", "dark"], "198.51.100.10"],
	["gru-1", ["america"], "198.51.100.90"],
	["sgp-1", ["asia", "dark"], "203.0.113.10"],
].map(([name, tags, address]) => ({ id: id(name), name, tags, address }));

// Routers: an access router per agent, two edges and two cores per provider.
const EDGES = [
	// access
	["192.0.2.10", "192.0.2.1", 0.4], ["192.0.2.74", "192.0.2.65", 0.5],
	["198.51.100.10", "198.51.100.1", 0.4],
	["198.51.100.90", "198.51.100.81", 0.7],
	["203.0.113.10", "203.0.113.1", 0.5],
	// provider A: ams, fra, two equal paths in the middle
	["192.0.2.1", "192.0.2.33", 1.1], ["192.0.2.1", "192.0.2.34", 1.2],
	["192.0.2.33", "192.0.2.40", 3.2], ["192.0.2.34", "192.0.2.40", 3.1],
	["192.0.2.65", "192.0.2.40", 2.8], ["192.0.2.40", "192.0.2.129", 0.9],
	["192.0.2.40", "192.0.2.130", 1.0],
	// provider B
	["198.51.100.1", "198.51.100.33", 0.8],
	["198.51.100.33", "198.51.100.40", 4.1],
	["198.51.100.33", "198.51.100.41", 4.0],
	["198.51.100.40", "198.51.100.65", 0.6],
	["198.51.100.41", "198.51.100.65", 0.7],
	["198.51.100.81", "198.51.100.66", 2.1],
	["198.51.100.66", "198.51.100.65", 52],
	// provider C
	["203.0.113.1", "203.0.113.33", 1.4],
	["203.0.113.33", "?203.0.113.33~203.0.113.65~1/2", 2],
	["?203.0.113.33~203.0.113.65~1/2", "?203.0.113.33~203.0.113.65~2/2", 2],
	["?203.0.113.33~203.0.113.65~2/2", "203.0.113.65", 2.5],
	["203.0.113.33", "203.0.113.34", 1.1],
	["203.0.113.34", "203.0.113.66", 4.0],
	// between providers
	["192.0.2.129", "198.51.100.65", 71], ["192.0.2.130", "203.0.113.65", 96],
	["192.0.2.129", "203.0.113.66", 91], ["198.51.100.65", "203.0.113.66", 108],
	// destinations
	["192.0.2.40", "192.0.2.200", 1.3], ["198.51.100.65", "198.51.100.201", 1.1],
	["203.0.113.66", "203.0.113.202", 1.6],
	["192.0.2.130", "2001:db8:a::53", 1.9],
	["198.51.100.40", "2001:db8:b::80", 2.2],
];
const SLOW = "192.0.2.129>203.0.113.66", LOSSY = "198.51.100.33>198.51.100.41";
const MPLS = new Set(["198.51.100.40", "198.51.100.41"]);
const DESTINATIONS = ["192.0.2.200", "198.51.100.201", "203.0.113.202",
	"2001:db8:a::53", "2001:db8:b::80"];

const neighbours = new Map();
for (const [a, b] of EDGES)
	for (const [x, y] of [[a, b], [b, a]])
		neighbours.set(x, [...neighbours.get(x) ?? [], y]);

// Every shortest path's links from one place to another.
function pathLinks(from, to) {
	const depth = new Map([[from, 0]]), queue = [from];
	for (const at of queue)
		for (const next of neighbours.get(at))
			if (!depth.has(next)) {
				depth.set(next, depth.get(at) + 1);
				queue.push(next);
			}
	const links = new Set(), back = [to], seen = new Set(back);
	for (const at of back)
		for (const before of neighbours.get(at))
			if (depth.get(before) === depth.get(at) - 1) {
				links.add(`${before}>${at}`);
				if (!seen.has(before)) {
					seen.add(before);
					back.push(before);
				}
			}
	return links;
}

const PROTOCOLS = { tcp: 6, udp: 17 };
const iso = (ms) => new Date(ms).toISOString();

function linkOf(key, agents, from, to) {
	const [a, b] = key.split(">");
	const edge = EDGES.find(([x, y]) => (x === a && y === b)
		|| (x === b && y === a));
	const slow = key === SLOW, lossy = key === LOSSY;
	const base = (edge?.[2] ?? 1 + 20 * chance(key) ** 8)
		+ (slow ? 164 : 0);
	const silent = b.startsWith("?");
	const traces = Math.max(1, Math.round(agents.size * (to - from) / MINUTE
		* (0.7 + 0.3 * chance(key))));
	return {
		id: key, from: a, to: b, traces,
		delay_ns: silent || a.startsWith("?") && !b.startsWith("2") ? null
			: Math.round(base * 1e6 * (0.96 + 0.08 * chance(key, to >> 14))),
		delay_mad_ns: silent ? null : Math.round(base * 3e4),
		loss: silent ? null : lossy ? 0.083 : chance(key, "loss") > 0.85
			? 0.004 : 0,
		loss_low: silent ? null : lossy ? 0.07 : 0,
		loss_samples: silent ? 0 : traces * 3,
		first_at: iso(from + 4000), last_at: iso(to - 2000),
	};
}

// A tree with some cross links hung onto the world, to see how big maps do.
let ballast = [];
export function addBallast(count) {
	const name = (i) => i === 0 ? "192.0.2.130"
		: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
	ballast = [];
	for (let i = 1; i <= count; i++) {
		const parent = Math.floor(i * chance("parent", i) * 0.6);
		ballast.push(`${name(parent)}>${name(i)}`);
		if (chance("cross", i) < 0.3)
			ballast.push(`${name(Math.floor(i * chance("to", i)))}>${name(i)}`);
	}
}

export function topology(from, to, agent) {
	const used = new Map();
	const targets = [...DESTINATIONS, ...AGENTS.map((a) => a.address)];
	for (const source of AGENTS.filter((a) => !agent || a.id === agent))
		for (const target of targets)
			if (target !== source.address)
				for (const key of pathLinks(source.address, target))
					used.set(key, (used.get(key) ?? new Set())
						.add(source.id));
	for (const key of agent ? [] : ballast)
		used.set(key, new Set([AGENTS[0].id]));
	const links = [...used].map(([key, agents]) =>
		linkOf(key, agents, from, to));
	const seenBy = new Map();
	for (const [key, agents] of used)
		for (const end of key.split(">")) {
			const all = seenBy.get(end) ?? new Set();
			for (const a of agents)
				all.add(a);
			seenBy.set(end, all);
		}
	const nodes = [...seenBy].map(([node, agents]) => {
		const source = AGENTS.find((a) => a.address === node);
		const silent = node.startsWith("?");
		return {
			id: node, addr: silent ? null : node,
			role: source && agents.has(source.id) ? "source"
				: source || DESTINATIONS.includes(node) ? "destination"
				: "router",
			traces: links.filter((l) => l.from === node || l.to === node)
				.reduce((n, l) => n + l.traces, 0),
			rtt_min_ns: silent ? null : source ? 4e5
				: Math.round(2e6 + 9e7 * chance(node)),
			loss: silent ? null : chance(node, "l") > 0.9 ? 0.01 : 0,
			mpls: MPLS.has(node), agents: [...agents],
			name: source?.name ?? null,
		};
	});
	return { from: iso(from), to: iso(to), nodes, links };
}

export function worstLinks(from, to) {
	return topology(from, to).links.filter((l) => l.delay_ns !== null)
		.map((l) => ({ ...l,
			score: l.id === SLOW ? 3.4 : l.id === LOSSY ? 8.3
				: l.loss > 0 ? 0.4 : l.delay_ns / 2e8,
			why: l.id === SLOW ? "slow" : l.id === LOSSY ? "lossy" : null }))
		.sort((a, b) => b.score - a.score).slice(0, 10);
}

export function linkSeries(link, from, to, bin_s, started) {
	const now = topology(from, to).links.find((l) => l.id === link);
	if (!now)
		return null;
	const bins = [], bin = bin_s * SECOND;
	for (let at = Math.ceil(from / bin) * bin; at < to; at += bin) {
		const noise = chance(link, at), late = at > started - 20 * MINUTE;
		if (chance(link, at, "gap") < 0.02)
			continue;
		const base = link === SLOW && !late ? 91e6 : now.delay_ns ?? 1e6;
		const median = base * (0.97 + 0.06 * noise);
		bins.push({ at: iso(at),
			delay_min_ns: Math.round(base * 0.95),
			delay_median_ns: Math.round(median),
			delay_max_ns: Math.round(median * (1.05 + 0.5 * noise ** 6)),
			loss: link === LOSSY && late ? 0.04 + 0.08 * noise
				: noise > 0.97 ? 0.02 : 0,
			samples: Math.max(3, Math.round(bin_s / 4)) });
	}
	return { bin_s, bins };
}

// Signatures: mean sources and packets per source in ten seconds.
export const SIGNATURES = {
	slammer: { verdict: "worm", mean: 0.3, per: 9, proto: "udp", dport: 1434 },
	mirai: { verdict: "worm", mean: 3.1, per: 4, proto: "tcp", dport: 23 },
	masscan: { verdict: "scan", mean: 2.2, per: 12, proto: "tcp", dport: 443 },
	zmap: { verdict: "scan", mean: 1.4, per: 3, proto: "tcp", dport: 80 },
	"(backscatter)": { verdict: "backscatter", mean: 0.8, per: 22,
		proto: "tcp", dport: 51344 },
};

// What has no name is known by its verdict alone.
export const signatureOf = (name) => name.startsWith("(") ? null : name;

// How many times the usual rate a signature has at an instant.
function surge(signature, at, started) {
	if (signature !== "slammer")
		return 1 + (signature === "mirai" && at > started - 50 * MINUTE
			&& at < started - 38 * MINUTE ? 1.6 : 0);
	const age = (at - (started - 3 * MINUTE)) / SECOND;
	return age < 0 ? 1 : Math.min(140, 1 + Math.exp(age / 14));
}

export function series(signature, agent, from, to, bin_s, started) {
	const facts = SIGNATURES[signature], bin = bin_s * SECOND;
	const share = agent ? 0.12 + 0.2 * chance(agent, signature) : 1;
	const points = [];
	for (let at = Math.floor(from / bin) * bin; at < to; at += bin) {
		const wide = (bin_s / 10) ** 0.75; // sources come back
		const usual = facts.mean * wide * share;
		const mean = usual * surge(signature, at, started);
		const sources = poisson(mean, signature, agent, at, bin_s);
		const missing = agent === AGENTS[3].id && at > started - 9 * MINUTE
			&& at < started - 6 * MINUTE;
		points.push({ at: iso(at), sources: missing ? 0 : sources,
			packets: missing ? 0 : sources * poisson(facts.per, agent, at),
			expected: Number(usual.toFixed(3)),
			low: Number(Math.max(0, usual - 3 * Math.sqrt(usual)).toFixed(3)),
			high: Number((usual + 3 * Math.sqrt(usual) + 1).toFixed(3)),
			missing });
	}
	return { signature: signatureOf(signature), verdict: facts.verdict,
		agent: agent ?? null, points,
		alarms: alarms(started).filter((a) => a.signature === signature
			&& (a.agent ?? null) === (agent ?? null)) };
}

export function alarms(started) {
	const base = { direction: "rise", agent: null, bin_s: 10,
		verdict: "worm",
		test: "Poisson CUSUM on distinct sources",
		average_run_length: 100000, within: null, agents: [] };
	return [
		{ ...base, id: "a2", signature: "slammer",
		  onset_at: iso(started - 170 * SECOND),
		  detected_at: iso(started - 150 * SECOND), ended_at: null,
		  observed: 40.2, expected: 0.3 },
		{ ...base, id: "a1", signature: "mirai",
		  onset_at: iso(started - 50 * MINUTE),
		  detected_at: iso(started - 49.5 * MINUTE),
		  ended_at: iso(started - 38 * MINUTE),
		  observed: 8.1, expected: 3.1 },
	];
}

export const PAYLOAD = "04" + "01".repeat(96) + "dcc9b042eb0e0101010101"
	+ "81f10301049b81f101" + "90".repeat(40);
export const PAYLOAD_HASH = createHash("sha256").update(PAYLOAD)
	.digest("hex");

export function sightings(from, to, started) {
	const items = [];
	for (const [signature, facts] of Object.entries(SIGNATURES)) {
		const n = signature === "slammer" ? 84 : 12 + Math.round(facts.mean * 9);
		for (let i = 0; i < n; i++) {
			const r = (w) => chance(signature, i, w);
			const packets = 1 + Math.floor(r("p") ** 3 * 900);
			const first = signature === "slammer"
				? started - 3 * MINUTE * r("f") : from + r("f") * (to - from);
			items.push({
				src: `${[11, 45, 77, 103, 141, 185][Math.floor(r("o") * 6)]}.`
					+ `${Math.floor(r("a") * 255)}.${Math.floor(r("b") * 255)}`
					+ `.${1 + Math.floor(r("c") * 253)}`,
				verdict: facts.verdict, proto: PROTOCOLS[facts.proto],
				signature: signatureOf(signature),
				dport: facts.dport, packets,
				targets: Math.max(1, Math.round(packets * (0.4 + 0.6 * r("t")))),
				first_at: iso(first),
				last_at: iso(Math.min(to, first + r("l") * (to - first))),
				agents: AGENTS.filter((a, k) => r(a.name) < 0.35
					|| k === i % 5).map((a) => a.id),
				payload_hash: signature === "slammer" ? PAYLOAD_HASH : null,
				spoofable: facts.proto === "udp" || facts.verdict === "scan",
				targets_estimated: packets > 40, ports: 1,
				ports_at_least: false, addresses: null, victim: null,
				odds: facts.verdict === "scan" ? 2 ** (10 + i % 50) : null,
			});
		}
	}
	return items.sort((a, b) => b.packets - a.packets);
}

const WORM_PACKET = "45000194000100003411b6b9cb007109c633640904d2059a0180";

export function evidence(from, to, started) {
	return sightings(from, to, started).slice(0, 200).map((s) => ({
		agent: s.agents[0], src: s.src, verdict: s.verdict,
		signature: s.signature, rule: s.signature ?? s.verdict,
		rule_version: 1, captured_at: s.first_at,
		size_bytes: s.verdict === "worm" ? 404 : 40, hex: WORM_PACKET }));
}

export function agents(now, started) {
	return AGENTS.map((agent, i) => {
		const produced = Math.round(48210 + 9000 * chance(agent.name)
			+ (now - started) / 90);
		const lost = i === 3 ? 214 : 0;
		const late = i === 3;
		const waiting = late ? 640 : Math.round(chance(agent.name, now >> 12) * 9);
		return { id: agent.id, name: agent.name, tags: agent.tags,
			version: "0.1.0", state: late ? "late" : "up",
			enrolled_at: iso(started - 40 * 24 * HOUR - i * HOUR),
			last_seen_at: iso(now - (late ? 4 * MINUTE
				: 1000 + 4000 * chance(agent.name, now >> 12))),
			addresses: [agent.address], epoch: 3 + i, produced,
			stored: produced - lost - waiting, lost,
			captured: Math.round(812000 + (now - started) / 20),
			capture_dropped: i === 2 ? 1311 : 0,
			watch: i === 2 ? "some" : "all",
			interfaces: [{ name: "eth0", watched: true, why: null,
				since: iso(started), ring_bytes: 2097152 },
			...i === 2 ? [{ name: "ppp0", watched: false,
				why: "no such interface", since: iso(now - HOUR),
				ring_bytes: 0 }] : []],
			sent: Math.round(1220450 + (now - started) / 12),
			denied: i === 0 ? { "special-purpose": 312, "rate-prefix": 4410,
				"deny-list": 16 } : i === 4 ? { "rate-agent": 120 } : {},
			clock: { state: i === 4 ? "unsynchronised" : "synchronised",
				error_ns: i === 4 ? 34000000 : 120000 + 90000 * i },
			spool_bytes: waiting * 410,
			counters: { "guardian.sent": 1220450, "guardian.denied": 4738,
				"guardian.late": 12, "sensor.read": 812000,
				"sensor.truncated": 31, "sensor.malformed": 4,
				"worker.runs": 5210, "worker.killed": 1,
				"shipper.batches": 4112, "shipper.retries": 9 } };
	});
}

// One made-up event; n makes it another one.
export function event(n, now, started) {
	const pick = chance("event", n);
	const agent = AGENTS[Math.floor(chance("who", n) * 5)];
	const at = iso(now);
	if (n % 17 === 5)
		return { type: "alarm", at, text: "Slammer: sources rise, 40 in 10 s, "
			+ "expected 0.3", ...alarms(started)[0] };
	if (n % 23 === 9)
		return { type: "gap", at, agent: agent.id,
			text: `${agent.name} declared 214 records lost: spool full` };
	if (n % 29 === 11)
		return { type: "agent", at, agent: agent.id, state: "late",
			text: `${agent.name} is late: nothing for 60 s` };
	if (pick < 0.45) {
		const s = sightings(now - HOUR, now, started)[
			Math.floor(chance("s", n) * 80)];
		return { type: "sighting", at, src: s.src, signature: s.signature,
			verdict: s.verdict,
			text: `${s.src} first seen sending ${s.signature ?? s.verdict} `
				+ `(port ${s.dport}) at ${agent.name}` };
	}
	const dst = DESTINATIONS[Math.floor(chance("d", n) * 5)];
	return { type: "run", at, agent: agent.id, kind: "trace", dst,
		reached: true, run: n,
		text: `${agent.name} traced ${dst}: reached in `
			+ `${4 + Math.floor(pick * 8)} hops` };
}
