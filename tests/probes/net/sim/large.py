#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Worlds that are large in one way: as wide, as meshed, as busy as real ones."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *['..'] * 4))
BUILD = os.path.abspath(os.environ.get('O', os.path.join(ROOT, 'build')))
SONDE = os.path.join(BUILD, 'bin', 'sonde')
HEAD = 'seed 4\nvantage me 198.51.100.10\n'
failed = tests = 0


def check(good, what, said=''):
    global failed, tests
    tests += 1
    failed += not good
    print('%sok %d - %s%s' % ('' if good else 'not ', tests, what,
                              '' if good else '\n# ' + str(said)), flush=True)


def sonde(folder, text, *words, stdin=''):
    path = os.path.join(folder, 'w.sim')
    with open(path, 'w') as f:
        f.write(text)
    return subprocess.run([SONDE, '--net', 'sim:' + path] + list(words),
                          input=stdin, capture_output=True, text=True,
                          timeout=200)


def traces(folder, text, *words):
    p = sonde(folder, text, 'trace', '--json', *words)
    return p, [json.loads(l)['trace'] for l in p.stdout.splitlines()]


def diamond(width):
    return HEAD + '''router a 203.0.113.1
router z 203.0.113.2
host far 192.0.2.9
link me a
generate diamond d from a to z width %d length 1 addresses 10.9.0.0/16
link z far
''' % width


def wide(folder):
    for width in (100, 128, 257):
        p, t = traces(folder, diamond(width), 'far')
        check(p.returncode == 0 and t[0]['stop_reason'] == 'completed',
              'a trace passes a balancer %d wide' % width, p.stderr)
    # Of 300 in 300 draws about 300 / e = 110 are not met; sigma is 5.
    seen = set()
    for flow in range(300):
        p, t = traces(folder, diamond(300), '-F', str(flow), '-s', '40000',
                      '--first-ttl', '2', '--max-ttl', '2', 'far')
        seen |= {r.get('from') for r in t[0]['replies']}
    check(165 < len(seen) < 215, 'flows spread over 300 next hops',
          '%d seen' % len(seen))


def meshed(folder):
    stages = [['s%dx%d' % (s, i) for i in range(8)] for s in range(3)]
    text = HEAD + 'router a 203.0.113.1\nrouter z 203.0.113.2\n'
    text += 'host far 192.0.2.9\nlink me a\n'
    for s, names in enumerate(stages):
        for i, name in enumerate(names):
            text += 'router %s 10.%d.0.%d\n' % (name, s, i + 1)
    for left, right in zip([['a']] + stages, stages + [['z']]):
        for x in left:
            text += ''.join('link %s %s\n' % (x, y) for y in right)
    p, t = traces(folder, text + 'link z far\n', 'far')
    check(p.returncode == 0 and t[0]['stop_reason'] == 'completed',
          'a trace passes stages that are fully meshed', p.stderr)
    text = HEAD + 'router top 203.0.113.1\nlink me top\n' \
        'generate mesh m at top count 20000 degree 3 addresses 10.0.0.0/8\n'
    names = ''.join('m.%d\n' % (5 * i + 1) for i in range(3000))
    p = sonde(folder, text, 'ping', '-c', '1', '-i', '0', '-f', '-',
              stdin=names)
    answered = sum(' ms' in l for l in p.stdout.splitlines())
    check(p.returncode == 0 and answered == 3000,
          '3,000 of 20,000 routers answer', '%d, %s' % (answered, p.stderr))


def repeated(folder):
    """However the machine divides its time between guardian and worker, whose
    messages then come one by one or several together."""
    text = HEAD + 'router top 203.0.113.1\nlink me top\n' \
        'generate mesh m at top count 20000 degree 3 addresses 10.0.0.0/8\n'
    policy = os.path.join(folder, 'policy')
    with open(policy, 'w') as f:
        for what in ('run-rate', 'run-burst', 'prefix-rate', 'prefix-burst',
                     'agent-rate', 'agent-burst'):
            f.write('local-%s = 1000000\n' % what)
    names = ['m.%d' % (13 * i + 1) for i in range(1200)]
    runs = [sonde(folder, text, 'trace', '--json', '--policy', policy,
                  '--method', 'icmp', *names) for _ in range(8)]
    check(len({p.stdout for p in runs}) == 1 and
          len(runs[0].stdout.splitlines()) == 1200,
          'traces of 1,200 routers at once are the same in 8 runs',
          runs[0].stderr)


def one_flow(folder):
    text = HEAD + 'start now\nrouter g 203.0.113.1\nlink me g\n' \
        'host far 192.0.2.9\n'
    before = 'g'
    for i in range(1, 4):
        text += 'router j%d 203.0.113.%d\n' % (i, 10 + i)
        text += 'generate diamond d%d from %s to j%d width 16 length 1 ' \
            'addresses 10.%d.0.0/16\n' % (i, before, i, i)
        before = 'j%d' % i
    text += 'link j3 far\n'
    runs = [traces(folder, text, '-F', '3', '-s', '41000', 'far')[1][0]
            for _ in range(6)]
    paths = {tuple(r.get('from') for r in sorted(
        t['replies'], key=lambda r: r['probe_ttl'])) for t in runs}
    check(len(paths) == 1 and len({t['flow_id'] for t in runs}) == 1,
          'one flow has one path and one name', paths)


ROUNDS = '''return { summary = "rounds", operands = {type = "host", min = 1},
run = function(args)
	local n = 0
	for round = 1, 50 do
		local train = {}
		for i = 1, 1000 do
			train[i] = sonde.icmp{dst = args.operands[1].address,
				id = round, seq = i}
		end
		for _, r in ipairs(sonde.send_train(train, %d * sonde.s)) do
			n = n + (r.reply and 1 or 0)
		end
	end
	print(n, sonde.room() >= 32000)
end }
'''


def busy(folder):
    script = os.path.join(folder, 'rounds.lua')
    for wait in (2, 10):
        with open(script, 'w') as f:
            f.write(ROUNDS % wait)
        p = sonde(folder, HEAD + 'host t 192.0.2.1\nlink me t\n', 'run',
                  script, 't')
        said = ' '.join((p.stdout + p.stderr).split())
        check(p.returncode == 0 and '50000 true' in said,
              'answered probes free their room, wait %d s' % wait, said)


def limited(folder):
    text = HEAD + ''.join('router r%d 203.0.113.%d limit 1 burst 6\n' % (i, i)
                          for i in (1, 2, 3))
    text += 'host far 192.0.2.9\nlink me r1\nlink r1 r2\nlink r2 r3\n'
    p = sonde(folder, text + 'link r3 far\n', 'trace', '-q', '10', 'far')
    check(p.returncode == 0 and 'lost' not in p.stdout,
          'routers that limit their errors are not said to lose', p.stdout)


if not os.access(SONDE, os.X_OK):
    print('1..0 # SKIP %s is not built' % SONDE)
    sys.exit(0)
with tempfile.TemporaryDirectory() as place:
    for part in (wide, meshed, repeated, one_flow, busy, limited):
        part(place)
print('1..%d' % tests)
sys.exit(failed > 0)
