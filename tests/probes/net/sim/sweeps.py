#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A sweep hears what single probes hear that leave at the same times in the
same order: outcome, address and round trip of each, in generated worlds."""
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *['..'] * 4))
BUILD = os.path.abspath(os.environ.get('O', os.path.join(ROOT, 'build')))
SONDE = os.path.join(BUILD, 'bin', 'sonde')
COUNT = 700
POLICY = ''.join(f'local-{what} = 1000000\n' for what in (
    'run-rate', 'run-burst', 'prefix-rate', 'prefix-burst', 'agent-rate',
    'agent-burst'))
# The order of a sweep: each step-th address, step near count / golden ratio.
SCRIPT = '''
local function divisor(a, b)
	return b == 0 and a or divisor(b, a %% b)
end
return {
	summary = "asks a range at once",
	options = {{name = "single", type = "flag", help = "one by one"}},
	run = function(args)
		local count, base = %d, sonde.icmp{dst = "10.0.0.1", id = 7,
			payload_bytes = 8}
		local heard = {}
		local function hear(index, r)
			if r.outcome == "silent" then
				return -- advice came
			end
			heard[index] = ("%%d %%s %%s %%s"):format(index, r.outcome,
				r.reply and r.reply.from, r.rtt_ns)
		end
		if args.single then
			local step = count * 0x9e3779b1 >> 32
			while divisor(step, count) ~= 1 do
				step = step + 1
			end
			local at = 0
			for _ = 1, count do
				sonde.send(base:with{dst = ("10.0.%%d.%%d"):format(
					at + 1 >> 8, at + 1 & 255), seq = at},
					{wait_ns = sonde.s, listen = "all"}, at + 1)
				at = (at + step) %% count
			end
			local r, kind = sonde.next()
			while r do
				if kind == "done" and r.reply then
					hear(r.tag, r)
				end
				r, kind = sonde.next()
			end
		else
			local sweep = sonde.sweep(base, {count = count,
				wait_ns = sonde.s})
			local r = sonde.next()
			while r and r ~= sweep do
				hear(r.index, r)
				r = sonde.next()
			end
		end
		for i = 1, count do
			if heard[i] then
				sonde.log(heard[i])
			end
		end
	end,
}
''' % COUNT
NODES = ('', '', 'silent', 'limit 20 burst 3', 'limit linux', 'slow 3ms',
         'redirect 10.9.9.9', 'quench', 'deny icmp', 'ecmp per-packet',
         'late 300ms late-share 0.4', 'limit 30 burst 5 limit-echo',
         'nat 203.0.113.20%d')
LINKS = ('', 'loss 0.2', 'jitter 3ms', 'rate 100M', 'rate 20M load 0.5')


def world(draw):
    text = f'seed {draw.randrange(1000)}\nvantage me 198.51.100.10\n'
    last = 'me'
    for i in range(4):
        option = draw.choice(NODES).replace('%d', str(i))
        text += (f'router r{i} 203.0.113.{i + 1} {option}\n'
                 f'link {last} r{i} delay 1.{i}3ms {draw.choice(LINKS)}\n')
        last = f'r{i}'
    at = draw.randrange(4)
    change = draw.choice((f'at 3ms node r{at} plain silent\n',
                          f'at 4ms link r{at} r{at + 1} down\n')
                         if at < 3 else ('',)) if draw.random() < .4 else ''
    return text + (f'generate mesh m at r3 count {draw.randrange(50, 400)} '
                   f'degree {draw.randrange(1, 4)} addresses 10.0.0.0/16 '
                   f'delay 1ms..20ms {draw.choice(NODES[:-1])} '
                   f'{draw.choice(LINKS)}\n') + change


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, n) for n in ('s.lua', 'policy', 'w.sim')]
        for path, text in zip(paths, (SCRIPT, POLICY)):
            with open(path, 'w', encoding='ascii') as to:
                to.write(text)
        answers = 0
        for number in range(60):
            with open(paths[2], 'w', encoding='ascii') as to:
                to.write(world(random.Random(number)))
            said = [subprocess.run(
                [SONDE, 'run', paths[0], *words, '--policy', paths[1], '--net',
                 'sim:' + paths[2]], check=True, capture_output=True,
                text=True, timeout=200).stderr for words in ((), ('--single',))]
            answers += said[0].count('\n')
            if said[0] != said[1]:
                failed += 1
                a, b = (set(s.split('\n')) for s in said)
                print(f'# world {number}: {sorted(a ^ b)[:6]}')
    print('%sok 1 - a sweep hears what single probes hear, %s of them' %
          ('not ' if failed else '', answers))
    print('%sok 2 - and that is of many worlds' % ('' if answers > 9000 else 'not '))
    print('1..2')
    return failed > 0 or answers <= 9000


if __name__ == '__main__':
    sys.exit(main())
