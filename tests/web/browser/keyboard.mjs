// SPDX-License-Identifier: ISC
// Everything without a mouse.
import assert from "node:assert/strict";
import { loaded, open, untroubled } from "./browser.mjs";
import { check } from "./tap.mjs";

const pageOf = (page) => page.evaluate(() =>
	new URLSearchParams(location.search).get("page"));
const focused = (page) => page.evaluate(() =>
	document.activeElement?.className ?? "");

async function pagesByNumber(page) {
	for (const [key, name] of [["2", "map"], ["3", "outbreaks"],
		["4", "agents"], ["5", "results"], ["1", "now"]]) {
		await page.keyboard.press(key);
		await loaded(page, name);
		assert.equal(await pageOf(page), name);
	}
}

async function helpOpensAndCloses(page) {
	await page.keyboard.press("?");
	await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
	await page.keyboard.press("Escape");
	await page.waitForSelector("dialog.keys", { state: "hidden" });
}

async function listsByJAndK(page) {
	await page.keyboard.press("4");
	await loaded(page, "agents");
	await page.keyboard.press("j");
	const first = await page.evaluate(() => document.activeElement.href);
	await page.keyboard.press("j");
	const second = await page.evaluate(() => document.activeElement.href);
	assert.notEqual(first, second);
	await page.keyboard.press("k");
	assert.equal(await page.evaluate(() => document.activeElement.href),
		first);
	await page.keyboard.press("Enter");
	await page.waitForSelector("aside.detail:visible");
	await page.keyboard.press("Escape");
	await page.waitForSelector("aside.detail", { state: "hidden" });
}

async function searchBySlash(page) {
	await page.keyboard.press("2");
	await loaded(page, "map");
	await page.keyboard.press("/");
	assert.match(await focused(page), /search-input/);
	const address = await page.locator(".map-table .row-link .mono").first()
		.textContent();
	await page.keyboard.type(address);
	await page.keyboard.press("Enter");
	await page.waitForSelector("aside.detail:visible");
	assert.match(page.url(), /sel=node/);
	await page.keyboard.press("Escape");
	assert.doesNotMatch(await focused(page), /search-input/);
}

async function zoneByU(page) {
	const zone = page.locator(".zone");
	assert.equal(await zone.textContent(), "UTC");
	await page.keyboard.press("u");
	assert.equal(await zone.textContent(), "Local");
	await page.keyboard.press("u");
	assert.equal(await zone.textContent(), "UTC");
}

async function tableSortsByKeyboard(page) {
	await page.keyboard.press("4");
	await loaded(page, "agents");
	await page.locator("th button", { hasText: "Agent" }).focus();
	await page.keyboard.press("Enter");
	const names = () => page.locator(".agent-name").allTextContents();
	const up = await names();
	await page.keyboard.press("Enter");
	assert.deepEqual(await names(), [...up].reverse());
	assert.equal(await page.locator("th[aria-sort]").getAttribute(
		"aria-sort"), "descending");
}

export async function useKeyboard({ browser, url }) {
	const page = await open(browser, `${url}?page=now&range=1h`);
	await loaded(page, "now");
	await check("1 to 4 open the pages", () => pagesByNumber(page));
	await check("? shows the keys, Esc closes them",
		() => helpOpensAndCloses(page));
	await check("j, k, Enter and Esc walk a list", () => listsByJAndK(page));
	await check("/ searches the map, Enter selects",
		() => searchBySlash(page));
	await check("u changes between UTC and local time", () => zoneByU(page));
	await check("a table is sorted by its header",
		() => tableSortsByKeyboard(page));
	await check("nothing went wrong on the way", () => untroubled(page));
	await page.context().close();
}
