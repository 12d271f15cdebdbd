// SPDX-License-Identifier: ISC
// Where the words of the map go, so that none covers another: who is asked
// first gets the best spot, who finds none stays silent until the reader
// zooms in or points at it.  Pure.

export const boxAt = (x, y, width, height) => ({
	left: x - width / 2, right: x + width / 2,
	top: y - height / 2, bottom: y + height / 2 });

const overlap = (a, b) => a.left < b.right && b.left < a.right
	&& a.top < b.bottom && b.top < a.bottom;

// Whether the line from [x1, y1] to [x2, y2] runs through a box.
export function runsThrough([x1, y1, x2, y2], box) {
	let from = 0, to = 1;
	for (const [start, step, low, high] of [
		[x1, x2 - x1, box.left, box.right],
		[y1, y2 - y1, box.top, box.bottom]]) {
		if (step === 0) {
			if (start < low || start > high)
				return false;
			continue;
		}
		const a = (low - start) / step, b = (high - start) / step;
		from = Math.max(from, Math.min(a, b));
		to = Math.min(to, Math.max(a, b));
	}
	return from <= to;
}

// Boxes by the squares of a grid that they touch: only neighbours are asked.
const SQUARE = 64;
class Taken {
	constructor() {
		this.squares = new Map();
	}

	near(box) {
		const keys = [];
		for (let x = Math.floor(box.left / SQUARE);
			x <= Math.floor(box.right / SQUARE); x++)
			for (let y = Math.floor(box.top / SQUARE);
				y <= Math.floor(box.bottom / SQUARE); y++)
				keys.push(`${x} ${y}`);
		return keys;
	}

	add(box) {
		for (const key of this.near(box)) {
			if (!this.squares.has(key))
				this.squares.set(key, []);
			this.squares.get(key).push(box);
		}
	}

	isFree(box) {
		return this.near(box).every((key) => !this.squares.get(key)
			?.some((other) => overlap(box, other)));
	}
}

// wishes, the most important first: {spots: [[x, y]], width, height, over}
// where `over` may cover marks, but never other words.  marks: boxes; lines:
// [x1, y1, x2, y2]; frame: a box.  Gives per wish its spot, or null.
export function planLabels(wishes, { marks, lines, frame }) {
	const words = new Taken(), all = new Taken();
	for (const mark of marks)
		all.add(mark);
	const inside = (b) => b.left >= frame.left && b.right <= frame.right
		&& b.top >= frame.top && b.bottom <= frame.bottom;
	return wishes.map(({ spots, width, height, over }) => {
		const boxes = spots.map(([x, y]) => boxAt(x, y, width, height));
		let fit = boxes.map((b) => inside(b) && all.isFree(b));
		if (over && !fit.includes(true))
			fit = boxes.map((b) => inside(b) && words.isFree(b));
		let best = -1, fewest = Infinity;
		boxes.forEach((box, i) => {
			if (!fit[i] || fewest === 0)
				return;
			const crossed = lines.filter((l) => runsThrough(l, box)).length;
			if (crossed < fewest)
				[best, fewest] = [i, crossed];
		});
		if (best < 0)
			return null;
		words.add(boxes[best]);
		all.add(boxes[best]);
		return spots[best];
	});
}
