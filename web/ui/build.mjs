// SPDX-License-Identifier: ISC
// Builds the pages: node build.mjs [OUTDIR].  Every file but index.html and
// licenses.txt carries a hash of its content in its name, so a server may let
// browsers keep it for ever.  The same input gives the same bytes.
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile }
	from "node:fs/promises";
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? join(here, "dist"));

const common = {
	absWorkingDir: here,
	bundle: true,
	minify: true,
	charset: "utf8",
	legalComments: "none", // the notices are in licenses.txt
	target: ["chrome123", "firefox128", "safari17.5"],
	entryNames: "[name]-[hash]",
	chunkNames: "[name]-[hash]",
	outdir,
	metafile: true,
	logLevel: "warning",
};

// Returns the file name that an entry point was written to.
function outputOf(result, entry) {
	for (const [path, info] of Object.entries(result.metafile.outputs))
		if (info.entryPoint === entry)
			return basename(path);
	throw new Error(`build: ${entry}: no output`);
}

async function bundle(entry, options) {
	const result = await esbuild.build({
		...common, ...options, entryPoints: [entry],
	});
	return { name: outputOf(result, entry), metafile: result.metafile };
}

// The shared styles, each page's own (src/pages/ID/ID.css), and print last.
async function bundleStyles() {
	const pages = (await readdir(join(here, "src/pages"))).sort()
		.filter((id) => existsSync(join(here, `src/pages/${id}/${id}.css`)));
	const files = ["css/main.css", ...pages.map((id) =>
		`pages/${id}/${id}.css`), "css/print.css"];
	const result = await esbuild.build({ ...common, stdin: {
		contents: files.map((f) => `@import "./${f}";`).join("\n"),
		resolveDir: join(here, "src"), sourcefile: "main.css", loader: "css",
	} });
	const [path] = Object.keys(result.metafile.outputs);
	const name = basename(path).replace("stdin", "main");
	await rename(join(outdir, basename(path)), join(outdir, name));
	return { name, metafile: result.metafile };
}

async function copyHashed(path) {
	const bytes = await readFile(join(here, path));
	const hash = createHash("sha256").update(bytes).digest("hex");
	const [stem, extension] = basename(path).split(".");
	const name = `${stem}-${hash.slice(0, 8).toUpperCase()}.${extension}`;
	await writeFile(join(outdir, name), bytes);
	return name;
}

// The packages whose code is in a bundle, by the paths of its inputs.
function packagesIn(metafiles) {
	const names = new Set();
	for (const metafile of metafiles)
		for (const path of Object.keys(metafile.inputs)) {
			const m = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
			if (m)
				names.add(m[1]);
		}
	return [...names].sort();
}

async function writeLicenses(metafiles) {
	let text = "The pages of Sonde contain code of these packages.\n";
	for (const name of packagesIn(metafiles)) {
		const folder = join(here, "node_modules", name);
		const info = JSON.parse(
			await readFile(join(folder, "package.json"), "utf8"));
		const file = (await readdir(folder)).sort()
			.find((f) => /^licen[cs]e/i.test(f));
		text += `\n${"-".repeat(72)}\n${name} ${info.version}`
			+ ` (${info.license})\n\n`;
		text += file ? await readFile(join(folder, file), "utf8")
			: `${info.author?.name ?? info.author ?? ""}\n`;
	}
	await writeFile(join(outdir, "licenses.txt"), text);
}

// the folder itself stays: a collector may be serving it
await mkdir(outdir, { recursive: true });
for (const old of await readdir(outdir))
	await rm(join(outdir, old), { recursive: true });
const worker = await bundle("src/pages/map/layout-worker.js",
	{ format: "iife" });
const theme = await bundle("src/theme.js", { format: "iife" });
const css = await bundleStyles();
const main = await bundle("src/main.js", {
	format: "esm",
	splitting: true,
	define: { LAYOUT_WORKER_URL: JSON.stringify(worker.name) },
});
const names = {
	main: main.name,
	css: css.name,
	theme: theme.name,
	icon: await copyHashed("icon.svg"),
};
const page = (await readFile(join(here, "index.html"), "utf8"))
	.replace(/\{\{(\w+)\}\}/g, (_, key) => names[key]);
await writeFile(join(outdir, "index.html"), page);
await writeLicenses([worker.metafile, main.metafile, css.metafile]);
