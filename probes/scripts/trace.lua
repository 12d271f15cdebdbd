-- SPDX-License-Identifier: ISC
-- The path to each host, hop by hop, along one flow: everything that load
-- balancers hash stays the same from probe to probe, and the probe's number
-- goes where they do not look.

local MAX_PENDING = 8000 -- probes of all traces together
local MAX_WAITING = 1000 -- operands for a trace to the same target to end

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

-- Hops whose patience ends, by time.
local alarms = {first = 1, last = 0}

local function set_alarm(hop, at_ns)
	local at = alarms.last + 1
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
		hop.full and args.wait_ns or args.listening, hop)
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

-- One probe or a few to one TTL.
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

-- Asks a hop again after a while, drawn so that traces that share a limit take
-- turns.
local function ask_later(hop)
	hop.retry = true
	set_alarm(hop, sonde.now_ns() + math.random(300, 1300) * sonde.ms)
end

-- Is the target within so many hops?  Its errors may be limited, echo replies
-- seldom are.  An echo request is another flow, so what it says is where to ask,
-- and no hop.
local function send_echo(trace, ttl)
	if trace.args.method ~= "icmp" and not trace.near_ttl and
	    not trace.echo_errs then
		sonde.send(sonde.icmp{dst = trace.dst, id = trace.args.sport,
			seq = next_number(trace), ttl = ttl},
			trace.args.wait_ns,
			{trace = trace, full = true, echo_ttl = ttl})
	end
end

-- Does the target answer what is never an error?  Who drops datagrams to ports
-- that nobody serves drops this as well; who refuses it does not drop them.
local function send_syn(trace)
	if trace.args.method == "udp" and not trace.syn then
		trace.syn = true
		sonde.send(sonde.tcp{dst = trace.dst, sport = trace.args.sport,
			dport = trace.args.port or 33434, ttl = 255},
			trace.args.wait_ns,
			{trace = trace, full = true, is_syn = true})
	end
end

-- A hop has been silent for longer than it should.
local function pass(hop)
	hop.passed = true
	if not hop.from and not hop.unsent and not hop.full and
	    not hop.has_echo then
		hop.has_echo = true
		send_echo(hop.trace, hop.ttl)
	end
end

-- All that every hop comes to have, in a table of the right size: there may be
-- millions.
local function new_hop(trace, ttl)
	return {trace = trace, ttl = ttl, results = {}, pending = 0,
		from = false, passed = false, done = false, looked_at = false}
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
	if reason ~= "completed" and
	    not (reason == "limited" and trace.last_ttl) then
		sonde.problem()
	end
	if #probes > 0 then
		sonde.record_trace{probes = probes, dst_name = trace.name,
			stop_reason = reason, first_ttl = trace.args.first_ttl,
			max_ttl = trace.args.max_ttl,
			wait_ns = trace.args.wait_ns}
	end
	return true
end

-- Does the target answer at all?  Probes that any path lets through; they are no
-- hops and not recorded.
local function ask_target(trace)
	local hop = new_hop(trace, 255)
	hop.full = true
	trace.asking = true
	send_echo(trace, hop.ttl)
	send_syn(trace)
	send_round(hop)
end

-- Makes a hop that was silent the edge again.
local function go_back(trace, hop)
	trace.gap = math.max(trace.gap - math.max(trace.edge - hop.ttl, 1), 0)
	trace.edge = hop.ttl
	hop.done = false
	hop.looked_at = false
end

-- The target is known to be at this distance or nearer, and was silent there.
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
	ask_later(hop)
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
	before.retry = true
	set_alarm(before, sonde.now_ns() + REST_NS +
		math.random(0, 500) * sonde.ms)
	return true
end

-- The target is within near_ttl and was silent there to the last: a reason to
-- stop, or nil.
local function silence_reason(trace)
	if trace.last_ttl then
		trace.edge = trace.last_ttl
		return trace.echo_near == trace.near_ttl and "limited" or
			trace.last_reason
	elseif trace.is_limited then
		return "limited"
	elseif trace.target_is_silent then
		return "echo-only"
	end
	if not trace.asking then
		ask_target(trace)
	end
	return "wait"
end

-- What a hop at the edge, of which all is known, says of the whole trace: a
-- reason to stop there, or nil.
local function stop_reason(trace, hop)
	local args = trace.args
	if trace.last_ttl == hop.ttl then
		if trace.last_reason == "completed" and confirm(trace) then
			return "wait"
		end
		return trace.last_reason
	end
	if hop.ttl == trace.near_ttl and not hop.from then
		return silence_reason(trace)
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
		end
		trace.gap = trace.gap - 1 -- it is looked at again
		if not trace.asking then
			ask_target(trace)
		end
		return "wait"
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
	local last
	for i = #held, 1, -1 do
		best = math.max(best, held[i].share)
		held[i].known = held[i].hop.ttl <= reliable and
			(held[i].share == 1 or held[i].share < best)
	end
	local probes = {}
	for i, one in ipairs(held) do
		for _, result in ipairs(one.hop.results) do
			probes[#probes + 1] = result
		end
		if one.known and (last or 0) == i - 1 then
			last = i
		end
	end
	if last then
		sonde.show_trace{probes = probes, dst_name = trace.name,
			last_ttl = held[last].hop.ttl}
		table.move(held, last + 1, #held + last, 1)
	end
end

-- Looks at the hops that are known, in order.  True: the trace is finished.
local function move_edge(trace)
	while true do
		local hop = trace.hops[trace.edge]
		if not hop or not hop.done then
			return false
		end
		if not hop.looked_at then
			local reason = stop_reason(trace, hop)
			if reason == "wait" then
				return false
			elseif reason then
				return finish(trace, reason)
			end
			hop.looked_at = true
			if trace.args.shows then
				show(trace, hop)
			end
		end
		trace.edge = trace.edge + 1
	end
end

-- Sends to hops that are needed: the first, and each behind one that passed
-- the word on or has been silent for longer than it should.  A target's ICMP
-- errors are limited, so nothing is asked beyond it.
local function send_hops(trace)
	local args = trace.args
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
			set_alarm(hop, sonde.now_ns() + trace.patience_ns)
		end
	end
end

local function advance(trace)
	if not trace.finished and not move_edge(trace) then
		send_hops(trace)
	end
	return trace.finished
end

-- place: in the list of those that run.
local function start(args, operand, place)
	-- Who does not see the probes must guess where the numbers begin.
	local trace = {args = args, name = operand.name, hops = {},
		held = args.shows and {}, in_air = 0, farthest = args.max_ttl,
		number = math.random(0, 0xfffe), edge = args.first_ttl,
		next_ttl = args.first_ttl, gap = 0, patience_ns = PATIENCE_NS,
		dst = operand.address, place = place,
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
	return result.outcome == "rejected" and
		result.reply.from == result.probe.dst and "unreachable" or nil
end

-- How far the target is by the hops that its error says were left.
local function nearest(ttl, result)
	return ttl + 1 - (result.reply.quoted_ttl or 1)
end

-- A probe of the trace's kind reached the target, which is so far by the hops
-- that were left, and was silent there: it limits its answers.
local function on_nearer(trace, ttl, upper)
	for i = ttl, upper - 1 do
		if not trace.hops[i] or trace.hops[i].from then
			return false
		end
	end
	local hop = trace.hops[ttl]
	if not hop or hop.from or ttl > (trace.near_ttl or 256) then
		return false
	end
	if ttl ~= trace.near_ttl then
		insist(trace, ttl)
	elseif not trace.is_limited and not hop.retry then
		go_back(trace, hop)
		ask_later(hop)
	end
	trace.is_limited = true
	return true
end

-- The target answered, one of several probes: which one it was is asked anew.
local function is_unclear(result)
	return result.outcome == "ambiguous" and
		result.reply.from == result.probe.dst
end

local function on_unclear(hop)
	local trace = hop.trace
	hop.passed = true
	hop.unclear = rounds_of(hop) <= trace.args.attempts
	trace.queue = trace.queue or {}
	-- A probe to the target itself may be the one; else none has to go
	-- further than those that left.
	if not trace.asking then
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
	if hop.looked_at then -- it was taken for silent
		trace.gap = math.min(trace.gap,
			math.max(trace.edge - hop.ttl - 1, 0))
	end
	local reason = ending(result)
	if reason and hop.ttl < (trace.last_ttl or 256) then
		trace.last_ttl, trace.last_reason = hop.ttl, reason
		if hop.ttl < trace.edge and hop.done then
			trace.edge, hop.looked_at = hop.ttl, false
		end
		local ttl = nearest(hop.ttl, result)
		if reason == "completed" and ttl < hop.ttl then
			on_nearer(trace, ttl, hop.ttl)
		end
	elseif not reason and hop.ttl == trace.near_ttl then
		trace.near_ttl, trace.echo_errs = nil, true
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
		hop.retry = true
		return set_alarm(hop, sonde.now_ns() + trace.args.wait_ns)
	end
	hop.done = true
	if hop.unsent == #hop.results and
	    hop.ttl == trace.args.first_ttl then
		finish(trace, "unsent")
	end
end

-- What became of an echo request, or of the segment that is to be refused.
local function on_other(other, result)
	local trace = other.trace
	if result.reached and other.is_syn then
		trace.may_be_limited = true
	elseif result.reached and not trace.echo_errs then
		trace.echoes = true
		send_syn(trace)
		if not trace.last_ttl then
			insist(trace, other.echo_ttl)
		end
		trace.echo_near = math.min(trace.echo_near or 256,
			other.echo_ttl)
	end
	return advance(trace)
end

-- What became of a probe to the target itself.
local function on_target(hop, result)
	local trace = hop.trace
	if result.reached then
		if on_nearer(trace, nearest(hop.ttl, result), trace.edge) then
			return advance(trace)
		end
		trace.target_is_there = true
		trace.near_ttl = nil
	elseif is_unclear(result) then
		trace.target_is_there = true
	elseif result.done and end_probe(hop, result) then
		if hop.pending > 0 or trace.target_is_there then
			return false
		end
		if not trace.near_ttl and rounds_of(hop) < asks_of(trace) and
		    (trace.echoes or trace.may_be_limited) then
			ask_later(hop)
			return false
		end
		trace.target_is_silent = true
	end
	return advance(trace)
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

local function handle_event(hop, result, kind)
	local trace = hop.trace
	if hop.echo_ttl or hop.is_syn then
		return on_other(hop, result)
	elseif hop.full then
		return on_target(hop, result)
	end
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
	    hop.pending == 0 and not trace.finished then
		end_round(hop)
	end
	return advance(trace)
end

-- Something of a probe is new; true when it was the trace's last.
local function handle(result, kind)
	local hop = result.tag
	local trace = hop.trace
	if trace.finished then
		return false
	end
	if result.done and not hop.echo_ttl and not hop.is_syn then
		trace.in_air = trace.in_air - 1
	end
	local ended = kind ~= "duplicate" and kind ~= "advice" and
		handle_event(hop, result, kind)
	send_alone(trace)
	return ended
end

-- A hop's patience is over, or its rest.
local function on_alarm(hop)
	local trace = hop.trace
	pass(hop)
	if not hop.retry then
		return
	end
	hop.retry = false
	if hop.from then
		hop.done = hop.pending == 0
	elseif hop.ttl == trace.near_ttl then
		hop.asks = hop.asks + 1
		send_round(hop, 1)
		if hop.asks < asks_of(trace) then
			ask_later(hop)
		end
	else
		send_round(hop)
	end
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

-- Two traces to one target at once would take each other's answers.  Those to
-- an address that is being traced wait for that one's end.
local function new_waiting()
	local busy, waiting = {}, {}
	local w = {count = 0}
	function w.admit(operand) -- it, if it may start
		local address = operand.address
		if not busy[address] then
			busy[address] = true
			return operand
		end
		waiting[address] = waiting[address] or {}
		table.insert(waiting[address], operand)
		w.count = w.count + 1
	end
	function w.leave(address) -- the next to it, if one waits
		local list = waiting[address]
		if not list then
			busy[address] = nil
			return nil
		end
		w.count = w.count - 1
		local operand = table.remove(list, 1)
		waiting[address] = #list > 0 and list or nil
		return operand
	end
	return w
end

local function run(args)
	prepare(args)
	local running, active, all_known = {}, 0, false
	local waiting = new_waiting()
	local most = math.max(1, MAX_PENDING // (args.window * args.probes))
	local function begin(operand)
		while operand do
			local trace = start(args, operand, active + 1)
			if not trace.finished then
				active = active + 1
				running[active] = trace
				return
			end
			operand = waiting.leave(trace.dst)
		end
	end
	-- The last one takes its place, so that the list has no holes.
	local function leave(trace)
		if not trace.place then
			return
		end
		local last = running[active]
		last.place = trace.place
		running[last.place] = last
		running[active] = nil
		active = active - 1
		trace.place = nil
		begin(waiting.leave(trace.dst))
	end
	local function start_more()
		while not all_known and active < most and
		    waiting.count < MAX_WAITING and
		    (active == 0 or sonde.room() > 2 * MAX_PENDING) do
			local operand, why = sonde.operand()
			if not operand then
				all_known = why == "end"
				return
			end
			begin(waiting.admit(operand))
		end
	end
	while true do
		start_more()
		if all_known and active == 0 then
			return
		end
		local at_ns, slow = next_alarm()
		local result, kind = sonde.next(at_ns)
		if result then
			if handle(result, kind) then
				leave(result.tag.trace)
			end
		elseif kind == "time" then
			drop_alarm()
			on_alarm(slow)
			if advance(slow.trace) then
				leave(slow.trace)
			end
		elseif kind ~= "operand" then
			break
		end
	end
	-- Interrupted, or no time left: what there is.
	for i = 1, active do
		local trace = running[i]
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
