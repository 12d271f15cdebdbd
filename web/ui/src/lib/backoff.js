// SPDX-License-Identifier: ISC
// How long to wait before the next try: doubling, bounded, jittered so that
// many browsers do not come back in the same instant.  Pure.

export const FIRST_MS = 1000;
export const LONGEST_MS = 30000;

export function backoffMs(failures, random = Math.random) {
	const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
	return Math.round(whole * (0.75 + 0.5 * random()));
}
