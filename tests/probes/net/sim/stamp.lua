-- SPDX-License-Identifier: ISC
-- One-way delays to a STAMP reflector (RFC 8762), by the clocks of both ends.

local function ntp(ns)
	local s = ns // sonde.s
	return string.pack(">I4I4", (s + 2208988800) & 0xffffffff,
		((ns % sonde.s) << 32) // sonde.s)
end

local function ns_of(octets, at)
	local s, fraction = string.unpack(">I4I4", octets, at)
	return (s - 2208988800) * sonde.s + (fraction * sonde.s >> 32)
end

local function run(args)
	for number, host in ipairs(args.operands) do
		local sequence = string.pack(">I4", number)
		local probe = sonde.udp{dst = host.address, dport = 862,
			sport = 50000 + number,
			payload = sequence .. ntp(0) .. ("\0"):rep(32)}
		local result = sonde.send_train({probe}, sonde.s)[1]
		local reply = result.reply
		sonde.record{vantage = sonde.vantage, name = host.name,
			there_ns = reply and
				ns_of(reply.payload, 17) - result.tx_ns,
			back_ns = reply and
				reply.rx_ns - ns_of(reply.payload, 5)}
	end
end

return {
	summary = "one-way delays by both ends' clocks",
	operands = {type = "host", min = 1},
	fields = {
		{name = "vantage", type = "text", help = "from"},
		{name = "name", type = "text", help = "to"},
		{name = "there_ns", type = "integer", help = "receiver's minus sender's clock"},
		{name = "back_ns", type = "integer", help = "the other way"},
	},
	run = run,
}
