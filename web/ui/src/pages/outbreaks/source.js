// SPDX-License-Identifier: ISC
// Everything that one address sent in the chosen time, for its administrator:
// what is proven, what is not, and the packets behind it, to pass on.
import { apiUrl, get } from "../../lib/api.js";
import { h, replace } from "../../lib/dom.js";
import { evidenceText, formatBytes, formatPort, plural, titleOf }
	from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { hexView, timeMark, verdictBadge } from "../../lib/marks.js";
import { Panel, copyText } from "../../lib/panel.js";
import { judgementOf, oddsWords, reachWords, victimOf }
	from "../../lib/verdicts.js";

const PACKETS_SHOWN = 8;

export class SourcePanel {
	constructor(app) {
		this.app = app;
		this.items = null;
		this.evidence = [];
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
		const [page, evidence] = await Promise.all([
			get("sightings", this.params, signal),
			get("evidence", { ...span, src: who, limit: PACKETS_SHOWN },
				signal)]);
		this.items = page.items;
		this.evidence = evidence.items;
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
			: [h("p", { class: "source-words" }, judgementOf(this.items)),
				h("ul", { class: "source-list" },
					this.items.map((s) => this.row(s))),
				this.firstPackets()]);
	}

	row(s) {
		const { utc } = this.app, now = this.app.now();
		return h("li", null,
			h("span", null, h("a", { class: "row-link", href: this.app.href({
				signature: s.signature || undefined, verdict: s.verdict }) },
			titleOf(s.signature, s.verdict)), " ", verdictBadge(s.verdict),
			s.spoofable ? h("span", { class: "spoofable" },
				" may be forged") : null,
			victimOf(s) ? h("span", null, " of an attack on ", h("span",
				{ class: "mono" }, s.victim)) : null),
			h("span", { class: "source-facts" }, formatPort(s.proto, s.dport),
				", ", reachWords(s), s.addresses > 1 ? `, from ${plural(
					s.addresses, "address", "addresses")} of its /64` : null,
				", ", timeMark(s.first_at, now, utc), " \u2013 ",
				timeMark(s.last_at, now, utc), ", seen by ",
				s.agents.map((id) => this.app.agentName(id)).sort()
					.join(", ")),
			oddsWords(s.odds) && s.verdict !== "worm" ? h("span",
				{ class: "source-facts" }, oddsWords(s.odds)) : null);
	}

	// So that who reads a verdict can look into it.
	firstPackets() {
		if (this.evidence.length === 0)
			return null;
		const { utc } = this.app, now = this.app.now();
		return h("details", { class: "first-packets" },
			h("summary", null, "First packets, by the rule that they fell "
				+ "under"),
			this.evidence.map((e) => h("div", null,
				h("p", { class: "source-facts" }, h("strong", null, e.rule),
					` (version ${e.rule_version}): ${e.verdict}, `,
					timeMark(e.captured_at, now, utc), ", ",
					formatBytes(e.size_bytes), ", by ",
					this.app.agentName(e.agent)),
				hexView(e.hex, "First packet"))));
	}
}
