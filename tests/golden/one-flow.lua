-- SPDX-License-Identifier: ISC
-- Three questions in one flow at once: nothing tells whose an answer is.
return {
	summary = "three questions in one flow",
	operands = {type = "host", min = 1, max = 1},
	run = function(args)
		local ask = sonde.udp{dst = args.operands[1].address,
			sport = 5000, dport = 123,
			payload = "\x23" .. ("\0"):rep(47)}
		sonde.record_ping{probes = sonde.send_train({ask, ask, ask},
			sonde.s)}
	end,
}
