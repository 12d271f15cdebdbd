// SPDX-License-Identifier: ISC
// What the pages say is what the numbers say.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { accessible, loaded, open, untroubled } from "./browser.mjs";
import { check } from "./tap.mjs";

const ask = async (url, path) =>
	(await fetch(new URL(`api/v1/${path}`, url))).json();

// Hands an answer of the API to the page with something changed in it.
const altered = (change) => async (route) => {
	const response = await route.fetch();
	const json = await response.json();
	change(json, route.request().url());
	await route.fulfill({ response, json });
};

// An answer under way may be altered when the page is gone.
async function close(page) {
	await page.unrouteAll({ behavior: "ignoreErrors" });
	await page.context().close();
}

async function lossyIsNotFine({ browser, url, shot }) {
	let id;
	const page = await open(browser, `${url}?page=map&range=1h`, { routes: {
		"**/api/v1/topology*": altered(({ links }) => {
			for (const link of links)
				Object.assign(link, { delay_ns: 1e6, loss: 0,
					loss_low: 0, loss_samples: 100, traces: 100 });
			Object.assign(links[0], { delay_ns: 6e6, loss: 0.1,
				loss_low: 0.06 });
			Object.assign(links[1], { delay_ns: 60e6, loss: 0.1,
				loss_low: 0.06 });
			Object.assign(links[2], { loss: 0.05, loss_low: -0.01 });
			id = links[0].id;
		}) } });
	await loaded(page, "map");
	const states = page.locator(".map-table span.level");
	for (const colour of ["Delay", "Loss"]) {
		await page.getByRole("group", { name: "Colour links by" })
			.getByRole("button", { name: colour }).click();
		const words = await states.allTextContents();
		assert.ok(words.includes("lossy"), `by ${colour}: ${words}`);
		assert.ok(words.includes("slow, lossy"));
		assert.ok(words.includes("unsure"));
		assert.ok(words.includes("fine"));
	}
	await page.goto(`${url}?page=map&range=1h&sel=link:${
		encodeURIComponent(id)}`);
	await page.locator(".detail-state .badge", { hasText: "lossy" }).waitFor();
	assert.equal(await page.locator(".detail-state .badge").count(), 1);
	await page.waitForTimeout(300);
	await shot(page, "map-lossy");
	untroubled(page);
	await close(page);
}

async function leftOutIsSaid({ browser, url, shot }) {
	const page = await open(browser, `${url}?page=map&range=1h`, { routes: {
		"**/api/v1/topology*": altered((map) => {
			map.paths_left_out = 71932;
			map.addresses_left_out = 143877
				- map.nodes.filter((n) => n.addr).length;
		}) } });
	await loaded(page, "map");
	const line = page.locator(".map-left-out");
	await line.waitFor();
	assert.match(await line.textContent(),
		/^The \d+ busiest of about 143.877 addresses are shown\. /);
	await shot(page, "map-left-out");
	untroubled(page);
	await close(page);
	const whole = await open(browser, `${url}?page=map&range=1h`);
	await loaded(whole, "map");
	assert.ok(await whole.locator(".map-left-out").isHidden());
	untroubled(whole);
	await close(whole);
}

async function verdictsOfLinks({ browser, url, shot }) {
	let first;
	const page = await open(browser, `${url}?page=now&range=1h`, { routes: {
		"**/api/v1/overview": altered((overview) => {
			const [link] = overview.worst_links;
			Object.assign(link, { why: "slow and lossy", delay_ns: 60e6,
				loss: 0.1, score: 99 });
			overview.worst_links = [link, { ...overview.worst_links[1],
				why: "lossy", loss: 0.08, score: 98 }];
			first = encodeURIComponent(link.id);
		}), "**/api/v1/links/*/series*": altered(({ bins }, address) => {
			// the first link loses in some minutes, the second in none
			for (const [i, bin] of bins.entries())
				bin.loss = address.includes(first) && i % 4 === 0 ? 0.1 : 0;
		}) } });
	await loaded(page, "now");
	const row = page.locator(".links-panel tbody tr").first();
	assert.deepEqual(await row.locator(".why .badge").allTextContents(),
		["slow", "lossy"]);
	const trends = await row.locator(".trend svg").evaluateAll((all) =>
		all.map((svg) => [svg.getAttribute("aria-label"),
			svg.getBoundingClientRect().width]));
	assert.match(trends[0][0], /^Loss (over the last hour|since \S+): .+ to .+%$/);
	assert.match(trends[1][0], /^Delay (over the last hour|since \S+): .+ to .+s$/);
	assert.ok(trends[0][1] >= 150, `a trend is ${trends[0][1]} px wide`);
	assert.match(await page.locator(".links-panel tbody tr").nth(1)
		.locator(".trend").textContent(), /too few packets/);
	await shot(page, "now-slow-and-lossy");
	await accessible(page);
	untroubled(page);
	await close(page);
}

const around = (alarm, margin_ms) => {
	const end = Date.parse(alarm.ended_at ?? new Date().toISOString());
	const iso = (ms) => new Date(ms).toISOString();
	return { from: iso(Date.parse(alarm.onset_at) - margin_ms),
		to: iso(end + margin_ms) };
};

async function alarmExplainsItself({ browser, url, shot }) {
	const { items } = await ask(url, "alarms?from=-7d");
	const alarm = items.find((a) => !a.agent && a.direction === "rise");
	assert.ok(alarm, "the collector under test has an alarm");
	const ended_at = alarm.ended_at ?? new Date().toISOString();
	const { series, bin_s } = await ask(url, `series?${new URLSearchParams({
		signature: alarm.signature, from: alarm.onset_at, to: ended_at,
		bin: alarm.bin_s })}`);
	const peak = Math.max(...series[0].points.filter((p) => !p.missing
		&& p.at >= alarm.onset_at).map((p) => p.sources));
	const { from, to } = around(alarm, 600e3);
	const page = await open(browser, `${url}?${new URLSearchParams({
		page: "outbreaks", signature: alarm.signature, alarm: alarm.id,
		range: "custom", from, to })}`);
	await loaded(page, "outbreaks");
	const bars = page.locator(".why-bars li");
	if (bin_s === alarm.bin_s && alarm.ended_at)
		assert.equal((await bars.filter({ hasText: "Peak" })
			.locator(".num").textContent()).replace(/,/g, ""), String(peak));
	assert.equal(await bars.filter({ hasText: "Mean" }).count(), 1);
	const facts = await page.locator(".why-grid dt").allTextContents();
	for (const name of ["Began", "Ended", "Who", "Seen by", "How sure"])
		assert.ok(facts.includes(name), `${facts} has no ${name}`);
	await shot(page, "outbreaks-alarm");
	await accessible(page);
	untroubled(page);
	await close(page);
	return alarm;
}

// A time without an alarm leads to the last one.
async function quietTimeLeadsBack({ browser, url }) {
	const { items } = await ask(url, "alarms?from=-7d");
	const alarm = items.find((a) => !a.agent && a.direction === "rise");
	const before = Date.parse(alarm.onset_at) - 60e3;
	const page = await open(browser, `${url}?${new URLSearchParams({
		page: "outbreaks", signature: alarm.signature, range: "custom",
		from: new Date(before - 60e3).toISOString(),
		to: new Date(before).toISOString() })}`);
	await loaded(page, "outbreaks");
	await page.getByRole("heading", { name: "No alarm in this time" })
		.waitFor();
	await page.getByRole("link", { name: "Show that time" }).click();
	await page.getByRole("heading", { name: "Why this alarm" }).waitFor();
	assert.match(page.url(), /range=custom/);
	untroubled(page);
	await close(page);
}

async function addressTellsAll({ browser, url, shot }) {
	const page = await open(browser, `${url}?page=outbreaks&range=24h`);
	await loaded(page, "outbreaks");
	const link = page.locator(".sightings .row-link").first();
	const address = await link.textContent();
	await link.click();
	await page.getByRole("heading", { name: `Address ${address}` }).waitFor();
	await page.locator(".source-list li").first().waitFor();
	const { items } = await ask(url, `sightings?from=-24h&src=${address}`);
	assert.equal(await page.locator(".source-list li").count(), items.length);
	await shot(page, "outbreaks-address");
	await accessible(page);
	await page.keyboard.press("Escape");
	await page.waitForSelector(".source-panel", { state: "hidden" });
	await page.getByLabel("Search sources").fill("192.0.2.77");
	await page.keyboard.press("Enter");
	await page.getByText("No sensor caught a packet from this address")
		.waitFor();
	untroubled(page);
	await close(page);
}

async function commandsAreWhole({ browser, url, emptyUrl }) {
	for (const name of ["now", "map", "outbreaks"]) {
		const page = await open(browser, `${emptyUrl}?page=${name}`);
		await loaded(page, name);
		for (const line of await page.locator(".command code")
			.allTextContents())
			assert.doesNotMatch(line, /\b[A-Z]{3,}\b/);
		await close(page);
	}
	const page = await open(browser, `${url}?page=agents&add=1`);
	await loaded(page, "agents");
	await page.getByLabel("The token").fill("s3cret");
	await page.getByLabel("Its name").fill("my agent");
	const lines = await page.locator(".steps code").allTextContents();
	for (const line of lines)
		assert.doesNotMatch(line, /\b[A-Z]{3,}\b/);
	assert.match(lines[0], /sonde token --name 'my agent' --collector http/);
	assert.match(lines[1], /enrol --collector http\S+ --token s3cret$/);
	await accessible(page);
	untroubled(page);
	await close(page);
}

// One infected machine is no outbreak; Now names it all the same.
async function oneInfectedMachine({ browser, url, shot }) {
	const src = "203.0.113.77";
	const [{ id, name }] = (await ask(url, "agents")).items;
	const page = await open(browser, `${url}?page=now&range=1h`, { routes: {
		"**/api/v1/overview": altered((overview) => {
			overview.alarms = [];
		}), "**/api/v1/sightings?*verdict=worm*": altered((answer) => {
			answer.items = [{ ...answer.items[0], src, agents: [id] }];
			answer.next = null;
		}) } });
	await loaded(page, "now");
	const panel = page.locator(".worms-panel");
	await panel.locator("tbody tr").first().waitFor();
	const text = await panel.textContent();
	assert.match(text, /1 address, the last hour/);
	assert.ok(text.includes(name), `${name} is not in: ${text}`);
	await shot(page, "now-infected");
	await panel.getByText(src).click();
	await page.waitForFunction((who) =>
		new URLSearchParams(location.search).get("who") === who, src);
	untroubled(page);
	await close(page);
}

// An uplink that is down: how many probes, why, since when; and which runs
// failed for what reason.
async function agentTellsItsDay({ browser, url, shot }) {
	const [{ id, name }] = (await ask(url, "agents")).items;
	const hours = Array.from({ length: 24 }, (_, i) => i < 20 ? 0 : i * 10);
	const since = new Date(Date.now() - 4 * 3600e3).toISOString();
	const last_at = new Date(Date.now() - 60e3).toISOString();
	const page = await open(browser, `${url}?page=agents&sel=${id}`, { routes: {
		"**/api/v1/agents?*": altered(({ items }) => {
			for (const agent of items)
				agent.unsent = [];
			items.find((a) => a.id === id).unsent = [
				{ outcome: "not-sent", reason: "network is down",
				  device: "wan0", probes: 860, since, last_at, hours },
				{ outcome: "denied", reason: "private", device: null,
				  probes: 12, since, last_at, hours }];
		}), "**/api/v1/runs?*": altered((answer) => {
			answer.items = [{ campaign: id, run: 7, agent: id,
				script: "ping", first_at: since, last_at, records: 0,
				error: "interface: this host has no 'wan9'" }];
			answer.next = null;
		}) } });
	await loaded(page, "agents");
	const day = page.locator(".detail .unsent");
	await day.waitFor();
	const text = await day.textContent();
	assert.match(text, /Not sent, the last 24 hours/);
	assert.match(text, /network is down, wan0.?860.*since/);
	assert.match(text, /denied: private.?12/);
	assert.equal(await day.locator("svg rect.some").count(), 8);
	assert.match(await page.locator(".failed-runs").textContent(),
		/ping: interface: this host has no 'wan9'/);
	const row = page.locator("tr", { hasText: name }).first();
	assert.match(await row.textContent(), /860/);
	await accessible(page);
	await shot(page, "agent-day");
	untroubled(page);
	await close(page);
}

async function tracesAsFile({ browser, url }) {
	const page = await open(browser, `${url}?page=map&range=1h`);
	await loaded(page, "map");
	await page.getByRole("button", { name: "As a table: data" }).click();
	const [file] = await Promise.all([page.waitForEvent("download"),
		page.getByRole("menuitem", { name: "Download traces: CSV" }).click()]);
	assert.match(file.suggestedFilename(), /^sonde-records-\d{8}\.csv$/);
	const text = await readFile(await file.path(), "utf8");
	assert.match(text, /^kind,wall_ns,src,dst,.*\r\ntrace,\d+,198\./);
	untroubled(page);
	await close(page);
}

// Every column with its unit, every cell with its interval, as the API has
// them; the curve of one key with its band.
async function resultsShowTheirSchema({ browser, url, shot }) {
	const [schema] = (await ask(url, "results")).items;
	const { items } = await ask(url, `results/rows?script=${schema.script}`
		+ "&table=summary&from=-1h&limit=500");
	const page = await open(browser, `${url}?page=results&range=1h`);
	await loaded(page, "results");
	assert.equal(await page.getByLabel("Script").inputValue(), schema.script);
	const titles = await page.locator(".rows-panel th").allTextContents();
	assert.deepEqual(titles.slice(2, 5), ["dst", "loss (share)", "rtt"]);
	assert.ok(!titles.includes("loss_low"));
	const cells = await page.locator(".rows-panel tbody tr").first()
		.locator("td").allTextContents();
	assert.match(cells[3], /^[\d.]+ \[[\d.]+ \u2013 [\d.]+\] 95\u00a0%$/);
	assert.match(cells[4], /ms$/);
	const shown = items.map((i) => String(Number(
		i.row.loss.toPrecision(4))));
	assert.ok(shown.includes(cells[3].split(" ")[0]), cells[3]);
	const chart = page.locator(".chart-panel .chart");
	assert.match(await chart.getAttribute("aria-label"),
		/^loss \(share\) of .*: \d+ values, at most /);
	assert.match(await chart.locator(".chart-readout").textContent(),
		/interval [\d.]+ \u2013 [\d.]+/);
	await page.getByLabel("Curve").selectOption("*");
	await page.waitForFunction(() => !document.querySelector(
		".chart-readout").textContent.includes("interval"));
	await shot(page, "results-all");
	await page.getByLabel("Table").selectOption("hops");
	await page.locator(".rows-panel h2", { hasText: "hops" }).waitFor();
	await page.locator(".rows-panel td", { hasText: /^198.18.0.1, / })
		.first().waitFor();
	untroubled(page);
	await close(page);
}

async function wordsOfScripts({ browser, url }) {
	const evil = "<img src=x onerror=globalThis.evil=1><b>x</b>";
	const page = await open(browser, `${url}?page=results&range=1h`, {
		routes: { "**/api/v1/results/rows*": altered((answer) => {
			answer.table.help = evil;
			for (const column of answer.table.columns)
				Object.assign(column, { help: evil, unit: evil });
			for (const { row } of answer.items)
				Object.assign(row, { dst: evil });
		}) } });
	await loaded(page, "results");
	await page.locator(".rows-panel td", { hasText: "<b>" }).first()
		.waitFor();
	assert.equal(await page.locator("img, b:text-is('x')").count(), 0);
	assert.equal(await page.evaluate(() => globalThis.evil), undefined);
	untroubled(page);
	await page.context().close();
}

export function meanings(world) {
	return [
		() => check("a lossy link is not fine, whatever is shown",
			() => lossyIsNotFine(world)),
		() => check("a map says how much it leaves out",
			() => leftOutIsSaid(world)),
		() => check("a worst link says all that is wrong, and its trend",
			() => verdictsOfLinks(world)),
		() => check("one infected machine is named without an outbreak",
			() => oneInfectedMachine(world)),
		() => check("an alarm says what, when, how sure and who",
			() => alarmExplainsItself(world)),
		() => check("a time without an alarm leads to the last one",
			() => quietTimeLeadsBack(world)),
		() => check("an address tells all that it sent",
			() => addressTellsAll(world)),
		() => check("a script's table is shown by its schema alone",
			() => resultsShowTheirSchema(world)),
		() => check("words of a script are only words",
			() => wordsOfScripts(world)),
		() => check("an agent tells what it could not send, and why",
			() => agentTellsItsDay(world)),
		() => check("the traces behind the map come as a file",
			() => tracesAsFile(world)),
		() => check("commands can be run as they stand",
			() => commandsAreWhole(world)),
	];
}
