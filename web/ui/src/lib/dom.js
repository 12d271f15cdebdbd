// SPDX-License-Identifier: ISC
// Building the page.  Everything that comes from data goes in as text nodes
// or attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function setProperty(el, key, value) {
	if (value === undefined || value === null || value === false)
		return;
	if (key === "on")
		for (const [type, listener] of Object.entries(value))
			el.addEventListener(type, listener);
	else if (key === "style") // through the CSSOM, which the CSP allows
		for (const [name, v] of Object.entries(value))
			el.style.setProperty(name, v);
	else if (key === "data")
		Object.assign(el.dataset, value);
	else if (key === "value" || key === "checked")
		el[key] = value;
	else
		el.setAttribute(key, value === true ? "" : String(value));
}

function fill(el, props, children) {
	for (const [key, value] of Object.entries(props ?? {}))
		setProperty(el, key, value);
	el.append(...flat(children));
	return el;
}

function flat(children) {
	return children.flat(Infinity).filter(
		(c) => c !== null && c !== undefined && c !== false)
		.map((c) => typeof c === "number" ? String(c) : c);
}

export function h(tag, props, ...children) {
	return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
	return fill(document.createElementNS(SVG, tag), props, children);
}

export function replace(el, ...children) {
	el.replaceChildren(...flat(children));
	return el;
}

// Text that is the same is not written again: screen readers and selections
// stay undisturbed.
export function setText(el, text) {
	if (el.textContent !== text)
		el.textContent = text;
}

// Draws an element again and gives the focus back to what had it.
function redraw(el, draw) {
	const inside = () => [...el.querySelectorAll("a, button")];
	const at = inside().indexOf(document.activeElement);
	draw();
	if (at >= 0)
		inside()[at]?.focus({ preventScroll: true });
}

const kept = new WeakMap(); // parent -> Map(key -> {el, print})

// Makes the children of parent match items, reusing an element while its key
// stays; draw(el, item) is called only when the item changed.
export function keyed(parent, items, { key, make, draw, print }) {
	const old = kept.get(parent) ?? new Map();
	const now = new Map();
	items.forEach((item, i) => {
		const id = key(item);
		const entry = old.get(id) ?? { el: make(item), print: undefined };
		const mark = print ? print(item) : JSON.stringify(item);
		if (entry.print !== mark) {
			redraw(entry.el, () => draw(entry.el, item));
			entry.print = mark;
		}
		now.set(id, entry);
		if (parent.children[i] !== entry.el)
			parent.insertBefore(entry.el, parent.children[i] ?? null);
	});
	while (parent.children.length > items.length)
		parent.lastElementChild.remove();
	kept.set(parent, now);
}

// The value of a colour or other custom property, as a canvas wants it.
export function cssColour(name) {
	const probe = document.createElement("i");
	probe.style.setProperty("color", `var(${name})`);
	probe.hidden = true;
	document.body.append(probe);
	const value = getComputedStyle(probe).color;
	probe.remove();
	return value;
}

export const reducedMotion = () =>
	matchMedia("(prefers-reduced-motion: reduce)").matches;
export const isPhone = () => matchMedia("(max-width: 719px)").matches;
