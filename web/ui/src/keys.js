// SPDX-License-Identifier: ISC
// The keyboard: one list of keys for the handler and for the help.
import { h } from "./lib/dom.js";
import { icon } from "./lib/icons.js";
import { PAGES } from "./lib/pages.js";
import { moveFocus } from "./lib/table.js";

const KEYS = [
	[`${PAGES[0].key} \u2026 ${PAGES.at(-1).key}`,
		PAGES.map((page) => page.title).join(", ")],
	["/", "Search on this page"],
	["j  k", "Next and previous in a list"],
	["Enter", "Open what is in focus"],
	["Esc", "Close details, clear the selection"],
	["u", "UTC or local time"],
	...PAGES.flatMap((page) => page.keys ?? []),
	["?", "This list"],
];

export class KeysDialog {
	constructor() {
		const close = h("button", { type: "button", class: "icon-button",
			"aria-label": "Close", on: { click: () => this.el.close() } },
			icon("close"));
		this.el = h("dialog", { class: "keys", "aria-labelledby": "keys-title",
			on: { click: (e) => e.target === this.el && this.el.close() } },
			h("header", null, h("h2", { id: "keys-title" }, "Keyboard"),
				close),
			h("dl", null, KEYS.map(([key, what]) => h("div", null,
				h("dt", null, key.split("  ").map((k) => h("kbd", null, k))),
				h("dd", null, what)))),
			h("p", { class: "quiet" },
				h("a", { href: "api/openapi.json" }, "API description"),
				" \u00b7 ",
				h("a", { href: "licenses.txt" }, "Licences of the parts")));
	}

	open() {
		this.el.showModal();
	}
}

const isTyping = (el) => el.matches(
	"input:not([type=range]):not([type=checkbox]), textarea, select");

function act(shell, key) {
	const { app, view } = shell;
	const page = PAGES.find((p) => p.key === key);
	if (page)
		app.set({ page: page.id });
	else if (key === "?")
		shell.keys.open();
	else if (key === "u")
		app.set({ tz: app.utc ? "local" : undefined }, { replace: true });
	else if (key === "j" || key === "k")
		moveFocus(view.listRoot?.() ?? shell.main, key === "j" ? 1 : -1);
	else if (key === "/" && view?.search)
		view.search.focus();
	else
		return view?.key?.(key) ?? false;
	return true;
}

export function listenToKeys(shell) {
	document.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey
		    || event.defaultPrevented || shell.keys.el.open)
			return;
		if (event.key === "Escape") {
			if (isTyping(event.target))
				event.target.blur();
			else
				shell.view?.escape?.();
			return;
		}
		if (!isTyping(event.target) && act(shell, event.key))
			event.preventDefault();
	});
}
