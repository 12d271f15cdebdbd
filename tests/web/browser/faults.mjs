// SPDX-License-Identifier: ISC
// What the pages do when something is wrong: no collector, no WebGL, hostile
// names, an error from the API.
import assert from "node:assert/strict";
import { accessible, loaded, open, untroubled } from "./browser.mjs";
import { check } from "./tap.mjs";

async function collectorGoes({ browser, url, shot }) {
	const page = await open(browser, `${url}?page=agents&range=5m`);
	await loaded(page, "agents");
	await page.route("**/api/**", (route) => route.abort());
	await page.getByRole("alert").filter({ hasText: "cannot be reached" })
		.waitFor();
	await shot(page, "unreachable");
	assert.ok(await page.locator(".agent-name").count() > 0,
		"what was known stays on the page");
	await accessible(page);
	// Its own next try is far enough away for ours.
	await page.waitForFunction(() => Number(/Next try in (\d+)/.exec(
		document.querySelector(".banner").textContent)?.[1]) >= 5,
	null, { timeout: 60000 });
	await page.unroute("**/api/**");
	await page.getByRole("button", { name: "Try now" }).click();
	await page.waitForSelector(".banner", { state: "hidden" });
	await page.context().close();
}

async function noWebGl({ browser, url, shot }) {
	const page = await open(browser, `${url}?page=map&range=1h`, {
		init: () => {
			const real = HTMLCanvasElement.prototype.getContext;
			HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
				return /webgl/.test(kind) ? null
					: real.call(this, kind, ...rest);
			};
		} });
	await loaded(page, "map");
	await page.getByText("draws no WebGL").waitFor();
	assert.ok(await page.locator(".map-table tbody tr").count() > 0);
	await shot(page, "map-no-webgl");
	await accessible(page);
	untroubled(page);
	await page.context().close();
}

const EVIL = '<img src=x onerror="globalThis.evil=1"><b>x</b>';

// Every string that the API sends becomes markup, where markup would hurt.
function poison(value, key = "") {
	if (Array.isArray(value))
		return value.map((v) => poison(v, key));
	if (value && typeof value === "object")
		return Object.fromEntries(Object.entries(value).map(
			([k, v]) => [k, poison(v, k)]));
	return typeof value === "string" && /^(name|tags|version|test|text|why)$/
		.test(key) ? EVIL : value;
}

async function hostileNames({ browser, url }) {
	for (const name of ["now", "map", "outbreaks", "agents"]) {
		const page = await open(browser, `${url}?page=${name}&range=1h`, {
			routes: { "**/api/v1/**": async (route) => {
				if (route.request().url().includes("/events"))
					return route.continue();
				const response = await route.fetch();
				await route.fulfill({ response,
					json: poison(await response.json()) });
			} } });
		await loaded(page, name);
		assert.equal(await page.locator("img, b:text-is('x')").count(), 0);
		assert.equal(await page.evaluate(() => globalThis.evil), undefined);
		untroubled(page);
		await page.unrouteAll({ behavior: "ignoreErrors" });
		await page.context().close();
	}
}

async function smallTouch({ browser, url }) {
	const page = await open(browser, `${url}?page=now&range=1h`,
		{ size: "phone" });
	await loaded(page, "now");
	await page.getByRole("link", { name: /Agents/ }).last().tap();
	await loaded(page, "agents");
	await page.locator(".row-link").first().tap();
	await page.waitForSelector("aside.detail:visible");
	await page.getByRole("button", { name: "Close details" }).tap();
	await page.waitForSelector("aside.detail", { state: "hidden" });
	untroubled(page);
	await page.context().close();
}

// Everything that was on has just ended.
async function calmAfter({ browser, url, shot }) {
	const end = async (route) => {
		const reply = await route.fetch();
		const overview = await reply.json();
		for (const alarm of overview.alarms)
			alarm.ended_at ??= overview.now;
		await route.fulfill({ json: overview });
	};
	const page = await open(browser, `${url}?page=now&range=1h`,
		{ routes: { "**/api/v1/overview*": end } });
	await loaded(page, "now");
	await page.getByText("What was last:").waitFor();
	assert.equal(await page.locator(".alarm-row.open").count(), 0);
	assert.ok(await page.locator(".alarm-row.over").count() > 0);
	assert.match(await page.locator(".tile", { hasText: "Alarms open" })
		.innerText(), /\b0\b/);
	await shot(page, "now-calm");
	await accessible(page);
	untroubled(page);
	await page.unrouteAll({ behavior: "ignoreErrors" });
	await page.context().close();
}

async function themesAreKept({ browser, url }) {
	const page = await open(browser, `${url}?page=now&range=1h`);
	await loaded(page, "now");
	const ground = () => page.evaluate(() =>
		getComputedStyle(document.body).backgroundColor);
	const light = await ground();
	await page.getByRole("button", { name: "Theme: dark" }).click();
	const dark = await ground();
	assert.notEqual(dark, light);
	await page.reload();
	await loaded(page, "now");
	assert.equal(await ground(), dark);
	untroubled(page);
	await page.context().close();
}

export function faults(world) {
	return [
		() => check("without a collector: a banner, the old data, a way back",
			() => collectorGoes(world)),
		() => check("without WebGL the map is a table", () => noWebGl(world)),
		() => check("names from outside never become markup",
			() => hostileNames(world)),
		() => check("a phone is operated by touch", () => smallTouch(world)),
		() => check("when nothing is on, Now shows what was last",
			() => calmAfter(world)),
		() => check("a chosen theme stays chosen", () => themesAreKept(world)),
	];
}
