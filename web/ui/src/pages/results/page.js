// SPDX-License-Identifier: ISC
import { text } from "../../lib/url-readers.js";

export default {
	id: "results", title: "Results", key: "5",
	icon: "M2 2.5h12v11H2zM2 6h12M6 6v7.5M10 6v7.5",
	state: { script: text, table: text, column: text, line: text,
		agent: text, sort: text },
	load: async () => (await import("./view.js")).ResultsView,
};
