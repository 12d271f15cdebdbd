-- SPDX-License-Identifier: ISC
-- the target of a trace: whether it is there, and whether it is nearer than it seems

-- A part of trace, which says what a trace comes to know.

local hops = sonde.use("trace-hops")
local send_echo, send_syn, send_round = hops.send_echo, hops.send_syn,
	hops.send_round
local ask_again, ask_in_turn = hops.ask_again, hops.ask_in_turn
local new_hop, rounds_of, end_probe = hops.new_hop, hops.rounds_of, hops.end_probe

-- A target's errors may be limited to one a second (Linux; a second probe of the
-- others of this host may have had it), so it may have been silent nearer by.
local REST_NS = 1100 * sonde.ms
local CONFIRMATIONS = 2
-- So often is a target asked that is known to be at a hop and is silent there:
-- where its answers prove to be limited (several traces share one a second, so
-- each asks for longer than all need), and where it may as well drop the probes.
local ASKS_LIMITED = 16
local ASKS = 4

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

local function asks_of(trace)
	return (trace.is_limited or trace.may_be_limited) and ASKS_LIMITED or
		ASKS
end

local function is_from_target(result)
	return result.reply.from == result.probe.dst
end

-- The target answered, one of several probes: which one it was is asked anew.
local function is_unclear(result)
	return result.outcome == "ambiguous" and is_from_target(result)
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

return {
	awaits = awaits_target, silence_reason = silence_reason,
	last_hop_reason = last_hop_reason, nearest = nearest,
	proves_limit = proves_limit, asks_of = asks_of,
	is_from = is_from_target, is_unclear = is_unclear,
	on_aside = on_aside, on_target = on_target,
}
