// SPDX-License-Identifier: ISC
// Talking to the collector: JSON reads, one shared opinion on whether it can
// be reached, and the difference between its clock and ours.
import { backoffMs } from "./backoff.js";
import { parseTime } from "./time.js";

export class ApiError extends Error {
	constructor(status, problem) {
		super(problem.detail || problem.title || `status ${status}`);
		this.status = status;
		this.title = problem.title || `Error ${status}`;
	}
}
// The collector gave no answer at all, as against a refusal.
export class UnreachableError extends Error {}

const listeners = new Set();
export const connection = {
	reachable: true, failures: 0, retry_at: 0, skew_ms: 0, wake: null,
};

export function onConnection(listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function notify() {
	for (const listener of listeners)
		listener(connection);
}

// The collector's present: a browser's clock may be minutes off.
export function serverNow() {
	return Date.now() + connection.skew_ms;
}

function sawAnswer(body) {
	const now = parseTime(body?.now);
	if (Number.isFinite(now))
		connection.skew_ms = now - Date.now();
	if (connection.reachable)
		return;
	Object.assign(connection, { reachable: true, failures: 0, retry_at: 0 });
	notify();
}

function sawFailure() {
	connection.failures++;
	connection.reachable = false;
	connection.retry_at = Date.now() + backoffMs(connection.failures);
	notify();
}

export function apiUrl(path, params = {}) {
	const query = new URLSearchParams();
	for (const [key, value] of Object.entries(params))
		if (value !== undefined && value !== null && value !== "")
			query.set(key, String(value));
	const text = query.toString();
	return `api/v1/${path}${text ? `?${text}` : ""}`;
}

async function problemOf(response) {
	try {
		return await response.json();
	} catch {
		return { title: response.statusText };
	}
}

export async function get(path, params, signal) {
	let response;
	try {
		response = await fetch(apiUrl(path, params), {
			signal, headers: { Accept: "application/json" },
			credentials: "same-origin", cache: "no-store",
		});
	} catch (error) {
		if (error.name === "AbortError")
			throw error;
		sawFailure();
		throw new UnreachableError(error.message);
	}
	if ([502, 503, 504].includes(response.status)) {
		sawFailure();
		throw new UnreachableError(`status ${response.status}`);
	}
	if (!response.ok)
		throw new ApiError(response.status, await problemOf(response));
	const body = await response.json();
	sawAnswer(body);
	return body;
}

// All pages of a list, up to `most` items.
export async function getAll(path, params, signal, most = 2000) {
	const items = [];
	let cursor;
	do {
		const page = await get(path,
			{ limit: 500, ...params, cursor }, signal);
		items.push(...page.items);
		cursor = page.next;
	} while (cursor && items.length < most);
	return items;
}

// Calls refresh again and again: at once, every interval() ms while the page
// is seen, after a backoff while the collector is away, at once when poked.
export function poll(refresh, interval) {
	let timer = 0, controller = null, stopped = false;
	const run = async () => {
		clearTimeout(timer);
		controller?.abort();
		const mine = controller = new AbortController();
		try {
			await refresh(mine.signal);
		} catch (error) {
			if (error.name !== "AbortError"
			    && !(error instanceof UnreachableError))
				console.error(error);
		}
		if (stopped || mine.signal.aborted)
			return;
		const wait = connection.reachable ? interval()
			: Math.max(250, connection.retry_at - Date.now());
		if (wait > 0)
			timer = setTimeout(tick, wait);
	};
	const tick = () => document.hidden ? undefined : run();
	const seen = () => document.hidden ? undefined : run();
	document.addEventListener("visibilitychange", seen);
	run();
	return {
		poke: run,
		stop() {
			stopped = true;
			clearTimeout(timer);
			controller?.abort();
			document.removeEventListener("visibilitychange", seen);
		},
	};
}
