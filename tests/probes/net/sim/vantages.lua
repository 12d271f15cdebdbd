-- SPDX-License-Identifier: ISC
-- What one vantage point does differently from another: the one that is named
-- ends at once, by itself, by an error or by never coming to an end; the others
-- ping.

local function run(args)
	if sonde.vantage == args.who then
		if args.how == "error" then
			error("as was asked")
		end
		while args.how == "loop" do
		end
		return
	end
	local train = {}
	for i = 1, 5 do
		train[i] = {delay_ns = i > 1 and sonde.s or 0, probe =
			sonde.icmp{dst = args.operands[1].address, seq = i}}
	end
	local answered = 0
	for _, result in ipairs(sonde.send_train(train, sonde.s)) do
		answered = answered + (result.reached and 1 or 0)
	end
	sonde.record{vantage = sonde.vantage, answered = answered,
		drawn = math.random(0, 1 << 30)}
end

return {
	summary = "end at different times",
	operands = {type = "host", min = 1},
	options = {
		{name = "who", type = "text", default = "", help = "ends first"},
		{name = "how", type = "text", default = "", help = "by what"},
	},
	fields = {
		{name = "vantage", type = "text", help = "where"},
		{name = "answered", type = "integer", help = "of five"},
		{name = "drawn", type = "integer", help = "by chance"},
	},
	run = run,
}
