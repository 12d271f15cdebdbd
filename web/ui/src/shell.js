// SPDX-License-Identifier: ISC
// What surrounds every page: navigation, header, banner, keys.
import { ApiError, connection, onConnection, poll } from "./lib/api.js";
import { h, replace, setText } from "./lib/dom.js";
import { eventStream, onEvent } from "./lib/events.js";
import { brandMark, icon, lineIcon } from "./lib/icons.js";
import { PAGES, pageOf } from "./lib/pages.js";
import { KeysDialog, listenToKeys } from "./keys.js";
import { RangePicker } from "./range-picker.js";
import { loadTheme, saveTheme } from "./lib/prefs.js";
import { formatClock, formatDateTime } from "./lib/time.js";
import { mountToast } from "./lib/toast.js";

const MISSING = { id: "missing", title: "Page not found",
	load: async () => (await import("./pages/missing/view.js")).MissingView };

export class Shell {
	constructor(app) {
		this.app = app;
		this.view = null;
		this.links = {};
		this.picker = new RangePicker(app);
		this.keys = new KeysDialog();
		this.title = h("h1", { tabindex: "-1" });
		this.main = h("main", { id: "content" });
		this.banner = h("div", { class: "banner", role: "alert",
			hidden: true });
		this.refusal = h("div", { class: "banner", role: "alert",
			hidden: true });
		this.status = h("div", { class: "status" });
		this.printNote = h("p", { class: "print-note" });
		addEventListener("beforeprint", () => this.writePrintNote());
	}

	mount(root) {
		root.append(this.sidebar(),
			h("div", { class: "page" }, this.banner, this.refusal,
				h("header", { class: "page-head" }, this.title,
					this.picker.el, this.printNote),
				this.main),
			this.keys.el);
		mountToast(document.body);
		this.app.onChange(() => this.show());
		this.app.onOverview((o) => this.showBadges(o));
		onConnection(() => this.showConnection());
		onEvent(() => this.showStatus());
		setInterval(() => this.tick(), 1000);
		listenToKeys(this);
		root.addEventListener("click", (event) => this.follow(event));
		this.showStatus();
		this.app.startOverview();
		this.show();
	}

	sidebar() {
		const nav = PAGES.map(({ id, title, icon: path }) => {
			const badge = h("span", { hidden: true });
			const a = h("a", { class: "nav-link" }, lineIcon(path),
				h("span", { class: "nav-text" }, title), badge);
			this.links[id] = { a, badge };
			return h("li", null, a);
		});
		return h("aside", { class: "sidebar" },
			h("a", { class: "brand", href: "?page=now",
				"aria-label": "Sonde: to the page Now" },
				brandMark(), h("span", null, "Sonde")),
			h("nav", { "aria-label": "Pages" }, h("ul", null, nav)),
			h("div", { class: "sidebar-foot" }, this.status,
				h("div", { class: "sidebar-tools" }, this.themeSwitch(),
					h("button", { type: "button", class: "icon-button",
						"aria-label": "Keyboard shortcuts", title: "Keys (?)",
						on: { click: () => this.keys.open() } },
						icon("keys")))));
	}

	themeSwitch() {
		const buttons = ["auto", "light", "dark"].map((theme) =>
			h("button", { type: "button", "aria-label": `Theme: ${theme}`,
				title: `Theme: ${theme}`, data: { theme },
				on: { click: () => choose(theme) } }, icon(theme)));
		const mark = (theme) => buttons.forEach((b) => b.setAttribute(
			"aria-pressed", String(b.dataset.theme === theme)));
		const choose = (theme) => {
			saveTheme(theme);
			mark(theme);
			this.view?.themeChanged?.();
		};
		mark(loadTheme());
		// paper is light, whatever the screen is
		for (const query of ["(prefers-color-scheme: dark)", "print"])
			matchMedia(query).addEventListener("change",
				() => this.view?.themeChanged?.());
		return h("div", { class: "segmented theme", role: "group",
			"aria-label": "Theme" }, buttons);
	}

	// Links inside the app change the state instead of loading the page.
	follow(event) {
		const a = event.target.closest("a[href^='?']");
		if (!a || event.defaultPrevented || event.button !== 0
		    || event.metaKey || event.ctrlKey || event.shiftKey
		    || event.altKey)
			return;
		event.preventDefault();
		this.app.navigate(a.getAttribute("href"));
	}

	async show() {
		const { page } = this.app.state;
		this.picker.update();
		for (const { id } of PAGES) {
			const { a } = this.links[id];
			a.setAttribute("href", this.app.href({ page: id }));
			if (id === page)
				a.setAttribute("aria-current", "page");
			else
				a.removeAttribute("aria-current");
		}
		if (this.page !== page)
			await this.enter(page);
		else
			this.view?.stateChanged();
	}

	async enter(page) {
		const first = this.page === undefined;
		this.page = page;
		delete this.main.dataset.loaded;
		this.refusal.hidden = true;
		this.leave();
		const { title, load } = pageOf(page) ?? MISSING;
		setText(this.title, title);
		document.title = `${title} \u00b7 Sonde`;
		this.picker.el.hidden = page === "missing";
		const View = await load();
		if (this.page !== page)
			return; // another page was chosen meanwhile
		this.view = new View(this.app);
		this.main.className = `view-${page}`;
		replace(this.main, this.view.el);
		this.view.mounted?.();
		this.view.stateChanged();
		this.poll = poll((signal) => this.refresh(signal),
			() => this.app.range().refresh_ms);
		this.view.poke = () => this.poll.poke();
		if (!first)
			this.title.focus({ preventScroll: true });
		scrollTo(0, 0);
	}

	async refresh(signal) {
		const view = this.view;
		try {
			await view.refresh(signal);
			this.refusal.hidden = true;
			this.main.dataset.loaded = this.page; // for tests and print
		} catch (error) {
			if (error instanceof ApiError) {
				this.refusal.hidden = false;
				setText(this.refusal, `${error.title}: ${error.message}`);
			}
			throw error;
		}
	}

	leave() {
		this.poll?.stop();
		this.view?.unmount?.();
		this.view = null;
	}

	showBadges(overview) {
		for (const page of PAGES) {
			if (!page.badge)
				continue;
			const { count, what, level } = page.badge(overview);
			const { badge } = this.links[page.id];
			badge.className = `nav-badge ${level}`;
			badge.hidden = count === 0;
			replace(badge, count,
				h("span", { class: "sr-only" }, ` ${what}`));
		}
	}

	showConnection() {
		this.banner.hidden = connection.reachable;
		this.showStatus();
		if (connection.reachable)
			return this.poll?.poke();
		this.wait = h("span");
		replace(this.banner, icon("alarm"),
			h("span", null, "The collector cannot be reached. ",
				"What you see is from before. "), this.wait,
			h("button", { type: "button", class: "button small",
				on: { click: () => this.app.retry() } }, "Try now"));
		this.tick();
	}

	// What a sheet of paper must say by itself: when, and where it is from.
	writePrintNote() {
		const { from, to } = this.app.range(), { utc } = this.app;
		setText(this.printNote, `${formatDateTime(from, utc)} to `
			+ `${formatDateTime(to, utc)} ${utc ? "UTC" : "local time"}, `
			+ location.href);
	}

	showStatus() {
		const [level, text] = !connection.reachable
			? ["bad", "Unreachable"] : eventStream.live ? ["ok", "Live"]
			: ["warn", "Connecting"];
		this.clock ??= h("span", { class: "status-clock" });
		if (this.status.dataset.text === text)
			return;
		this.status.dataset.text = text;
		replace(this.status, h("span", { class: `dot ${level}`,
			"aria-hidden": "true" }), h("span", null, text), this.clock);
	}

	tick() {
		if (this.clock)
			setText(this.clock, formatClock(this.app.now(), this.app.utc));
		if (connection.reachable || !this.wait)
			return;
		const left_s = Math.max(0,
			Math.ceil((connection.retry_at - Date.now()) / 1000));
		setText(this.wait, left_s > 0 ? `Next try in ${left_s}\u00a0s. `
			: "Trying\u2026 ");
	}
}
