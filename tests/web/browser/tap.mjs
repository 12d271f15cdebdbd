// SPDX-License-Identifier: ISC
// TAP for checks in a browser: each is a sentence and a function that throws.
let count = 0, failed = 0;

export async function check(sentence, run) {
	try {
		await run();
		console.log(`ok ${++count} - ${sentence}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${++count} - ${sentence}`);
		for (const line of String(error.stack ?? error).split("\n")
			.slice(0, 12))
			console.log(`# ${line}`);
	}
}

// Runs jobs, two at a time: a page waits more than it computes.
const LANES = 2;
export async function runAll(jobs) {
	const left = [...jobs];
	await Promise.all(Array.from({ length: LANES }, async () => {
		while (left.length)
			await left.shift()();
	}));
}

export function done() {
	console.log(`1..${count}`);
	process.exitCode = failed ? 1 : 0;
}
