// SPDX-License-Identifier: ISC
// Why an alarm fired, in words and numbers that can be checked: what rose,
// when, how sure that is, and who did it.  While no alarm lies in the chosen
// time, where the last one is.
import { isOpen, kindKey } from "../../lib/alarms.js";
import { apiUrl, get } from "../../lib/api.js";
import { h, replace } from "../../lib/dom.js";
import { alarmWords, formatBin, formatCompact, formatCount, isBlind, peakOf,
	plural, round, titleOf } from "../../lib/format.js";
import { icon } from "../../lib/icons.js";
import { badge, facts, timeMark } from "../../lib/marks.js";
import { Panel } from "../../lib/panel.js";
import { aroundAlarm, formatSpan, parseTime, toRfc3339 }
	from "../../lib/time.js";

const SOURCES_MOST = 500; // what a page of a list has
const LAST_FROM = "-30d", LAST_MOST = 50;

export class AlarmPanel {
	constructor(app) {
		this.app = app;
		this.alarms = [];
		this.last = null; // before or after the chosen time
		this.evidence = new Map(); // id -> {print, peak, sources, ...}
		this.panel = new Panel({ title: "Why this alarm",
			class: "why-panel", source: () => ({ name: "alarms",
				url: apiUrl("alarms", { from: LAST_FROM }),
				rows: this.alarms }) });
		this.el = this.panel.el;
		this.el.hidden = true;
	}

	show(alarms) {
		this.alarms = alarms;
		this.el.hidden = alarms.length === 0 && !this.last;
		this.panel.heading.textContent = alarms.length ? "Why this alarm"
			: "No alarm in this time";
		const chosen = this.chosen();
		const print = JSON.stringify([alarms, chosen?.id, this.app.utc,
			this.last, this.evidence.get(chosen?.id), this.app.rangeId()]);
		if (this.print === print)
			return;
		this.print = print;
		this.panel.note.textContent = alarms.length > 1
			? `${alarms.length} in this time` : "";
		if (chosen)
			this.panel.fill(alarms.length > 1 ? this.tabs(alarms, chosen)
				: null, this.explain(chosen));
		else if (this.last)
			this.panel.fill(this.pointToLast(this.last));
	}

	chosen() {
		return this.alarms.find((a) => a.id === this.app.state.alarm)
			?? this.alarms[0];
	}

	// Asks for what the alarm itself does not say.
	async refresh(kind, signal) {
		const chosen = this.chosen();
		if (chosen)
			this.evidence.set(chosen.id, await this.gather(chosen, signal));
		else
			await this.findLast(kind, signal);
		this.show(this.alarms);
	}

	async findLast(kind, signal) {
		const { items } = await get("alarms", { from: LAST_FROM,
			limit: LAST_MOST, signature: kind.signature || undefined }, signal);
		const agent = this.app.state.agent ?? null;
		this.last = items.find((a) => kindKey(a) === kindKey(kind)
			&& (a.agent ?? null) === agent && a.direction !== "fall") ?? null;
	}

	// Peak, sources and packets between the beginning and the end of an alarm,
	// in its own bins; again only while it is open.
	async gather(alarm, signal) {
		const known = this.evidence.get(alarm.id);
		if (known?.final)
			return known;
		const to = alarm.ended_at ?? toRfc3339(this.app.now());
		const span = { from: alarm.onset_at, to,
			signature: alarm.signature || undefined, verdict: alarm.verdict,
			agent: alarm.agent ?? undefined };
		const [{ series, bin_s }, sent] = await Promise.all([
			get("series", { ...span, bin: alarm.bin_s }, signal),
			get("sightings", { ...span, limit: SOURCES_MOST }, signal)]);
		const points = series.find((s) => kindKey(s) === kindKey(alarm))
			?.points ?? [];
		const mine = sent.items.filter((s) => kindKey(s) === kindKey(alarm));
		return { final: !isOpen(alarm),
			peak: bin_s === alarm.bin_s ? peakOf(alarm, points) : null,
			sources: new Set(mine.map((s) => s.src)).size,
			more: Boolean(sent.next),
			packets: mine.reduce((sum, s) => sum + s.packets, 0),
			agents: [...new Set(mine.flatMap((s) => s.agents))] };
	}

	tabs(alarms, chosen) {
		const { utc } = this.app, now = this.app.now();
		return h("ul", { class: "alarm-tabs" }, alarms.map((a) => h("li", null,
			h("a", { class: "chip", href: this.app.href({ alarm: a.id }),
				"aria-current": a === chosen ? "true" : undefined },
				icon(a.direction === "fall" ? "down" : "up"),
				timeMark(a.onset_at, now, utc)))));
	}

	// The way to a time that holds the whole alarm, and what was before.
	timeLink(alarm, words) {
		const { from, to } = aroundAlarm(alarm, this.app.now());
		return h("a", { href: this.app.href({ range: "custom", alarm: alarm.id,
			from: toRfc3339(from), to: toRfc3339(to) }) }, words);
	}

	pointToLast(alarm) {
		const { utc } = this.app, now = this.app.now();
		return h("p", { class: "why-last" }, "The last one was ",
			timeMark(alarm.onset_at, now, utc), ": ",
			alarmWords(alarm, null), ". ",
			this.timeLink(alarm, "Show that time"));
	}

	explain(alarm) {
		const { utc } = this.app, now = this.app.now();
		const open = isOpen(alarm), rise = alarm.direction !== "fall";
		const verb = isBlind(alarm)
			? open ? "is blind" : "was blind"
			: rise ? open ? "rises" : "rose" : open ? "falls" : "fell";
		const seen = this.evidence.get(alarm.id);
		return h("div", { class: "why-box" },
			h("p", { class: "why-sentence" },
				h("strong", null, titleOf(alarm.signature, alarm.verdict),
					" ", verb), ": ", alarmWords(alarm, seen?.peak), ".",
				badge(open ? "open" : "over", open ? "bad" : "quiet")),
			h("div", { class: "why-grid" },
				this.bars(alarm, seen?.peak, rise),
				facts([
					["Began", timeMark(alarm.onset_at, now, utc)],
					["Noticed", h("span", null,
						timeMark(alarm.detected_at, now, utc),
						` (${this.delay(alarm)} later)`)],
					["Ended", open ? "still on" : h("span", null,
						timeMark(alarm.ended_at, now, utc), ", ",
						this.timeLink(alarm, "show this time"))],
					seen && rise ? ["Who", this.who(seen)] : null,
					seen && rise && seen.agents.length ? ["Seen by",
						seen.agents.map((id) => this.app.agentName(id)).sort()
							.join(", ")] : null,
					["How sure", this.falseAlarms(alarm)],
					["Test", alarm.test],
				])));
	}

	who({ sources, more, packets }) {
		return `${formatCount(sources)}${more ? "+" : ""} `
			+ `${sources === 1 ? "source" : "sources"} sent `
			+ `${formatCompact(packets)}${more ? "+" : ""} `
			+ `${packets === 1 ? "packet" : "packets"}`;
	}

	delay(alarm) {
		return formatSpan(Math.max(0, parseTime(alarm.detected_at)
			- parseTime(alarm.onset_at)));
	}

	// Seen and expected as lengths beside their numbers, all of one bin.
	bars(alarm, peak, rise) {
		const { utc } = this.app, now = this.app.now();
		const top = Math.max(alarm.observed, alarm.expected,
			peak?.value ?? 0) || 1;
		const bar = (name, value, level) => h("li", null,
			h("span", { class: "bar-name" }, name),
			h("span", { class: `bar ${level}`, "aria-hidden": "true" },
				h("span", { style: { width: `${(100 * value) / top}%` } })),
			h("span", { class: "num" }, formatCount(round(value))));
		const ratio = alarm.expected > 0 ? alarm.observed / alarm.expected : 0;
		return h("div", null, h("ul", { class: "bars why-bars" },
			peak ? bar(rise ? "Peak" : "Lowest", peak.value, "bad") : null,
			bar("Mean", alarm.observed, "bad"),
			bar("Expected", alarm.expected, "info")),
			h("p", { class: "quiet small" }, "Distinct sources per ",
				formatBin(alarm.bin_s).replace(/^an? /, ""),
				"; the mean is over the whole alarm",
				ratio >= 1.5 ? `, ${formatCount(Number(ratio.toPrecision(2)))}`
					+ " times what the past explains" : "",
				peak ? [rise ? "; the peak was at " : "; the lowest was at ",
					timeMark(peak.at, now, utc)] : "", "."));
	}

	falseAlarms({ average_run_length: bins, bin_s }) {
		if (!(bins > 0))
			return "not stated";
		return "by chance alone one such alarm in " + (bin_s > 0
			? formatSpan(bins * bin_s * 1000)
			: plural(Math.round(bins), "bin"));
	}
}
