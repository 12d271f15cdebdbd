// SPDX-License-Identifier: ISC
// An address that names no page.
import { h } from "../../lib/dom.js";

export class MissingView {
	constructor(app) {
		this.el = h("div", { class: "missing" },
			h("p", { class: "empty-title" },
				`There is no page \u201c${app.state.wanted}\u201d here.`),
			h("p", { class: "quiet" },
				"The address may be cut off, or from another version."),
			h("p", null, h("a", { class: "button primary", href: "?page=now" },
				"Go to Now")));
	}

	stateChanged() {}

	async refresh() {}
}
