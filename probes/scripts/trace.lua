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
-- A target's errors may be limited to one a second (Linux; a second probe of the
-- others of this host may have had it), so it may have been silent nearer by.
local REST_NS = 1100 * sonde.ms
local CONFIRMATIONS = 2
-- So often is a target asked that is known to be at a hop and is silent there:
-- where its answers prove to be limited (several traces share one a second, so
-- each asks for longer than all need), and where it may as well drop the probes.
local ASKS_LIMITED = 16
local ASKS = 4
-- Behind a router that rejects, so many hops may show that others go on.
local BEHIND_REJECTION = 2

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

-- Hops whose patience or rest ends, by time.
local alarms = {first = 1, last = 0}

local function set_alarm(hop, delay_ns)
	local at, at_ns = alarms.last + 1, sonde.now_ns() + delay_ns
	while at > alarms.first and alarms[at - 1].at_ns > at_ns do
		alarms[at] = alarms[at - 1]
		at = at - 1
	end
	alarms[at] = {hop = hop, at_ns = at_ns}
	alarms.last = alarms.last + 1
end

local function drop_alarm()
	alarms[alarms.first] = nil
	alarms.first = alarms.first + 1
end

-- When the next alarm is due, of a hop that it still matters to.
local function next_alarm()
	while alarms.first <= alarms.last do
		local alarm = alarms[alarms.first]
		local hop = alarm.hop
		if (hop.retry or not hop.passed) and
		    not hop.trace.finished then
			return alarm.at_ns, hop
		end
		drop_alarm()
	end
end

local function next_number(trace)
	trace.number = trace.number % 0xfffe + 1
	return trace.number
end

local function send_probe(hop)
	local trace, args = hop.trace, hop.trace.args
	trace.in_air = trace.in_air + 1
	hop.results[#hop.results + 1] = sonde.send(
		trace.probe(hop.ttl, next_number(trace)),
		hop == trace.target and args.wait_ns or args.listening, hop)
end

-- What a service answers does not show which datagram of the flow it got.  Where
-- one did so, a probe leaves when no other can be answered, the nearest first.
local function send_alone(trace)
	local queue, nearest = trace.queue, 1
	if not queue or #queue == 0 or trace.in_air > 0 or trace.finished then
		return
	end
	for i, hop in ipairs(queue) do
		nearest = hop.ttl < queue[nearest].ttl and i or nearest
	end
	send_probe(table.remove(queue, nearest))
end

-- So many probes to a hop, or as many as each gets.
local function send_round(hop, probes)
	local trace = hop.trace
	probes = probes or trace.args.probes
	hop.pending = hop.pending + probes
	for _ = 1, probes do
		if trace.queue then
			table.insert(trace.queue, hop)
		else
			send_probe(hop)
		end
	end
	send_alone(trace)
end

local function ask_again(hop, delay_ns)
	hop.retry = true
	set_alarm(hop, delay_ns)
end

-- After a while that is drawn, so that traces that share a limit take turns.
local function ask_in_turn(hop)
	ask_again(hop, math.random(300, 1300) * sonde.ms)
end

-- Is the target within so many hops?  Its errors may be limited, echo replies
-- seldom are.  An echo request is another flow, so what it says is where to ask,
-- and no hop.
local function send_echo(trace, ttl)
	if trace.args.method ~= "icmp" and not trace.near_ttl and
	    not trace.echo_misled and ttl < (trace.echo_near or 256) then
		sonde.send(sonde.icmp{dst = trace.dst, id = trace.args.sport,
			seq = next_number(trace), ttl = ttl},
			trace.args.wait_ns,
			{trace = trace, ttl = ttl, aside = "echo"})
	end
end

-- Does the target answer what is never an error?  Who drops datagrams to ports
-- that nobody serves drops this as well; who refuses it does not drop them.
local function send_syn(trace)
	if trace.args.method == "udp" and not trace.syn_sent then
		trace.syn_sent = true
		sonde.send(sonde.tcp{dst = trace.dst, sport = trace.args.sport,
			dport = trace.args.port or 33434, ttl = 255},
			trace.args.wait_ns, {trace = trace, aside = "syn"})
	end
end

-- A hop has answered, or been silent for longer than it should.
local function pass(hop)
	hop.passed = true
	if not hop.from and not hop.unsent and hop ~= hop.trace.target and
	    not hop.has_echo then
		hop.has_echo = true
		send_echo(hop.trace, hop.ttl)
	end
end

-- from: who answered.  passed: the next one may be asked.  done: nothing more
-- is to come.  judged: it was no reason to stop.  In a table of the right size:
-- there may be millions.
local function new_hop(trace, ttl)
	return {trace = trace, ttl = ttl, results = {}, pending = 0,
		from = false, passed = false, done = false, judged = false}
end

local function rounds_of(hop)
	return #hop.results // hop.trace.args.probes
end

-- Ends a probe; false when it had ended before.  A round begins when all probes
-- of those before it have ended, but for one that asks a target in turns.
local function end_probe(hop, result)
	if hop.trace.args.probes > 1 or hop.ended then
		hop.ended = hop.ended or {}
		if hop.ended[result] then
			return false
		end
		hop.ended[result] = true
	elseif hop.pending == 0 or result ~= hop.results[#hop.results] then
		return false
	end
	hop.pending = hop.pending - 1
	return true
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

local function append(list, to)
	table.move(list, 1, #list, #to + 1, to)
end

local function finish(trace, reason)
	local args, probes = trace.args, {}
	for ttl = args.first_ttl, trace.edge do
		local hop = trace.hops[ttl]
		if hop then
			append(hop.results, probes)
		end
	end
	trace.finished = true
	if reason ~= "completed" and
	    not (reason == "limited" and trace.last_ttl) then
		sonde.problem()
	end
	if #probes > 0 then
		sonde.record_trace{probes = probes, dst_name = trace.name,
			stop_reason = reason, first_ttl = args.first_ttl,
			max_ttl = args.max_ttl, wait_ns = args.wait_ns}
	end
end

-- Does the target answer at all?  Once, by probes that any path lets through;
-- they are no hops and not recorded.
local function ask_target(trace)
	if not trace.target then
		trace.target = new_hop(trace, 255)
		send_echo(trace, 255)
		send_syn(trace)
		send_round(trace.target)
	end
end

-- Is more to come of what the target itself was asked?
local function awaits_target(trace)
	ask_target(trace)
	return trace.target.pending > 0 or trace.target.retry
end

-- Makes a hop that was silent the edge again.
local function go_back(trace, hop)
	trace.gap = math.max(trace.gap - math.max(trace.edge - hop.ttl, 1), 0)
	trace.edge = hop.ttl
	hop.done = false
	hop.judged = false
end

-- Asks a hop more often: the target is there or nearer, and was silent.
local function insist(trace, ttl)
	local hop = trace.hops[ttl]
	if not hop or hop.from or ttl >= (trace.near_ttl or 256) then
		return
	end
	trace.near_ttl = ttl
	hop.asks = 0
	if not hop.ended then
		hop.ended = {}
		for i = 1, #hop.results - hop.pending do
			hop.ended[hop.results[i]] = true
		end
	end
	if hop.ttl < trace.edge or hop.done then
		go_back(trace, hop)
	end
	ask_in_turn(hop)
end

-- The target answered at last_ttl: is it nearer, and was silent there?  True: the
-- hop before is asked again, after a rest.
local function confirm(trace)
	local before = trace.hops[trace.last_ttl - 1]
	if not before or before.from then
		return false
	end
	before.confirmed = (before.confirmed or 0) + 1
	if before.confirmed > CONFIRMATIONS then
		return false
	end
	go_back(trace, before)
	ask_again(before, REST_NS + math.random(0, 500) * sonde.ms)
	return true
end

-- The target was silent at near_ttl to the last: a reason to stop, "wait", or
-- nil: it is there, and only an echo request, another flow, tells where.
local function silence_reason(trace)
	if trace.last_ttl then
		trace.edge = trace.last_ttl
		return trace.echo_near == trace.near_ttl and "limited" or
			trace.last_reason
	elseif trace.is_limited then
		return "limited"
	elseif trace.target_is_silent then
		return "echo-only"
	elseif not trace.target_is_there and awaits_target(trace) then
		return "wait"
	end
	trace.near_ttl = nil
	return nil
end

-- Did the target answer echo requests nearer than last_ttl, with nobody between
-- who answers?
local function is_nearer_by_echo(trace)
	if not trace.echo_near or trace.echo_near >= trace.last_ttl then
		return false
	end
	for ttl = trace.echo_near, trace.last_ttl - 1 do
		if trace.hops[ttl] and trace.hops[ttl].from then
			return false
		end
	end
	return true
end

-- The edge is at last_ttl.
local function last_hop_reason(trace)
	if trace.last_reason ~= "completed" then
		return trace.last_reason
	elseif confirm(trace) then
		return "wait"
	end
	return is_nearer_by_echo(trace) and "limited" or "completed"
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

-- The share of a hop's probes that was answered; of none that was sent, all.
local function share(hop)
	local sent, answered = 0, 0
	for _, result in ipairs(hop.results) do
		sent = sent + (result.error and 0 or 1)
		answered = answered + (result.reply and 1 or 0)
	end
	return sent == 0 and 1 or answered / sent
end

-- Shows hops whose end is known, in order.  One that left probes unanswered
-- waits for one behind it that did better: only then it is sure that it is not
-- asked again, and what its losses mean.  What is behind a router that rejects
-- may not be the path's.
local function show(trace, hop)
	local held, best = trace.held, 0
	local reliable = trace.rejected_ttl or 255
	held[#held + 1] = {hop = hop, share = share(hop)}
	local known = #held -- so many, and all before them
	for i = #held, 1, -1 do
		best = math.max(best, held[i].share)
		if held[i].hop.ttl > reliable or
		    (held[i].share < 1 and held[i].share >= best) then
			known = i - 1
		end
	end
	if known == 0 then
		return
	end
	local probes = {}
	for _, one in ipairs(held) do
		append(one.hop.results, probes)
	end
	sonde.show_trace{probes = probes, dst_name = trace.name,
		last_ttl = held[known].hop.ttl}
	table.move(held, known + 1, #held + known, 1)
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

local function is_from_target(result)
	return result.reply.from == result.probe.dst
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

-- How far the target is by the hops that its error says were left.
local function nearest(ttl, result)
	return ttl + 1 - (result.reply.quoted_ttl or 1)
end

-- A probe of the trace's kind reached the target, which is ttl hops away by what
-- its answer quotes.  If all hops from there to the upper one were silent, it
-- was silent to probes that reached it: it limits its answers, and is asked on.
local function proves_limit(trace, ttl, upper)
	for i = ttl, math.max(ttl, upper - 1) do
		if not trace.hops[i] or trace.hops[i].from then
			return false
		end
	end
	if ttl > (trace.near_ttl or 256) then
		return false
	end
	local hop = trace.hops[ttl]
	if ttl ~= trace.near_ttl then
		insist(trace, ttl)
	elseif not trace.is_limited and not hop.retry then
		go_back(trace, hop)
		ask_in_turn(hop)
	end
	trace.is_limited = true
	return true
end

-- The target answered, one of several probes: which one it was is asked anew.
local function is_unclear(result)
	return result.outcome == "ambiguous" and is_from_target(result)
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

local function asks_of(trace)
	return (trace.is_limited or trace.may_be_limited) and ASKS_LIMITED or
		ASKS
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

-- What became of an echo request, or of the segment that is to be refused.
local function on_aside(aside, result)
	local trace = aside.trace
	if not result.reached then
		return
	elseif aside.aside == "syn" then
		trace.may_be_limited = true
	elseif not trace.echo_misled then
		send_syn(trace)
		if not trace.last_ttl and aside.ttl < (trace.echo_near or 256) then
			insist(trace, aside.ttl)
		end
		trace.echo_near = math.min(trace.echo_near or 256, aside.ttl)
	end
end

-- What became of a probe to the target itself.
local function on_target(target, result)
	local trace = target.trace
	local ended = result.done and end_probe(target, result) and
		target.pending == 0
	if result.reached then
		if not proves_limit(trace, nearest(255, result), trace.edge) then
			trace.target_is_there = true
			trace.near_ttl = nil
		end
	elseif is_unclear(result) then
		trace.target_is_there = true
	elseif ended and not trace.target_is_there and
	    not trace.is_limited then
		if not trace.near_ttl and
		    rounds_of(target) < asks_of(trace) and
		    (trace.echo_near or trace.may_be_limited) then
			return ask_in_turn(target)
		end
		trace.target_is_silent = true
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
