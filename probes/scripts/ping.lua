-- SPDX-License-Identifier: ISC
-- Does each host answer, how fast, how often?

local MAX_PENDING = 16000 -- probes of all hosts together

local methods = {}

function methods.icmp(args, dst)
	local base = sonde.icmp{dst = dst, ttl = args.ttl, tos = args.tos,
		id = args.sport, payload_bytes = args.size}
	return function(number)
		return base:with{seq = number}
	end
end

-- A port that hosts keep closed: the answer is "port unreachable".
function methods.udp(args, dst)
	local base = sonde.udp{dst = dst, ttl = args.ttl, tos = args.tos,
		sport = args.sport, dport = args.port or 33434,
		payload_bytes = math.max(args.size, 2)}
	return function(number)
		return base:with{checksum = number, ip_id = number}
	end
end

function methods.tcp(args, dst)
	local base = sonde.tcp{dst = dst, ttl = args.ttl, tos = args.tos,
		dport = args.port or 80}
	return function(number)
		-- Each SYN from a port of its own, or hosts take the second for
		-- a copy of the first.
		return base:with{seq = math.random(0, 0xffffffff),
			sport = 1024 + (args.sport + number) % 64000}
	end
end

local function start(args, operand)
	local probe = methods[args.method](args, operand.address)
	local ping = {name = operand.name, pending = args.count, shown = 0}
	local train = {}
	for i = 1, args.count do
		train[i] = {probe = probe(i),
			delay_ns = i > 1 and args.interval_ns or 0}
	end
	ping.results = sonde.start(train, args.wait_ns, ping)
	return ping
end

local function answers(args, reply)
	if not reply.is_error then
		return true
	end
	local six = reply.from:find(":")
	return args.method == "udp" and
		reply.icmp_type == (six and 1 or 3) and
		reply.icmp_code == (six and 4 or 3)
end

-- Shows, in their order, the probes of which it is known how they ended.
local function show(ping)
	local result = ping.results[ping.shown + 1]
	while result and (result.reply or result.error or result.done) do
		ping.shown = ping.shown + 1
		sonde.show_ping{probes = {result}, number = ping.shown,
			dst_name = ping.name}
		result = ping.results[ping.shown + 1]
	end
end

local function finish(ping)
	ping.finished = true
	if not ping.answered then
		sonde.problem()
	end
	sonde.record_ping{probes = ping.results, dst_name = ping.name}
end

-- A result came; true when it was the host's last.
local function handle(args, result, kind)
	local ping = result.tag
	if ping.finished or kind == "duplicate" or
	    (kind == "done" and result.reply) then
		return false
	end
	if kind == "reply" and answers(args, result.reply) then
		ping.answered = true
	end
	if result.error and not ping.reported then
		ping.reported = true
		sonde.log(result.probe.dst .. ": " ..
			(result.denied and "denied by policy: " or "") ..
			result.error)
	end
	ping.pending = ping.pending - 1
	if #ping.results > 1 then
		show(ping)
	end
	if ping.pending > 0 then
		return false
	end
	finish(ping)
	return true
end

local function run(args)
	args.sport = args.sport or math.random(1024, 60000)
	local operands, running, started = args.operands, {}, 0
	local active = 0
	local most = math.max(1, MAX_PENDING // args.count)
	while true do
		while started < #operands and active < most and
		    sonde.room() > args.count do
			started = started + 1
			running[started] = start(args, operands[started])
			active = active + 1
		end
		local result, kind = sonde.next()
		if not result then
			break
		end
		if handle(args, result, kind) then
			active = active - 1
			if active == 0 and started == #operands then
				return
			end
		end
	end
	for i = 1, started do
		if not running[i].finished then
			finish(running[i])
		end
	end
end

return {
	summary = "does each host answer, how fast, how often",
	examples = {
		"sonde ping www.example.net",
		"sonde ping -c 1 --json -f targets.txt",
		"sonde ping --method tcp --port 443 2001:db8::80",
	},
	operands = {type = "host", min = 1},
	options = {
		{name = "count", letter = "c", type = "integer", min = 1,
			max = 4000, default = 4, argument = "N",
			help = "probes to each host"},
		{name = "interval", letter = "i", type = "duration", min = 0,
			max = 3600 * sonde.s, default = "1s", argument = "TIME",
			help = "time between a host's probes"},
		{name = "wait", letter = "w", type = "duration", min = 10 * sonde.ms,
			max = 60 * sonde.s, default = "1s", argument = "TIME",
			help = "how long to wait for each reply"},
		{name = "method", letter = "M", type = "choice",
			choices = "icmp|udp|tcp", default = "icmp",
			argument = "METHOD", help = "what the probes are"},
		{name = "port", letter = "p", type = "integer", min = 1,
			max = 65535, argument = "PORT",
			help = "destination port (udp 33434, tcp 80)"},
		{name = "sport", letter = "s", type = "integer", min = 1,
			max = 65535, argument = "PORT",
			help = "source port, or icmp id (drawn once a run)"},
		{name = "size", type = "integer", min = 0, max = 1400,
			default = 56, argument = "BYTES",
			help = "payload of icmp and udp probes"},
		{name = "ttl", letter = "t", type = "integer", min = 1,
			max = 255, default = 64, argument = "TTL",
			help = "how many hops a probe lives"},
		{name = "tos", type = "integer", min = 0, max = 255,
			default = 0, argument = "N",
			help = "type of service, or traffic class"},
	},
	run = run,
}
