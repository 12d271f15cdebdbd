-- SPDX-License-Identifier: ISC
-- The path to each host, hop by hop, along one flow: everything that load
-- balancers hash stays the same from probe to probe, and the probe's number
-- goes where they do not look.

local MAX_PENDING = 8000 -- probes of all traces together

-- What makes a probe for a number, by method.  A flow is the ports of UDP and
-- TCP and the checksum of ICMP.
local methods = {}

function methods.udp(args, dst)
	local base = sonde.udp{dst = dst, sport = args.sport,
		dport = args.port or 33434, tos = args.tos,
		flow_label = args.flow, payload_bytes = args.size}
	return function(ttl, number)
		return base:with{ttl = ttl, checksum = number, ip_id = number}
	end
end

function methods.icmp(args, dst)
	local base = sonde.icmp{dst = dst, id = args.sport, tos = args.tos,
		flow_label = args.flow, payload_bytes = args.size,
		checksum = 1 + (0xbeef + args.flow) % 0xffff}
	return function(ttl, number)
		return base:with{ttl = ttl, seq = number, ip_id = number}
	end
end

function methods.tcp(args, dst)
	local base = sonde.tcp{dst = dst, sport = args.sport,
		dport = args.port or 80, tos = args.tos, flow_label = args.flow}
	local first = math.random(0, 0x7fffffff)
	return function(ttl, number)
		return base:with{ttl = ttl, seq = first + number,
			ip_id = number}
	end
end

-- One probe or a few to one TTL.
local function send_round(trace, hop)
	local args = trace.args
	hop.rounds = hop.rounds + 1
	for _ = 1, args.probes do
		trace.number = trace.number % 0xfffe + 1
		hop.pending = hop.pending + 1
		hop.results[#hop.results + 1] = sonde.send(
			trace.probe(hop.ttl, trace.number), args.wait_ns, hop)
	end
end

-- Does the reply end the path, and how?
local function ending(reply)
	if not reply.is_error then
		return "completed"
	end
	local six = reply.from:find(":")
	local type, code = reply.icmp_type, reply.icmp_code
	if type == (six and 3 or 11) then
		return nil -- time exceeded: a router on the way
	end
	if type == (six and 1 or 3) and code == (six and 4 or 3) then
		return "completed" -- port unreachable
	end
	return "unreachable"
end

-- Two hops in a row seen before, at the same distance: the path goes round.
local function is_loop(trace, ttl)
	local hops = trace.hops
	local a, b = hops[ttl - 1] and hops[ttl - 1].from, hops[ttl].from
	if not a or not b or a == b then
		return false
	end
	for before = ttl - 2, trace.args.first_ttl + 1, -1 do
		if hops[before].from == b and hops[before - 1].from == a then
			return true
		end
	end
	return false
end

local function finish(trace, reason)
	local probes = {}
	for ttl = trace.args.first_ttl, trace.edge do
		local hop = trace.hops[ttl]
		if hop then
			for _, result in ipairs(hop.results) do
				probes[#probes + 1] = result
			end
		end
	end
	trace.finished = true
	if reason ~= "completed" then
		sonde.problem()
	end
	if #probes > 0 then
		sonde.record_trace{probes = probes, dst_name = trace.name,
			stop_reason = reason, first_ttl = trace.args.first_ttl,
			max_ttl = trace.args.max_ttl}
	end
end

-- Why the trace ends at a hop of which all is known, or nil.
local function stop_reason(trace, hop)
	local args = trace.args
	if trace.last_ttl == hop.ttl then
		return trace.last_reason
	end
	trace.gap = hop.from and 0 or trace.gap + 1
	if trace.gap >= args.gap_limit then
		return "gaplimit"
	end
	if is_loop(trace, hop.ttl) then
		return "loop"
	end
	return hop.ttl == args.max_ttl and "maxttl" or nil
end

-- Looks at the hops that are known, then fills the window.
local function advance(trace)
	local args = trace.args
	while true do
		local hop = trace.hops[trace.edge]
		if not hop or not hop.done then
			break
		end
		local reason = stop_reason(trace, hop)
		if reason then
			return finish(trace, reason)
		end
		trace.edge = trace.edge + 1
	end
	local last = math.min(args.max_ttl, trace.edge + args.window - 1,
		trace.last_ttl or args.max_ttl)
	while trace.next_ttl <= last do
		local hop = {trace = trace, ttl = trace.next_ttl, results = {},
			rounds = 0, pending = 0}
		trace.hops[hop.ttl] = hop
		trace.next_ttl = trace.next_ttl + 1
		send_round(trace, hop)
	end
end

local function start(args, operand)
	-- Who does not see the probes must guess where the numbers begin.
	local trace = {args = args, name = operand.name, hops = {},
		number = math.random(0, 0xfffe), edge = args.first_ttl,
		next_ttl = args.first_ttl, gap = 0,
		probe = methods[args.method](args, operand.address)}
	advance(trace)
	return trace
end

local function on_reply(hop, result)
	local trace, reply = hop.trace, result.reply
	hop.from = hop.from or reply.from
	local reason = ending(reply)
	if reason and hop.ttl < (trace.last_ttl or 256) then
		trace.last_ttl, trace.last_reason = hop.ttl, reason
	end
end

-- A result came; true when it was the trace's last.
local function handle(result, kind)
	local hop = result.tag
	local trace = hop.trace
	if trace.finished or kind == "duplicate" or
	    (kind == "done" and result.reply) then
		return false
	end
	hop.pending = hop.pending - 1
	if kind == "reply" then
		on_reply(hop, result)
	elseif result.error then
		trace.edge = math.max(trace.edge, hop.ttl)
		finish(trace, result.denied and "denied" or "unsent")
		sonde.log(trace.hops[hop.ttl].results[1].probe.dst .. ": " ..
			(result.denied and "denied by policy: " or "") ..
			result.error)
		return true
	end
	if hop.pending == 0 then
		if not hop.from and hop.rounds < trace.args.attempts then
			send_round(trace, hop)
		else
			hop.done = true
		end
	end
	advance(trace)
	return trace.finished
end

local function prepare(args)
	local count = #args.operands
	args.first_ttl = math.min(args.first_ttl, args.max_ttl)
	args.window = args.window or
		(count <= 16 and 8 or count <= 256 and 4 or 2)
	args.sport = args.sport or math.random(32768, 60000)
	if args.method ~= "icmp" then
		args.sport = (args.sport + args.flow - 1) % 0xffff + 1
	end
end

local function run(args)
	prepare(args)
	local operands, running, started = args.operands, {}, 0
	local active = 0
	local most = math.max(1, MAX_PENDING // (args.window * args.probes))
	while true do
		while started < #operands and active < most and
		    (active == 0 or sonde.room() > 2 * MAX_PENDING) do
			started = started + 1
			local trace = start(args, operands[started])
			if not trace.finished then
				running[trace] = true
				active = active + 1
			end
		end
		local result, kind = sonde.next()
		if not result then
			break
		end
		if handle(result, kind) then
			running[result.tag.trace] = nil -- its memory with it
			active = active - 1
		end
		if active == 0 and started == #operands then
			return
		end
	end
	-- Interrupted, or no time left: what there is.
	for trace in pairs(running) do
		trace.edge = trace.next_ttl - 1
		finish(trace, "deadline")
	end
end

return {
	summary = "the path to a host, hop by hop, along one flow",
	examples = {
		"sonde trace www.example.net",
		"sonde trace --method tcp --port 443 2001:db8::80",
		"sonde trace --json -f targets.txt",
		"sonde --net sim:lab.sim trace web",
	},
	operands = {type = "host", min = 1},
	options = {
		{name = "method", letter = "M", type = "choice",
			choices = "udp|icmp|tcp", default = "udp",
			argument = "METHOD", help = "what the probes are"},
		{name = "port", letter = "p", type = "integer", min = 1,
			max = 65535, argument = "PORT",
			help = "destination port (udp 33434, tcp 80)"},
		{name = "sport", letter = "s", type = "integer", min = 1,
			max = 65535, argument = "PORT",
			help = "source port, or icmp id (drawn once a run)"},
		{name = "flow", letter = "F", type = "integer", min = 0,
			max = 65535, default = 0, argument = "N",
			help = "another flow: balancers may choose other paths"},
		{name = "first-ttl", type = "integer", min = 1, max = 255,
			default = 1, argument = "TTL", help = "first hop"},
		{name = "max-ttl", letter = "m", type = "integer", min = 1,
			max = 255, default = 32, argument = "TTL",
			help = "last hop"},
		{name = "gap-limit", letter = "g", type = "integer", min = 1,
			max = 255, default = 5, argument = "N",
			help = "give up after so many silent hops in a row"},
		{name = "probes", letter = "q", type = "integer", min = 1,
			max = 16, default = 1, argument = "N",
			help = "probes to each hop"},
		{name = "attempts", letter = "a", type = "integer", min = 1,
			max = 16, default = 2, argument = "N",
			help = "rounds of probes to a hop that is silent"},
		{name = "wait", letter = "w", type = "duration", min = 10 * sonde.ms,
			max = 60 * sonde.s, default = "1s", argument = "TIME",
			help = "how long to wait for each reply"},
		{name = "window", type = "integer", min = 1, max = 64,
			argument = "N",
			help = "hops in flight at once (8, fewer for many hosts)"},
		{name = "size", type = "integer", min = 2, max = 1400,
			default = 12, argument = "BYTES",
			help = "payload of udp and icmp probes"},
		{name = "tos", type = "integer", min = 0, max = 255,
			default = 0, argument = "N",
			help = "type of service, or traffic class"},
	},
	run = run,
}
