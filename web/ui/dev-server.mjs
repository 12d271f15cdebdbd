// SPDX-License-Identifier: ISC
// Serves dist/ with the collector's headers and a made-up world behind the
// API: node dev-server.mjs [--port N] [--dist DIR] [--empty] [--quiet]
// [--ballast ROUTERS].
// For working on the pages; the collector is the real thing.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as results from "./dev/results.mjs";
import * as world from "./dev/world.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({ options: {
	port: { type: "string", default: "8480" },
	dist: { type: "string", default: join(here, "dist") },
	ballast: { type: "string", default: "0" },
	empty: { type: "boolean", default: false },
	quiet: { type: "boolean", default: false },
} });
const started = Date.now();
world.addBallast(Number(options.ballast));
const HEARTBEAT_MS = 15000, EVENT_MS = 1500;

const HEADERS = {
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; "
		+ "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
		+ "worker-src 'self'; base-uri 'none'; form-action 'none'; "
		+ "frame-ancestors 'none'",
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy": "no-referrer",
	"Cross-Origin-Opener-Policy": "same-origin",
};
const TYPES = { ".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8" };

function send(response, status, type, body) {
	response.writeHead(status, { ...HEADERS, "Content-Type": type });
	response.end(body);
}

function sendJson(response, body, status = 200) {
	send(response, status, status < 400 ? "application/json"
		: "application/problem+json", JSON.stringify(body));
}

function problem(response, status, title, detail) {
	sendJson(response, { type: "about:blank", title, status, detail }, status);
}

function instant(text, fallback) {
	if (!text)
		return fallback;
	const m = /^-(\d+)([smhd])$/.exec(text);
	if (m)
		return Date.now() - m[1] * { s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[m[2]];
	return Date.parse(text);
}

function range(query) {
	const to = instant(query.get("to"), Date.now());
	return [instant(query.get("from"), to - 3600e3), to];
}

function overview(now) {
	const agents = options.empty ? [] : world.agents(now, started);
	const count = (state) => agents.filter((a) => a.state === state).length;
	const sum = (key) => agents.reduce((n, a) => n + a[key], 0);
	return { now: new Date(now).toISOString(),
		agents: { up: count("up"), late: count("late"), total: agents.length },
		worst_links: options.empty ? []
			: world.worstLinks(now - 3600e3, now),
		alarms: options.empty ? [] : world.alarms(started),
		records: { stored: sum("stored"), lost: sum("lost"),
			per_second: options.empty ? 0 : 11.1 } };
}

// The lists of the API over the made-up world: path -> (query) => items
const LISTS = {
	agents: () => world.agents(Date.now(), started),
	alarms: () => options.empty ? [] : world.alarms(started),
	campaigns: () => [], runs: () => [], records: () => [],
	results: () => options.empty ? [] : [{ ...results.SCHEMA,
		first_at: new Date(started).toISOString() }],
	signatures: (query) => {
		const [from, to] = range(query);
		return Object.entries(world.SIGNATURES).map(([signature, s]) => {
			const mine = world.sightings(from, to, started)
				.filter((x) => x.signature === world.signatureOf(signature)
					&& x.verdict === s.verdict);
			return { signature: world.signatureOf(signature), verdict: s.verdict, sources: mine.length,
				packets: mine.reduce((n, x) => n + x.packets, 0),
				first_at: mine.map((x) => x.first_at).sort()[0],
				last_at: mine.map((x) => x.last_at).sort().at(-1) };
		});
	},
	sightings: (query) => {
		const [from, to] = range(query);
		const has = (key, value) => !query.get(key)
			|| query.get(key) === value;
		return world.sightings(from, to, started).filter((s) =>
			has("signature", s.signature) && has("verdict", s.verdict)
			&& has("src", s.src) && (!query.get("agent")
				|| s.agents.includes(query.get("agent"))));
	},
	evidence: (query) => {
		const [from, to] = range(query);
		return world.evidence(from, to, started)
			.filter((e) => !query.get("src") || e.src === query.get("src"));
	},
};

function list(response, query, items) {
	const limit = Math.min(1000, Number(query.get("limit") ?? 100));
	const at = Number(query.get("cursor") ?? 0);
	const next = at + limit < items.length ? String(at + limit) : null;
	sendJson(response, { items: items.slice(at, at + limit), next });
}

function single(path, query) {
	const [from, to] = range(query), agent = query.get("agent");
	if (path === "overview")
		return overview(Date.now());
	if (path === "topology")
		return options.empty ? { from: new Date(from).toISOString(),
			to: new Date(to).toISOString(), nodes: [], links: [] }
			: world.topology(from, to, agent);
	if (path === "series") {
		const bin_s = Number(query.get("bin") ?? 60);
		const wanted = query.get("signature");
		const names = options.empty ? [] : Object.keys(world.SIGNATURES)
			.filter((s) => (!wanted || s === wanted)
				&& (!query.get("verdict") || world.SIGNATURES[s].verdict
					=== query.get("verdict")));
		return { bin_s, series: names.map((s) =>
			world.series(s, agent, from, to, bin_s, started)) };
	}
	if (path === "results/rows") {
		const all = results.rows(query.get("table"), agent, from, to);
		const at = Number(query.get("cursor") ?? 0);
		const end = at + Math.min(1000, Number(query.get("limit") ?? 100));
		return { script: results.SCHEMA.script, hash: results.SCHEMA.hash,
			table: results.SCHEMA.tables.find((t) =>
				t.name === query.get("table")),
			items: all.slice(at, end),
			next: end < all.length ? String(end) : null };
	}
	const link = /^links\/(.+)\/series$/.exec(path);
	if (link)
		return world.linkSeries(decodeURIComponent(link[1]), from, to,
			Number(query.get("bin") ?? 60), started);
	if (path === `payloads/${world.PAYLOAD_HASH}`)
		return { hash: world.PAYLOAD_HASH, hex: world.PAYLOAD,
			sha256: world.PAYLOAD_HASH,
			size_bytes: world.PAYLOAD.length / 2 };
	const agentPath = /^agents\/(\w+)$/.exec(path);
	return agentPath ? world.agents(Date.now(), started)
		.find((a) => a.id === agentPath[1]) : null;
}

function events(request, response, query) {
	response.writeHead(200, { ...HEADERS,
		"Content-Type": "text/event-stream", "Cache-Control": "no-store" });
	response.write("retry: 2000\n\n");
	if (options.empty)
		return;
	const last = Number(request.headers["last-event-id"] ?? NaN);
	let n = Number.isFinite(last) ? last + 1
		: 1000 - Number(query.get("last") ?? 0);
	const write = (at) => {
		const { type, ...data } = world.event(n, at, started);
		response.write(`id: ${n}\nevent: ${type}\ndata: `
			+ `${JSON.stringify({ type, ...data })}\n\n`);
		n++;
	};
	while (n < 1000)
		write(started - (1000 - n) * EVENT_MS);
	if (options.quiet)
		return;
	const events = setInterval(() => write(Date.now()), EVENT_MS);
	const beats = setInterval(() => response.write(": beat\n\n"),
		HEARTBEAT_MS);
	request.on("close", () => {
		clearInterval(events);
		clearInterval(beats);
	});
}

async function file(response, path) {
	const name = path === "/" ? "index.html"
		: normalize(path).replace(/^\/+/, "");
	try {
		const body = await readFile(join(options.dist, name));
		send(response, 200, TYPES[extname(name)] ?? "text/plain", body);
	} catch {
		problem(response, 404, "Not Found", `no file ${name}`);
	}
}

function answer(request, response) {
	const url = new URL(request.url, "http://localhost");
	if (!url.pathname.startsWith("/api/v1/"))
		return file(response, url.pathname);
	const path = url.pathname.slice("/api/v1/".length);
	if (path === "events")
		return events(request, response, url.searchParams);
	if (Object.hasOwn(LISTS, path))
		return list(response, url.searchParams,
			options.empty ? [] : LISTS[path](url.searchParams));
	const body = single(path, url.searchParams);
	if (body)
		return sendJson(response, body);
	problem(response, 404, "Not Found", `nothing at ${url.pathname}`);
}

createServer(answer).listen(Number(options.port), "127.0.0.1", function () {
	console.log(`http://127.0.0.1:${this.address().port}/`);
});
