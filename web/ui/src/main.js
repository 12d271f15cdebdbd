// SPDX-License-Identifier: ISC
// Starts the pages: the first state from the address, then the shell.
import { get, serverNow } from "./lib/api.js";
import { openEvents } from "./lib/events.js";
import { App } from "./app.js";
import { Shell } from "./shell.js";
import { parseTime } from "./lib/time.js";

const YOUNG_MS = 20 * 60 * 1000;

// A collector that was set up minutes ago has nothing to show in an hour's
// width: then the first page is the live one.  An address that names a range
// is obeyed.
async function firstRange(state) {
	if (state.range !== undefined)
		return {};
	try {
		const { items } = await get("agents", { limit: 100 },
			AbortSignal.timeout(1500));
		const oldest = Math.min(...items.map((a) => parseTime(a.enrolled_at)));
		return serverNow() - oldest < YOUNG_MS ? { range: "5m" } : {};
	} catch {
		return {};
	}
}

const app = new App();
app.set(await firstRange(app.state), { replace: true });
new Shell(app).mount(document.getElementById("app"));
openEvents();
