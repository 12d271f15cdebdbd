// SPDX-License-Identifier: ISC
// The state of the view, which is the address, and its listeners.
import { groupAlarms } from "./lib/alarms.js";
import { connection, get, getAll, poll, serverNow } from "./lib/api.js";
import { onEvent } from "./lib/events.js";
import { formatState, parseState, patchState } from "./lib/url-state.js";
import { DEFAULT_RANGE, RANGES, resolveRange } from "./lib/time.js";

const OVERVIEW_MS = 5000;

export class App {
	constructor() {
		this.state = parseState(location.search);
		this.listeners = new Set();
		this.overview = null;
		this.names = new Map(); // agent id -> name
		this.overviewListeners = new Set();
		this.firstOverview = new Promise((resolve) =>
			this.overviewListeners.add(resolve));
		addEventListener("popstate", () => {
			this.state = parseState(location.search);
			this.notify();
		});
	}

	onChange(listener) {
		this.listeners.add(listener);
	}

	notify() {
		for (const listener of this.listeners)
			listener(this.state);
	}

	// Changes the view.  Steps that a reader would want to undo with the back
	// button make an entry in the history, the rest replace the last one.
	set(patch, { replace = false } = {}) {
		this.state = patchState(this.state, patch);
		const url = formatState(this.state) + location.hash;
		if (replace)
			history.replaceState(null, "", url);
		else if (url !== location.search + location.hash)
			history.pushState(null, "", url);
		this.notify();
	}

	// Follows an address of our own.
	navigate(search) {
		history.pushState(null, "", search);
		this.state = parseState(search);
		this.notify();
	}

	href(patch) {
		return formatState(patchState(this.state, patch));
	}

	get utc() {
		return this.state.tz !== "local";
	}

	now() {
		return serverNow();
	}

	range() {
		return resolveRange(this.state, serverNow());
	}

	rangeId() {
		return this.state.range ?? DEFAULT_RANGE;
	}

	// "the last hour"
	rangeName() {
		const name = RANGES.find((r) => r.id === this.rangeId())?.name;
		return name ? `the ${name.replace("Live, ", "").toLowerCase()}`
			: "the chosen time";
	}

	// One reader of the overview for all: the navigation's badges and Now.
	startOverview() {
		this.overviewPoll = poll(async (signal) => {
			const overview = await get("overview", {}, signal);
			overview.alarms = groupAlarms(overview.alarms);
			await this.learnNames(
				overview.alarms.flatMap((a) => a.at), signal);
			this.overview = overview;
			for (const listener of this.overviewListeners)
				listener(this.overview);
		}, () => OVERVIEW_MS);
		let pending = 0;
		onEvent((_, event) => {
			if (event?.type !== "alarm" && event?.type !== "agent")
				return;
			clearTimeout(pending);
			pending = setTimeout(() => this.overviewPoll.poke(), 500);
		});
	}

	// Agents are known by id; people know them by name.
	async learnNames(ids, signal) {
		if (ids.some((id) => !this.names.has(id)))
			this.takeNames(await getAll("agents", {}, signal));
	}

	takeNames(agents) {
		for (const { id, name } of agents)
			this.names.set(id, name);
	}

	agentName(id) {
		return this.names.get(id) ?? String(id).slice(0, 8);
	}

	onOverview(listener) {
		this.overviewListeners.add(listener);
		if (this.overview)
			listener(this.overview);
		return () => this.overviewListeners.delete(listener);
	}

	retry() {
		connection.retry_at = 0;
		this.overviewPoll.poke();
	}
}
