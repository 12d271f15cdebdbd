// SPDX-License-Identifier: ISC
// Where nodes were, remembered by the browser per layout: a map that moves
// under its reader is no map.  What the reader dragged is pinned.
import { load, save } from "../../lib/prefs.js";

const MOST = 4000;

export class LayoutMemory {
	constructor(kind, agent) {
		this.key = `map.${kind}${agent ? `.${agent.slice(0, 8)}` : ""}`;
		const stored = load(this.key, { at: [], pinned: [] });
		this.at = new Map(stored.at);
		this.pinned = new Set(stored.pinned);
	}

	// The oldest places go first when there are too many.
	store() {
		const all = [...this.at].map(([id, [x, y]]) =>
			[id, [Math.round(x * 10) / 10, Math.round(y * 10) / 10]]);
		save(this.key, { at: all.slice(-MOST), pinned: [...this.pinned] });
	}

	take(positions) {
		for (const [id, place] of positions) {
			this.at.delete(id); // to the young end
			this.at.set(id, place);
		}
		this.store();
	}

	pin(id, place) {
		this.at.set(id, place);
		this.pinned.add(id);
		this.store();
	}

	unpin(id) {
		this.pinned.delete(id);
		this.store();
	}

	forget() {
		this.at.clear();
		this.pinned.clear();
		this.store();
	}

	has(nodes) {
		return nodes.every((n) => this.at.has(n.id));
	}
}
