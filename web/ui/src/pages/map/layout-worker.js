// SPDX-License-Identifier: ISC
// Computes where nodes go, beside the page so that it stays quick.  One
// message in: {job, kind, nodes: [{id, source, end}], links: [[from, to]],
// known: [[id, [x, y]]], pinned: [id]}; one out: {job, positions}.
import dagre from "@dagrejs/dagre";
import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";
import { COLUMN, ROW, isWorthKeeping, outwardLinks, placeNewcomers,
	quickLayers, spiral, spread, stretched } from "./layout-plan.js";
import { untangled } from "./untangle.js";

const ROOT = ">root", SINK = ">sink"; // no node id holds a ">"
const TIGHT = 4; // a node at the edge stays near its first router

const DAGRE_NODES = 700; // more would take it many seconds

function dagreLayers(nodes, links) {
	const graph = new dagre.graphlib.Graph();
	graph.setGraph({ rankdir: "LR", nodesep: ROW - 12, edgesep: 10,
		ranksep: COLUMN - 12, ranker: "network-simplex",
		acyclicer: "greedy" });
	graph.setDefaultEdgeLabel(() => ({}));
	for (const { id } of nodes)
		graph.setNode(id, { width: 12, height: 12 });
	const edge = new Set(nodes.filter((n) => n.source || n.end)
		.map((n) => n.id));
	for (const [from, to] of outwardLinks(nodes, links))
		graph.setEdge(from, to, { weight:
			edge.has(from) || edge.has(to) ? TIGHT : 1 });
	// a root that all sources hang from keeps them in the first column, and
	// a sink all ends in the last
	graph.setNode(ROOT, { width: 1, height: 1 });
	graph.setNode(SINK, { width: 1, height: 1 });
	for (const { id, source, end } of nodes) {
		if (source)
			graph.setEdge(ROOT, id, { weight: 1000 });
		else if (end && graph.outEdges(id).length === 0)
			graph.setEdge(id, SINK, { weight: 1000 });
	}
	dagre.layout(graph);
	const places = new Map(nodes.map(({ id }) => {
		const { x, y } = graph.node(id);
		return [id, [x, -y]]; // the canvas counts upwards
	}));
	return untangled(places, links, { column: COLUMN, row: ROW });
}

function layered({ nodes, links, known }) {
	const fresh = stretched(nodes.length > DAGRE_NODES
		? quickLayers(nodes, links) : dagreLayers(nodes, links));
	return isWorthKeeping(known, nodes)
		? placeNewcomers(known, fresh, links) : fresh;
}

function force({ nodes, links, known, pinned }) {
	const keep = isWorthKeeping(known, nodes);
	const start = keep ? placeNewcomers(known, spiral(nodes), links)
		: spiral(nodes);
	const graph = new Graph({ type: "undirected" });
	for (const { id } of nodes) {
		const [x, y] = known.get(id) ?? start.get(id);
		graph.addNode(id, { x, y, size: 14,
			fixed: pinned.has(id) || (keep && known.has(id)) });
	}
	for (const [from, to] of links)
		if (from !== to && !graph.hasEdge(from, to))
			graph.addEdge(from, to);
	const n = nodes.length;
	const newcomers = nodes.some(({ id }) => !known.has(id));
	if (!keep || newcomers)
		forceAtlas2.assign(graph, {
			iterations: Math.max(40, Math.min(800, Math.round(300000 / n))),
			settings: { gravity: 0.6, scalingRatio: 260, slowDown: 6,
				strongGravityMode: false, linLogMode: false,
				adjustSizes: false, edgeWeightInfluence: 0,
				barnesHutOptimize: n > 400 },
		});
	const places = new Map(graph.mapNodes((id, { x, y }) => [id, [x, y]]));
	return keep ? places : spread(places, links);
}

self.onmessage = ({ data }) => {
	const work = { ...data, known: new Map(data.known),
		pinned: new Set(data.pinned) };
	const positions = data.kind === "force" ? force(work) : layered(work);
	for (const id of work.pinned)
		if (work.known.has(id))
			positions.set(id, work.known.get(id));
	self.postMessage({ job: data.job, positions: [...positions] });
};
