// SPDX-License-Identifier: ISC
// The command lines that the pages show.  One place, so that they stay true.
import { shellQuote } from "./format.js";

export function collectorUrl() {
	return new URL(".", document.baseURI).href.replace(/\/$/, "");
}

export const commands = {
	token: (name, tags) => `sonde token${name ? ` --name ${shellQuote(name)}`
		: ""}${tags ? ` --tags ${shellQuote(tags)}` : ""}`,
	enrol: (name) => `sonde-agent --enrol TOKEN --collector ${collectorUrl()}`
		+ (name ? ` --name ${shellQuote(name)}` : ""),
	start: () => "systemctl enable --now sonde-agent",
	submitTrace: () =>
		"sonde submit trace 192.0.2.1 --on all --every 60s",
	query: (signature) => `sonde query sightings --signature ${signature}`,
	sensor: () => "sonde sensor -r FILE.pcap",
};
