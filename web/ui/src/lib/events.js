// SPDX-License-Identifier: ISC
// The live feed.  The browser resumes a broken stream by itself with
// Last-Event-ID; a new one begins with the last events there are, and what
// was seen already is not shown again.
import { apiUrl } from "./api.js";
import { backoffMs } from "./backoff.js";

export const EVENT_KINDS = ["agent", "alarm", "sighting", "run", "loss"];
const KEPT = 200, REPLAYED = 100;

const listeners = new Set();
export const feed = { items: [], live: false };
const seen = new Set();
let source = null, failures = 0;

export function onFeed(listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function tell(event) {
	for (const listener of listeners)
		listener(feed, event);
}

function take(message) {
	let data;
	try {
		data = JSON.parse(message.data);
	} catch {
		return; // not ours
	}
	// a collector with a new database counts from one again
	const id = `${message.lastEventId} ${data.at}`;
	if (seen.has(id))
		return; // the overlap of a resumed stream
	seen.add(id);
	const event = { ...data, id, type: message.type };
	feed.items.unshift(event);
	for (const old of feed.items.splice(KEPT))
		seen.delete(old.id);
	tell(event);
}

export function openFeed() {
	source?.close();
	source = new EventSource(apiUrl("events", { last: REPLAYED }));
	source.addEventListener("open", () => {
		failures = 0;
		feed.live = true;
		tell(null);
	});
	source.addEventListener("error", () => {
		feed.live = false;
		tell(null);
		if (source.readyState === EventSource.CLOSED)
			setTimeout(openFeed, backoffMs(++failures));
	});
	for (const kind of EVENT_KINDS)
		source.addEventListener(kind, take);
}
