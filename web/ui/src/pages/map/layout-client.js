// SPDX-License-Identifier: ISC
// Asks the worker for places; the last question wins.
/* global LAYOUT_WORKER_URL */

export class LayoutClient {
	constructor() {
		this.job = 0;
		this.waiting = new Map();
	}

	start() {
		this.worker = new Worker(new URL(LAYOUT_WORKER_URL,
			document.baseURI));
		this.worker.onmessage = ({ data }) => {
			const { resolve } = this.waiting.get(data.job) ?? {};
			this.waiting.delete(data.job);
			resolve?.(data.job === this.job ? data.positions : null);
		};
		this.worker.onerror = (event) => {
			for (const { reject } of this.waiting.values())
				reject(new Error(`layout: ${event.message}`));
			this.waiting.clear();
		};
	}

	// Resolves to [[id, [x, y]]], or to null if a later question came.
	ask(kind, nodes, links, memory) {
		if (!this.worker)
			this.start();
		const job = ++this.job;
		const ids = new Set(nodes.map((n) => n.id));
		const known = [...memory.at].filter(([id]) => ids.has(id));
		this.worker.postMessage({ job, kind, known,
			nodes: nodes.map((n) => ({ id: n.id,
				source: n.role === "source",
				end: n.role === "destination" })),
			links: links.map((l) => [l.from, l.to]),
			pinned: [...memory.pinned].filter((id) => ids.has(id)) });
		return new Promise((resolve, reject) =>
			this.waiting.set(job, { resolve, reject }));
	}

	stop() {
		this.worker?.terminate();
	}
}
