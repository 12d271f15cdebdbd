// SPDX-License-Identifier: ISC
// Numbers and facts as text.  Pure.
import { formatMoment, parseTime } from "./time.js";

const NBSP = "\u00a0";
export const NONE = "\u2013"; // what a cell shows when nothing is known

const isNumber = (x) => typeof x === "number" && Number.isFinite(x);

// At most three significant digits, no exponent, no trailing zeros.
function short(x) {
	const a = Math.abs(x);
	if (a >= 100 || Number.isInteger(x))
		return String(Math.round(x));
	return String(Number(x.toPrecision(a < 1 ? 2 : 3)));
}

// 1234567 -> "1,234,567"
export function formatCount(n) {
	if (!isNumber(n))
		return NONE;
	if (!Number.isInteger(n))
		return short(n);
	return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

// 1234567 -> "1.23 M"; exact below 10,000
export function formatCompact(n) {
	if (!isNumber(n) || Math.abs(n) < 1e4)
		return formatCount(n);
	for (const [size, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"]])
		if (Math.abs(n) >= size * 0.9995)
			return `${short(n / size)}${NBSP}${unit}`;
	return `${short(n / 1e3)}${NBSP}k`;
}

export function formatDelay(ns) {
	if (!isNumber(ns))
		return NONE;
	const a = Math.abs(ns);
	if (a === 0)
		return `0${NBSP}ms`;
	if (a >= 9.995e8)
		return `${short(ns / 1e9)}${NBSP}s`;
	if (a >= 9.995e5)
		return `${short(ns / 1e6)}${NBSP}ms`;
	if (a >= 9.995e2)
		return `${short(ns / 1e3)}${NBSP}\u00b5s`;
	return `${short(ns)}${NBSP}ns`;
}

// A share of 1 as per cent; what is not zero never looks like zero.
export function formatLoss(share) {
	if (!isNumber(share))
		return NONE;
	const percent = share * 100;
	if (percent > 0 && percent < 0.1)
		return `<0.1${NBSP}%`;
	return `${percent >= 10 || percent === 0 ? Math.round(percent)
		: percent.toFixed(1)}${NBSP}%`;
}

export function formatBytes(n) {
	if (!isNumber(n))
		return NONE;
	for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"],
		[2 ** 10, "KiB"]])
		if (n >= size)
			return `${short(n / size)}${NBSP}${unit}`;
	return `${n}${NBSP}B`;
}

export function formatBin(bin_s) {
	if (!isNumber(bin_s))
		return "a bin";
	if (bin_s % 86400 === 0)
		return bin_s === 86400 ? "a day" : `${bin_s / 86400}${NBSP}days`;
	if (bin_s % 3600 === 0)
		return bin_s === 3600 ? "an hour" : `${bin_s / 3600}${NBSP}h`;
	if (bin_s % 60 === 0)
		return bin_s === 60 ? "a minute" : `${bin_s / 60}${NBSP}min`;
	return `${bin_s}${NBSP}s`;
}

// `atLeast`: the count is a lower bound.
export function sourcesOf(n, atLeast) {
	return (atLeast ? "at least " : "") + plural(n, "source");
}

export function plural(n, one, many = `${one}s`) {
	return `${formatCount(n)} ${n === 1 ? one : many}`;
}

// "slammer" -> "Slammer", "code-red" -> "Code Red"; some write themselves
// in their own way.
const OWN_WAY = { zmap: "ZMap", masscan: "masscan", "code-red-ii":
	"Code Red II" };
const UNNAMED = { worm: "Unnamed worm", scan: "Other scans",
	probe: "Single probes", backscatter: "Backscatter", flood: "Flood",
	misconfiguration: "Misconfiguration", unrouted: "Unrouted sources",
	other: "Other traffic",
	sensor: "A sensor" };
export function titleOf(signature, verdict) {
	if (!signature)
		return UNNAMED[verdict] ?? "Unnamed traffic";
	if (Object.hasOwn(OWN_WAY, signature))
		return OWN_WAY[signature];
	return signature.split(/[-_ ]/)
		.map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join(" ");
}

// A sensor that does not watch; where, if it says so.
export const isBlind = (alarm) => alarm.detector === "silence"
	|| alarm.detector === "blind";
const COVERAGE_OF = "coverage of ";
const blindAt = (alarm) => alarm.test?.startsWith(COVERAGE_OF)
	? ` at ${alarm.test.slice(COVERAGE_OF.length)}` : "";

// "40 sources in 10 s, expected 0.3, since 12:03:10"
export function alarmFacts(alarm, now_ms, utc) {
	const n = Number(alarm.observed);
	const verb = n === 1 ? "source" : "sources";
	const since = formatMoment(parseTime(alarm.onset_at), now_ms, utc);
	const end = parseTime(alarm.ended_at);
	const when = Number.isFinite(end)
		? `${since} to ${formatMoment(end, now_ms, utc)}` : `since ${since}`;
	if (isBlind(alarm))
		return `blind${blindAt(alarm)}, though its agent calls, ${when}`;
	return `${formatCount(round(n))} ${verb} in ${formatBin(alarm.bin_s)}, `
		+ `expected ${formatCount(round(Number(alarm.expected)))}, ${when}`;
}

// The greatest count between beginning and end of an alarm, of a fall the
// least: {at, value}, or null.
export function peakOf(alarm, points) {
	const fall = alarm.direction === "fall";
	const from = parseTime(alarm.onset_at), to = parseTime(alarm.ended_at);
	let best = null;
	for (const { at, sources, missing } of points) {
		const ms = parseTime(at);
		if (missing || typeof sources !== "number" || ms < from || ms >= to)
			continue;
		if (!best || (fall ? sources < best.value : sources > best.value))
			best = { at, value: sources };
	}
	return best;
}

// "on average 96 sources per 5 s, at most 179, where its past explains 0.9"
export function alarmWords(alarm, peak) {
	if (isBlind(alarm))
		return `it counts nothing more${blindAt(alarm)}, though its agent `
			+ "calls";
	const n = Number(alarm.observed);
	const most = alarm.direction === "fall" ? "at least" : "at most";
	return `on average ${formatCount(round(n))} `
		+ `${round(n) === 1 ? "source" : "sources"} per `
		+ `${formatBin(alarm.bin_s).replace(/^an? /, "")}, `
		+ (peak ? `${most} ${formatCount(peak.value)}, ` : "")
		+ "where its past explains "
		+ formatCount(round(Number(alarm.expected)));
}

export function round(x) {
	if (!Number.isFinite(x))
		return NaN;
	return x >= 10 ? Math.round(x) : Number(x.toFixed(1));
}

// What a packet was sent to: "udp 1434"; an ICMP type and code for ICMP.
const PROTOCOLS = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6" };
export function formatPort(proto, dport) {
	const name = PROTOCOLS[proto] ?? String(proto);
	return name.startsWith("icmp") ? `${name} ${dport >> 8}/${dport & 255}`
		: `${name} ${dport}`;
}

// The two ends of a link id; node ids contain no ">".
export function linkEnds(id) {
	const at = id.indexOf(">");
	return at < 0 ? [id, ""] : [id.slice(0, at), id.slice(at + 1)];
}

// "?10.0.0.1~10.0.0.9~1/2" is the first of two silent routers in between.
export function nodeLabel(id) {
	if (!id.startsWith("?"))
		return id;
	const [, after, place] = id.slice(1).split("~");
	return place ? `? (silent ${place}, before ${after || "the end"})` : "?";
}

export function nodeShortLabel(id) {
	return id.startsWith("?") ? "?" : id;
}

// What an administrator needs to find the machine: plain text, times in UTC.
export function evidenceText(address, sightings, nameOf) {
	const lines = sightings.map((s) => [
		`${titleOf(s.signature, s.verdict)} (${s.verdict}), `
			+ formatPort(s.proto, s.dport),
		`  first  ${s.first_at}`, `  last   ${s.last_at}`,
		`  ${s.packets} packets to ${s.targets} addresses`,
		s.victim && s.victim !== s.src ? `  victim ${s.victim}` : null,
		s.odds > 1 && s.verdict !== "worm" ? "  an innocent source does this "
			+ `less often than once in ${formatCount(s.odds)}` : null,
		`  seen by ${s.agents.map(nameOf).sort().join(", ")}`,
		s.payload_hash ? `  payload BLAKE2b ${s.payload_hash}` : null,
		s.spoofable ? "  no completed handshake: the source address may be "
			+ "forged" : "  a completed handshake shows that the source "
			+ "address is true",
	].filter(Boolean).join("\n"));
	return [`Packets from ${address} that Sonde\u2019s sensors caught`,
		...lines].join("\n\n") + "\n";
}

const UNSAFE_SHELL = /[^\w@%+=:,./-]/;
export function shellQuote(word) {
	return word !== "" && !UNSAFE_SHELL.test(word) ? word
		: `'${word.replace(/'/g, "'\\''")}'`;
}

// A cell that starts like a formula is text to a spreadsheet only with a quote before it.
function csvCell(value) {
	if (value === null || value === undefined)
		return "";
	let text = typeof value === "object" ? JSON.stringify(value)
		: String(value);
	if (typeof value === "string" && /^[=+\-@\t\r]/.test(text))
		text = `'${text}`;
	return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export function toCsv(rows) {
	const columns = [...new Set(rows.flatMap((r) => Object.keys(r)))];
	const line = (cells) => cells.map(csvCell).join(",");
	return [line(columns), ...rows.map((r) => line(columns.map((c) => r[c])))]
		.join("\r\n") + "\r\n";
}

export function toNdjson(rows) {
	return rows.map((r) => `${JSON.stringify(r)}\n`).join("");
}

// Lines of 16 bytes: offset, hex in two groups, ASCII.
export function hexDump(hex) {
	const bytes = (hex.match(/../g) ?? []).map((b) => parseInt(b, 16));
	const lines = [];
	for (let at = 0; at < bytes.length; at += 16) {
		const row = bytes.slice(at, at + 16);
		const cells = row.map((b) => b.toString(16).padStart(2, "0"));
		lines.push({
			offset: at.toString(16).padStart(4, "0"),
			hex: `${cells.slice(0, 8).join(" ")}  ${cells.slice(8).join(" ")}`
				.padEnd(48),
			ascii: row.map((b) => b >= 32 && b < 127
				? String.fromCharCode(b) : ".").join(""),
		});
	}
	return lines;
}
