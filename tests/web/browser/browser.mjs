// SPDX-License-Identifier: ISC
// One Chromium for all checks, and pages that remember what went wrong.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url)
	.resolve("axe-core/axe.min.js"), "utf8");

export const SIZES = {
	desktop: { width: 1440, height: 900 },
	phone: { width: 390, height: 844 },
};

export function launch(executablePath) {
	return chromium.launch({ executablePath, args: [
		"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--enable-unsafe-swiftshader"] });
}

// Opens an address in a context of its own; page.troubles collects errors.
export async function open(browser, url, { size = "desktop", theme = "light",
	init, routes, ...rest } = {}) {
	const context = await browser.newContext({ viewport: SIZES[size],
		colorScheme: theme, timezoneId: "Europe/Paris",
		reducedMotion: "reduce", hasTouch: size === "phone", ...rest });
	const page = await context.newPage();
	page.setDefaultTimeout(15000);
	page.troubles = [];
	page.on("console", (message) => message.type() === "error"
		&& page.troubles.push(message.text()));
	page.on("pageerror", (error) => page.troubles.push(error.stack));
	await page.addInitScript(() => {
		document.addEventListener("securitypolicyviolation", (event) =>
			console.error(`CSP: ${event.violatedDirective} `
				+ event.blockedURI));
	});
	if (init)
		await page.addInitScript(init);
	for (const [pattern, handler] of Object.entries(routes ?? {}))
		await page.route(pattern, handler);
	await page.goto(url);
	return page;
}

export async function loaded(page, name) {
	await page.waitForSelector(`main[data-loaded="${name}"]`);
}

export function untroubled(page) {
	assert.deepEqual(page.troubles, []);
}

export async function accessible(page) {
	await page.evaluate(AXE);
	const { violations } = await page.evaluate(() =>
		globalThis.axe.run(document, { resultTypes: ["violations"] }));
	assert.deepEqual(violations.map((v) => `${v.id}: ${v.help}: `
		+ v.nodes.slice(0, 3).map((n) => `${n.target} ${n.any?.[0]?.message
			?? ""}`).join("; ")), []);
}
