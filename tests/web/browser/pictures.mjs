// SPDX-License-Identifier: ISC
// Takes the README's pictures of a running collector:
// node pictures.mjs CHROMIUM URL FOLDER, with `make demo` a minute old.
import { join } from "node:path";
import { launch, loaded, open } from "./browser.mjs";

const PICTURES = {
	outbreaks: { page: "outbreaks" },
	agents: { page: "agents" },
	map: { page: "map" },
	now: { page: "now" },
	"now-dark": { page: "now", theme: "dark" },
};

const [chromium, url, folder] = process.argv.slice(2);
const browser = await launch(chromium);
for (const [name, { page: which, theme }] of Object.entries(PICTURES)) {
	const page = await open(browser, `${url}?page=${which}&range=5m`,
		{ theme });
	await loaded(page, which);
	await page.waitForTimeout(1500); // events and map settle
	await page.screenshot({ path: join(folder, `${name}.png`) });
	await page.context().close();
}
await browser.close();
