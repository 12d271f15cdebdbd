-- SPDX-License-Identifier: ISC
-- Asks each service of a simulated host, in its own words.
local function hex(s)
	local out = {}
	for i = 1, #s do
		out[i] = string.format("%02x", s:byte(i))
	end
	return table.concat(out)
end

local function ask(name, probe)
	local r = sonde.send_train({probe}, sonde.s)[1]
	print(name, r.outcome, r.reply and r.reply.from_port, hex(r.reply and r.reply.payload or ""))
end

return {
	summary = "asks the services of a host",
	operands = {type = "host", min = 1, max = 1},
	run = function(args)
		local dst = args.operands[1].address
		ask("stamp", sonde.udp{dst = dst, sport = 5000, dport = 862,
			payload = string.pack(">I4I4I4I2", 7, 1, 2, 3) ..
				("\0"):rep(30)})
		ask("dns", sonde.udp{dst = dst, sport = 5001, dport = 53,
			payload = string.pack(">I2I2I2I2I2I2", 9, 0x100, 1, 0, 0,
				0) .. "\3www\7example\0\0\1\0\1"})
		ask("ntp", sonde.udp{dst = dst, sport = 5002, dport = 123,
			payload = "\x23" .. ("\0"):rep(39) .. "ABCDEFGH"})
		ask("syn", sonde.tcp{dst = dst, sport = 5003, dport = 8080})
		ask("tftp", sonde.udp{dst = "192.0.2.54", sport = 5005, dport = 862,
			payload = ("\0"):rep(44)})
		ask("none", sonde.udp{dst = dst, sport = 5004, dport = 99})
	end,
}
