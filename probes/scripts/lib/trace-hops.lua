-- SPDX-License-Identifier: ISC
-- hops of a trace: what is sent to them, in rounds, and when they are asked again

-- A part of trace: a hop belongs to a trace, with args (options), probe (what makes
-- one), number (of the last), in_air, queue, and what trace.lua says it knows.

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

return {
	set_alarm = set_alarm, drop_alarm = drop_alarm, next_alarm = next_alarm,
	send_alone = send_alone, send_round = send_round, ask_again = ask_again,
	ask_in_turn = ask_in_turn, send_echo = send_echo, send_syn = send_syn,
	pass = pass, new_hop = new_hop, rounds_of = rounds_of,
	end_probe = end_probe,
}
