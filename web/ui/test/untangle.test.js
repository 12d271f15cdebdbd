// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { untangled } from "../src/pages/map/untangle.js";

const size = { column: 100, row: 50 };
const side = ([ax, ay], [bx, by], [cx, cy]) =>
	Math.sign((bx - ax) * (cy - ay) - (cx - ax) * (by - ay));

function crossings(places, links) {
	let count = 0;
	links.forEach(([a, b], i) => links.slice(i + 1).forEach(([c, d]) => {
		if (new Set([a, b, c, d]).size < 4)
			return;
		const [p, q, r, s] = [a, b, c, d].map((id) => places.get(id));
		if (side(p, q, r) !== side(p, q, s)
		    && side(r, s, p) !== side(r, s, q))
			count++;
	}));
	return count;
}

test("links that need not cross do not", () => {
	const places = new Map([["a", [0, 0]], ["b", [0, 9]], ["c", [0, 20]],
		["x", [70, 0]], ["y", [70, 9]], ["z", [70, 20]]]);
	const links = [["a", "z"], ["b", "y"], ["c", "x"]];
	assert.equal(crossings(places, links), 3);
	assert.equal(crossings(untangled(places, links, size), links), 0);
});

test("a long link does not run through a node that it does not touch", () => {
	const places = new Map([["a", [0, 0]], ["b", [70, 0]], ["c", [140, 0]],
		["d", [0, 30]]]);
	const links = [["a", "c"], ["d", "b"], ["b", "c"]];
	const at = untangled(places, links, size);
	const middle = (at.get("a")[1] + at.get("c")[1]) / 2;
	assert.ok(Math.abs(middle - at.get("b")[1]) > 0.34 * size.row);
});

test("columns stay, places are on a grid, nobody shares one", () => {
	const ids = Array.from({ length: 30 }, (_, i) => `n${i}`);
	const places = new Map(ids.map((id, i) =>
		[id, [70 * (i % 5), i * 7]]));
	const links = ids.flatMap((id, i) => i % 5 === 4 ? []
		: [[id, ids[(i * 7) % 30]], [id, ids[i + 1]]]);
	const at = untangled(places, links, size);
	assert.equal(new Set([...at.values()].map(String)).size, ids.length);
	ids.forEach((id, i) => {
		assert.equal(at.get(id)[0], 100 * (i % 5));
		assert.equal(at.get(id)[1] % 50, 0);
	});
	assert.deepEqual([...untangled(places, links, size)], [...at]);
	assert.equal(untangled(new Map(), [], size).size, 0);
});

test("few nodes do not crowd beside a column of many", () => {
	const many = Array.from({ length: 40 }, (_, i) => `m${i}`);
	const places = new Map([...many.map((id, i) => [id, [70, 10 * i]]),
		...["a", "b", "c"].map((id, i) => [id, [0, i]])]);
	const at = untangled(places, [["a", "m1"], ["b", "m2"], ["c", "m3"]],
		size);
	const rows = ["a", "b", "c"].map((id) => at.get(id)[1] / size.row)
		.sort((x, y) => x - y);
	assert.ok(rows[0] >= 0 && rows[1] - rows[0] >= 3 && rows[2] - rows[1] >= 3
		&& rows[2] < 50);
});
