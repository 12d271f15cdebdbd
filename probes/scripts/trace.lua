-- SPDX-License-Identifier: ISC
-- The path to each host, hop by hop, along one flow: everything that load
-- balancers hash stays the same from probe to probe, and the probe's number
-- goes where they do not look.

-- Several hops are asked at once.  The edge is the first of them that is not yet
-- judged: it goes on from hop to hop until one is a reason to stop.  Targets limit
-- their errors, so one may be silent at its own distance and answer behind it.
-- Echo requests, and what an answer quotes of its probe, tell where it is; the
-- edge goes back to that hop, which is asked more often and alone.
--
-- What a trace comes to know:
--   last_ttl, last_reason: the nearest hop whose answer ends the path, and how
--   near_ttl: the target is at this hop or nearer, and was silent there
--   echo_near: the nearest hop from which it answered an echo request
--   is_limited: it got a probe to which it was silent: it limits its errors
--   may_be_limited: it refuses a SYN, so it is not one that drops in silence
--   target: asked with the highest TTL whether it is there at all; then
--   target_is_there or, when it said nothing, target_is_silent
--   gap: hops in a row that are silent; rejected_ttl: the first of those in a
--   row that reject
--   queue: hops that wait to send, where only one probe may be in the air

local MAX_PENDING = 8000 -- probes of all traces together
local MAX_WAITING = 1000 -- operands for a trace to the same target to end
-- What comes so long after its wait is taken, as late, while the trace goes on.
local LATE_NS = sonde.s
-- A hop that says nothing for so long holds the next one up no longer.  It is
-- still waited for.
local PATIENCE_NS = 30 * sonde.ms
-- Behind a router that rejects, so many hops may show that others go on.
local BEHIND_REJECTION = 2

local hops = sonde.use("trace-hops")
local set_alarm, drop_alarm, next_alarm = hops.set_alarm, hops.drop_alarm,
	hops.next_alarm
local send_alone, send_round, ask_again = hops.send_alone, hops.send_round,
	hops.ask_again
local ask_in_turn, pass, new_hop = hops.ask_in_turn, hops.pass, hops.new_hop
local rounds_of, end_probe = hops.rounds_of, hops.end_probe
local target = sonde.use("trace-target")
local awaits_target, silence_reason = target.awaits, target.silence_reason
local last_hop_reason, nearest = target.last_hop_reason, target.nearest
local proves_limit, asks_of = target.proves_limit, target.asks_of
local is_from_target, is_unclear = target.is_from, target.is_unclear
local on_aside, on_target = target.on_aside, target.on_target
local parts = sonde.use("trace-result")
local finish, show = parts.finish, parts.show
local targets = sonde.use("targets")

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

-- What a hop at the edge, of which all is known, says of the whole trace: a
-- reason to stop, "wait" for what is asked now, or nil: go on.
local function stop_reason(trace, hop)
	local args = trace.args
	if trace.last_ttl == hop.ttl then
		return last_hop_reason(trace)
	elseif hop.ttl == trace.near_ttl and not hop.from then
		local reason = silence_reason(trace)
		if reason then
			return reason
		end
	end
	trace.gap = hop.from and 0 or trace.gap + 1
	if hop.rejected then
		trace.rejected_ttl = trace.rejected_ttl or hop.ttl
	elseif hop.from then
		trace.rejected_ttl = nil
	end
	if trace.rejected_ttl and
	    hop.ttl - trace.rejected_ttl >= BEHIND_REJECTION then
		trace.edge = trace.rejected_ttl
		return "unreachable"
	end
	if is_loop(trace, hop.ttl) then
		return "loop"
	end
	if hop.ttl == args.max_ttl then
		trace.edge = trace.rejected_ttl or trace.edge
		return trace.rejected_ttl and "unreachable" or "maxttl"
	end
	if trace.gap >= args.gap_limit and not trace.target_is_there then
		if trace.target_is_silent then
			return "gaplimit"
		elseif awaits_target(trace) then
			trace.gap = trace.gap - 1 -- the hop will be judged again
			return "wait"
		end
	end
	return nil
end

-- Judges the hops of which all is known, in order.
local function move_edge(trace)
	local hop = trace.hops[trace.edge]
	while hop and hop.done do
		if not hop.judged then
			local reason = stop_reason(trace, hop)
			if reason == "wait" then
				return
			elseif reason then
				return finish(trace, reason)
			end
			hop.judged = true
			if trace.args.shows then
				show(trace, hop)
			end
		end
		trace.edge = trace.edge + 1
		hop = trace.hops[trace.edge]
	end
end

-- Sends to hops that are needed: the first, and each behind one that passed
-- the word on or has been silent for longer than it should.  A target's ICMP
-- errors are limited, so nothing is asked beyond it.
local function send_hops(trace)
	local args = trace.args
	if trace.edge > trace.farthest then -- none of those that left is the one
		trace.farthest = args.max_ttl
	end
	local last = math.min(trace.farthest, trace.edge + args.window - 1,
		trace.last_ttl or args.max_ttl,
		trace.near_ttl or args.max_ttl)
	while trace.next_ttl <= last do
		local before = trace.hops[trace.next_ttl - 1]
		if before and not before.passed then
			return
		end
		local hop = new_hop(trace, trace.next_ttl)
		trace.hops[hop.ttl] = hop
		trace.next_ttl = trace.next_ttl + 1
		send_round(hop)
		if args.patient then
			set_alarm(hop, trace.patience_ns)
		end
	end
end

local function advance(trace)
	if not trace.finished then
		move_edge(trace)
	end
	if not trace.finished then
		send_hops(trace)
	end
end

-- number: of the last probe of a trace to the same target, whose answers may still
-- come; else who does not see the probes must guess where the numbers begin.
local function start(args, operand, number)
	local trace = {args = args, name = operand.name, hops = {},
		held = args.shows and {}, in_air = 0, farthest = args.max_ttl,
		number = number or math.random(0, 0xfffe), edge = args.first_ttl,
		next_ttl = args.first_ttl, gap = 0, patience_ns = PATIENCE_NS,
		dst = operand.address, place = 0,
		probe = methods[args.method](args, operand.address)}
	advance(trace)
	return trace
end

-- Does what became of a probe end the path, and how?  What a router says of
-- one probe need not be true of the next.
local function ending(result)
	if result.reached then
		return "completed"
	end
	return result.outcome == "rejected" and is_from_target(result) and
		"unreachable" or nil
end

local function on_unclear(hop)
	local trace = hop.trace
	hop.passed = true
	hop.unclear = rounds_of(hop) <= trace.args.attempts
	trace.queue = trace.queue or {}
	-- A probe to the target itself may be the one; else none has to go
	-- further than those that left.
	if not trace.target then
		trace.farthest = trace.next_ttl - 1
	end
end

local function on_reply(hop, result)
	local trace = hop.trace
	hop.from = result.reply.from
	hop.passed = true
	hop.rejected = result.outcome == "rejected" or nil
	if result.rtt_ns then
		trace.patience_ns = math.max(trace.patience_ns,
			result.rtt_ns + result.rtt_ns // 2)
	end
	if hop.judged then -- as a silent one
		trace.gap = math.min(trace.gap,
			math.max(trace.edge - hop.ttl - 1, 0))
	end
	local reason = ending(result)
	if reason and hop.ttl < (trace.last_ttl or 256) then
		trace.last_ttl, trace.last_reason = hop.ttl, reason
		if hop.ttl < trace.edge and hop.done then
			trace.edge, hop.judged = hop.ttl, false
		end
		local ttl = nearest(hop.ttl, result)
		if reason == "completed" and ttl < hop.ttl then
			proves_limit(trace, ttl, hop.ttl)
		end
	elseif not reason and hop.ttl == trace.near_ttl then
		trace.near_ttl, trace.echo_misled = nil, true
	end
end

-- No more of this round is to come.
local function end_round(hop)
	local trace = hop.trace
	pass(hop)
	if not hop.from and hop.ttl == trace.near_ttl and
	    (hop.retry or hop.asks < asks_of(trace)) then
		if not hop.retry then -- it proved to be limited since the last
			ask_in_turn(hop)
		end
		return
	end
	if not hop.from and (hop.unclear or
	    rounds_of(hop) < trace.args.attempts and not trace.near_ttl and
	    not trace.rejected_ttl and not trace.target_is_there) then
		hop.unclear = nil
		if not hop.unsent then
			return send_round(hop)
		end
		-- What keeps it from leaving may pass.
		return ask_again(hop, trace.args.wait_ns)
	end
	hop.done = true
	if hop.unsent == #hop.results and
	    hop.ttl == trace.args.first_ttl then
		finish(trace, "unsent")
	end
end

-- Tells once why probes were not sent.  True: none ever will be.
local function on_error(hop, result)
	local trace = hop.trace
	if not trace.told then
		trace.told = true
		sonde.log(result.probe.dst .. ": " ..
			(result.denied and "denied by policy: " or "") ..
			result.error)
	end
	hop.unsent = (hop.unsent or 0) + 1
	if result.denied then
		trace.edge = math.max(trace.edge, hop.ttl)
		finish(trace, "denied")
	end
end

local function on_hop(hop, result, kind)
	local unclear = is_unclear(result)
	if unclear then
		on_unclear(hop)
	elseif kind == "reply" or kind == "better" then
		on_reply(hop, result)
	elseif result.error then
		on_error(hop, result)
	end
	-- While it may be this probe's, no other is asked in its place.
	if (result.done or not unclear) and end_probe(hop, result) and
	    hop.pending == 0 and not hop.trace.finished then
		end_round(hop)
	end
end

-- Something of a probe is new.
local function on_event(result, kind)
	local hop = result.tag
	local trace = hop.trace
	if result.done and not hop.aside then
		trace.in_air = trace.in_air - 1
	end
	if kind ~= "duplicate" and kind ~= "advice" then
		if hop.aside then
			on_aside(hop, result)
		elseif hop == trace.target then
			on_target(hop, result)
		else
			on_hop(hop, result, kind)
		end
		advance(trace)
	end
	send_alone(trace)
end

local function end_rest(hop)
	local trace = hop.trace
	hop.retry = false
	if hop.from then
		hop.done = hop.pending == 0
	elseif hop.ttl == trace.near_ttl then
		hop.asks = hop.asks + 1
		send_round(hop, 1)
		if hop.asks < asks_of(trace) then
			ask_in_turn(hop)
		end
	else
		send_round(hop)
	end
end

-- A hop's patience is over, or its rest.
local function on_alarm(hop)
	pass(hop)
	if hop.retry then
		end_rest(hop)
	end
	advance(hop.trace)
end

local function prepare(args)
	args.listening = {wait_ns = args.wait_ns, late_ns = LATE_NS}
	local count = args.operand_count or math.huge
	args.first_ttl = math.min(args.first_ttl, args.max_ttl)
	args.window = args.window or
		(count <= 16 and 8 or count <= 256 and 4 or 2)
	args.patient = count <= 256
	args.shows = count == 1
	args.sport = args.sport or math.random(32768, 60000)
	if args.method ~= "icmp" then
		args.sport = (args.sport + args.flow - 1) % 0xffff + 1
	end
end

local function run(args)
	prepare(args)
	local running = targets.new(
		math.max(1, MAX_PENDING // (args.window * args.probes)))
	-- Two traces to one target at once would take each other's answers.
	-- Operands to one that is being traced wait at that trace for its end.
	local trace_to, waiting = {}, 0
	local function begin(operand, queue, number)
		local trace = start(args, operand, number)
		trace.waiting = queue
		trace_to[trace.dst] = trace
		running:add(trace)
	end
	local function admit(operand)
		local trace = trace_to[operand.address]
		if not trace then
			return begin(operand)
		end
		trace.waiting = trace.waiting or {}
		table.insert(trace.waiting, operand)
		waiting = waiting + 1
		return waiting >= MAX_WAITING
	end
	local function leave(trace)
		running:remove(trace)
		trace_to[trace.dst] = nil
		local operand = trace.waiting and table.remove(trace.waiting, 1)
		if operand then
			waiting = waiting - 1
			begin(operand, trace.waiting, trace.number)
		end
	end
	while true do
		if waiting < MAX_WAITING then
			running:fill(2 * MAX_PENDING, admit)
		end
		if running:is_over() then
			return
		end
		local at_ns, hop = next_alarm()
		local result, kind = sonde.next(at_ns)
		if result then
			hop = result.tag
		elseif kind == "time" then
			drop_alarm()
		elseif kind ~= "operand" then
			assert(kind ~= "idle", "a trace waits for nothing")
			break
		end
		-- Answers may come to what is over.
		if kind ~= "operand" and not hop.trace.finished then
			if result then
				on_event(result, kind)
			else
				on_alarm(hop)
			end
			if hop.trace.finished then
				leave(hop.trace)
			end
		end
	end
	-- Interrupted, or no time left: what there is.
	for _, trace in ipairs(running) do
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
		{name = "tos", type = "tos", default = 0, argument = "TOS",
			help = "a DSCP by name (EF, AF41, CS5), or the octet"},
	},
	run = run,
}
