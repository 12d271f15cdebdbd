// SPDX-License-Identifier: ISC
// Checks of the pages in Chromium: node run.mjs CHROMIUM URL EMPTY_URL SCREENS
// URL serves a filled collector, EMPTY_URL one that nobody has used yet.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launch } from "./browser.mjs";
import { done, runAll } from "./tap.mjs";
import { looks } from "./looks.mjs";
import { useKeyboard } from "./keyboard.mjs";
import { permalinks } from "./permalinks.mjs";
import { faults } from "./faults.mjs";
import { meanings } from "./meaning.mjs";

const [chromium, url, emptyUrl, screens] = process.argv.slice(2);
await mkdir(screens, { recursive: true });
const browser = await launch(chromium);
try {
	const world = { browser, url, emptyUrl,
		shot: (page, name) => page.screenshot(
			{ path: join(screens, `${name}.png`) }) };
	await runAll([() => useKeyboard(world), ...looks(world),
		...permalinks(world), ...meanings(world), ...faults(world)]);
} finally {
	await browser.close();
}
done();
