-- SPDX-License-Identifier: ISC
-- Does each host answer, how fast, how often?

local MAX_PENDING = 16000 -- probes of all hosts together

local targets = sonde.use("targets")
local methods = {}

-- A method gives what makes a probe to a host from its number.  All are made of
-- one.
--
-- The payload begins with a mark of this run, which the reply must bring back:
-- another run may have the same id.  Policy lets every echo carry one.
function methods.icmp(args, dst)
	local mark = args.mark:sub(1, args.size)
	local base = sonde.icmp{dst = dst, ttl = args.ttl, tos = args.tos,
		id = args.sport,
		payload = mark .. ("\0"):rep(args.size - #mark)}
	return function(to, number)
		return base:with{dst = to, seq = number % 0x10000}
	end
end

-- A port of its own for each probe, since what a UDP service answers shows
-- nothing else.  The port there is one that hosts keep closed: the answer is
-- "port unreachable", which quotes the checksum: it is this run's mark.
function methods.udp(args, dst)
	local base = sonde.udp{dst = dst, ttl = args.ttl, tos = args.tos,
		dport = args.port or 33434,
		payload_bytes = math.max(args.size, 2), checksum = args.checksum}
	return function(to, number)
		return base:with{dst = to,
			sport = 1024 + (args.sport + number) % 64000}
	end
end

function methods.tcp(args, dst)
	local base = sonde.tcp{dst = dst, ttl = args.ttl, tos = args.tos,
		dport = args.port or 80}
	return function(to, number)
		-- Each SYN from a port of its own, or hosts take the second for
		-- a copy of the first.
		return base:with{dst = to, seq = math.random(0, 0xffffffff),
			sport = 1024 + (args.sport + number) % 64000}
	end
end

-- first: the number of its first probe.
local function start(args, operand, first)
	local address = operand.address
	args.probe = args.probe or methods[args.method](args, address)
	local train = {args.probe(address, first)}
	for i = 2, args.count do
		train[i] = {probe = args.probe(address, first + i - 1),
			delay_ns = args.interval_ns}
	end
	local ping = {name = operand.name, pending = args.count, shown = 0,
		place = 0, address = address, ended = args.count > 1 and {},
		results = false, answered = false, finished = false}
	ping.results = sonde.start(train, args.listening, ping)
	return ping
end

-- Shows, in their order, the probes of which it is known how they ended.
local function show(ping)
	local result = ping.results[ping.shown + 1]
	while result and result.outcome do
		ping.shown = ping.shown + 1
		sonde.show_ping{probes = {result}, number = ping.shown,
			dst_name = ping.name}
		result = ping.results[ping.shown + 1]
	end
end

local function finish(args, ping)
	ping.finished = true
	for _, result in ipairs(ping.results) do
		if result.error then
			sonde.problem()
		end
		ping.answered = ping.answered or
			result.outcome == "answered" or
			result.outcome == "late"
	end
	if not ping.answered then
		sonde.problem()
	end
	sonde.record_ping{probes = ping.results, dst_name = ping.name,
		wait_ns = args.wait_ns, interval_ns = args.interval_ns}
end

-- An error of somebody else is not the end: the target may answer all the same.
local function has_ended(result)
	return result.done or (result.outcome and result.reached)
end

-- Something of a probe is new; true when it was the host's last.
local function handle(args, result, kind)
	local ping = result.tag
	if ping.finished then
		return false
	end
	if result.error and not ping.reported then
		ping.reported = true
		sonde.log(result.probe.dst .. ": " ..
			(result.denied and "denied by policy: " or "") ..
			result.error)
	end
	if args.count > 1 then
		if kind == "reply" and result.index <= ping.shown then
			sonde.show_ping{probes = {result}, number = result.index,
				dst_name = ping.name}
		end
		show(ping)
	end
	if not has_ended(result) then
		return false
	end
	if ping.ended then
		if ping.ended[result.index] then
			return false
		end
		ping.ended[result.index] = true
	end
	ping.pending = ping.pending - 1
	if ping.pending > 0 then
		return false
	end
	finish(args, ping)
	return true
end

local function run(args)
	args.sport = args.sport or math.random(1024, 60000)
	args.mark = string.pack("I8", math.random(0))
	args.checksum = math.random(1, 0xfffe)
	args.listening = {wait_ns = args.wait_ns, late_ns = args.late_ns,
		listen = args.operand_count == 1 and "all" or "first"}
	local running = targets.new(math.max(1, MAX_PENDING // args.count))
	-- A host that is given again while it is pinged gets other numbers, or
	-- its answers would be those of both.
	local pings_to, given_again = {}, 0
	local function first_number(address)
		pings_to[address] = (pings_to[address] or 0) + 1
		if pings_to[address] == 1 then
			return 1
		end
		given_again = given_again + 1
		return 1 + given_again * args.count
	end
	local function begin(operand)
		running:add(start(args, operand, first_number(operand.address)))
	end
	local function leave(ping)
		running:remove(ping)
		local others = pings_to[ping.address] - 1
		pings_to[ping.address] = others > 0 and others or nil
	end
	while true do
		running:fill(args.count, begin)
		if running:is_over() then
			return
		end
		local result, kind = sonde.next()
		if result and handle(args, result, kind) then
			leave(result.tag)
		elseif not result and kind ~= "operand" then
			break
		end
	end
	-- Interrupted, or no time left: what there is.
	for _, ping in ipairs(running) do
		finish(args, ping)
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
		{name = "late", type = "duration", min = 0,
			max = 60 * sonde.s, default = "1s", argument = "TIME",
			help = "how long after that late replies are taken"},
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
		{name = "tos", type = "tos", default = 0, argument = "TOS",
			help = "a DSCP by name (EF, AF41, CS5), or the octet"},
	},
	run = run,
}
