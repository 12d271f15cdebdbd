// SPDX-License-Identifier: ISC
import { oneOf } from "../../lib/url-readers.js";

export default {
	id: "now", title: "Now", key: "1",
	icon: "M1.5 8.5h3l2-5 3 9 2-4h3",
	state: { kind: oneOf("agent", "alarm", "sighting", "run", "gap") },
	load: async () => (await import("./view.js")).NowView,
};
