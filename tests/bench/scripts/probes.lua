-- SPDX-License-Identifier: ISC
-- The same as sweep.lua by a script that acts for each probe; or all probes to
-- the first address.

return {
	summary = "an echo to each address from the first on, one by one",
	operands = {type = "host", min = 1, max = 1},
	options = {
		{name = "count", type = "integer", min = 1, max = 1048576,
			default = 1000, argument = "N", help = "probes"},
		{name = "one", type = "flag", help = "all to the first address"},
	},
	run = function(args)
		local dst = args.operands[1].address
		local base = sonde.icmp{dst = dst, id = 7, payload_bytes = 8}
		local first, part = 0, 0
		for i = 1, #dst do
			local digit = dst:byte(i) - ("0"):byte()
			if digit < 0 then
				first, part = first << 8 | part, 0
			else
				part = part * 10 + digit
			end
		end
		first = first << 8 | part
		local sent, ended, answers = 0, 0, 0
		while ended < args.count do
			while sent < args.count and sonde.room() > 0 do
				local at = args.one and first or first + sent
				sent = sent + 1
				sonde.send(base:with{seq = sent & 0xffff,
					dst = ("%d.%d.%d.%d"):format(at >> 24,
						at >> 16 & 255, at >> 8 & 255,
						at & 255)}, 2 * sonde.s)
			end
			local result, kind = sonde.next()
			if not result then
				break
			end
			if kind == "reply" or kind == "done" then
				ended = ended + 1
				answers = answers + (result.reached and 1 or 0)
			end
		end
		sonde.log(sent, "sent", answers, "answers")
	end,
}
