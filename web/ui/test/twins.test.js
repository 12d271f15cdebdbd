// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { test } from "node:test";
import { baseOf, endOf, withTwins } from "../src/pages/map/twins.js";

test("who begins and ends ways is drawn twice", () => {
	const nodes = [{ id: "a", role: "source" }, { id: "b", role: "source" },
		{ id: "r", role: "router" }];
	const links = [{ id: "a>r", from: "a", to: "r" },
		{ id: "r>b", from: "r", to: "b" }];
	const drawn = withTwins({ nodes, links });
	assert.deepEqual(drawn.nodes.map((n) => [n.id, n.role]),
		[["a", "source"], ["b", "source"], ["r", "router"],
			["b#end", "destination"]]);
	assert.deepEqual(drawn.links, [links[0],
		{ id: "r>b", from: "r", to: "b#end" }]);
	assert.equal(links[1].to, "b", "what was given stays");
});

test("a link that is used both ways ends where it begins", () => {
	const nodes = [{ id: "a", role: "source" }, { id: "r", role: "router" }];
	const links = [{ id: "a>r", from: "a", to: "r" },
		{ id: "r>a", from: "r", to: "a" }];
	assert.deepEqual(withTwins({ nodes, links }), { nodes, links });
});

test("a twin knows whose it is", () => {
	assert.equal(baseOf(endOf("192.0.2.1")), "192.0.2.1");
	assert.equal(baseOf("192.0.2.1"), "192.0.2.1");
});
