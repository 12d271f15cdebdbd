// SPDX-License-Identifier: ISC
// The drawn map: a graph on a canvas by sigma.  It is given what to show and
// reports what was clicked or dragged; it knows no address and no API.
import Graph from "graphology";
import Sigma from "sigma";
import { mix } from "../../lib/colour.js";
import { cssColour, reducedMotion } from "../../lib/dom.js";
import { formatDelay, formatLoss } from "../../lib/format.js";
import { LEVELS, LEVEL_WIDTH, isRaised, linkState } from "../../lib/scales.js";
import { drawHover, drawLabels } from "./labels.js";
import { baseOf, endOf } from "./twins.js";
import { DASHES, LinkProgram, SHAPES, ShapeProgram } from "./programs.js";

const NODE_LOOK = {
	source: { shape: SHAPES.square, size: 9 },
	router: { shape: SHAPES.circle, size: 6 },
	destination: { shape: SHAPES.diamond, size: 9 },
	silent: { shape: SHAPES.hollow, size: 8 },
};
const LEVEL_DASH = { unknown: DASHES.dotted, ok: DASHES.solid,
	warn: DASHES.solid, bad: DASHES.dashed, other: DASHES.dashed };
const OTHER_WIDTH = 2.6;
const LEAST_NAMED = 4; // px; smaller marks are named by zooming in
const DIMMED = 0.16;
const COLOURS = ["surface", "text", "text-2", "text-3", "line-strong",
	"raised", "accent", "warn", "bad", "node-source", "node-router",
	"node-destination", "node-silent", "node-mpls", "edge-ok",
	"edge-unknown", "edge-other"];

export function hasWebGl() {
	const canvas = document.createElement("canvas");
	return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
}

const roleOf = (node) => node.id.startsWith("?") ? "silent" : node.role;

export class GraphView {
	// on: {node(id), link(id), nothing(), moved(id, [x, y])}
	constructor(container, on, { readOnly }) {
		this.on = on;
		this.small = readOnly; // a phone: less words
		this.look = { colour: "delay", thresholds: {}, selected: null,
			matches: null, focus: null };
		this.near = new Set();
		this.graph = new Graph({ type: "directed", multi: false });
		this.readTheme();
		this.sigma = new Sigma(this.graph, container, this.settings(readOnly));
		this.sigma.on("clickNode", ({ node }) => on.node(baseOf(node)));
		this.sigma.on("clickEdge", ({ edge }) => on.link(edge));
		this.sigma.on("clickStage", () => on.nothing());
		this.sigma.on("enterEdge", ({ edge }) => this.hover(edge));
		this.sigma.on("leaveEdge", () => this.hover(null));
		for (const [event, cursor] of [["enterNode", "pointer"],
			["enterEdge", "pointer"], ["leaveNode", ""], ["leaveEdge", ""]])
			this.sigma.on(event, () =>
				container.style.setProperty("cursor", cursor));
		this.sigma.on("afterRender", () => this.drawWords());
		if (!readOnly)
			this.listenToDrags();
	}

	settings(readOnly) {
		return {
			defaultNodeType: "shape", defaultEdgeType: "link",
			nodeProgramClasses: { shape: ShapeProgram },
			nodeHoverProgramClasses: { shape: ShapeProgram },
			edgeProgramClasses: { link: LinkProgram },
			enableEdgeEvents: true, zIndex: true,
			// words are placed by drawWords(), which lets none cover another
			renderLabels: false, renderEdgeLabels: false,
			defaultDrawNodeHover: (c, data) => drawHover(c, data, this),
			labelFont: getComputedStyle(document.body).fontFamily,
			labelSize: 11, stagePadding: 46,
			minCameraRatio: 0.05, maxCameraRatio: 3,
			enableCameraZooming: !readOnly, enableCameraPanning: !readOnly,
			enableCameraRotation: false, allowInvalidContainer: true,
			zoomToSizeRatioFunction: (ratio) => Math.sqrt(ratio),
			nodeReducer: (id, node) => this.drawnNode(id, node),
			edgeReducer: (id, edge) => this.drawnLink(id, edge),
		};
	}

	readTheme() {
		this.colours = Object.fromEntries(COLOURS.map(
			(name) => [name, cssColour(`--${name}`)]));
	}

	themeChanged() {
		this.readTheme();
		this.sigma.refresh();
	}

	// Brings nodes and links up to date; what stays keeps its place.
	update(nodes, links, places) {
		const ids = new Set(nodes.map((n) => n.id));
		const keys = new Set(links.map((l) => l.id));
		const ways = new Set(links.map((l) => `${l.from}>${l.to}`));
		this.graph.filterEdges((id) => !keys.has(id))
			.forEach((id) => this.graph.dropEdge(id));
		this.graph.filterNodes((id) => !ids.has(id))
			.forEach((id) => this.graph.dropNode(id));
		// many nodes are small ones; their names come with zooming in
		this.scale = Math.min(1, Math.max(0.3, Math.sqrt(120 / nodes.length)));
		for (const node of nodes) {
			const [x, y] = places.get(node.id) ?? [0, 0];
			this.graph.mergeNode(node.id, { x, y, node });
		}
		for (const link of links)
			if (ids.has(link.from) && ids.has(link.to))
				this.mergeLink(link, ways);
	}

	mergeLink(link, ways) {
		const paired = ways.has(`${link.to}>${link.from}`);
		// the end of a link may have become another node: layouts differ
		if (this.graph.hasEdge(link.id)
		    && this.graph.target(link.id) !== link.to)
			this.graph.dropEdge(link.id);
		if (this.graph.hasEdge(link.id))
			this.graph.mergeEdgeAttributes(link.id, { link, paired });
		else
			this.graph.addEdgeWithKey(link.id, link.from, link.to,
				{ link, paired });
	}

	// Glides to new places, or jumps where motion is not wanted.
	move(places) {
		const goals = [...places].filter(([id]) => this.graph.hasNode(id));
		const starts = new Map(goals.map(([id]) => {
			const { x, y } = this.graph.getNodeAttributes(id);
			return [id, [x, y]];
		}));
		const begin = performance.now(), duration = reducedMotion() ? 0 : 350;
		const step = (now) => {
			const t = duration ? Math.min(1, (now - begin) / duration) : 1;
			const eased = 1 - (1 - t) ** 3;
			for (const [id, [x, y]] of goals) {
				const [x0, y0] = starts.get(id);
				if (this.graph.hasNode(id))
					this.graph.mergeNodeAttributes(id, {
						x: x0 + (x - x0) * eased,
						y: y0 + (y - y0) * eased });
			}
			if (t < 1 && !this.killed)
				requestAnimationFrame(step);
		};
		step(begin + (duration ? 0 : 1));
	}

	setLook(look) {
		Object.assign(this.look, look);
		this.near = this.neighbourhood();
		this.sigma.refresh({ skipIndexation: true });
	}

	// The nodes that stay bright: within `focus` links of the selection.
	neighbourhood() {
		const { selected, focus } = this.look;
		if (!selected)
			return null;
		const near = new Set(selected.kind === "node"
			? [selected.id, endOf(selected.id)] : this.graph.hasEdge(selected.id)
				? this.graph.extremities(selected.id) : []);
		const hops = selected.kind === "node" ? focus ?? 1 : (focus ?? 1) - 1;
		for (let i = 0; i < hops; i++)
			for (const id of [...near])
				if (this.graph.hasNode(id))
					this.graph.forEachNeighbor(id, (n) => near.add(n));
		return near;
	}

	isDim(id) {
		const { matches } = this.look;
		if (matches)
			return !matches.has(baseOf(id));
		return this.near !== null && this.near.size > 0 && !this.near.has(id);
	}

	drawnNode(id, { x, y, node }) {
		const role = roleOf(node), c = this.colours;
		const { shape, size } = NODE_LOOK[role] ?? NODE_LOOK.router;
		const chosen = this.look.selected?.id === baseOf(id);
		const dim = this.isDim(id);
		const hidden = Boolean(this.look.focus) && this.near?.size > 0
			&& !this.near.has(id);
		let color = node.mpls ? c["node-mpls"] : c[`node-${role}`]
			?? c["node-router"];
		let border = role === "silent" ? color : c.surface;
		if (role === "silent")
			color = c.surface;
		else if (this.scale < 0.6)
			border = color; // a rim would eat a small mark up
		if (chosen)
			border = c.text;
		if (dim)
			[color, border] = [mix(color, c.surface, DIMMED),
				mix(border, c.surface, DIMMED)];
		return { x, y, hidden, shape, color, border, role, dim,
			size: chosen ? size + 3 : size * (this.scale ?? 1),
			chosen, label: role === "silent" ? "?"
				: node.name || node.addr || id,
			zIndex: dim ? 0 : chosen ? 3 : 2 };
	}

	drawnLink(id, { link, paired }) {
		const { colour, thresholds, selected, focus } = this.look;
		const state = linkState(link, thresholds), c = this.colours;
		const level = state[colour];
		// bad by the measure that is not shown: marked, in no colour of it
		const other = !isRaised(level) && isRaised(state.level);
		const chosen = selected?.id === id, hovered = this.hovered === id;
		const dim = this.isDim(link.from) || this.isDim(link.to)
			|| (selected?.kind === "link" && !chosen && !focus);
		let color = other ? c["edge-other"] : isRaised(level) ? c[level]
			: chosen ? c.accent : c[`edge-${level}`];
		if (dim)
			color = mix(color, c.surface, DIMMED * 1.6);
		const size = (other ? OTHER_WIDTH : LEVEL_WIDTH[level])
			* Math.sqrt(this.scale ?? 1) + (chosen ? 2 : 0)
			+ (hovered ? 1 : 0);
		const named = chosen || hovered || (!dim && this.isTold(state)
			&& this.isWorseWay(link, paired));
		return { color, level, size, dash: LEVEL_DASH[other ? "other" : level],
			side: paired ? size + 0.9 : 0,
			label: named ? this.valueOf(link, state) : null,
			zIndex: dim ? 0 : chosen ? 3 : isRaised(state.level)
				? LEVELS.indexOf(state.level) - 1 : 0.5 };
	}

	// Whether a link says its value without being pointed at.
	isTold({ level }) {
		return level === "bad" || (level === "warn" && !this.small
			&& (this.scale ?? 1) === 1);
	}

	// What is raised; else the chosen measure.
	valueOf(link, { delay, loss }) {
		const values = [isRaised(delay) ? formatDelay(link.delay_ns) : null,
			isRaised(loss) ? `${formatLoss(link.loss)} lost` : null]
			.filter(Boolean);
		return values.join(", ") || (this.look.colour === "loss"
			? `${formatLoss(link.loss)} lost` : formatDelay(link.delay_ns));
	}

	// Of the two directions of a pair only the worse one is labelled.
	isWorseWay(link, paired) {
		if (!paired)
			return true;
		const { link: back } = this.graph.getEdgeAttributes(
			`${link.to}>${link.from}`);
		const { thresholds } = this.look;
		const value = (l) => Math.max((l.delay_ns ?? -1) / thresholds.delay_ns,
			(l.loss ?? -1) / thresholds.loss);
		return value(link) > value(back)
			|| (value(link) === value(back) && link.from < link.to);
	}

	// The words of what is in view, over everything that sigma drew.
	drawWords() {
		const { width, height } = this.sigma.getDimensions();
		const frame = { left: 2, top: 2, right: width - 2,
			bottom: height - 2 };
		const inView = ({ x, y }) => x > -50 && y > -50 && x < width + 50
			&& y < height + 50;
		const at = new Map(), nodes = [], links = [], lines = [];
		this.graph.forEachNode((id) => {
			const data = this.sigma.getNodeDisplayData(id);
			if (!data || data.hidden)
				return;
			const { x, y } = this.sigma.framedGraphToViewport(data);
			at.set(id, [x, y]);
			if (inView({ x, y }))
				nodes.push({ ...data, id, x, y,
					size: this.sigma.scaleSize(data.size) });
		});
		const told = new Set();
		this.graph.forEachEdge((id, _, from, to) => {
			const data = this.sigma.getEdgeDisplayData(id);
			if (!data || !at.has(from) || !at.has(to))
				return;
			const line = [...at.get(from), ...at.get(to)];
			lines.push(line);
			if (!data.label)
				return;
			links.push({ ...data, id, line });
			told.add(from).add(to);
		});
		links.sort((a, b) => b.zIndex - a.zIndex);
		drawLabels(this.sigma.getCanvases().labels.getContext("2d"),
			{ nodes: this.ranked(nodes, told), links, lines, frame }, this);
	}

	// Who is named first: what was chosen or found, where ways begin and
	// end, the ends of links that stand out, then who has the most links.
	ranked(nodes, told) {
		const { matches } = this.look;
		for (const node of nodes) {
			const found = matches?.has(baseOf(node.id));
			const edge = node.role === "source" || baseOf(node.id) !== node.id
				|| node.role === "destination";
			node.strong = node.chosen || node.role === "source";
			node.must = node.chosen || edge; // they say where one is
			node.named = node.role !== "silent" && (node.must || found
				|| (!node.dim && !this.small && (told.has(node.id)
					|| node.size >= LEAST_NAMED)));
			node.rank = node.chosen ? 0 : node.role === "source" ? 1
				: edge || found ? 2 : told.has(node.id) ? 3 : 4;
		}
		const degree = (node) => this.graph.degree(node.id);
		return nodes.sort((a, b) => a.rank - b.rank
			|| degree(b) - degree(a) || (a.id < b.id ? -1 : 1));
	}

	hover(id) {
		this.hovered = id;
		this.sigma.refresh({ skipIndexation: true });
	}

	listenToDrags() {
		let dragged = null, moved = false;
		const mouse = this.sigma.getMouseCaptor();
		this.sigma.on("downNode", ({ node }) => {
			dragged = node;
			moved = false;
			if (!this.sigma.getCustomBBox())
				this.sigma.setCustomBBox(this.sigma.getBBox());
		});
		mouse.on("mousemovebody", (event) => {
			if (!dragged)
				return;
			moved = true;
			const { x, y } = this.sigma.viewportToGraph(event);
			this.graph.mergeNodeAttributes(dragged, { x, y });
			event.preventSigmaDefault();
			event.original.preventDefault();
			event.original.stopPropagation();
		});
		mouse.on("mouseup", () => {
			if (dragged && moved) {
				const { x, y } = this.graph.getNodeAttributes(dragged);
				this.on.moved(dragged, [x, y]);
			}
			dragged = null;
		});
	}

	zoom(direction) {
		const camera = this.sigma.getCamera();
		const options = { duration: reducedMotion() ? 1 : 200 };
		if (direction > 0)
			camera.animatedZoom(options);
		else
			camera.animatedUnzoom(options);
	}

	fit() {
		this.sigma.setCustomBBox(null);
		this.sigma.getCamera().animatedReset(
			{ duration: reducedMotion() ? 1 : 250 });
	}

	// Brings nodes into view, if they are not: a map stays where it is put.
	reveal(ids) {
		const at = ids.filter((id) => this.graph.hasNode(id))
			.map((id) => this.sigma.getNodeDisplayData(id)).filter(Boolean);
		const { width, height } = this.sigma.getDimensions();
		const inside = at.every((p) => {
			const { x, y } = this.sigma.framedGraphToViewport(p);
			return x > 30 && y > 30 && x < width - 30 && y < height - 30;
		});
		if (inside)
			return;
		const mean = (key) => at.reduce((n, p) => n + p[key], 0) / at.length;
		this.sigma.getCamera().animate({ x: mean("x"), y: mean("y") },
			{ duration: reducedMotion() ? 1 : 300 });
	}

	resize() {
		this.sigma.resize();
		this.sigma.refresh();
	}

	kill() {
		this.killed = true;
		this.sigma.kill();
	}
}
