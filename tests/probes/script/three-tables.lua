-- SPDX-License-Identifier: ISC
-- Three tables from one script, for tests: no C file names it.  Probes each
-- host some times at a few TTLs and says what answered, with intervals.

-- Wilson's interval of a share, 95% (Wilson 1927).
local function share(hits, count)
	local z, p = 1.96, hits / count
	local middle = (p + z * z / (2 * count)) / (1 + z * z / count)
	local half = z / (1 + z * z / count) *
		math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
	return p, math.max(0, middle - half), math.min(1, middle + half)
end

local function bounds(list)
	table.sort(list)
	return list[(#list + 1) // 2], list[1], list[#list]
end

return {
	summary = "what answers on the way, as three tables",
	operands = {type = "host", min = 1},
	options = {
		{name = "hops", type = "integer", min = 1, max = 8,
			default = 3, help = "TTLs to try"},
		{name = "count", type = "integer", min = 1, max = 20,
			default = 4, help = "probes a TTL"},
	},
	tables = {
		{name = "summary", help = "one row a host", columns = {
			{name = "dst", type = "address", key = true,
				help = "the host"},
			{name = "loss", type = "number", unit = "share",
				low = "loss_low", high = "loss_high",
				probability = "confidence",
				help = "of the probes of the last TTL"},
			{name = "loss_low", type = "number"},
			{name = "loss_high", type = "number"},
			{name = "confidence", type = "number"},
			{name = "rtt_ns", type = "duration", low = "rtt_min_ns",
				high = "rtt_max_ns",
				help = "median, smallest and largest"},
			{name = "rtt_min_ns", type = "duration"},
			{name = "rtt_max_ns", type = "duration"},
			{name = "speed", type = "rate", unit = "probes",
				help = "at which it was probed"},
			{name = "reached", type = "boolean"},
			{name = "network", type = "prefix",
				help = "that the host is in"},
		}},
		{name = "hops", help = "one row a TTL", columns = {
			{name = "dst", type = "address", key = true},
			{name = "ttl", type = "integer", key = true,
				unit = "hops"},
			{name = "answers", type = "list", of = "address",
				help = "who answered, each once"},
			{name = "rtts_ns", type = "list", of = "duration"},
			{name = "quote", type = "octets",
				help = "the first octets of an answer"},
		}},
		{name = "events", help = "what was worth a word", columns = {
			{name = "at_ns", type = "time", key = true},
			{name = "what", type = "text", key = true},
			{name = "ttl", type = "integer"},
		}},
	},
	run = function(args)
		for _, host in ipairs(args.operands) do
			local sent, answered, rtts = 0, 0, {}
			for ttl = 1, args.hops do
				local train = {}
				for i = 1, args.count do
					train[i] = {delay_ns = 10 * sonde.ms,
						probe = sonde.icmp{seq = i,
							ttl = ttl,
							dst = host.address}}
				end
				local seen, answers, hop_rtts = {}, {}, {}
				local quote, at_ns
				for _, result in ipairs(
					sonde.send_train(train, sonde.s)) do
					local reply = result.reply
					at_ns = result.tx_ns or at_ns
					if reply and not seen[reply.from] then
						seen[reply.from] = true
						answers[#answers + 1] =
							reply.from
						quote = reply.packet:sub(1, 4)
					end
					if reply then
						hop_rtts[#hop_rtts + 1] =
							reply.rtt_ns
					end
					if ttl == args.hops then
						sent = sent + 1
					end
					if reply and
						reply.from == host.address then
						answered = answered + 1
						rtts[#rtts + 1] = reply.rtt_ns
					end
				end
				sonde.record("hops", {dst = host.address,
					ttl = ttl, answers = answers,
					rtts_ns = hop_rtts, quote = quote})
				if #answers == 0 and at_ns then
					sonde.record("events", {at_ns = at_ns,
						what = "silent", ttl = ttl})
				end
			end
			local row = {dst = host.address, reached = answered > 0,
				speed = 100.0, network = host.address ..
				(host.address:find(":") and "/128" or "/32")}
			if sent > 0 then
				local p, low, high = share(sent - answered, sent)
				row.loss, row.loss_low, row.loss_high =
					p, low, high
				row.confidence = 0.95
			end
			if #rtts > 0 then
				row.rtt_ns, row.rtt_min_ns, row.rtt_max_ns =
					bounds(rtts)
			end
			sonde.record("summary", row)
		end
	end,
}
