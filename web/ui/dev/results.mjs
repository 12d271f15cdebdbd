// SPDX-License-Identifier: ISC
// A made-up script's tables: the loss towards a host each minute, with its
// interval, and what answered on the way.
import { AGENTS, chance, poisson } from "./world.mjs";

const MINUTE = 60000, PROBES = 20, HOST = "192.0.2.200";

const column = (name, type, more = {}) => ({ name, type, element: null,
	unit: "", help: "", key: false, low: null, high: null, probability: null,
	...more });

export const SCHEMA = {
	hash: "6f1d0c2b3a4958677685948372615049", script: "reach", tables: [
		{ name: "summary", help: "one row a host", columns: [
			column("dst", "address", { key: true }),
			column("loss", "number", { unit: "share", low: "loss_low",
				high: "loss_high", probability: "confidence",
				help: "of the probes" }),
			column("loss_low", "number"), column("loss_high", "number"),
			column("confidence", "number"),
			column("rtt_ns", "duration", { help: "median" })] },
		{ name: "hops", help: "one row a TTL", columns: [
			column("dst", "address", { key: true }),
			column("ttl", "integer", { key: true, unit: "hops" }),
			column("answers", "list", { element: "address" })] },
	],
};

// Wilson's interval of a share, 95%.
function share(hits, count) {
	const z = 1.96, p = hits / count, scale = 1 + z * z / count;
	const middle = (p + z * z / (2 * count)) / scale;
	const half = z / scale * Math.sqrt(p * (1 - p) / count
		+ z * z / (4 * count * count));
	return { loss: p, loss_low: Math.max(0, middle - half),
		loss_high: Math.min(1, middle + half), confidence: 0.95 };
}

const ROWS = {
	summary: (agent, minute) => [{ dst: HOST, ...share(
		Math.min(PROBES, poisson(1.5, agent.id, minute)), PROBES),
	rtt_ns: Math.round(2e7 + 4e6 * chance(agent.id, minute, "rtt")) }],
	hops: (agent, minute) => minute % 10 ? [] : [1, 2, 3].map((ttl) => ({
		dst: HOST, ttl, answers: [`198.18.0.${ttl}`] })),
};

export function rows(table, agent, from, to) {
	const items = [];
	for (let minute = Math.floor(to / MINUTE); minute * MINUTE >= from;
		minute--)
		for (const by of AGENTS.filter((a) => !agent || a.id === agent))
			for (const [i, row] of (ROWS[table]?.(by, minute) ?? [])
				.entries())
				items.push({ agent: by.id, epoch: 1, seq: minute * 8 + i,
					recorded_at: new Date(minute * MINUTE)
						.toISOString(), campaign: null, run: null,
					hash: SCHEMA.hash, row });
	return items;
}
