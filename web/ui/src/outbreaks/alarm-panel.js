// SPDX-License-Identifier: ISC
// Why an alarm fired, in words and numbers that can be checked.
import { apiUrl } from "../lib/api.js";
import { h, replace } from "../lib/dom.js";
import { alarmFacts, formatBin, formatCount, titleOf } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { badge, facts, timeMark } from "../lib/marks.js";
import { Panel } from "../lib/panel.js";
import { formatSpan, parseTime } from "../lib/time.js";

export class AlarmPanel {
	constructor(app) {
		this.app = app;
		this.alarms = [];
		this.panel = new Panel({ title: "Why this alarm",
			class: "why-panel", source: () => ({ name: "alarms",
				url: apiUrl("overview"), rows: this.alarms }) });
		this.el = this.panel.el;
		this.el.hidden = true;
	}

	show(alarms) {
		this.alarms = alarms;
		this.el.hidden = alarms.length === 0;
		if (alarms.length === 0)
			return;
		const chosen = alarms.find((a) => a.id === this.app.state.alarm)
			?? alarms[0];
		const print = JSON.stringify([alarms, chosen.id, this.app.utc]);
		if (this.print === print)
			return;
		this.print = print;
		this.panel.note.textContent = alarms.length > 1
			? `${alarms.length} in this time` : "";
		this.panel.fill(alarms.length > 1 ? this.tabs(alarms, chosen) : null,
			this.explain(chosen));
	}

	tabs(alarms, chosen) {
		const { utc } = this.app, now = this.app.now();
		return h("ul", { class: "alarm-tabs" }, alarms.map((a) => h("li", null,
			h("a", { class: "chip", href: this.app.href({ alarm: a.id }),
				"aria-current": a === chosen ? "true" : undefined },
				icon(a.direction === "fall" ? "down" : "up"),
				timeMark(a.onset_at, now, utc)))));
	}

	explain(alarm) {
		const { utc } = this.app, now = this.app.now();
		const open = !alarm.ended_at;
		const rise = alarm.direction !== "fall";
		const ratio = alarm.expected > 0 ? alarm.observed / alarm.expected
			: null;
		return h("div", { class: "why-box" },
			h("p", { class: "why-sentence" },
				h("strong", null, titleOf(alarm.signature, alarm.verdict), rise
					? " rises" : " falls"), ": ",
				alarmFacts(alarm, now, utc), ".",
				badge(open ? "open" : "over", open ? "bad" : "quiet")),
			h("div", { class: "why-grid" },
				this.bars(alarm, ratio),
				facts([
					["Began", timeMark(alarm.onset_at, now, utc)],
					["Noticed", h("span", null,
						timeMark(alarm.detected_at, now, utc),
						` (${this.delay(alarm)} later)`)],
					["Ended", open ? "still on"
						: timeMark(alarm.ended_at, now, utc)],
					["Test", alarm.test],
					["False alarms", this.falseAlarms(alarm)],
				])));
	}

	delay(alarm) {
		return formatSpan(Math.max(0, parseTime(alarm.detected_at)
			- parseTime(alarm.onset_at)));
	}

	// Observed and expected as lengths beside their numbers.
	bars(alarm, ratio) {
		const top = Math.max(alarm.observed, alarm.expected) || 1;
		const bar = (name, value, level) => h("li", null,
			h("span", { class: "bar-name" }, name),
			h("span", { class: `bar ${level}`, "aria-hidden": "true" },
				h("span", { style: { width: `${(100 * value) / top}%` } })),
			h("span", { class: "num" }, formatCount(
				Number(Number(value).toFixed(1)))));
		return h("div", null, h("ul", { class: "bars why-bars" },
			bar("Observed", alarm.observed, "bad"),
			bar("Expected", alarm.expected, "info")),
			h("p", { class: "quiet small" }, "Distinct sources in ",
				formatBin(alarm.bin_s), ratio && ratio >= 1.5
					? `: ${formatCount(Number(ratio.toPrecision(2)))} times `
						+ "what the past explains." : "."));
	}

	falseAlarms({ average_run_length: bins, bin_s }) {
		if (!(bins > 0))
			return "rate not stated";
		return bin_s > 0
			? `one in ${formatSpan(bins * bin_s * 1000)} on average`
			: `one in ${formatCount(Math.round(bins))} bins on average`;
	}
}
