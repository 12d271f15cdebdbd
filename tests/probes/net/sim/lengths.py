#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Is the length that a trace claims right?  usage: lengths.py [WORLDS [SEED]]

Worlds with a path of known length: routers that are silent, that limit their
errors as Linux or large routers do, that reject, loss; a target that answers,
with or without Linux' limit, and five traces to it at once.  Whenever the
target answers, each trace has to say that it is reached, and in how many hops.
Other worlds, in which whatever may happen, only have to give each trace a
reason of its own to end, and no length that is not true.
Without arguments a short form as TAP."""
import json
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *['..'] * 4))
BUILD = os.path.abspath(os.environ.get('O', os.path.join(ROOT, 'build')))
SONDE = os.path.join(BUILD, 'bin', 'sonde')
PARTIAL = ['net-unreachable', 'host-unreachable', 'admin-prohibited', '5']


def router_options(draw, kind):
    if kind == 'limits':
        return draw.choice(['limit linux', 'limit linux', 'limit 1 burst 1',
                            'limit 2 burst 3 limit-echo', ''])
    if kind == 'silent':
        return draw.choice(['silent', '', ''])
    if kind == 'rejects':
        # Only what it would forward by another protocol, or for its own TTL.
        return draw.choice(['', '', 'reject icmp reject-with %s' %
                            draw.choice(PARTIAL)])
    return draw.choice(['', '', 'silent', 'limit linux', 'limit 1 burst 1',
                        'limit 10 burst 2', 'extension-length 17 mpls 5',
                        'slow 30ms', 'old-extensions mpls 7,9'])


def world(seed, kind):
    """Text of a world, how far its target is, and the words of the traces."""
    draw = random.Random('%s %d' % (kind, seed))
    hops = draw.randint(2, 14)
    lines = ['seed %d' % (seed + 1),
             'default link delay %dus..%dms' % (draw.randint(50, 900),
                                               draw.randint(1, 30)),
             'vantage me 198.51.100.10/24']
    silent = 0
    for i in range(1, hops):
        options = router_options(draw, kind)
        silent = silent + 1 if options == 'silent' else 0
        if silent > 4:
            options = ''
        lines.append('router r%d 203.0.113.%d %s' % (i, i, options))
    target = 'limit linux'
    if kind == 'mixed':
        target = draw.choice(['', 'limit linux', 'limit linux copies 1',
                              'slow 200ms'])
    lines.append('host target 192.0.2.80 ' + target)
    names = ['me'] + ['r%d' % i for i in range(1, hops)] + ['target']
    loss = draw.choice(['', '', ' loss 2%']) if kind == 'mixed' else ''
    for a, b in zip(names, names[1:]):
        lines.append('link %s %s%s' % (a, b, loss))
    traces = 5 if kind in ('five', 'limits') else draw.choice([1, 1, 5])
    method = draw.choice(['udp', 'udp', 'udp', 'icmp', 'tcp'])
    if kind in ('five', 'limits'):
        method = 'udp'  # what the target's limit is about
    if kind == 'rejects' and method == 'icmp':
        method = 'tcp'
    return '\n'.join(lines) + '\n', hops, ['-M', method] + ['target'] * traces


def claims(text, words, folder):
    """What each trace says: its reason to stop and its length."""
    path = os.path.join(folder, 'world.sim')
    with open(path, 'w') as f:
        f.write(text)
    p = subprocess.run([SONDE, '--net', 'sim:' + path, 'trace', '--json']
                       + words, capture_output=True, text=True,
                       timeout=120)
    said = []
    for line in p.stdout.splitlines():
        t = json.loads(line)['trace']
        at = [r['probe_ttl'] for r in t['replies']
              if r.get('from') == t['dst']]
        said.append((t['stop_reason'], min(at) if at else None))
    return said, p


def judge(kind, count, first, folder):
    """(traces, wrong, examples): of `count` worlds of a kind."""
    traces = wrong = 0
    examples = []
    for seed in range(first, first + count):
        text, hops, words = world(seed, kind)
        said, p = claims(text, words, folder)
        n = words.count('target')
        bad = [s for s in said if s != ('completed', hops)]
        bad += ['no trace'] * (n - len(said))
        traces += n
        wrong += len(bad)
        if bad:
            examples.append('%s %d: %d hops, said %s %s' % (
                kind, seed, hops, bad, p.stderr.strip()[-100:]))
    return traces, wrong, examples


ROUTERS = ['silent', 'limit 1 burst 1', 'limit linux', 'slow 400ms',
           'late 700ms', 'limit 1 burst 1 limit-echo'] * 3 + [
    'drop udp', 'drop tcp', 'deny udp', 'drop icmp', 'reject udp',
    'reject tcp reject-with host-unreachable', 'redirect 203.0.113.99',
    'quench', 'stateful 30s', 'copies 2', 'forge', 'quote 28',
    'mpls 30017 extension-length 17', 'reply-from 203.0.113.200']
TARGETS = [
    ['', 'limit linux', 'limit 1 burst 1', 'limit 1 burst 1 limit-echo',
     'silent', 'slow 900ms', 'slow 2500ms'],
    ['', '', 'no-echo'], ['', '', 'no-udp'], ['', 'no-tcp', 'tcp 80'],
    ['', '', '', 'copies 1', 'quote 28', 'forge', 'answer-from 192.0.2.99',
     'serve dns:33434']]
# By these, what is asked again may be lost, or another length found.
LINKS = [''] * 6 + [' jitter 40ms', ' duplicate 30%', ' mtu 68']
LOSSES = [' loss 10%', ' loss 40%', ' rate 64k queue 3000']


def twist(draw, lines, names):
    """By what the path has no one length: another way, a loop, a change."""
    at = draw.randint(1, len(names) - 2)
    way = draw.randint(0, 3)
    if way == 0:
        lines += ['router x 203.0.114.1 %s' % draw.choice(['', 'silent']),
                  'link %s x cost %d' % (names[at - 1],
                                         draw.choice([1, 1, 2])),
                  'link x %s' % names[at + 1]]
        lines[:] = [line + ' ecmp ' + draw.choice(
            ['per-packet', 'first-4-octets']) if line.startswith('router r')
            else line for line in lines]
    elif way == 1:
        lines.append('route %s 192.0.2.0/24 %s' % (names[at], draw.choice(
            ['via ' + names[at - 1], 'unreachable', 'drop'])))
    else:
        lines.append('at %dms %s' % (draw.randint(0, 8000), draw.choice(
            ['link %s %s down' % (names[at], names[at + 1]),
             'node target ' + draw.choice(['silent', 'plain', 'no-echo',
                                           'no-udp no-tcp', 'down']),
             'node %s ' % names[at] + draw.choice(['silent', 'plain',
                                                   'down'])])))


def any_world(seed):
    """One that may keep silent, or change, in any way; its length, None where
    it has no certain one, and how it is traced."""
    draw = random.Random('ends %d' % seed)
    hops = draw.randint(2, 12)
    names = ['me'] + ['r%d' % i for i in range(1, hops)] + ['target']
    delay_ms = draw.choice([2, 30, 300])
    lines = ['seed %d' % (seed + 1),
             'default link delay %dus..%dms' % (draw.randint(50, 900),
                                               delay_ms),
             'vantage me 198.51.100.10/24']
    for i in range(1, hops):
        lines.append('router r%d 203.0.113.%d %s' % (
            i, i, draw.choice(ROUTERS) if draw.random() < 0.4 else ''))
    lines.append('host target 192.0.2.80 ' +
                 ' '.join(draw.choice(of) for of in TARGETS))
    loss = draw.choice(LINKS + LOSSES)
    for a, b in zip(names, names[1:]):
        lines.append('link %s %s%s' % (a, b, loss))
    sure = loss not in LOSSES
    if draw.random() < 0.3:
        twist(draw, lines, names)
        sure = False
    first = draw.choice([1, 1, 4, hops + 1])
    last = draw.choice([5, 32, hops, hops + 1])
    wait = draw.choice(['200ms', '1s', '10s'])
    # Some answers come in time, as by losses, some when none is waited for.
    sure = sure and (delay_ms < 300 or wait == '10s')
    words = ['-M', draw.choice(['udp', 'icmp', 'tcp']), '-w', wait,
             '-q', draw.choice(['1', '1', '3']),
             '-a', draw.choice(['1', '2', '2', '5']),
             '-g', draw.choice(['1', '5', '30']),
             '-m', str(last), '--first-ttl', str(first),
             '--window', draw.choice(['1', '2', '4', '16'])]
    return '\n'.join(lines) + '\n', \
        max(hops, min(first, last)) if sure else None, \
        words + ['target'] * draw.choice([1, 1, 1, 4, 40])


# Seeds of worlds in which a hop is asked more often than was known when the
# asking began.
HARD = (835, 1220, 2007)


def judge_ends(seeds, folder):
    """(traces, wrong, examples, reasons): whatever becomes of its probes, each
    trace ends by a reason of its own, and claims no length but the true one."""
    traces = wrong = 0
    examples, reasons = [], {}
    for seed in seeds:
        text, hops, words = any_world(seed)
        said, p = claims(text, words, folder)
        n = words.count('target')
        bad = [s for s in said if s[0] == 'deadline' or
               (s[0] == 'completed' and s[1] != (hops or s[1]))]
        bad += ['no trace'] * (n - len(said))
        traces += n
        wrong += len(bad)
        for reason, _ in said:
            reasons[reason] = reasons.get(reason, 0) + 1
        if bad:
            examples.append('ends %d: %s hops, %s said %s %s' % (
                seed, hops, ' '.join(words[:18]), bad[:4],
                p.stderr.strip()[-100:]))
    return traces, wrong, examples, reasons


LATE_ANSWERS = '''seed 183
default link delay 565us..30ms
vantage me 198.51.100.10/24
router r1 203.0.113.1
router r2 203.0.113.2
host target 192.0.2.80 slow 2500ms no-udp
link me r1
link r1 r2
link r2 target
'''


def judge_late(folder):
    """(traces, wrong): what answers one trace comes during others to the same
    target, too late for it: it answers none of theirs."""
    said, _ = claims(LATE_ANSWERS, ['-M', 'icmp', '-w', '200ms', '-q', '16',
                                    '-m', '5', '--window', '4'] +
                     ['target'] * 400, folder)
    return len(said), sum(s != ('maxttl', None) for s in said)


KINDS = ['five', 'limits', 'silent', 'rejects', 'mixed']
# In a mixed world up to 28 links may lose 2% each, so that now and then all
# probes that ask a hop again are lost.
ALLOWED = {'mixed': 0.01}


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--show':
        kind, seed = sys.argv[2].split(':')
        print((any_world(int(seed)) if kind == 'ends' else
               world(int(seed), kind))[0])
        return 0
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if not os.access(SONDE, os.X_OK):
        print('1..0 # SKIP %s is not built' % SONDE)
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for n, kind in enumerate(KINDS, 1):
            traces, wrong, examples = judge(
                kind, worlds // len(KINDS), first, folder)
            good = wrong <= traces * ALLOWED.get(kind, 0)
            failed += not good
            print('%sok %d - %s: %d of %d traces claim another length' % (
                '' if good else 'not ', n, kind, wrong, traces), flush=True)
            for e in examples[:8]:
                print('# ' + e)
        traces, wrong, examples, reasons = judge_ends(
            [*HARD, *range(first, first + worlds)], folder)
        failed += wrong > 0
        print('%sok %d - ends: %d of %d traces end wrongly' % (
            'not ' if wrong else '', len(KINDS) + 1, wrong, traces))
        print('# ' + ', '.join('%s %d' % of for of in sorted(reasons.items())))
        for e in examples[:8]:
            print('# ' + e)
        traces, wrong = judge_late(folder)
        good = wrong == 0 and traces == 400
        failed += not good
        print('%sok %d - late answers: %d of %d traces take another\'s' % (
            '' if good else 'not ', len(KINDS) + 2, wrong, traces))
    print('1..%d' % (len(KINDS) + 2))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
