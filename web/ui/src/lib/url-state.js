// SPDX-License-Identifier: ISC
// The whole view in the query of the address: what is on the screen can be
// sent as a link.  Pure: text to object and back.
import { PAGES, pageOf } from "./pages.js";
import { oneOf, text } from "./url-readers.js";

// On every page, beside the page's own: key -> reader of the query's text.
// What is not listed is dropped, what is not understood is absent.
const COMMON = {
	range: oneOf("5m", "1h", "6h", "24h", "7d", "custom"),
	from: text, to: text,
	tz: oneOf("utc", "local"),
};
export const PAGE_NAMES = PAGES.map((page) => page.id);

const readersOf = (id) => ({ ...COMMON, ...pageOf(id).state });

export function parseState(search) {
	const query = new URLSearchParams(search);
	const page = query.get("page") ?? "now";
	const state = { page };
	if (!pageOf(page))
		return { page: "missing", wanted: text(page) };
	for (const [key, read] of Object.entries(readersOf(page))) {
		const value = query.has(key) ? read(query.get(key)) : undefined;
		if (value !== undefined && value !== "")
			state[key] = value;
	}
	return state;
}

export function formatState(state) {
	if (!pageOf(state.page))
		return `?page=${encodeURIComponent(state.wanted ?? "missing")}`;
	const query = new URLSearchParams({ page: state.page });
	for (const key of Object.keys(readersOf(state.page))) {
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
	const m = /^([a-z0-9_]+):(asc|desc)$/.exec(sort ?? "");
	return m ? { id: m[1], descending: m[2] === "desc" } : fallback;
}

export function formatSort(sort) {
	return `${sort.id}:${sort.descending ? "desc" : "asc"}`;
}
