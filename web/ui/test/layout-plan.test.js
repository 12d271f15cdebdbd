// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { hopRanks, isWorthKeeping, outwardLinks, placeNewcomers, quickLayers,
	spiral, spread, stretched } from "../src/pages/map/layout-plan.js";
import { mix, parseRgb } from "../src/lib/colour.js";

const nodes = [{ id: "s", source: true }, { id: "a" }, { id: "b" },
	{ id: "d" }, { id: "island" }];
const links = [["s", "a"], ["s", "b"], ["a", "d"], ["b", "d"], ["d", "b"],
	["a", "b"]];

test("ranks count links from the nearest source", () => {
	assert.deepEqual(Object.fromEntries(hopRanks(nodes, links)),
		{ s: 0, a: 1, b: 1, d: 2, island: 0 });
});

test("of two ways of a pair the one outwards is drawn", () => {
	const out = outwardLinks(nodes, links).map((l) => l.join(">"));
	assert.deepEqual(out, ["s>a", "s>b", "a>d", "b>d", "a>b"]);
	assert.deepEqual(outwardLinks(nodes, [["a", "a"]]), []);
	assert.deepEqual(outwardLinks(nodes, [["s", "a"], ["d", "a"]]),
		[["s", "a"], ["d", "a"]], "a single way is kept as it is");
});

test("whoever has a place keeps it, a newcomer finds a free one", () => {
	const known = new Map([["s", [0, 0]], ["a", [150, 0]]]);
	const fresh = new Map([["s", [10, 5]], ["a", [160, 9]], ["b", [160, 80]]]);
	const places = placeNewcomers(known, fresh, links);
	assert.deepEqual(places.get("s"), [0, 0]);
	assert.deepEqual(places.get("a"), [150, 0]);
	const [x, y] = places.get("b");
	assert.equal(x, 150, "in its column");
	assert.ok(Math.abs(y) >= 40, "not on top of a");
});

test("a layout of other nodes is not worth keeping", () => {
	const places = new Map(["s", "a", "b", "d"].map((id) => [id, [0, 0]]));
	assert.ok(isWorthKeeping(places, nodes));
	places.delete("d");
	assert.ok(!isWorthKeeping(places, nodes));
	assert.ok(!isWorthKeeping(new Map([["x", [0, 0]]]), nodes));
	assert.ok(!isWorthKeeping(new Map(), []));
});

test("pictures are stretched, never squeezed, and start the same", () => {
	const tall = new Map([["a", [0, 0]], ["b", [10, 170]]]);
	assert.deepEqual(stretched(tall).get("b"), [200, 170]);
	const dot = new Map([["a", [0, 0]]]);
	assert.equal(stretched(dot), dot);
	const wide = new Map([["a", [0, 0]], ["b", [1000, 10]]]);
	assert.deepEqual(stretched(wide).get("b"), [1000, 24]);
	assert.deepEqual([...spiral(nodes)], [...spiral(nodes)]);
});

test("colours mix", () => {
	assert.equal(mix("#ffffff", "rgb(0, 0, 0)", 0.5), "#808080");
	assert.deepEqual(parseRgb("rgb(1 2 3 / 50%)"), [1, 2, 3]);
});

test("nodes on top of each other are pushed apart", () => {
	const places = new Map([["a", [0, 0]], ["b", [100, 0]], ["c", [200, 0]],
		["d", [201, 0]]]);
	const out = spread(places, [["a", "b"], ["b", "c"], ["b", "d"]]);
	const [c, d] = [out.get("c"), out.get("d")];
	assert.ok(Math.hypot(c[0] - d[0], c[1] - d[1]) > 55);
	assert.deepEqual(out.get("a"), [0, 0]);
	assert.equal(spread(places, []), places);
});

test("quick layers are columns by hops without crossings of a ladder", () => {
	const rungs = [["s", "a"], ["s", "b"], ["a", "y"], ["b", "x"]];
	const all = [{ id: "s", source: true }, { id: "a" }, { id: "b" },
		{ id: "x" }, { id: "y" }];
	const at = quickLayers(all, rungs);
	assert.deepEqual(["s", "a", "b", "x", "y"].map((id) => at.get(id)[0]),
		[0, 150, 150, 300, 300]);
	const above = (p, q) => at.get(p)[1] < at.get(q)[1];
	assert.equal(above("a", "b"), above("y", "x"));
});
