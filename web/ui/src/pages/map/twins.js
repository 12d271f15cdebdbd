// SPDX-License-Identifier: ISC
// Agents trace each other: each is where ways begin and where they end.  In
// layers from left to right such a node is drawn twice, or every way would
// lead back across the whole picture; unless ways end by the very link that
// others began with.  Pure.

const END = "#end"; // no id of a node has it

export const endOf = (id) => id + END;
export const baseOf = (id) => id.endsWith(END) ? id.slice(0, -END.length) : id;

export function withTwins({ nodes, links }) {
	const sources = new Set(nodes.filter((n) => n.role === "source")
		.map((n) => n.id));
	const ways = new Set(links.map((l) => `${l.from}>${l.to}`));
	const ends = new Set();
	const drawn = links.map((link) => {
		if (!sources.has(link.to) || ways.has(`${link.to}>${link.from}`))
			return link;
		ends.add(link.to);
		return { ...link, to: endOf(link.to) };
	});
	return { links: drawn, nodes: [...nodes, ...nodes
		.filter((n) => ends.has(n.id))
		.map((n) => ({ ...n, id: endOf(n.id), role: "destination" }))] };
}
