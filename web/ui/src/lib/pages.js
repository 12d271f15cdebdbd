// SPDX-License-Identifier: ISC
// The pages in the order of their keys.  A page is a folder src/pages/ID/ with
// ID.css and page.js, whose default export is
//	id      in the address
//	title   in the navigation
//	icon    path of a line icon on a grid of 16
//	key     of the keyboard
//	state   what of it stands in the address: name -> reader (url-readers.js)
//	keys    [[key, what it does]] beside those of every page; optional
//	badge   (overview) -> {count, what, level: "warn" | "bad"}; optional
//	load    async () -> the view's class, when it is first wanted
// A view has el, stateChanged(), async refresh(signal), and if it needs them
// mounted(), unmount(), key(key), escape(), listRoot(), search, themeChanged().
import * as pages from "../pages/index.js";

export const PAGES = Object.values(pages)
	.sort((a, b) => a.key < b.key ? -1 : 1);
export const pageOf = (id) => PAGES.find((page) => page.id === id);
