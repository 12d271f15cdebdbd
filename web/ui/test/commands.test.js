// SPDX-License-Identifier: ISC
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { commands, freshName, isLoopback, targetsOf }
	from "../src/lib/commands.js";

globalThis.document = { baseURI: "https://sonde.example.net/" };

// What a shell makes of a line; nothing of it is run.
const wordsOf = (line) => execFileSync("sh", ["-c",
	`sudo() { printf '%s\\n' "$@"; }; ${line}`], { encoding: "utf8" })
	.trimEnd().split("\n");

test("no command has a placeholder", () => {
	for (const make of Object.values(commands))
		assert.doesNotMatch(make(), /\b(TOKEN|NAME|TAG|TARGET|STATE|FILE)\b/);
});

test("what the reader writes is one word to the shell", () => {
	const evil = "x'; rm -rf \"$HOME\" `id` $(id)";
	assert.equal(wordsOf(commands.token({ name: evil, tags: ["a b"] }))[3],
		evil);
	assert.ok(wordsOf(commands.token({ tags: ["a b"] })).includes("a b"));
	assert.equal(wordsOf(commands.enrol({ token: evil })).at(-1), evil);
	assert.equal(wordsOf(commands.submitTrace([evil]))[3], evil);
});

test("agents trace each other where strangers may, else somebody who may be "
	+ "asked", () => {
	const agents = ["10.0.0.1", "198.18.5.1", "8.8.8.8", "172.32.0.1"].map(
		(address) => ({ addresses: ["127.0.0.1", address] }));
	assert.deepEqual(targetsOf(agents), ["8.8.8.8", "172.32.0.1"]);
	assert.deepEqual(targetsOf(agents.slice(0, 1)), ["example.net"]);
	assert.deepEqual(targetsOf([]), ["example.net"]);
	assert.deepEqual(targetsOf([{ addresses: ["fe80::1", "2a00::1"] },
		{ addresses: ["fd00::1", "2a00::2"] }]), ["2a00::1", "2a00::2"]);
});

test("a new agent has a name of its own", () => {
	assert.equal(freshName([]), "agent-1");
	assert.equal(freshName([{ name: "agent-2" }]), "agent-3");
});

test("loopback is seen", () => {
	assert.ok(!isLoopback());
	for (const name of ["127.0.0.1", "localhost", "[::1]"]) {
		globalThis.document = { baseURI: `http://${name}:8470/` };
		assert.ok(isLoopback());
	}
});
