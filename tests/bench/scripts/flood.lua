-- SPDX-License-Identifier: ISC
-- A script that sends echo requests as fast as it is let, until its deadline.

return {
	summary = "sends without a pause",
	operands = {type = "host", min = 1, max = 1},
	options = {
		{name = "window", type = "integer", min = 1, max = 30000,
			default = 1000, argument = "N", help = "in flight"},
	},
	run = function(args)
		local base = sonde.icmp{dst = args.operands[1].address, id = 9,
			payload_bytes = 8}
		local seq, flying = 0, 0
		while true do
			while flying < args.window and sonde.room() > 0 do
				seq, flying = seq + 1 & 0xffff, flying + 1
				sonde.send(base:with{seq = seq}, 200 * sonde.ms)
			end
			local result, kind = sonde.next()
			if not result then
				break
			end
			if kind == "reply" or kind == "done" then
				flying = flying - 1
			end
		end
	end,
}
