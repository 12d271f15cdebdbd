// SPDX-License-Identifier: ISC
// The command lines that the pages show.  One place, so that they stay true,
// and each can be run as it stands.
import { shellQuote } from "./format.js";

const TOKEN_FILE = "/var/lib/sonde-collector/admin.token"; // by default
const PUBLIC_TARGET = "example.net"; // made to be asked
const TARGETS_MOST = 5;

export function collectorUrl() {
	return new URL(".", document.baseURI).href.replace(/\/$/, "");
}

export const isLoopback = () => /^(localhost|127\..*|\[::1\])$/
	.test(new URL(document.baseURI).hostname);

// Addresses that the policy of an agent lets others trace.
const SPECIAL = new RegExp("^(0|10|127|169\\.254|192\\.168|192\\.0\\.[02]"
	+ "|198\\.1[89]|198\\.51\\.100|203\\.0\\.113"
	+ "|172\\.(1[6-9]|2\\d|3[01])|100\\.(6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])"
	+ "|22[4-9]|2[345]\\d)\\.");
const isPublic = (address) => address.includes(":")
	? /^[23]/.test(address) && !/^2001:db8:/i.test(address)
	: !SPECIAL.test(address);

// What agents can trace first: each other.
export function targetsOf(agents) {
	const targets = agents.map((a) => (a.addresses ?? []).find(isPublic))
		.filter(Boolean).slice(0, TARGETS_MOST);
	return targets.length >= 2 ? targets : [PUBLIC_TARGET];
}

// A name that no agent has yet.
export function freshName(agents) {
	const taken = new Set(agents.map((a) => a.name));
	let n = agents.length + 1;
	while (taken.has(`agent-${n}`))
		n++;
	return `agent-${n}`;
}

const words = (...list) => list.flat().map(shellQuote).join(" ");
const admin = () => words("--collector", collectorUrl(), "--token-file",
	TOKEN_FILE);

export const commands = {
	token: ({ name = "agent-1", tags = [] } = {}) => "sudo sonde token "
		+ `${words("--name", name, tags.map((tag) => ["--tag", tag]).flat())} `
		+ admin(),
	// without a token it asks for one
	enrol: ({ token } = {}) => token
		? `sudo sonde-agent enrol ${words("--collector", collectorUrl(),
			"--token", token)}`
		: `printf 'Token: '; read -r token; sudo sonde-agent enrol ${words(
			"--collector", collectorUrl())} --token "$token"`,
	start: () => "sudo sonde-agent",
	submitTrace: (targets = [PUBLIC_TARGET]) => `sudo sonde submit trace ${words(
		targets)} --on all --every 60s ${admin()}`,
	sensor: () => "sudo sonde sensor -i any",
};
