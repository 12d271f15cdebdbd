-- SPDX-License-Identifier: ISC
-- A script that only computes, until its deadline.

return {
	summary = "computes until its deadline",
	run = function()
		local n = 0
		while sonde.left_ns() > 0 do
			for i = 1, 10000 do
				n = n + i
			end
		end
	end,
}
