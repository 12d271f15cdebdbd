-- SPDX-License-Identifier: ISC
-- One sweep: an echo to each address of a range.

return {
	summary = "an echo to each address from the first on",
	operands = {type = "host", min = 1, max = 1},
	options = {
		{name = "count", type = "integer", min = 1, max = 1048576,
			default = 1000, argument = "N", help = "addresses"},
		{name = "wait", type = "duration", min = sonde.us,
			max = 10 * sonde.s, default = "1s", argument = "TIME",
			help = "how long to wait for replies"},
	},
	run = function(args)
		local first = sonde.icmp{dst = args.operands[1].address, id = 7,
			payload_bytes = 8}
		local sweep = sonde.sweep(first, {count = args.count,
			wait_ns = args.wait_ns})
		local answers, others, result = 0, 0, sonde.next()
		while result and result ~= sweep do
			if result.reached then
				answers = answers + 1
			else
				others = others + 1
			end
			result = sonde.next()
		end
		sonde.log(sweep.counts.sent, "sent", answers, "answers", others,
			"others")
	end,
}
