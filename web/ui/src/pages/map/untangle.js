// SPDX-License-Identifier: ISC
// Puts the nodes of a layered layout on the rows of a grid, such that few
// links cross each other or run through a node that they do not touch, and
// such that they rise and fall little.  It moves one node at a time, to
// another row of its column, for as long as that makes the picture better;
// from several beginnings, of which the best end is taken.  Pure, and the same
// every time.

const SPARE_ROWS = 1.25;  // per node of the fullest column
const THROUGH = 2;        // what running through a node costs, in crossings
const SLOPE = 0.25;       // and a row up or down
const NEAR = 0.34;        // this near to a node, in rows, is through it
const REACH = 8;          // rows that a node looks up and down
const SWEEPS = 40;
const GAP = 0.35;         // of the room that each node of a column could have
const TRIES = 12;
const WORK = 4e7;         // pairs of links that may be looked at, in all

const side = (ax, ay, bx, by, cx, cy) =>
	Math.sign((bx - ax) * (cy - ay) - (cx - ax) * (by - ay));

class Grid {
	// places: id -> [x, y] of a layered layout; equal x is a column
	constructor(places, links) {
		this.ids = [...places.keys()];
		const index = new Map(this.ids.map((id, i) => [id, i]));
		const xs = [...new Set([...places.values()].map(([x]) =>
			Math.round(x)))].sort((a, b) => a - b);
		this.column = this.ids.map((id) =>
			xs.indexOf(Math.round(places.get(id)[0])));
		this.links = this.outward(links.map(([a, b]) =>
			[index.get(a), index.get(b)]));
		this.linksOf = this.ids.map(() => []);
		this.links.forEach((ends, k) => ends.forEach((i) =>
			this.linksOf[i].push(k)));
		this.work = 0;
		this.seat(places, xs.length);
	}

	// Each pair of nodes once, from left to right.
	outward(pairs) {
		const once = new Map(pairs.filter(([a, b]) => a !== b
			&& a !== undefined && b !== undefined).map(([a, b]) =>
			[Math.min(a, b) * this.ids.length + Math.max(a, b), [a, b]]));
		return [...once.values()].map(([a, b]) =>
			this.column[a] <= this.column[b] ? [a, b] : [b, a]);
	}

	// The rows to begin with: as high as the layout has the nodes.
	seat(places, columns) {
		const members = Array.from({ length: columns }, () => []);
		this.ids.forEach((id, i) => members[this.column[i]].push(i));
		const fullest = Math.max(...members.map((m) => m.length));
		this.rows = Math.ceil(fullest * SPARE_ROWS);
		this.row = new Array(this.ids.length);
		this.at = members.map(() => new Array(this.rows).fill(-1));
		const y = (i) => places.get(this.ids[i])[1];
		const ys = this.ids.map((id, i) => y(i));
		const low = ys.reduce((a, b) => Math.min(a, b));
		const high = ys.reduce((a, b) => Math.max(a, b));
		members.forEach((list, x) => {
			let next = 0;
			list.sort((a, b) => y(a) - y(b)).forEach((i, k) => {
				const wish = Math.round((y(i) - low) / (high - low || 1)
					* (this.rows - 1));
				this.row[i] = Math.min(this.rows - (list.length - k),
					Math.max(next, wish));
				this.at[x][this.row[i]] = i;
				next = this.row[i] + 1;
			});
		});
	}

	// The two rows of a column change what they hold; maybe nothing.
	swap(x, r, s) {
		const column = this.at[x];
		[column[r], column[s]] = [column[s], column[r]];
		for (const row of [r, s])
			if (column[row] >= 0)
				this.row[column[row]] = row;
	}

	crosses([a, b], [c, d]) {
		const { column: x, row: y } = this;
		if (c === a || c === b || d === a || d === b
		    || x[c] >= x[b] || x[d] <= x[a])
			return false;
		return side(x[a], y[a], x[b], y[b], x[c], y[c])
			* side(x[a], y[a], x[b], y[b], x[d], y[d]) <= 0
			&& side(x[c], y[c], x[d], y[d], x[a], y[a])
			* side(x[c], y[c], x[d], y[d], x[b], y[b]) <= 0;
	}

	heightAt([a, b], x) {
		const share = (x - this.column[a]) / (this.column[b] - this.column[a]);
		return this.row[a] + (this.row[b] - this.row[a]) * share;
	}

	linkCost(k) {
		const link = this.links[k], [a, b] = link;
		let cost = SLOPE * Math.abs(this.row[a] - this.row[b]);
		this.work += this.links.length;
		for (const other of this.links)
			cost += this.crosses(link, other);
		for (let x = this.column[a] + 1; x < this.column[b]; x++) {
			const y = this.heightAt(link, x), r = Math.round(y);
			if (this.at[x][r] >= 0 && Math.abs(r - y) < NEAR)
				cost += THROUGH;
		}
		return cost;
	}

	// What runs through a node that it does not touch.
	throughCost(i) {
		const x = this.column[i];
		this.work += this.links.length;
		return THROUGH * this.links.filter((link) => link[0] !== i
			&& link[1] !== i && this.column[link[0]] < x
			&& this.column[link[1]] > x
			&& Math.abs(this.heightAt(link, x) - this.row[i]) < NEAR).length;
	}

	costAround(nodes) {
		const links = new Set(nodes.flatMap((i) => this.linksOf[i]));
		return [...links].reduce((sum, k) => sum + this.linkCost(k), 0)
			+ nodes.reduce((sum, i) => sum + this.throughCost(i), 0);
	}

	// Moves a node to the best row of its column; returns whether it moved.
	settle(x, from) {
		const last = Math.min(this.rows - 1, from + REACH);
		let best = -1e-9, goal = -1;
		for (let to = Math.max(0, from - REACH); to <= last; to++) {
			if (to === from)
				continue;
			const nodes = [from, to].map((r) => this.at[x][r])
				.filter((i) => i >= 0);
			const before = this.costAround(nodes);
			this.swap(x, from, to);
			const gain = this.costAround(nodes) - before;
			this.swap(x, from, to);
			if (gain < best)
				[best, goal] = [gain, to];
		}
		if (goal >= 0)
			this.swap(x, from, goal);
		return goal >= 0;
	}

	sweep(columns, work) {
		let moved = false;
		for (const x of columns)
			for (let row = 0; row < this.rows; row++)
				if (this.at[x][row] >= 0 && this.work < work)
					moved = this.settle(x, row) || moved;
		return moved;
	}
	// Settles everybody, within so much work.
	settleAll(work) {
		const ahead = [...this.at.keys()], back = [...ahead].reverse();
		for (let n = 0; n < SWEEPS && this.work < work; n++)
			if (!this.sweep(n % 2 ? back : ahead, work))
				break;
	}

	// Columns of few nodes use the height that others need: in order, a share
	// of the height apart.
	loosen() {
		this.at.forEach((column) => {
			const nodes = column.filter((i) => i >= 0);
			const gap = Math.floor(this.rows / (nodes.length + 1) * GAP);
			if (gap < 2)
				return;
			const wish = nodes.map((i) => this.row[i]);
			const rows = [...wish];
			for (let k = 1; k < rows.length; k++)
				rows[k] = Math.max(rows[k], rows[k - 1] + gap);
			const mean = (list) => list.reduce((a, b) => a + b)
				/ list.length;
			const shift = Math.round(mean(rows) - mean(wish));
			const last = nodes.length - 1;
			nodes.forEach((i, k) => {
				this.row[i] = Math.max(k * gap, Math.min(rows[k] - shift,
					this.rows - 1 - (last - k) * gap));
			});
		});
	}

	// How bad the picture is: crossings are seen from both of their links.
	cost() {
		return this.links.reduce((sum, link, k) => {
			const crossed = this.links.filter((other) =>
				this.crosses(link, other)).length;
			return sum + this.linkCost(k) - crossed / 2;
		}, 0);
	}
}

// Numbers from 0 to 1 that look random and are the same every time.
function chances() {
	let state = 1;
	return () => {
		state = (state * 48271) % 2147483647;
		return state / 2147483647;
	};
}

// places -> places; distances of columns and rows as given.
export function untangled(places, links, { column, row }) {
	if (places.size === 0)
		return places;
	const chance = chances();
	let best = null, least = Infinity, left = WORK;
	for (let n = 0; n < TRIES && left > 0; n++) {
		const start = n === 0 ? places : new Map([...places].map(
			([id, [x]]) => [id, [x, chance()]]));
		const grid = new Grid(start, links);
		grid.settleAll(left);
		left -= grid.work;
		const cost = grid.cost();
		if (cost < least)
			[best, least] = [grid, cost];
	}
	best.loosen();
	return new Map(best.ids.map((id, i) =>
		[id, [best.column[i] * column, best.row[i] * row]]));
}
