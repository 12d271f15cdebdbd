// SPDX-License-Identifier: ISC
import { flag, text } from "../../lib/url-readers.js";

export default {
	id: "agents", title: "Agents", key: "4",
	icon: "M2 3h12v4H2zM2 9h12v4H2zM4.5 5h.01M4.5 11h.01M8 5h3.5M8 11h3.5",
	state: { sel: text, q: text, sort: text, add: flag },
	badge: ({ agents }) => ({ level: "warn",
		what: agents.blind ? "late or blind" : "late",
		count: (agents.late ?? 0) + (agents.blind ?? 0) }),
	load: async () => (await import("./view.js")).AgentsView,
};
