// SPDX-License-Identifier: ISC
// Runs before the first paint, so that a chosen theme never flashes.
try {
	const theme = localStorage.getItem("sonde.theme");
	if (theme === "light" || theme === "dark")
		document.documentElement.dataset.theme = theme;
} catch {
	// no storage: the system's theme
}
