// SPDX-License-Identifier: ISC
// Who sent it: a table of sources, and the bytes that they sent.
import { ApiError, apiUrl, get } from "../../lib/api.js";
import { h, replace } from "../../lib/dom.js";
import { formatBytes, formatCompact, formatCount, formatPort, plural,
	titleOf } from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { badge, hexView, timeMark, verdictBadge } from "../../lib/marks.js";
import { Panel, copyText } from "../../lib/panel.js";
import { Table } from "../../lib/table.js";
import { victimOf } from "../../lib/verdicts.js";
import { formatSort, parseSort } from "../../lib/url-state.js";

const DEFAULT_SORT = { id: "packets", descending: true };
const SHOWN = 500;

const isAddress = (text) => /^\d{1,3}(\.\d{1,3}){3}$/.test(text)
	|| /^[0-9a-f:]*:[0-9a-f:.]*$/i.test(text);

export class SightingsPanel {
	constructor(app, agentName) {
		this.app = app;
		this.agentName = agentName;
		this.items = null; // not asked yet
		this.title = "";
		this.search = h("input", { type: "search", class: "search-input",
			placeholder: "Find a source",
			title: "A whole address and Enter: all that it sent",
			"aria-label": "Search sources",
			on: {
				input: () => app.set({ src: this.search.value },
					{ replace: true }),
				keydown: (e) => e.key === "Enter" && isAddress(
					this.search.value.trim()) && app.set({
					who: this.search.value.trim() }),
			} });
		this.panel = new Panel({ title: "Sources", class: "sightings",
			actions: [h("label", { class: "search small" }, icon("search"),
				this.search)],
			source: () => ({ name: "sightings", rows: this.items ?? [],
				url: apiUrl("sightings", this.params ?? {}) }) });
		this.table = this.buildTable();
		this.dump = h("section", { class: "payload", hidden: true,
			"aria-label": "Payload" });
		this.panel.fill(this.dump, this.table.el);
		this.el = this.panel.el;
	}

	buildTable() {
		const { app } = this;
		const time = (id, label) => ({ id: label.toLowerCase(), label,
			descending: true, class: "optional", value: (s) => s[id],
			cell: (s) => timeMark(s[id], app.now(), app.utc) });
		return new Table({
			caption: "Sources of the chosen signature",
			key: (s) => `${s.src} ${s.verdict} ${s.signature ?? ""} `
				+ `${s.proto} ${s.dport}`,
			print: (s) => JSON.stringify([s, app.state, app.rangeId()]),
			href: (s) => app.href({ who: s.src }),
			select: (s) => app.set({ who: s.src }),
			sort: parseSort(app.state.sort, DEFAULT_SORT),
			onSort: (sort) => app.set({ sort: formatSort(sort) },
				{ replace: true }),
			empty: () => h("p", { class: "quiet table-none" },
				"No source matches in this time."),
			columns: [
				{ id: "src", label: "Source", value: (s) => s.src,
				  cell: (s) => [h("span", { class: "mono" }, s.src),
					victimOf(s) ? h("span", { class: "spoofable" },
						" tells of ", h("span", { class: "mono" }, s.victim))
						: null] },
				{ id: "verdict", label: "Verdict", class: "wide-only",
				  value: (s) => s.verdict,
				  cell: (s) => [verdictBadge(s.verdict), s.spoofable
					? h("span", { class: "spoofable", title: "No handshake was "
						+ "completed: the source address may be forged" },
					"may be forged") : null] },
				{ id: "port", label: "To", value: (s) => s.dport,
				  class: "optional",
				  cell: (s) => formatPort(s.proto, s.dport) },
				{ id: "packets", label: "Packets", class: "num",
				  descending: true, value: (s) => s.packets,
				  cell: (s) => formatCompact(s.packets) },
				{ id: "targets", label: "Targets", class: "num",
				  descending: true, value: (s) => s.targets,
				  cell: (s) => (s.targets_estimated ? "\u2248 " : "")
					+ formatCompact(s.targets) },
				time("first_at", "First"), time("last_at", "Last"),
				{ id: "agents", label: "Seen by", class: "optional agents-cell",
				  value: (s) => s.agents.length, descending: true,
				  cell: (s) => this.seenBy(s.agents) },
				{ id: "payload", label: "Payload",
				  class: "wide-only", cell: (s) => this.payloadButton(s) },
			],
		});
	}

	seenBy(agents) {
		const names = agents.map((id) => this.agentName(id)).sort();
		return names.length <= 2 ? names.join(", ") : h("span",
			{ title: names.join(", ") }, plural(names.length, "agent"));
	}

	payloadButton(sighting) {
		const hash = sighting.payload_hash;
		if (!hash)
			return h("span", { class: "quiet" }, "none");
		const open = this.app.state.payload === hash;
		return h("button", { type: "button", class: "link-button mono",
			"aria-expanded": String(open), "aria-label":
				`Bytes of payload ${hash.slice(0, 8)}`,
			on: { click: () => this.app.set(
				{ payload: open ? undefined : hash }) } }, hash.slice(0, 8));
	}

	// kind: {signature, verdict}; without a signature, what has none
	async refresh(span, kind, signal) {
		const { signature, verdict } = kind, { agent } = this.app.state;
		this.params = { ...span, signature: signature || undefined, verdict,
			agent, limit: SHOWN };
		const page = await get("sightings", this.params, signal);
		this.items = page.items.filter((s) => Boolean(s.signature)
			=== Boolean(signature));
		this.more = Boolean(page.next);
		this.title = titleOf(signature, verdict);
		this.draw();
		await this.showPayload(signal);
	}

	stateChanged() {
		if (document.activeElement !== this.search)
			this.search.value = this.app.state.src ?? "";
		this.table.setSort(parseSort(this.app.state.sort, DEFAULT_SORT));
		this.draw();
		this.showPayload().catch((error) => {
			if (error.name !== "AbortError")
				console.error(error);
		});
	}

	draw() {
		if (!this.items)
			return;
		const { src } = this.app.state;
		const shown = src ? this.items.filter((s) =>
			s.src.toLowerCase().includes(src.toLowerCase())) : this.items;
		this.panel.note.textContent = shown.length === this.items.length
			? `${formatCount(shown.length)}${this.more ? "+" : ""} of `
				+ this.title
			: `${formatCount(shown.length)} of ${formatCount(
				this.items.length)}`;
		this.table.update(shown);
	}

	async showPayload(signal) {
		const { payload } = this.app.state;
		this.dump.hidden = !payload;
		if (!payload || this.dump.dataset.hash === payload)
			return;
		const waits = this.dump.dataset.waits === payload;
		this.dump.dataset.hash = payload;
		if (!waits)
			replace(this.dump, h("p", { class: "quiet" },
				"Loading\u2026"));
		let body;
		try {
			body = await get(`payloads/${encodeURIComponent(payload)}`, {},
				signal);
		} catch (error) {
			delete this.dump.dataset.hash;
			// A first sighting comes before its payload: asked for again
			// with the next refresh.
			if (error instanceof ApiError && error.status === 404) {
				this.dump.dataset.waits = payload;
				replace(this.dump, h("p", { class: "quiet" },
					"These bytes are not here yet: they arrive with the "
					+ "minute in which the source was first seen, "
					+ "where the sensor kept them."));
				return;
			}
			replace(this.dump, h("p", { class: "error" }, error.message));
			throw error;
		}
		delete this.dump.dataset.waits;
		this.drawPayload(body);
	}

	drawPayload({ hash, sha256, size_bytes, hex }) {
		replace(this.dump,
			h("header", { class: "payload-head" },
				h("h3", null, "Payload"), badge(formatBytes(size_bytes)),
				h("span", { class: "mono quiet small payload-hash" },
					`BLAKE2b ${hash}`),
				h("span", { class: "mono quiet small payload-hash" },
					`SHA-256 ${sha256}`),
				h("button", { type: "button", class: "button small",
					on: { click: () => copyText(hex, "Bytes") } },
					"Copy hex"),
				h("button", { type: "button", class: "icon-button",
					"aria-label": "Close the payload",
					on: { click: () => this.app.set(
						{ payload: undefined }) } }, icon("close"))),
			hexView(hex, "Bytes of the payload"));
	}
}
