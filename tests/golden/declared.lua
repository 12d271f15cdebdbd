-- SPDX-License-Identifier: ISC
-- Three questions in one flow at once, each with a number that its answer copies
-- back, and one whose answer holds another.
local function ask(dst, number, expected)
	return sonde.udp{dst = dst, sport = 5000, dport = 862,
		payload = string.pack(">I4", number) .. ("\0"):rep(40),
		answer = {offset = 24, octets = string.pack(">I4", expected)}}
end

return {
	summary = "questions in one flow that tell their answers apart",
	operands = {type = "host", min = 1},
	run = function(args)
		for _, operand in ipairs(args.operands) do
			local dst = operand.address
			local results = sonde.send_train({ask(dst, 7, 7), ask(dst, 8, 8),
				ask(dst, 9, 9), ask(dst, 10, 11)}, sonde.s)
			for i, r in ipairs(results) do
				print(i, r.outcome, r.reply and r.reply.from,
					r.reply and r.reply.from_port, r.reply and
					string.unpack(">I4", r.reply.payload, 25))
			end
		end
	end,
}
