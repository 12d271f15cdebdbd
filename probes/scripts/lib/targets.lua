-- SPDX-License-Identifier: ISC
-- targets that are measured at the same time, begun as there is room

-- new(most) makes a list of at most so many targets at once, tables of the script's
-- from 1 to list.count; `place` in them is the list's own.
--   list:fill(spare, begin) takes operands while more targets may run and more than
--   `spare` probes could be in flight besides; begin(operand) adds each, or not,
--   and returns true where no more may come yet
--   list:add(target), list:remove(target)
--   list:is_over(): all operands are known and no target runs
local methods = {}

function methods.add(list, target)
	local place = list.count + 1
	list.count, list[place], target.place = place, target, place
end

-- The last one takes its place, so that the list has no holes.
function methods.remove(list, target)
	local count = list.count
	local last = list[count]
	last.place = target.place
	list[last.place] = last
	list[count] = nil
	list.count = count - 1
end

function methods.fill(list, spare, begin)
	while not list.all_known and list.count < list.most and
	    (list.count == 0 or sonde.room() > spare) do
		local operand, why = sonde.operand()
		if not operand then
			list.all_known = why == "end"
			return
		end
		if begin(operand) then
			return
		end
	end
end

function methods.is_over(list)
	return list.all_known and list.count == 0
end

local targets = {}

function targets.new(most)
	return setmetatable({most = most, count = 0, all_known = false},
		{__index = methods})
end

return targets
