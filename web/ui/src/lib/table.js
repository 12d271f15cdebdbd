// SPDX-License-Identifier: ISC
// A sortable table whose rows survive refreshes.  The first cell of a row is
// a real link (focus, open in a tab, j and k); the whole row obeys a click.
import { h, keyed, replace } from "./dom.js";
import { icon } from "./icons.js";
import { sortBy } from "./scales.js";

function headerCell(column, table) {
	if (!column.value)
		return h("th", { scope: "col", class: column.class }, column.label);
	return h("th", { scope: "col", class: column.class,
		data: { column: column.id } },
		h("button", { type: "button", class: "sort", title: column.hint,
			on: { click: () => table.toggleSort(column) } },
			column.label, h("span", { class: "sort-mark" },
				icon("down"))));
}

const ROWS_AT_ONCE = 300; // more at a time is slow, and more than one reads

export class Table {
	// options: caption, columns [{id, label, class, value(item),
	// cell(item), descending}], key(item), href(item), select(item), sort,
	// onSort(sort), empty: () => Node
	constructor(options) {
		this.options = options;
		this.items = [];
		this.sort = options.sort;
		this.selected = null;
		this.body = h("tbody");
		this.head = h("tr", null,
			options.columns.map((c) => headerCell(c, this)));
		this.table = h("table", null,
			h("caption", { class: "sr-only" }, options.caption),
			h("thead", null, this.head), this.body);
		this.most = ROWS_AT_ONCE;
		this.moreButton = h("button", { type: "button", hidden: true,
			class: "button small table-more", on: { click: () => {
				this.most += ROWS_AT_ONCE;
				this.draw();
			} } });
		this.scroller = h("div", { class: "table-scroll" }, this.table,
			this.moreButton);
		this.blank = h("div", { class: "table-empty", hidden: true });
		this.el = h("div", { class: "table-box" }, this.scroller, this.blank);
		this.showSort();
	}

	toggleSort(column) {
		const same = this.sort.id === column.id;
		this.sort = { id: column.id, descending: same
			? !this.sort.descending : Boolean(column.descending) };
		this.showSort();
		this.draw();
		this.options.onSort?.(this.sort);
	}

	setSort(sort) {
		this.sort = sort;
		this.showSort();
	}

	showSort() {
		for (const th of this.head.children) {
			const mine = th.dataset.column === this.sort.id;
			if (mine)
				th.setAttribute("aria-sort", this.sort.descending
					? "descending" : "ascending");
			else
				th.removeAttribute("aria-sort");
		}
	}

	update(items, selected = null) {
		this.items = items;
		this.selected = selected;
		this.draw();
	}

	sorted() {
		const column = this.options.columns.find(
			(c) => c.id === this.sort.id);
		return column?.value
			? sortBy(this.items, column.value, this.sort.descending)
			: this.items;
	}

	draw() {
		const { key, print } = this.options;
		const left = this.items.length - this.most;
		this.moreButton.hidden = left <= 0;
		this.moreButton.textContent = `Show more (${left} left)`;
		keyed(this.body, this.sorted().slice(0, this.most), {
			key,
			make: () => h("tr"),
			draw: (tr, item) => this.drawRow(tr, item),
			print: (item) => (print ? print(item) : JSON.stringify(item))
				+ (key(item) === this.selected),
		});
		const none = this.items.length === 0;
		this.scroller.hidden = none;
		this.blank.hidden = !none;
		if (none && this.options.empty)
			this.drawBlank(this.options.empty());
	}

	// The same words are not written again: a button in them may have focus.
	drawBlank(node) {
		if (this.blank.textContent !== node.textContent)
			replace(this.blank, node);
	}

	drawRow(tr, item) {
		const { columns, key, href, select } = this.options;
		const chosen = key(item) === this.selected;
		replace(tr, columns.map((column, i) => {
			const content = column.cell(item);
			return h("td", { class: column.class,
				data: { label: column.label } },
				i === 0 && href ? h("a", { class: "row-link",
					href: href(item) }, content) : content);
		}));
		tr.classList.toggle("selected", chosen);
		if (chosen)
			tr.querySelector("a")?.setAttribute("aria-current", "true");
		if (select)
			tr.onclick = (event) => {
				if (event.metaKey || event.ctrlKey || event.shiftKey
				    || event.target.closest("a:not(.row-link), button"))
					return;
				event.preventDefault();
				select(item);
			};
	}
}

// j and k: the next or previous link of a list, from the one in focus.
export function moveFocus(root, step) {
	const links = [...root.querySelectorAll(".row-link")]
		.filter((a) => a.offsetParent !== null);
	if (links.length === 0)
		return;
	const at = links.indexOf(document.activeElement);
	const current = at >= 0 ? at : links.findIndex(
		(a) => a.getAttribute("aria-current") === "true");
	const next = current < 0 ? (step > 0 ? 0 : links.length - 1)
		: Math.min(links.length - 1, Math.max(0, current + step));
	links[next].focus();
}
