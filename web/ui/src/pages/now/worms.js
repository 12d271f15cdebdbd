// SPDX-License-Identifier: ISC
// Which addresses send a worm's packets, whether their number rises or not: one
// infected machine is no outbreak, and still the first thing to know.
import { apiUrl, get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { formatCompact, plural, titleOf } from "../../lib/format.js";
import { timeMark } from "../../lib/marks.js";
import { Panel } from "../../lib/panel.js";
import { Table } from "../../lib/table.js";
import { parseTime } from "../../lib/time.js";

const SHOWN = 6;
const ASKED = 500;

export class WormSources {
	constructor(app) {
		this.app = app;
		this.items = [];
		this.panel = new Panel({ title: "Worm sources",
			class: "worms-panel", source: () => ({ name: "worm-sources",
				url: apiUrl("sightings", this.params ?? {}),
				rows: this.items }) });
		this.el = this.panel.el;
		this.el.hidden = true;
		this.table = this.buildTable();
		this.panel.fill(this.table.el);
	}

	buildTable() {
		const { app } = this;
		const where = (s) => ({ page: "outbreaks", who: s.src,
			signature: s.signature || undefined, verdict: s.verdict });
		return new Table({
			caption: "Addresses that send a worm's packets, the last first",
			key: (s) => `${s.src} ${s.signature} ${s.proto} ${s.dport}`,
			print: (s) => JSON.stringify([s, app.state, app.rangeId()]),
			href: (s) => app.href(where(s)),
			select: (s) => app.set(where(s)),
			sort: { id: "last", descending: true },
			columns: [
				{ id: "src", label: "Source", value: (s) => s.src,
				  cell: (s) => h("span", { class: "mono" }, s.src) },
				{ id: "worm", label: "Worm", value: (s) => s.signature,
				  cell: (s) => [titleOf(s.signature, s.verdict), s.spoofable
					? h("span", { class: "spoofable" }, " may be forged")
					: null] },
				{ id: "packets", label: "Packets", class: "num",
				  descending: true, value: (s) => s.packets,
				  cell: (s) => formatCompact(s.packets) },
				{ id: "last", label: "Last", class: "wide-only",
				  descending: true, value: (s) => s.last_at,
				  cell: (s) => timeMark(s.last_at, app.now(), app.utc) },
				{ id: "agents", label: "Seen by", class: "wide-only",
				  value: (s) => s.agents.length, descending: true,
				  cell: (s) => this.seenBy(s.agents) },
			],
			empty: () => h("span"),
		});
	}

	seenBy(agents) {
		const names = agents.map((id) => this.app.agentName(id)).sort();
		return h("span", { title: names.join(", ") }, names.length <= 2
			? names.join(", ") : plural(names.length, "agent"));
	}

	async refresh(span, signal) {
		this.params = { ...span, verdict: "worm", limit: ASKED };
		const page = await get("sightings", this.params, signal);
		const all = [...page.items].sort((a, b) =>
			parseTime(b.last_at) - parseTime(a.last_at));
		this.items = all.slice(0, SHOWN);
		await this.app.learnNames(
			this.items.flatMap((s) => s.agents), signal);
		this.el.hidden = all.length === 0;
		const count = new Set(all.map((s) => s.src)).size;
		this.panel.note.textContent =
			`${plural(count, "address", "addresses")}${page.next ? " and more" : ""}, `
			+ `${this.app.rangeName()}`;
		this.table.update(this.items);
	}
}
