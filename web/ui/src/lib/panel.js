// SPDX-License-Identifier: ISC
// A titled box with a menu: the data behind it as CSV or NDJSON, and the
// request that gets it.
import { h, replace } from "./dom.js";
import { toCsv, toNdjson, shellQuote } from "./format.js";
import { icon } from "./icons.js";
import { toast } from "./toast.js";

function download(name, type, text) {
	const url = URL.createObjectURL(new Blob([text], { type }));
	h("a", { href: url, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}

export async function copyText(text, what) {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		// no clipboard without TLS: the old way
		const box = h("textarea", { class: "off-screen" });
		box.value = text;
		document.body.append(box);
		box.select();
		document.execCommand("copy");
		box.remove();
	}
	toast(`${what} copied`);
}

// source: () => {name, rows, url}; url is relative to the page.  files:
// [[label, () => url]], what the collector makes a file of.
function menuItems(source, files) {
	return [
		["Download CSV", () => {
			const { name, rows } = source();
			download(`${name}.csv`, "text/csv", toCsv(rows));
		}],
		["Download NDJSON", () => {
			const { name, rows } = source();
			download(`${name}.ndjson`, "application/x-ndjson",
				toNdjson(rows));
		}],
		...files.map(([label, url]) => [label, () =>
			h("a", { href: url(), download: "" }).click()]),
		["Copy as curl", () => {
			const url = new URL(source().url, document.baseURI).href;
			copyText(`curl -s ${shellQuote(url)}`, "Command");
		}],
		["Copy link to this view", () =>
			copyText(location.href, "Link")],
	];
}

export function dataMenu(title, source, files = []) {
	const list = h("div", { class: "menu-list", role: "menu", hidden: true });
	const button = h("button", { type: "button", class: "icon-button",
		"aria-haspopup": "menu", "aria-expanded": "false",
		"aria-label": `${title}: data` }, icon("more"));
	const box = h("div", { class: "menu" }, button, list);
	const show = (open) => {
		list.hidden = !open;
		button.setAttribute("aria-expanded", String(open));
		if (open)
			list.firstElementChild.focus();
	};
	list.append(...menuItems(source, files).map(([label, act]) =>
		h("button", { type: "button", role: "menuitem", on: { click: () => {
			show(false);
			button.focus();
			act();
		} } }, label)));
	button.addEventListener("click", () => show(list.hidden));
	box.addEventListener("keydown", (event) => {
		const items = [...list.children];
		const at = items.indexOf(document.activeElement);
		if (event.key === "Escape" && !list.hidden) {
			event.stopPropagation();
			show(false);
			button.focus();
		} else if (event.key === "ArrowDown" && at >= 0)
			items[(at + 1) % items.length].focus();
		else if (event.key === "ArrowUp" && at >= 0)
			items[(at + items.length - 1) % items.length].focus();
		else
			return;
		event.preventDefault();
	});
	box.addEventListener("focusout", (event) => {
		if (!box.contains(event.relatedTarget))
			show(false);
	});
	return box;
}

export class Panel {
	constructor({ title, source, files, actions = [],
		class: extra = "" }) {
		this.note = h("span", { class: "panel-note" });
		this.body = h("div", { class: "panel-body" });
		this.actions = h("div", { class: "panel-actions" }, actions,
			source ? dataMenu(title, source, files) : null);
		this.heading = h("h2", null, title);
		this.el = h("section", { class: `panel ${extra}`,
			"aria-label": title },
			h("header", { class: "panel-head" }, this.heading, this.note,
				this.actions),
			this.body);
	}

	fill(...children) {
		replace(this.body, ...children);
	}
}

// What an empty panel shows: what is missing and the command that fixes it.
export function emptyState({ title, text, command, link }) {
	return h("div", { class: "empty" },
		h("p", { class: "empty-title" }, title),
		text ? h("p", null, text) : null,
		command ? commandBlock(command) : null,
		link ?? null);
}

// set(command) changes it; the button stays, and may have the focus.
export function commandBlock(command) {
	const code = h("code");
	const button = h("button", { type: "button", class: "icon-button",
		on: { click: () => copyText(code.textContent, "Command") } },
	icon("copy"));
	const el = h("div", { class: "command" }, code, button);
	el.set = (text) => {
		if (code.textContent !== text) // an option is not torn at its dashes
			replace(code, text.split(" ").map((word, i) => [i ? " " : "",
				h("span", { class: "word" }, word)]));
		button.setAttribute("aria-label", `Copy: ${text}`);
	};
	el.set(command);
	return el;
}
