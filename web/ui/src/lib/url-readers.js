// SPDX-License-Identifier: ISC
// Readers of one value of the address: text to value, undefined when it is not
// understood.
export const text = (v) => v.slice(0, 300);
export const oneOf = (...values) => (v) => values.includes(v) ? v : undefined;
export const flag = (v) => v === "1" || v === true ? true : undefined;
export const number = (v) => v !== "" && Number.isFinite(Number(v))
	&& Number(v) >= 0 ? Number(v) : undefined;
