#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The guardian, the worker and the sensor under their filters over the largest
inputs that they take: none ends by a signal, and each says what is there."""
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *['..'] * 3))
BUILD = os.path.abspath(os.environ.get('O', os.path.join(ROOT, 'build')))
SONDE = os.path.join(BUILD, 'bin', 'sonde')
failed = tests = 0


def check(good, what, said=''):
    global failed, tests
    tests += 1
    failed += not good
    print('%sok %d - %s%s' % ('' if good else 'not ', tests, what,
                              '' if good else '\n# ' + said[-400:]), flush=True)


def sonde(*words):
    p = subprocess.run([SONDE] + list(words), capture_output=True, text=True,
                       timeout=250)
    return p, p.stdout + p.stderr


def world(folder, text):
    path = os.path.join(folder, 'w.sim')
    with open(path, 'w') as f:
        f.write(text)
    return 'sim:' + path


def guardian(folder):
    net = world(folder, '''seed 3
vantage me 198.51.100.10
router top 203.0.113.1
host farm 172.16.0.0/12
link me top
link top farm
generate mesh core at top count 100000 degree 3 addresses 10.0.0.0/8
''')
    names = os.path.join(folder, 'names')
    with open(names, 'w') as f:
        f.writelines('172.%d.%d.%d\n' % (16 + i // 62500, i // 250 % 250,
                                         1 + i % 250) for i in range(20000))
    p, said = sonde('--net', net, 'ping', '-c', '1', '-i', '0', '-f', names)
    answered = sum(' ms' in l for l in p.stdout.splitlines())
    check(p.returncode == 0 and answered == 20000,
          'a guardian of 20,000 targets', '%d answered\n%s' % (answered, said))
    p, said = sonde('--net', net, 'trace', '10.1.134.160')
    check(p.returncode == 0, 'a guardian of 100,000 routers', said)
    net = world(folder, '''vantage me 198.51.100.10
router a 203.0.113.1
router z 203.0.113.2
host far 192.0.2.9
link me a
link z far
generate diamond d from a to z width 20000 length 3 addresses 10.0.0.0/8
''')
    p, said = sonde('--net', net, 'trace', 'far')
    check(p.returncode == 0, 'a guardian of a balancer 20,000 wide', said)


LARGE = '''return { summary = "large", operands = {type = "host", min = 1},
run = function(args)
	local many, text = {}, {}
	for i = 1, 300000 do many[i] = (i * 7919) % 300007 end
	table.sort(many)
	for i = 2, #many do assert(many[i - 1] <= many[i]) end
	for i = 1, 100000 do text[i] = string.format("%.14g %s", i / 7, i) end
	local all = table.concat(text, " ")
	assert(#all > 1000000 and #(all .. all):rep(4) > 8000000)
	assert(math.type(tonumber("1e308")) == "float")
	local train = {}
	for i = 1, 4000 do
		train[i] = sonde.icmp{dst = args.operands[1].address, id = 1,
			seq = i, payload_bytes = 1400}
	end
	local n = 0
	for _, r in ipairs(sonde.send_train(train, sonde.s)) do
		n = n + (r.reply and 1 or 0)
	end
	print("answered", n)
end }
'''


def worker(folder):
    net = world(folder, 'vantage me 198.51.100.10\nhost far 192.0.2.9\n'
                'link me far\n')
    script = os.path.join(folder, 'large.lua')
    with open(script, 'w') as f:
        f.write(LARGE)
    p, said = sonde('--net', net, 'run', script, 'far')
    check(p.returncode == 0 and '4000' in said, 'a worker of large tables',
          said)


def packet(i):
    """A SYN to a telescope, each from another source and to another port."""
    tcp = struct.pack('!HHIIHHHH', 1024 + i % 60000, 1 + i % 65000, i, 0,
                      0x5002, 1024, 0, 0)
    ip = struct.pack('!BBHHHBBHII', 0x45, 0, 40, i & 0xffff, 0, 64, 6, 0,
                     0x08000000 + i * 37, 0xc6336400 + i % 256)
    total = sum(struct.unpack('!10H', ip))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return ip[:10] + struct.pack('!H', 0xffff - total) + ip[12:] + tcp


def sensor(folder):
    path = os.path.join(folder, 'large.pcap')
    with open(path, 'wb') as f:
        f.write(struct.pack('=IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for i in range(200000):
            f.write(struct.pack('=IIII', 1700000000 + i // 2000, i % 2000 * 500,
                                40, 40) + packet(i))
    p, said = sonde('sensor', '--json', '-r', path)
    rows = p.stdout.count('"schema":"sonde-sensor/1"')
    check(p.returncode == 0 and rows > 60000, 'a sensor of 200,000 sources',
          '%d rows\n%s' % (rows, p.stderr))


if not os.access(SONDE, os.X_OK):
    print('1..0 # SKIP %s is not built' % SONDE)
    sys.exit(0)
with tempfile.TemporaryDirectory() as place:
    guardian(place)
    worker(place)
    sensor(place)
print('1..%d' % tests)
sys.exit(failed > 0)
