// SPDX-License-Identifier: ISC
// What the marks of the map mean, with the threshold to move.
import { h, replace, setText, svg } from "../../lib/dom.js";
import { BAD_MULTIPLE, DELAY_STEPS_MS, LOSS_STEPS_PERCENT, nearestStep }
	from "../../lib/scales.js";

const line = (level) => svg("svg", { class: `legend-line ${level}`,
	viewBox: "0 0 26 8", "aria-hidden": "true" },
	svg("path", { d: "M1 4h24" }));
const shape = (role) => {
	const shapes = {
		source: () => svg("rect", { x: 2.5, y: 2.5, width: 9, height: 9,
			rx: 2 }),
		router: () => svg("circle", { cx: 7, cy: 7, r: 4 }),
		destination: () => svg("path", { d: "M7 1.5 12.5 7 7 12.5 1.5 7z" }),
		mpls: () => svg("circle", { cx: 7, cy: 7, r: 4 }),
		silent: () => svg("circle", { cx: 7, cy: 7, r: 4.5 }),
	};
	return svg("svg", { class: `legend-shape ${role}`, viewBox: "0 0 14 14",
		"aria-hidden": "true" }, shapes[role]());
};

export class Legend {
	// change({delay_ms} or {loss_percent}) is called while a slider moves
	constructor(change) {
		this.steps = DELAY_STEPS_MS;
		this.slider = h("input", { type: "range", min: 0, step: 1,
			max: DELAY_STEPS_MS.length - 1, on: { input: () => {
				const value = this.steps[Number(this.slider.value)];
				change(this.colour === "loss" ? { loss_percent: value }
					: { delay_ms: value });
			} } });
		this.name = h("span");
		this.lines = h("ul", { class: "legend-lines" });
		this.el = h("div", { class: "legend" },
			h("label", { class: "legend-slider" }, this.name, this.slider),
			this.lines,
			h("ul", { class: "legend-shapes" },
				[["source", "vantage point"], ["router", "router"],
					["mpls", "MPLS"], ["destination", "destination"],
					["silent", "no answer"]].map(([role, word]) =>
					h("li", null, shape(role), word))));
	}

	update({ colour, thresholds }) {
		this.colour = colour;
		const loss = colour === "loss";
		this.steps = loss ? LOSS_STEPS_PERCENT : DELAY_STEPS_MS;
		const value = loss ? thresholds.loss * 100 : thresholds.delay_ns / 1e6;
		const unit = loss ? "%" : "ms";
		const text = (n) => `${Number(n.toPrecision(3))}\u00a0${unit}`;
		this.slider.value = String(nearestStep(this.steps, value));
		this.slider.setAttribute("aria-valuetext", text(value));
		setText(this.name, `Raised from ${text(value)}`);
		const print = `${colour} ${value}`;
		if (this.print === print)
			return;
		this.print = print;
		replace(this.lines, [
			["ok", `below ${text(value)}`],
			["warn", `from ${text(value)}`],
			["bad", `from ${text(value * BAD_MULTIPLE)}`],
			["unknown", "not known"],
			["other", loss ? "slow" : "lossy"],
		].map(([level, word]) => h("li", null, line(level), word)));
	}
}
