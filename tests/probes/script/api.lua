-- SPDX-License-Identifier: ISC
-- The train API against a simulated internet; tests/probes/script/api.sh runs it and
-- reads the lines that it prints.

local count = 0
local function check(what, good)
	count = count + 1
	print((good and "ok " or "not ok ") .. count .. " - " .. what)
end

local web <const> = "192.0.2.80"

local function trains()
	local train = {}
	for i = 1, 5 do
		train[i] = {delay_ns = i > 1 and 7 * sonde.ms or 0,
			probe = sonde.icmp{dst = web, seq = i, id = 9,
				payload = "number " .. i}}
	end
	local results = sonde.send_train(train, sonde.s)
	local order, spacing, echo = true, true, true
	for i, r in ipairs(results) do
		order = order and r.index == i and r.probe.seq == i
		spacing = spacing and (i == 1 or
			r.tx_ns - results[i - 1].tx_ns == 7 * sonde.ms)
		echo = echo and r.reply.payload == "number " .. i
	end
	check("a train's results come in its order", #results == 5 and order)
	check("each probe leaves at its time", spacing)
	check("replies carry the payload back", echo)
	check("times carry their clocks", results[1].tx_clock == "simulated"
		and results[1].reply.rx_clock == "simulated")
	check("the round trip is the path's", results[3].rtt_ns == 12 * sonde.ms
		and results[3].reply.rx_ns - results[3].tx_ns == 12 * sonde.ms)
	check("a probe left from our address",
		results[1].src == "198.51.100.10" and
		sonde.source(web) == "198.51.100.10")
	local behind = sonde.icmp{dst = "fe80::1%eth0"}
	check("a link-local address may name its device",
		behind.dst == "fe80::1" and
		behind:with{ttl = 3}.dst == "fe80::1" and
		not pcall(sonde.icmp, {dst = "192.0.2.1%eth0"}) and
		not pcall(sonde.icmp, {dst = "fe80::1%"}))
	local ask = {dst = web, dport = 7, answer = {offset = 3, octets = "ab"}}
	local probe = sonde.udp(ask)
	check("what an answer holds may be declared",
		probe.answer.offset == 3 and probe.answer.octets == "ab" and
		probe:with{answer = {offset = 0, octets = "c"}}.answer.octets == "c" and
		sonde.udp{dst = web, dport = 7}.answer == nil)
	for _, wrong in ipairs{1, {octets = "a"}, {offset = 1}, {offset = -1, octets = "a"},
		{offset = 0, octets = ""}, {offset = 0, octets = ("a"):rep(17)},
		{offset = 1401, octets = "a"}, {offset = 0, octets = 12}} do
		ask.answer = wrong
		local ok, why = pcall(sonde.udp, ask)
		check("a declaration that is wrong says so: " .. tostring(why),
			not ok and why:find("answer", 1, true))
	end
	check("an echo shows its own", not pcall(sonde.icmp,
		{dst = web, answer = {offset = 0, octets = "a"}}))
	check("a network without an address in the family",
		select(2, sonde.source("2001:db8::1")) == "no route")
end

local function events()
	local seen, room = {}, sonde.room()
	local a = sonde.send(sonde.icmp{dst = web}, sonde.s, "a")
	local b = sonde.send(sonde.icmp{dst = "192.0.2.99"}, sonde.s, "b")
	local before = sonde.now_ns()
	check("nothing is known before an event", not a.done and not a.reply
		and sonde.room() == room - 2)
	while true do
		local r, kind = sonde.next()
		if not r then
			check("then there is nothing more", kind == "idle")
			break
		end
		seen[#seen + 1] = r.tag .. " " .. kind
	end
	check("replies and ends come as they happen",
		table.concat(seen, ", ") ==
		"b reply, a reply, b done")
	check("an end says so", a.done and b.done and b.reply.is_error)
	check("virtual time passed", sonde.now_ns() - before == sonde.s)
	check("next can wait for a time",
		select(2, sonde.next(sonde.now_ns() + 5)) == "time")
	check("waiting again is at once",
		select(2, sonde.next(sonde.now_ns())) == "time")
	check("there is real time left", sonde.left_ns() > 0)
end

local function duplicates()
	local kinds = {}
	sonde.start({sonde.icmp{dst = "192.0.2.81"}},
		{wait_ns = sonde.s, listen = "all"}, 1)
	while true do
		local r, kind = sonde.next()
		if not r then
			break
		end
		kinds[#kinds + 1] = kind
		check("replies has them all", #r.replies == 2)
	end
	check("a copy of a reply is a duplicate",
		table.concat(kinds, " ") == "reply duplicate done")
	local room = sonde.room()
	sonde.start{sonde.icmp{dst = "192.0.2.81"}}
	local first, kind = sonde.next()
	check("the first conclusive reply ends a probe and frees its place",
		kind == "reply" and first.done and #first.replies == 1 and
		first.outcome == "answered" and first.reached and
		sonde.room() == room and sonde.next() == nil)
	check("an option of listening that there is not", not pcall(sonde.send,
		sonde.icmp{dst = web}, {wait = 1}))
	check("nor a way of listening", not pcall(sonde.send,
		sonde.icmp{dst = web}, {listen = "some"}))
end

local function outcomes()
	local r = sonde.send_train({sonde.icmp{dst = web, ttl = 1},
		sonde.icmp{dst = "224.0.0.1"}, sonde.udp{dst = web, dport = 9}},
		{wait_ns = sonde.s, late_ns = sonde.s})
	check("a hop, a denial and an answer", r[1].outcome == "hop" and
		r[2].outcome == "denied" and r[3].outcome == "answered" and
		not r[1].reached and r[3].reached and
		r[1].reply.outcome == "hop" and not r[1].reply.late)
end

local function fields()
	local r = sonde.send_train{sonde.udp{dst = web, ttl = 1, tos = 16,
		sport = 4000, dport = 33434, ip_id = 77, payload_bytes = 4,
		checksum = 0x1234}}[1]
	local reply = r.reply
	check("the guardian says what it sent", r.checksum == 0x1234 and
		r.ip_id == 77 and r.sent)
	check("a router's answer", reply.from == "203.0.113.1" and
		reply.icmp_type == 11 and reply.icmp_code == 0 and
		reply.is_error and reply.proto == "icmp" and reply.ttl == 255)
	check("what it quotes", reply.quoted_ttl == 1 and
		reply.quoted_tos == 16 and reply.quoted_ip_id == 77 and
		reply.quoted_checksum == 0x1234 and reply.quoted_dst == web and
		reply.quoted_src == sonde.source(web) and
		reply.quoted_sport == 4000)
	local mpls = reply.extensions[1]
	check("its labels", mpls.class == 1 and mpls.type == 1 and
		#mpls.mpls == 2 and mpls.mpls[1].label == 24001 and
		not mpls.mpls[1].bottom and mpls.mpls[2].label == 17 and
		mpls.mpls[2].bottom and mpls.mpls[2].ttl == 1)
	check("other objects raw", reply.extensions[2].class == 2 and
		reply.extensions[2].mpls == nil and
		#reply.extensions[2].data == 20)
	check("the packet as it came", #reply.packet == reply.size_bytes and
		reply.packet:byte(1) == 0x45)
	local syn = sonde.send_train{sonde.tcp{dst = web, dport = 80,
		sport = 5000, seq = 41}}[1].reply
	check("a SYN is acknowledged", syn.proto == "tcp" and
		syn.tcp_flags == 18 and syn.tcp_ack == 42 and
		syn.icmp_type == nil and syn.quoted_ttl == nil)
	check("an unknown field is nil", reply.nonsense == nil and
		r.nonsense == nil)
	check("values cannot be changed",
		not pcall(function() r.tag = 1 end) and
		not pcall(function() reply.ttl = 1 end))
end

local function denials()
	local r = sonde.send_train{sonde.icmp{dst = "224.0.0.1"},
		sonde.icmp{dst = web}}
	check("a denial is its probe's alone, with its reason",
		r[1].denied == "multicast" and r[1].error == "multicast" and
		not r[1].sent and r[2].reply and not r[2].denied)
	local result, kind = sonde.send(sonde.icmp{dst = "255.255.255.255"})
	result, kind = sonde.next()
	check("and ends it", kind == "done" and result.denied == "broadcast")
end

local function coroutines()
	local got = {}
	local function worker(ttl)
		return coroutine.wrap(function()
			for _ = 1, 2 do
				sonde.send(sonde.udp{dst = web, ttl = ttl,
					dport = 9}, sonde.s, ttl)
				local r = coroutine.yield()
				got[#got + 1] = r.reply.from
			end
		end)
	end
	local workers = {worker(2), worker(1)}
	for _, w in ipairs(workers) do
		w()
	end
	while true do
		local r, kind = sonde.next()
		if not r then
			break
		end
		if kind == "reply" then
			workers[r.tag == 2 and 1 or 2](r)
		end
	end
	table.sort(got)
	check("coroutines can share the events", table.concat(got, " ") ==
		"203.0.113.1 203.0.113.1 203.0.113.2 203.0.113.2")
end

local function sweeps()
	local base = sonde.icmp{dst = "192.0.2.78", id = 4, payload = "sweep!"}
	local sweep = sonde.sweep(base, {count = 4, rate_pps = 1000,
		wait_ns = sonde.s}, "mine")
	check("one sweep at a time", not pcall(sonde.sweep, base, {count = 2}))
	local seen, times, last = {}, {}, nil
	while true do
		local r, kind = sonde.next()
		if r == sweep then
			last = kind
			break
		end
		assert(kind == "swept")
		seen[r.probe.dst] = r
		times[#times + 1] = r.tx_ns
	end
	local r = seen[web]
	check("a sweep's answers are results", r and r.index == 3 and
		r.tag == "mine" and r.outcome == "answered" and r.reached and
		r.rtt_ns == 12 * sonde.ms and r.reply.payload == "sweep!" and
		r.src == "198.51.100.10" and r.sent and r.done and
		r.counts == nil)
	table.sort(times)
	check("a sweep's probes leave at their rate",
		(times[#times] - times[1]) % sonde.ms == 0 and
		times[#times] > times[1])
	local c = sweep.counts
	check("a sweep ends with its counts", last == "done" and
		c.sent == 4 and c.denied == 0 and c.not_sent == 0 and
		c.denied_reason == nil and c.error == nil)
	sweep = sonde.sweep(base:with{dst = "223.255.255.255"}, {count = 2,
		wait_ns = sonde.ms})
	repeat until sonde.next() == sweep
	c = sweep.counts
	check("a sweep does not pass the policy", c.denied == 1 and
		c.denied_reason == "multicast")
	local function says(what, range, words)
		local good, text = pcall(sonde.sweep, base, range)
		check("a sweep with " .. what .. " is refused",
			not good and text:find(words, 1, true))
	end
	says("no count", {}, "count: expected an integer from 1 to 1048576")
	says("a bad rate", {count = 1, rate_pps = -1}, "rate_pps: expected")
	says("an unknown word", {count = 1, speed = 5}, "'speed'")
	check("a range beyond the last address is refused",
		not pcall(sonde.sweep, base:with{dst = "255.255.255.255"},
			{count = 2}))
end

local function answers_that_wait()
	local got = 0
	while true do
		local r = sonde.next()
		if not r then
			return got
		end
		got = got + (r.outcome == "answered" and 1 or 0)
	end
end

local function crowds()
	local base = sonde.icmp{dst = web, id = 77}
	local sent, got, refused, at_once = 0, 0, 0, true
	while sent < 2000 do
		if sonde.room() > 0 then
			sent = sent + 1
			sonde.send(base:with{seq = sent}, sonde.s)
		else
			refused = refused + 1
			local r = sonde.next(sonde.now_ns())
			at_once = at_once and r and r.outcome == "answered"
			got = got + 1
		end
	end
	check("there is no room while probes wait to leave and answers to be "
		.. "taken", refused > 0 and at_once)
	check("a crowd is answered", got + answers_that_wait() == 2000)
	base = base:with{dst = "192.0.2.82"}
	local began = sonde.now_ns()
	sent = 0
	while sent < 2000 and sonde.room() > 0 do
		sent = sent + 1
		sonde.send(base:with{seq = sent}, sonde.s)
	end
	check("silent targets take no room for others", sent == 2000 and
		sonde.now_ns() - began < sonde.s)
	check("and say nothing", answers_that_wait() == 0)
	local room, train = sonde.room(), {}
	for i = 1, 1000 do
		train[i] = {probe = base:with{seq = i}, delay_ns = sonde.ms}
	end
	began = sonde.now_ns()
	sonde.start(train, sonde.ms)
	check("nor do probes that leave later", sonde.room() == room - 1000 and
		sonde.now_ns() == began)
	answers_that_wait()
end

return {
	options = {
		{name = "n", type = "integer", default = 5},
		{name = "x", type = "number", default = 0.5},
		{name = "some-wait", type = "duration", default = "250ms"},
		{name = "buffer", type = "size", default = "64k"},
		{name = "go", type = "flag"},
		{name = "word", type = "list"},
		{name = "none", type = "integer"},
	},
	operands = {type = "host", min = 1},
	fields = {
		{name = "i", type = "integer"}, {name = "x", type = "number"},
		{name = "b", type = "boolean"}, {name = "t", type = "text"},
		{name = "a", type = "address"}, {name = "o", type = "octets"},
		{name = "unused", type = "text"},
	},
	run = function(args)
		check("options have their types and units", args.n == 7 and
			args.x == 0.5 and args.some_wait_ns == 250 * sonde.ms
			and args.buffer_bytes == 65536 and args.go == true and
			args.none == nil and #args.word == 2 and
			args.word[2] == "two")
		check("hosts have addresses and names",
			args.operands[1].address == web and
			args.operands[1].name == "web" and
			args.operands[2].address == "192.0.2.81" and
			args.operands[2].name == "")
		trains()
		events()
		duplicates()
		outcomes()
		fields()
		denials()
		sweeps()
		crowds()
		coroutines()
		check("chance is the same every time",
			math.random(1, 1000000) == 110598)
		sonde.record{i = -5, x = 0.25, b = true, t = "text",
			a = "2001:db8::1", o = "\0\255"}
		sonde.problem()
		print("1.." .. count)
	end,
}
