// SPDX-License-Identifier: ISC
// An address holds the whole view: what one reader sees, another one gets.
import assert from "node:assert/strict";
import { loaded, open, untroubled } from "./browser.mjs";
import { check } from "./tap.mjs";

// What of a page can be compared between two browsers a moment apart: what
// was chosen, not what the collector counted meanwhile.
function sight(page) {
	return page.evaluate(() => ({
		pressed: [...document.querySelectorAll("[aria-pressed=true]")]
			.map((b) => b.textContent || b.getAttribute("aria-label")),
		current: [...document.querySelectorAll("main [aria-current]")]
			.map((a) => (a.querySelector("strong, .link-name") ?? a)
				.textContent),
		detail: document.querySelector("aside.detail:not([hidden]) h2")
			?.textContent ?? null,
		search: document.querySelector("input[type=search]")?.value ?? null,
		select: document.querySelector("select")?.value ?? null,
		sort: document.querySelector("th[aria-sort]")?.textContent ?? null,
		payload: document.querySelector(".payload:not([hidden]) .payload-hash")
			?.textContent ?? null,
	}));
}

async function survives(world, name, use) {
	const first = await open(world.browser,
		`${world.url}?page=${name}&range=1h`);
	await loaded(first, name);
	await use(first);
	await first.waitForTimeout(400);
	const second = await open(world.browser, first.url());
	await loaded(second, name);
	await second.waitForTimeout(400);
	assert.deepEqual(await sight(second), await sight(first));
	untroubled(first);
	untroubled(second);
	await world.shot(second, `${name}-permalink`);
	await first.context().close();
	await second.context().close();
}

async function useMap(page) {
	await page.getByRole("button", { name: "Force" }).click();
	await page.getByRole("group", { name: "Colour links by" })
		.getByRole("button", { name: "Loss" }).click();
	await page.locator(".map-table .row-link").nth(1).click();
	await page.waitForSelector("aside.detail:visible");
	await page.locator(".legend input").press("ArrowRight");
	await page.locator(".zone").click();
	assert.match(page.url(), /layout=force.*colour=loss.*loss_percent=5/);
}

async function useOutbreaks(page) {
	await page.locator(".signature-row").nth(1).click();
	await page.getByRole("button", { name: "Log scale" }).click();
	await page.getByRole("group", { name: "Time range" })
		.getByRole("button", { name: "6 h" }).click();
	assert.match(page.url(), /range=6h.*signature=.*log=1/);
}

async function useAgents(page) {
	await page.locator(".row-link").first().click();
	await page.getByRole("button", { name: "Stored" }).click();
	assert.match(page.url(), /sel=[0-9a-f]+.*sort=stored/);
}

async function useResults(page) {
	await page.getByLabel("Table").selectOption("summary");
	await page.getByLabel("Column").selectOption("rtt_ns");
	await page.getByLabel("Curve").selectOption({ index: 1 });
	await page.getByRole("button", { name: "dst" }).click();
	assert.match(page.url(),
		/table=summary.*column=rtt_ns.*line=.*sort=dst/);
}

async function backButton(world) {
	const page = await open(world.browser, `${world.url}?page=now&range=1h`);
	await loaded(page, "now");
	await page.keyboard.press("2");
	await loaded(page, "map");
	await page.keyboard.press("4");
	await loaded(page, "agents");
	await page.goBack();
	await loaded(page, "map");
	await page.goBack();
	await loaded(page, "now");
	untroubled(page);
	await page.context().close();
}

// A refresh and another visit must not move the map.
async function placesStay(world) {
	const page = await open(world.browser, `${world.url}?page=map&range=1h`);
	await loaded(page, "map");
	const places = () => page.evaluate(() =>
		localStorage.getItem("sonde.map.layered"));
	const before = await places();
	assert.ok(before, "places are remembered");
	await page.reload();
	await loaded(page, "map");
	assert.equal(await places(), before);
	await page.context().close();
}

// Drags a node by the mouse; the map must remember where it was put.
async function dragPins(world) {
	const page = await open(world.browser, `${world.url}?page=map&range=1h`);
	await loaded(page, "map");
	const frame = () => page.evaluate(() => new Promise((resolve) =>
		requestAnimationFrame(() => requestAnimationFrame(resolve))));
	const onNode = () => page.evaluate(() =>
		document.querySelector(".map-canvas").style.cursor === "pointer");
	const box = await page.locator(".map-canvas").boundingBox();
	const pinned = () => page.evaluate(() => JSON.parse(localStorage.getItem(
		"sonde.map.layered")).pinned.length);
	// sources are the first column: somewhere along it is a node
	for (let y = 20; y < box.height - 20 && !await pinned(); y += 8) {
		await page.mouse.move(box.x + 48, box.y + y);
		await frame();
		if (!await onNode())
			continue;
		await page.mouse.down();
		await page.mouse.move(box.x + 68, box.y + y + 20, { steps: 2 });
		await page.mouse.up();
	}
	assert.equal(await pinned(), 1);
	untroubled(page);
	await page.context().close();
}

export function permalinks(world) {
	return [
		() => check("the address of Map holds layout, threshold, selection",
			() => survives(world, "map", useMap)),
		() => check("the address of Outbreaks holds signature, scale and time",
			() => survives(world, "outbreaks", useOutbreaks)),
		() => check("the address of Agents holds selection and order",
			() => survives(world, "agents", useAgents)),
		() => check("the address of Results holds table, curve and order",
			() => survives(world, "results", useResults)),
		() => check("the back button goes back", () => backButton(world)),
		() => check("places on the map survive a reload",
			() => placesStay(world)),
		() => check("a dragged node is pinned", () => dragPins(world)),
	];
}
