-- SPDX-License-Identifier: ISC
-- A handshake, one request, its one answer, and a reset so that the other end
-- forgets the conversation.

local REQUEST = "GET / HTTP/1.0\r\n\r\n"

local function ask(what, probe, wait_ns)
	local result = sonde.send_train({probe}, wait_ns)[1]
	local reply = result.reply
	sonde.log(what .. ": " .. (result.denied or result.error or
		result.outcome))
	return reply
end

local function run(args)
	local syn = sonde.tcp{dst = args.operands[1].address, dport = args.port,
		sport = args.sport, seq = 1000, hold = not args.release}
	local open = ask("syn", syn, 5000000000)
	if not open or open.tcp_flags ~= 0x12 then
		sonde.problem()
		return
	end
	local ack = (open.tcp_seq + 1) % 0x100000000
	local request = syn:with{seq = 1001, ack = ack, flags = "A",
		payload = REQUEST}
	local answer = ask("request", request, 5000000000)
	if answer and answer.payload then
		sonde.log("answer: " .. answer.payload:sub(10, 12) ..
			", flags " .. answer.tcp_flags)
	end
	ask("reset", syn:with{seq = 1001 + #REQUEST, ack = ack, flags = "RA"},
		1000000)
	if not answer or #answer.payload == 0 then
		sonde.problem()
	end
end

return {
	summary = "ask a web server for its first page",
	operands = {type = "host", min = 1},
	options = {
		{name = "port", type = "integer", min = 1, max = 65535,
			default = 80, help = "where it listens"},
		{name = "sport", type = "integer", min = 1, max = 65535,
			default = 61000, help = "where the request comes from"},
		{name = "release", type = "flag", help = "hold no port"},
	},
	run = run,
}
