// SPDX-License-Identifier: ISC
// Every page in both themes and on both sizes of screen: nothing in the
// console, nothing that axe objects to, a picture to look at.
import assert from "node:assert/strict";
import { accessible, loaded, open, untroubled } from "./browser.mjs";
import { check } from "./tap.mjs";

const PAGES = ["now", "map", "outbreaks", "agents", "results"];

async function fitsWidth(page) {
	const [inner, wide] = await page.evaluate(() =>
		[innerWidth, document.documentElement.scrollWidth]);
	assert.ok(wide <= inner, `page is ${wide} px wide on ${inner}`);
}

async function lookAt(world, name, theme, size) {
	const { browser, url, shot } = world;
	const page = await open(browser, `${url}?page=${name}&range=1h`,
		{ theme, size });
	try {
		await loaded(page, name);
		await page.waitForTimeout(300); // a frame of the map
		if (name === "now")
			await page.locator(".event-list time").first().waitFor();
		await shot(page, `${name}-${theme}-${size}`);
		await accessible(page);
		await fitsWidth(page);
		untroubled(page);
	} finally {
		await page.context().close();
	}
}

async function lookAtEmpty({ browser, emptyUrl, shot }, name) {
	const page = await open(browser, `${emptyUrl}?page=${name}&range=1h`);
	await loaded(page, name);
	await page.locator(".command code").first().waitFor();
	await shot(page, `${name}-empty`);
	await accessible(page);
	untroubled(page);
	await page.context().close();
}

async function lookAtMissing({ browser, url }) {
	const page = await open(browser, `${url}?page=nowhere`);
	await page.getByText("There is no page").waitFor();
	await accessible(page);
	untroubled(page);
	await page.context().close();
}

export function looks(world) {
	const jobs = [() => check("a page that does not exist says so",
		() => lookAtMissing(world))];
	for (const name of PAGES) {
		for (const theme of ["light", "dark"])
			for (const size of ["desktop", "phone"])
				jobs.push(() => check(`${name}, ${theme}, ${size}: clean, `
					+ "accessible", () => lookAt(world, name, theme, size)));
		jobs.push(() => check(`${name} of a new collector says what to do `
			+ "next", () => lookAtEmpty(world, name)));
	}
	return jobs;
}
