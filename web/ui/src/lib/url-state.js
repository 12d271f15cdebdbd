// SPDX-License-Identifier: ISC
// The whole view in the query of the address: what is on the screen can be
// sent to somebody.  Pure: text to object and back.

const text = (v) => v.slice(0, 300);
const oneOf = (...values) => (v) => values.includes(v) ? v : undefined;
const flag = (v) => v === "1" || v === true ? true : undefined;
const number = (v) => v !== "" && Number.isFinite(Number(v))
	&& Number(v) >= 0 ? Number(v) : undefined;

// Everywhere, and per page: key -> reader of the query's text.  What is not
// listed is dropped, what is not understood is absent.
const COMMON = {
	range: oneOf("5m", "1h", "6h", "24h", "7d", "custom"),
	from: text, to: text,
	tz: oneOf("utc", "local"),
};
const PAGES = {
	now: { kind: oneOf("agent", "alarm", "sighting", "run", "loss") },
	map: {
		layout: oneOf("layered", "force"), colour: oneOf("delay", "loss"),
		delay_ms: number, loss_percent: number, sel: text, q: text,
		agent: text, focus: number, tab: oneOf("links", "nodes"),
		sort: text,
	},
	outbreaks: {
		signature: text, agent: text, log: flag, split: flag, alarm: text,
		verdict: text, payload: text, sort: text, src: text, who: text,
	},
	agents: { sel: text, q: text, sort: text, add: flag },
};
export const PAGE_NAMES = Object.keys(PAGES);

export function parseState(search) {
	const query = new URLSearchParams(search);
	const page = query.get("page") ?? "now";
	const state = { page };
	if (!Object.hasOwn(PAGES, page))
		return { page: "missing", wanted: text(page) };
	for (const [key, read] of Object.entries({ ...COMMON, ...PAGES[page] })) {
		const value = query.has(key) ? read(query.get(key)) : undefined;
		if (value !== undefined && value !== "")
			state[key] = value;
	}
	return state;
}

export function formatState(state) {
	if (!Object.hasOwn(PAGES, state.page))
		return `?page=${encodeURIComponent(state.wanted ?? "missing")}`;
	const query = new URLSearchParams({ page: state.page });
	for (const key of Object.keys({ ...COMMON, ...PAGES[state.page] })) {
		const value = state[key];
		if (value === undefined || value === null || value === ""
		    || value === false)
			continue;
		if ((key === "from" || key === "to") && state.range !== "custom")
			continue;
		query.set(key, value === true ? "1" : String(value));
	}
	return `?${query}`;
}

// A new state: another page keeps only what is common to all pages.
export function patchState(state, patch) {
	if (patch.page === undefined || patch.page === state.page)
		return { ...state, ...patch };
	const kept = {};
	for (const key of Object.keys(COMMON))
		if (state[key] !== undefined)
			kept[key] = state[key];
	return { ...kept, ...patch };
}

// "delay:desc" <-> {id, descending}
export function parseSort(sort, fallback) {
	const m = /^([a-z_]+):(asc|desc)$/.exec(sort ?? "");
	return m ? { id: m[1], descending: m[2] === "desc" } : fallback;
}

export function formatSort(sort) {
	return `${sort.id}:${sort.descending ? "desc" : "asc"}`;
}
