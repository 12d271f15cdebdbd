// SPDX-License-Identifier: ISC
// What a browser remembers for its user.  Without storage everything works,
// only nothing is remembered.

export function load(key, fallback) {
	try {
		const text = localStorage.getItem(`sonde.${key}`);
		return text === null ? fallback : JSON.parse(text);
	} catch {
		return fallback;
	}
}

export function save(key, value) {
	try {
		localStorage.setItem(`sonde.${key}`, JSON.stringify(value));
	} catch {
		// full or forbidden: not worth a word
	}
}

// The theme is plain text: theme.js reads it before anything else is there.
export function loadTheme() {
	try {
		return localStorage.getItem("sonde.theme") ?? "auto";
	} catch {
		return "auto";
	}
}

export function saveTheme(theme) {
	if (theme === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	try {
		localStorage.setItem("sonde.theme", theme);
	} catch {
		// see above
	}
}
