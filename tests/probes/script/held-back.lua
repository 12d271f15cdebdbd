-- SPDX-License-Identifier: ISC
-- Probes that a rate limit holds back must not keep others from being started;
-- tests/probes/script/api.sh runs it under a policy with such a limit.

return {
	operands = {type = "host", min = 2, max = 2},
	run = function(args)
		local began, sent = sonde.now_ns(), 0
		while sent < 300 and sonde.room() > 0 do
			sent = sent + 1
			sonde.send(sonde.icmp{dst = args.operands[1].address,
				seq = sent}, sonde.s)
		end
		local other = sonde.send(sonde.icmp{
			dst = args.operands[2].address}, sonde.s, "other")
		local result
		repeat
			result = sonde.next()
		until not result or result.tag == "other"
		print(sent, other.outcome, (sonde.now_ns() - began) // sonde.ms)
	end,
}
