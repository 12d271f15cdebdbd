// SPDX-License-Identifier: ISC
import { number, oneOf, text } from "../../lib/url-readers.js";

export default {
	id: "map", title: "Map", key: "2",
	icon: "M3.5 5.5a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM12.5 9.8a1.8 1.8 "
		+ "0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM3.5 14.1a1.8 1.8 0 1 0 0-3.6 "
		+ "1.8 1.8 0 0 0 0 3.6zM5.2 4.5l5.6 2.7M5.2 11.5l5.6-2.7",
	state: {
		layout: oneOf("layered", "force"), colour: oneOf("delay", "loss"),
		delay_ms: number, loss_percent: number, sel: text, q: text,
		agent: text, focus: number, tab: oneOf("links", "nodes"),
		sort: text,
	},
	keys: [["+  \u2212  0", "Map: zoom in, out, fit"]],
	load: async () => (await import("./view.js")).MapView,
};
