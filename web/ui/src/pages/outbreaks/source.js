// SPDX-License-Identifier: ISC
// Everything that one address sent in the chosen time, for its administrator:
// the proof that a machine there is infected, in a text to pass on.
import { apiUrl, get } from "../../lib/api.js";
import { h, replace } from "../../lib/dom.js";
import { evidenceText, formatCompact, formatPort, plural, titleOf }
	from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { timeMark, verdictBadge } from "../../lib/marks.js";
import { Panel, copyText } from "../../lib/panel.js";

export class SourcePanel {
	constructor(app) {
		this.app = app;
		this.items = null;
		this.panel = new Panel({ title: "Address", class: "source-panel",
			actions: [h("button", { type: "button", class: "button small",
				on: { click: () => copyText(evidenceText(this.who, this.items
					?? [], (id) => app.agentName(id)), "Report") } },
				"Copy as a report"),
			h("button", { type: "button", class: "icon-button",
				"aria-label": "Close the address",
				on: { click: () => app.set({ who: undefined }) } },
				icon("close"))],
			source: () => ({ name: `source-${this.who}`,
				rows: this.items ?? [],
				url: apiUrl("sightings", this.params ?? {}) }) });
		this.el = this.panel.el;
		this.el.hidden = true;
	}

	async refresh(span, signal) {
		const { who } = this.app.state;
		if (!who)
			return;
		this.params = { ...span, src: who, limit: 200 };
		this.items = (await get("sightings", this.params, signal)).items;
		this.who = who;
		this.draw();
	}

	stateChanged() {
		this.draw();
	}

	draw() {
		const { who } = this.app.state;
		this.el.hidden = !who;
		if (!who)
			return;
		replace(this.panel.heading, "Address ", h("span", { class: "mono" },
			who));
		if (this.who !== who || !this.items) {
			this.panel.fill(h("p", { class: "source-words quiet" },
				"Loading\u2026"));
			return;
		}
		const over = this.app.rangeName();
		this.panel.fill(this.items.length === 0
			? h("p", { class: "source-words" }, "No sensor caught a packet "
				+ `from this address in ${over}. It may still be infected: `
				+ "sensors see only what is sent to the addresses they watch.")
			: [h("p", { class: "source-words" }, this.judgement()),
				h("ul", { class: "source-list" },
					this.items.map((s) => this.row(s)))]);
	}

	// What it means, for a reader who never saw this page before.
	judgement() {
		const worms = this.items.filter((s) => s.verdict === "worm");
		const names = [...new Set(worms.map((s) => titleOf(s.signature)))];
		if (worms.length === 0)
			return "No packet of it matches a worm. What was caught:";
		return worms.every((s) => s.spoofable)
			? `It sent the packets of ${names.join(" and ")}. One packet is `
				+ "enough for such a worm, so the address may be forged; if "
				+ "they keep coming, a machine there is most likely infected."
			: `It answered and sent the probes of ${names.join(" and ")}: `
				+ "a machine behind this address is infected.";
	}

	row(s) {
		const { utc } = this.app, now = this.app.now();
		return h("li", null,
			h("span", null, h("a", { class: "row-link", href: this.app.href({
				signature: s.signature || undefined, verdict: s.verdict }) },
			titleOf(s.signature, s.verdict)), " ", verdictBadge(s.verdict),
			s.spoofable ? h("span", { class: "spoofable" },
				" may be forged") : null),
			h("span", { class: "source-facts" }, formatPort(s.proto, s.dport),
				", ", formatCompact(s.packets), s.packets === 1 ? " packet"
					: " packets", " to ", plural(s.targets, "address",
					"addresses"), ", ", timeMark(s.first_at, now, utc),
				" \u2013 ", timeMark(s.last_at, now, utc), ", seen by ",
				s.agents.map((id) => this.app.agentName(id)).sort()
					.join(", ")));
	}
}
