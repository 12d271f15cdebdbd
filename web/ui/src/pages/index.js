// SPDX-License-Identifier: ISC
// The pages, a line each; lib/pages.js says what a page is.
export { default as now } from "./now/page.js";
export { default as map } from "./map/page.js";
export { default as outbreaks } from "./outbreaks/page.js";
export { default as agents } from "./agents/page.js";
export { default as results } from "./results/page.js";
