// SPDX-License-Identifier: ISC
// The command lines that the pages show.  One place, so that they stay true.

export function collectorUrl() {
	// what a browser has for an address is safe for a shell but for quotes
	return new URL(".", document.baseURI).href.replace(/\/$/, "")
		.replaceAll("'", "%27");
}

export const commands = {
	token: () => `sonde token --collector ${collectorUrl()} `
		+ "--token-file STATE/admin.token --name NAME --tag TAG",
	enrol: () => `sonde-agent enrol --collector ${collectorUrl()} `
		+ "--token TOKEN --name NAME",
	start: () => "sonde-agent",
	submitTrace: () => "sonde submit trace TARGET --on all --every 60s "
		+ `--collector ${collectorUrl()} --token-file STATE/admin.token`,
	sensor: () => "sonde sensor -r FILE.pcap",
};
