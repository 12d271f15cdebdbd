// SPDX-License-Identifier: ISC
// What an agent could not send in its day (the last 24 hours), as the API sums
// it up: by outcome, reason and device.

// What the host or its links refused; what policy denied was not to be sent.
export function unsentTotal(agent) {
	return (agent.unsent ?? []).filter((row) => row.outcome === "not-sent")
		.reduce((sum, row) => sum + row.probes, 0);
}

export function unsentWords(row) {
	const reason = row.outcome === "denied" ? `denied: ${row.reason}`
		: row.reason;
	return row.device ? `${reason}, ${row.device}` : reason;
}

// Each hour's share of the fullest one, for bars; null where none was.
export function unsentShares(row) {
	const most = Math.max(1, ...row.hours);
	return row.hours.map((n) => n > 0 ? n / most : 0);
}

// The newest runs that failed, of a list of runs.
export function failedRuns(runs, most) {
	return runs.filter((run) => run.error !== null).slice(0, most);
}
