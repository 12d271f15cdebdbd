-- SPDX-License-Identifier: ISC
-- what a trace records when it ends, and shows while it goes on

-- A part of trace.

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

return {finish = finish, show = show}
