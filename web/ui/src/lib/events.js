// SPDX-License-Identifier: ISC
// The live feed.  The browser resumes a broken stream by itself with
// Last-Event-ID; a stream that the browser gave up on is opened again with
// the last id in the query.
import { apiUrl } from "./api.js";
import { backoffMs } from "./backoff.js";

export const EVENT_KINDS = ["agent", "alarm", "sighting", "run", "loss"];
const KEPT = 200;

const listeners = new Set();
export const feed = { items: [], live: false };
const seen = new Set();
let source = null, failures = 0, last_id = "";

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
	last_id = message.lastEventId || last_id;
	const id = message.lastEventId || `${data.at} ${data.text}`;
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
	source = new EventSource(apiUrl("events", { last_event_id: last_id }));
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
