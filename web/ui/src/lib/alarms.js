// SPDX-License-Identifier: ISC
// Alarms as a reader counts them: an outbreak that all agents see is one
// thing, not one and five.  Pure.

export const kindKey = ({ signature, verdict }) =>
	signature || `(${verdict})`;

// The collector reports which alarms are parts of which (`within`, `agents`).
// What it leaves, alarms of several agents that never added up, is grouped
// here: of those of one kind and direction that overlap, the biggest leads.
// Gives [{...alarm, at: [agent ids]}], newest onset first, open ones before.
export function groupAlarms(alarms) {
	const groups = [];
	const leadFirst = [...alarms].sort((a, b) =>
		Number(Boolean(a.agent)) - Number(Boolean(b.agent))
		|| b.observed - a.observed);
	for (const alarm of leadFirst) {
		const home = groups.find((g) => alarm.within ? g.id === alarm.within
			: kindKey(g) === kindKey(alarm)
			&& g.direction === alarm.direction && overlap(g, alarm));
		if (home && alarm.agent)
			home.at = [...new Set([...home.at, alarm.agent])];
		else
			groups.push({ ...alarm, at: alarm.agent ? [alarm.agent]
				: [...alarm.agents ?? []] });
	}
	return groups.sort((a, b) => Number(Boolean(a.ended_at))
		- Number(Boolean(b.ended_at))
		|| (a.onset_at < b.onset_at ? 1 : a.onset_at > b.onset_at ? -1 : 0));
}

function overlap(a, b) {
	const end = (x) => x.ended_at ?? "9";
	return a.onset_at < end(b) && b.onset_at < end(a);
}

export const isOpen = (alarm) => !alarm.ended_at;
