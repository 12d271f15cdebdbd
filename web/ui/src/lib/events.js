// SPDX-License-Identifier: ISC
// The event stream.  The browser resumes a broken stream by itself with
// Last-Event-ID; a new one begins with the last events there are, and what
// was seen already is not shown again.
import { apiUrl } from "./api.js";
import { backoffMs } from "./backoff.js";

export const EVENT_TYPES = ["agent", "alarm", "sighting", "run", "gap"];
const KEPT = 200, REPLAYED = 100;

const listeners = new Set();
export const eventStream = { items: [], live: false };
const seen = new Set();
let source = null, failures = 0;

export function onEvent(listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function notify(event) {
	for (const listener of listeners)
		listener(eventStream, event);
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
	eventStream.items.unshift(event);
	for (const old of eventStream.items.splice(KEPT))
		seen.delete(old.id);
	notify(event);
}

export function openEvents() {
	source?.close();
	source = new EventSource(apiUrl("events", { last: REPLAYED }));
	source.addEventListener("open", () => {
		failures = 0;
		eventStream.live = true;
		notify(null);
	});
	source.addEventListener("error", () => {
		eventStream.live = false;
		notify(null);
		if (source.readyState === EventSource.CLOSED)
			setTimeout(openEvents, backoffMs(++failures));
	});
	for (const kind of EVENT_TYPES)
		source.addEventListener(kind, take);
}
