// SPDX-License-Identifier: ISC
// The thinking of the map's layouts without their libraries: what is left of
// what, and where a newcomer goes when everybody else already has a place.
// Pure.

export const COLUMN = 150, ROW = 60;

function neighboursOf(links) {
	const out = new Map();
	const add = (a, b) => out.set(a, [...out.get(a) ?? [], b]);
	for (const [from, to] of links) {
		add(from, to);
		add(to, from);
	}
	return out;
}

// How many links a node is away from the nearest source, along the ways that
// packets went; what they did not lead to, by links in any direction.
export function hopRanks(nodes, links) {
	const near = neighboursOf(links), ahead = new Map();
	for (const [from, to] of links)
		ahead.set(from, [...ahead.get(from) ?? [], to]);
	const ranks = new Map();
	const spread = (queue, ways) => {
		for (const at of queue)
			for (const next of ways.get(at) ?? [])
				if (!ranks.has(next)) {
					ranks.set(next, ranks.get(at) + 1);
					queue.push(next);
				}
	};
	const sources = nodes.filter((n) => n.source).map((n) => n.id);
	sources.forEach((id) => ranks.set(id, 0));
	spread(sources, ahead);
	spread([...ranks.keys()], near);
	for (const { id } of nodes) // pieces without a source
		if (!ranks.has(id)) {
			ranks.set(id, 0);
			spread([id], near);
		}
	return ranks;
}

// The links for drawing, each pair once: the way that packets went; where
// they went both ways, the one that leads away from the sources.
export function outwardLinks(nodes, links) {
	const ranks = hopRanks(nodes, links);
	const ways = new Set(links.map((l) => l.join(">")));
	return links.filter(([a, b]) => {
		if (a === b || !ranks.has(a) || !ranks.has(b))
			return false;
		const d = ranks.get(b) - ranks.get(a) || (a < b ? 1 : -1);
		return d > 0 || !ways.has(`${b}>${a}`);
	});
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

function isFree(x, y, taken) {
	return !taken.some(([tx, ty]) => Math.abs(tx - x) < COLUMN * 0.45
		&& Math.abs(ty - y) < ROW * 0.7);
}

// Keeps everybody who has a place; a newcomer goes to its column, as near to
// its neighbours' height as is free.
export function placeNewcomers(known, fresh, links) {
	const shifts = [...known].filter(([id]) => fresh.has(id))
		.map(([id, [x]]) => x - fresh.get(id)[0]);
	const shift = shifts.length ? median(shifts) : 0;
	const near = neighboursOf(links);
	const out = new Map([...known].filter(([id]) => fresh.has(id)));
	const taken = [...out.values()];
	for (const [id, [x, y]] of fresh) {
		if (out.has(id))
			continue;
		const heights = (near.get(id) ?? []).filter((n) => out.has(n))
			.map((n) => out.get(n)[1]);
		const want = heights.length
			? heights.reduce((a, b) => a + b) / heights.length : y;
		let step = 0;
		const at = () => want + ROW * Math.ceil(step / 2)
			* (step % 2 ? 1 : -1);
		while (step < 400 && !isFree(x + shift, at(), taken))
			step++;
		out.set(id, [x + shift, at()]);
		taken.push(out.get(id));
	}
	return out;
}

// Whether a remembered layout still says something about these nodes.
export function isWorthKeeping(known, nodes) {
	const kept = nodes.filter((n) => known.has(n.id)).length;
	return kept > 0 && kept >= nodes.length * 0.7;
}

// A place to start from that is the same every time.
export function spiral(nodes) {
	return new Map(nodes.map((n, i) => {
		const angle = i * 2.399963, radius = 30 * Math.sqrt(i + 1);
		return [n.id, [radius * Math.cos(angle), radius * Math.sin(angle)]];
	}));
}

// A picture of a shape that a screen likes: what is too wide or too tall is
// pulled apart in the other direction, never squeezed.
const SHAPE = 0.85, MOST_STRETCH = 2.4;
export function stretched(places) {
	const size = (i) => {
		let least = Infinity, most = -Infinity;
		for (const p of places.values()) {
			least = Math.min(least, p[i]);
			most = Math.max(most, p[i]);
		}
		return most - least;
	};
	const width = size(0), height = size(1);
	if (!(width > 0 && height > 0))
		return places;
	const wider = Math.max(1, height / SHAPE / width);
	const taller = Math.min(MOST_STRETCH,
		Math.max(1, (width * SHAPE) / height));
	return new Map([...places].map(([id, [x, y]]) =>
		[id, [x * wider, y * taller]]));
}

// Layers for graphs that are too big for better ones: columns by hops, each
// ordered by the mean height of its neighbours, to and fro.
const SWEEPS = 6;
export function quickLayers(nodes, links) {
	const ranks = hopRanks(nodes, links), near = neighboursOf(links);
	const columns = [];
	for (const { id } of nodes)
		(columns[ranks.get(id)] ??= []).push(id);
	const height = new Map();
	const settle = (column) => column.forEach((id, i) =>
		height.set(id, (i - (column.length - 1) / 2) * ROW));
	columns.forEach(settle);
	const mean = (id, rank) => {
		const all = (near.get(id) ?? []).filter((n) => ranks.get(n) === rank)
			.map((n) => height.get(n));
		return all.length ? all.reduce((a, b) => a + b) / all.length
			: height.get(id);
	};
	for (let sweep = 0; sweep < SWEEPS; sweep++)
		for (let k = 1; k < columns.length; k++) {
			const back = sweep % 2 === 1;
			const rank = back ? columns.length - 1 - k : k;
			const wish = new Map(columns[rank].map((id) =>
				[id, mean(id, back ? rank + 1 : rank - 1)]));
			columns[rank].sort((a, b) => wish.get(a) - wish.get(b));
			settle(columns[rank]);
		}
	return new Map(nodes.map(({ id }) =>
		[id, [ranks.get(id) * COLUMN, height.get(id)]]));
}

// Pushes apart what lies nearly on top of each other, a little at a time; the
// rest of a force layout stays as it is.
const SPREAD_NODES = 1500, SPREAD_ROUNDS = 60, SPREAD_SHARE = 0.6;
export function spread(places, links) {
	const ids = [...places.keys()];
	const at = ids.map((id) => [...places.get(id)]);
	const lengths = links.map(([a, b]) => [places.get(a), places.get(b)])
		.map(([p, q]) => Math.hypot(p[0] - q[0], p[1] - q[1]));
	if (ids.length > SPREAD_NODES || lengths.length === 0)
		return places;
	const least = median(lengths) * SPREAD_SHARE;
	let moved = true;
	for (let round = 0; moved && round < SPREAD_ROUNDS; round++)
		moved = pushApart(at, least);
	return new Map(ids.map((id, i) => [id, at[i]]));
}

function pushApart(at, least) {
	let moved = false;
	for (let i = 0; i < at.length; i++)
		for (let j = i + 1; j < at.length; j++) {
			const dx = at[j][0] - at[i][0], dy = at[j][1] - at[i][1];
			const d = Math.hypot(dx, dy);
			if (d >= least * 0.99)
				continue;
			const [ux, uy] = d > 0 ? [dx / d, dy / d] : [1, 0];
			const push = (least - d) / 2;
			at[i] = [at[i][0] - ux * push, at[i][1] - uy * push];
			at[j] = [at[j][0] + ux * push, at[j][1] + uy * push];
			moved = true;
		}
	return moved;
}
