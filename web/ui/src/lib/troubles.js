// SPDX-License-Identifier: ISC
// What went wrong with an agent's measurements lately, by the events that are
// kept: nothing left (an uplink was down, the policy said no), or somebody
// answered in the target's place, be it in its name.
const TROUBLES = new Set(["not-sent", "denied", "rejected", "ambiguous"]);

// The newest first, as the events are.
export function troublesOf(events, agent, most) {
	return events.filter((e) => e.type === "run"
		&& (e.agent?.id ?? e.agent) === agent
		&& TROUBLES.has(e.outcome)
		&& (!e.reached || e.outcome === "rejected")).slice(0, most);
}
