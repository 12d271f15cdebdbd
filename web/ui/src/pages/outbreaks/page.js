// SPDX-License-Identifier: ISC
import { isOpen } from "../../lib/alarms.js";
import { flag, text } from "../../lib/url-readers.js";

export default {
	id: "outbreaks", title: "Outbreaks", key: "3",
	icon: "M1.5 13.5h13M2.5 10.5l3-1 2.5.5 2-7 2.5 6 1.5 1",
	state: {
		signature: text, agent: text, log: flag, split: flag, alarm: text,
		verdict: text, payload: text, sort: text, src: text, who: text,
	},
	keys: [["l", "Outbreaks: linear or logarithmic scale"]],
	badge: (overview) => ({ level: "bad", what: "alarms",
		count: overview.alarms.filter(isOpen).length }),
	load: async () => (await import("./view.js")).OutbreaksView,
};
