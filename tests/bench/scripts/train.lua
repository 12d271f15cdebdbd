-- SPDX-License-Identifier: ISC
-- A train of datagrams at even gaps; prints nothing: a capture tells.

return {
	summary = "a train of datagrams at even gaps",
	operands = {type = "host", min = 1, max = 1},
	options = {
		{name = "count", type = "integer", min = 2, max = 4000,
			default = 300, argument = "N", help = "datagrams"},
		{name = "gap", type = "duration", min = sonde.us, max = sonde.s,
			default = "1ms", argument = "TIME", help = "between two"},
	},
	run = function(args)
		local base = sonde.udp{dst = args.operands[1].address,
			sport = 40000, dport = 33434, payload_bytes = 8}
		local train = {}
		for i = 1, args.count do
			train[i] = {probe = base, delay_ns = args.gap_ns}
		end
		sonde.send_train(train, 10 * sonde.ms)
	end,
}
