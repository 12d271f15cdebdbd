// SPDX-License-Identifier: ISC
// Which time a page shows: a range that ends now, or two instants; and
// whether times are written in UTC or as the browser's place has them.
import { h, setText } from "./lib/dom.js";
import { RANGES, formatDateTime, fromInputValue, toInputValue, toRfc3339 }
	from "./lib/time.js";

export class RangePicker {
	constructor(app) {
		this.app = app;
		this.buttons = RANGES.map((range) => h("button", { type: "button",
			data: { range: range.id }, title: range.name,
			on: { click: () => app.set({ range: range.id }) } },
			range.label));
		this.custom = h("button", { type: "button", "aria-expanded": "false",
			title: "Choose the beginning and the end",
			on: { click: () => this.toggle(this.form.hidden) } }, "Custom");
		this.zone = h("button", { type: "button", class: "button zone",
			title: "UTC or local time (u)",
			on: { click: () => app.set({ tz: app.utc ? "local" : undefined },
				{ replace: true }) } });
		this.form = this.buildForm();
		this.group = h("div", { class: "segmented", role: "group",
			"aria-label": "Time range" }, this.buttons, this.custom);
		this.el = h("div", { class: "range-picker" }, this.group, this.zone,
			this.form);
		this.el.addEventListener("keydown", (event) => {
			if (event.key !== "Escape" || this.form.hidden)
				return;
			event.stopPropagation();
			this.toggle(false);
			this.custom.focus();
		});
	}

	buildForm() {
		const input = (label) => {
			const el = h("input", { type: "datetime-local", step: "1",
				required: true });
			return [el, h("label", null, label, el)];
		};
		const [from, fromLabel] = input("From");
		const [to, toLabel] = input("To");
		Object.assign(this, { from, to });
		this.error = h("p", { class: "error", role: "alert" });
		return h("form", { class: "popover range-form", hidden: true,
			on: { submit: (event) => {
				event.preventDefault();
				this.apply();
			} } }, fromLabel, toLabel, this.error,
			h("button", { type: "submit", class: "button primary" },
				"Show this range"));
	}

	toggle(open) {
		this.form.hidden = !open;
		this.custom.setAttribute("aria-expanded", String(open));
		if (!open)
			return;
		const { from, to } = this.app.range();
		this.from.value = toInputValue(from, this.app.utc);
		this.to.value = toInputValue(to, this.app.utc);
		this.error.textContent = "";
		this.from.focus();
	}

	apply() {
		const from = fromInputValue(this.from.value, this.app.utc);
		const to = fromInputValue(this.to.value, this.app.utc);
		if (!(from < to)) {
			this.error.textContent = "The end must be after the beginning.";
			return;
		}
		this.toggle(false);
		this.app.set({ range: "custom", from: toRfc3339(from),
			to: toRfc3339(to) });
	}

	update() {
		// the state of agents is of this moment
		this.group.hidden = this.app.state.page === "agents";
		const id = this.app.range().id;
		for (const b of this.buttons)
			b.setAttribute("aria-pressed", String(b.dataset.range === id));
		this.custom.setAttribute("aria-pressed", String(id === "custom"));
		const { from, to } = this.app.range();
		setText(this.custom, id === "custom"
			? `${formatDateTime(from, this.app.utc)} \u2013 `
				+ formatDateTime(to, this.app.utc) : "Custom");
		setText(this.zone, this.app.utc ? "UTC" : "Local");
	}
}
