#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""No simulated internet kills who measures on it.
usage: worlds.py [WORLDS [SEED]]

Worlds drawn from all statements: balancers up to 256 wide, up to 100,000
routers, up to 20,000 targets; a third of them with several vantage points at
once.  A run may say what it likes; it may not end by a
signal, its guardian and worker neither, and what it writes is records.  Without
arguments a short form as TAP."""
import json
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *['..'] * 4))
BUILD = os.path.abspath(os.environ.get('O', os.path.join(ROOT, 'build')))
SONDE = os.path.join(BUILD, 'bin', 'sonde')

NODE = ['silent', 'limit linux', 'limit 1 burst 6', 'limit 3/s burst 2 limit-echo',
        'limit 5 limit-by destination', 'limit 5 limit-by interface',
        'limit-v6 20ms limit 2', 'slow 20ms', 'late 900ms late-share 20%',
        'mpls 17,18 extension-length 17', 'mpls 4 extension-length octets',
        'mpls 9 extension-checksum zero extension-length none',
        'mpls 9 extension-checksum wrong', 'interface-info', 'hidden',
        'ip-id per-interface ip-id-rate 1..900', 'ip-id per-destination',
        'ip-id random', 'ip-id zero', 'ip-id-swapped', 'quote 28', 'ttl 64',
        'redirect 203.0.113.250', 'quench', 'inject-reset', 'bleach dscp,ecn',
        'dscp 46', 'reject udp reject-with 13', 'reject tcp reject-with tcp-reset',
        'reject icmp reject-with 250 reject-as-target', 'deny tcp', 'drop udp',
        'ecmp per-packet', 'ecmp first-4-octets', 'ecmp src-dst', 'stateful 1s',
        'reply-from 203.0.113.251']
HOST = ['no-echo', 'no-udp', 'tcp 80,443', 'serve stamp,dns,ntp,http', 'down',
        'answer-from 192.0.2.250 answer-port 7', 'copies 100', 'forge', 'late 2s',
        'limit linux', 'clock-offset -5s clock-skew 100ppm']
LINK = ['loss 5%', 'duplicate 20%', 'jitter 20ms', 'rate 64k queue 3000',
        'rate 1M load 95%', 'rate 1M load 300%', 'mtu 600', 'mtu 600 black-hole',
        'delay 1ms..200ms', 'cost 9']
CHANGES = ['at %dms link in core down', 'at %dms link in core up delay 9ms',
           'at %dms node core silent', 'at %dms node core plain',
           'at %dms route in 10.0.0.0/8 drop', 'at %dms route in 10.0.0.0/8 none',
           'at %dms route in 10.0.0.0/8 via core', 'at %dms node target plain down']


def some(draw, words, most):
    return ' '.join(draw.sample(words, draw.randint(0, most)))


def world(seed):
    """The text of a world and the words of a command."""
    draw = random.Random('world %d' % seed)
    out = ['seed %d' % seed,
           'vantage me 10.255.0.2/24 2001:db8:1::10/64' + draw.choice(
               ['', ' snat 10.255.0.3', ' clock-offset -5s']),
           'router in 203.0.113.1 2001:db8:2::1 ' + draw.choice(
               ['', 'nat 203.0.113.2', 'nat 203.0.113.2 raw-quotes']),
           'router core 203.0.113.3 2001:db8:2::3 ' + some(draw, NODE, 3),
           'router out 203.0.113.4 2001:db8:2::4 ' + some(draw, NODE, 2),
           'host target 192.0.2.80 2001:db8:80::1 ' + some(draw, HOST, 3),
           'link me in addr 10.255.0.2 10.255.0.1 ' + draw.choice(
               ['', '', 'mtu 1400', 'delay 5ms']),
           'link in core ' + some(draw, LINK, 2)]
    if draw.random() < 0.2:
        out.append('link me core addr 10.255.1.2 10.255.1.1 cost %d' %
                   draw.choice([1, 2, 5]))
    node, link = some(draw, NODE, 2), some(draw, LINK, 2)
    shape = draw.choice(['diamond', 'diamond', 'mesh', 'tree', 'farm'])
    targets = ['target']
    if shape == 'diamond':
        out.append('generate diamond d from core to out width %d length %d '
                   'addresses 10.0.0.0/10 2001:db8:d::/64 %s %s' % (
                       draw.choice([1, 2, 16, 128, 129, 256]),
                       draw.choice([1, 1, 2, 8]), node, link))
    else:
        out.append('link core out ' + some(draw, LINK, 1))
    if shape == 'mesh':
        count = draw.choice([10, 1000, 10000] + ([100000] if seed % 50 == 7
                                                 else []))
        out.append('generate mesh m at core count %d degree %d '
                   'addresses 10.0.0.0/10 %s' % (count, draw.choice([1, 2, 4]),
                                                 node))
        targets += ['10.0.%d.%d' % (i // 250 % 250, 1 + i % 250)
                    for i in range(min(count, 2000))]
    if shape == 'tree':
        out.append('generate tree t at core fanout %d depth %d hosts 2 '
                   'addresses 10.0.0.0/10 %s' % (
                       draw.choice([2, 5]), draw.choice([2, 4]), node))
        targets += ['t.%d' % i for i in range(1, 5)]
    if shape == 'farm':
        out.append('host farm 10.0.0.0/10 ' + some(draw, HOST, 2))
        out.append('link out farm ' + some(draw, LINK, 1))
        count = draw.choice([10, 1000] + ([20000] if seed % 50 == 11 else []))
        targets += ['10.%d.%d.%d' % (i // 62500, i // 250 % 250, 1 + i % 250)
                    for i in range(count)]
    out.append('link out target ' + some(draw, LINK, 2))
    out.append('converge %dms' % draw.choice([0, 100, 2000]))
    for _ in range(draw.choice([0, 0, 1, 3, 6])):
        out.append(draw.choice(CHANGES) % draw.randint(0, 9000))
    method = draw.choice(['udp', 'icmp', 'tcp'])
    few = len(targets) <= 100
    command = draw.choice([
        ['ping', '-c', '3' if few else '1', '-i', '50ms', '-M', method],
        ['trace', '-M', method, '-q', '1' if not few else
         draw.choice(['1', '3', '16'])],
        ['ping', '-c', '2', '-6', '--size', '1000']])
    if command[0] == 'trace':
        targets = targets[:400]
    if '-6' in command:
        targets = ['target']
    vantages = ''
    if seed % 3 == 0 and not (shape == 'mesh' and count > 10000):
        out += ['vantage other 10.254.0.2/24 2001:db8:3::10/64 ' + some(
                    draw, HOST, 2), 'link other out ' + some(draw, LINK, 1)]
        vantages = draw.choice(['@me,other', '@other,me', '@other,in,me'])
    return '\n'.join(out) + '\n', command, targets, vantages


def run(seed, folder):
    """What is wrong with the run, or None."""
    text, command, targets, vantages = world(seed)
    path = os.path.join(folder, 'world.sim')
    names = os.path.join(folder, 'targets')
    with open(path, 'w') as f:
        f.write(text)
    with open(names, 'w') as f:
        f.write('\n'.join(targets) + '\n')
    try:
        p = subprocess.run([SONDE, '--net', 'sim:' + path + vantages] + command +
                           ['--json', '-f', names], capture_output=True,
                           text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return 'takes more than 5 minutes'
    if p.returncode not in (0, 1):
        return 'status %d: %s' % (p.returncode, p.stderr.strip()[-200:])
    if 'signal' in p.stderr or 'connection ended' in p.stderr:
        return p.stderr.strip()[-200:]
    records = 0
    for line in p.stdout.splitlines():
        try:
            records += 'kind' in json.loads(line)
        except ValueError:
            return 'no record: ' + line[:100]
    if records == 0 and not p.stderr:
        return 'neither a record nor a word'
    return None


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--show':
        text, command, targets, vantages = world(int(sys.argv[2]))
        print(text, '#', vantages, ' '.join(command), len(targets), 'targets')
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if not os.access(SONDE, os.X_OK):
        print('1..0 # SKIP %s is not built' % SONDE)
        return 0
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            what = run(seed, folder)
            if what:
                wrong.append((seed, what))
                print('# world %d: %s' % (seed, what), flush=True)
    print('%sok 1 - %d of %d worlds end a run badly' % (
        'not ' if wrong else '', len(wrong), count))
    print('1..1')
    return len(wrong) > 0


if __name__ == '__main__':
    sys.exit(main())
