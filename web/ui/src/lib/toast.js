// SPDX-License-Identifier: ISC
// A short word at the edge of the screen, read out by screen readers.
import { h } from "./dom.js";

const region = h("div", { class: "toast", role: "status",
	"aria-live": "polite" });
let timer = 0;

export function mountToast(parent) {
	parent.append(region);
}

export function toast(text) {
	region.textContent = text;
	region.classList.add("shown");
	clearTimeout(timer);
	timer = setTimeout(() => region.classList.remove("shown"), 2500);
}
