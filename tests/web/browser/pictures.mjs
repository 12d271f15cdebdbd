// SPDX-License-Identifier: ISC
// Takes the README's pictures of a running collector:
// node pictures.mjs CHROMIUM URL FOLDER, with `make demo` a minute old.
import { join } from "node:path";
import { launch, loaded, open } from "./browser.mjs";

const PICTURES = {
	now: { query: "page=now&range=5m" },
	map: { query: "page=map&range=5m" },
	outbreaks: { query: "page=outbreaks&range=5m&signature=slammer",
		theme: "dark" },
};

const [chromium, url, folder] = process.argv.slice(2);
const browser = await launch(chromium);
for (const [name, { query, theme }] of Object.entries(PICTURES)) {
	const page = await open(browser, `${url}?${query}`, { theme,
		viewport: { width: 1280, height: 800 } });
	await loaded(page, name);
	await page.waitForTimeout(1500); // feed and map settle
	await page.screenshot({ path: join(folder, `${name}.png`) });
	await page.context().close();
}
await browser.close();
