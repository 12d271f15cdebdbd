// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { PAGES, pageOf } from "../src/lib/pages.js";

const folder = new URL("../src/pages/", import.meta.url);

test("a page has what the shell asks of it, once", () => {
	for (const page of PAGES) {
		assert.match(page.id, /^[a-z]+$/);
		assert.match(page.key, /^\d$/);
		assert.ok(page.title && page.icon.startsWith("M"));
		assert.equal(typeof page.load, "function");
		for (const read of Object.values(page.state))
			assert.equal(typeof read, "function");
		assert.equal(pageOf(page.id), page);
	}
	for (const member of ["id", "title", "key"])
		assert.equal(new Set(PAGES.map((page) => page[member])).size,
			PAGES.length, member);
	assert.equal(pageOf("nowhere"), undefined);
});

test("a page's folder is in the list and has its view", () => {
	const folders = readdirSync(folder, { withFileTypes: true })
		.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
	for (const name of folders) {
		assert.ok(existsSync(new URL(`${name}/view.js`, folder)), name);
		if (existsSync(new URL(`${name}/page.js`, folder)))
			assert.ok(pageOf(name), `${name} is not in pages/index.js`);
	}
	for (const page of PAGES)
		assert.ok(folders.includes(page.id), page.id);
});
