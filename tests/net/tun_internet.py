# SPDX-License-Identifier: ISC
"""A user-space internet behind a TUN device, in a namespace of its own.

The path to any target is HOPS[family], then the target; a Network is one way
of not behaving like that.  Each says what becomes of a packet by a list of
answers, (seconds, octets); the family is the packet's, so that one class is
both networks where nothing in it is of one family alone.

tests/net/outcomes.py has the networks, and runs commands in them.
"""
import fcntl
import heapq
import ipaddress
import os
import struct
import subprocess
import sys
import threading
import time

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
HOPS = {4: ["10.9.1.1", "10.9.2.1", "10.9.3.1"],
        6: ["2001:db8:a::1", "2001:db8:a::2", "2001:db8:a::3"]}
SOURCE = {4: "10.9.0.2", 6: "2001:db8:9::2"}
GATEWAY = {4: "10.9.0.1", 6: "fe80::1"}
# Targets are any other addresses; this one is none of theirs.
OTHER = {4: "100.100.200.99", 6: "2001:db8:78::99"}
FAR = len(HOPS[4]) + 1
# What an error says, as (type, code), by family.
ERRORS = {
    "hop": {4: (11, 0), 6: (3, 0)},
    "reassembly": {4: (11, 1), 6: (3, 1)},
    "net": {4: (3, 0), 6: (1, 0)},
    "host": {4: (3, 1), 6: (1, 3)},
    "port": {4: (3, 3), 6: (1, 4)},
    "filter": {4: (3, 13), 6: (1, 1)},
    "reject-route": {6: (1, 6)},
    "protocol": {4: (3, 2), 6: (4, 1)},
    "parameter": {4: (12, 0), 6: (4, 0)},
    "too-big": {4: (3, 4), 6: (2, 0)},
    "quench": {4: (4, 0)},
    "redirect": {4: (5, 1)},
}


def octets(address):
    return ipaddress.ip_address(address).packed


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def put16(data, at, value):
    return data[:at] + struct.pack("!H", value) + data[at + 2:]


def summed(src, dst, proto, data):
    """Upper-layer octets with their checksum."""
    at = {ICMP: 2, ICMP6: 2, UDP: 6, TCP: 16}[proto]
    data = put16(data, at, 0)
    pseudo = b"" if proto == ICMP else \
        src + dst + struct.pack("!II", len(data), proto)
    return put16(data, at, checksum(pseudo + data) or 0xffff)


def ip_packet(src, dst, proto, data, ttl=64, options=b"", tos=0, ident=7,
              fragment=0):
    """options: of IPv4, or whole IPv6 extension headers whose first is of
    hop-by-hop options and whose last leads to `proto`."""
    if len(src) == 16:
        first = 0 if options else proto
        return struct.pack("!IHBB", 6 << 28 | tos << 20,
                           len(options) + len(data), first, ttl) + \
            src + dst + options + data
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, tos,
                       20 + len(options) + len(data), ident, fragment, ttl,
                       proto, 0) + src + dst + options
    return put16(head, 10, checksum(head)) + data


class Probe:
    """A packet that this host sent."""

    def __init__(self, data):
        self.data = data
        self.family = data[0] >> 4
        six = self.family == 6
        self.head = 40 if six else (data[0] & 15) * 4
        self.src = data[8:24] if six else data[12:16]
        self.dst = data[24:40] if six else data[16:20]
        self.ttl = data[7] if six else data[8]
        self.proto = data[6] if six else data[9]
        self.upper = data[self.head:]
        self.name = {ICMP: "icmp", ICMP6: "icmp", UDP: "udp",
                     TCP: "tcp"}.get(self.proto)
        echo = {ICMP: 8, ICMP6: 128}.get(self.proto)
        self.is_probe = self.name is not None and \
            (echo is None or self.upper[0] == echo) and \
            (self.proto != TCP or self.upper[13] & 0x16 == 2) and \
            not ipaddress.ip_address(self.dst).is_multicast

    def is_complaint(self):
        """This host says that nobody listens at a port."""
        return self.proto in (ICMP, ICMP6) and \
            tuple(self.upper[:2]) == ERRORS["port"][self.family]

    def hop(self, ttl):
        return octets(HOPS[self.family][ttl - 1])

    def quoted(self, size=None, ttl=1):
        """As a router quotes it: as it came there, `size` octets behind the
        header."""
        if self.family == 6:
            quote = self.data[:7] + bytes([ttl]) + self.data[8:]
            return quote[:40 + (8 if size is None else size)]
        head = put16(self.data[:8] + bytes([ttl]) + self.data[9:self.head],
                     10, 0)
        return put16(head, 10, checksum(head)) + \
            self.upper[:8 if size is None else size]

    def error(self, says, by=None, quote=None, rest=bytes(4), tail=b"",
              **how):
        """An ICMP error: `by` is a hop's number, an address, or the target."""
        src = self.dst if by is None else \
            self.hop(by) if isinstance(by, int) else octets(by)
        kind, code = ERRORS[says][self.family]
        proto = ICMP if self.family == 4 else ICMP6
        data = bytes([kind, code, 0, 0]) + rest + \
            (self.quoted() if quote is None else quote) + tail
        return ip_packet(src, self.src, proto,
                         summed(src, self.src, proto, data), **how)

    def redirect(self):
        """Of the gateway, with the whole probe in it (RFC 4861: whole octets
        of eight in an option)."""
        if self.family == 4:
            return self.error("redirect", by=GATEWAY[4],
                              rest=octets("10.9.0.254"))
        quote = self.quoted(64)
        quote += bytes(-len(quote) % 8)
        data = bytes([137, 0, 0, 0]) + bytes(4) + octets("fe80::2") + \
            self.dst + bytes([4, 1 + len(quote) // 8]) + bytes(6) + quote
        src = octets(GATEWAY[6])
        return ip_packet(src, self.src, ICMP6,
                         summed(src, self.src, ICMP6, data), ttl=255)

    def answer(self, by=None, flags=None, **how):
        """The target's own: an echo reply, port unreachable, a SYN-ACK."""
        src = octets(by) if by else self.dst
        if self.name == "icmp":
            data = bytes([0 if self.family == 4 else 129]) + self.upper[1:]
        elif self.name == "udp":
            return self.error("port", by=by, quote=self.quoted(ttl=1), **how)
        else:
            sport, dport, seq = struct.unpack("!HHI", self.upper[:8])
            data = struct.pack("!HHIIBBHHH", dport, sport, 7,
                               (seq + 1) & 0xffffffff, 0x50,
                               0x12 if flags is None else flags, 1000, 0, 0)
        return ip_packet(src, self.src, self.proto,
                         summed(src, self.src, self.proto, data), **how)

    def datagram(self, data, by=None, port=None):
        """A UDP answer with data."""
        src = octets(by) if by else self.dst
        sport, dport = struct.unpack("!HH", self.upper[:4])
        dport = port or dport
        data = struct.pack("!HHHH", dport, sport, 8 + len(data), 0) + data
        return ip_packet(src, self.src, UDP, summed(src, self.src, UDP, data))

    def fragments(self, packet, at):
        """The packet in two, the second behind `at` octets (of eight)."""
        if self.family == 4:
            head, data = packet[:20], packet[20:]
            return [ip_packet(head[12:16], head[16:20], head[9], part,
                              ident=99, fragment=offset)
                    for part, offset in ((data[:at], 0x2000),
                                         (data[at:], at // 8))]
        head, data = packet[:40], packet[40:]
        result = []
        for part, offset in ((data[:at], 1), (data[at:], at)):
            extra = struct.pack("!BBHI", head[6], 0, offset, 99)
            result.append(head[:4] +
                          struct.pack("!HB", 8 + len(part), 44) +
                          head[7:] + extra + part)
        return result


def labels(*values, valid=True):
    """An RFC 4884 structure with an MPLS stack; not valid: checksum 0."""
    stack = b"".join(
        struct.pack("!I", label << 12 | (i == len(values) - 1) << 8 | 1)
        for i, label in enumerate(values))
    data = bytes([0x20, 0, 0, 0]) + \
        struct.pack("!HBB", 4 + len(stack), 1, 1) + stack
    return put16(data, 2, checksum(data)) if valid else data


class Network:
    """An ordinary one: routers that say where the time to live ended, and a
    target that answers."""
    families = (4, 6)
    mtu = 1500
    # Prints what this host must not do, through `heard`.
    heard = None

    def __init__(self):
        self.asked = {}

    def beyond(self, probe):
        """Answers of the target."""
        return [(0.008, probe.answer())]

    def on_way(self, probe):
        """Answers of a hop."""
        return [(0.002 * probe.ttl, probe.error("hop", by=probe.ttl))]

    def answered(self, probe):
        """The ordinary, but a ping's third and last answer takes its time, so
        that what comes behind the others is heard."""
        wait = 0.4 if probe.ttl >= FAR and self.asked[probe.dst] == 3 else 0
        ordinary = self.on_way(probe) if probe.ttl < FAR else \
            Network.beyond(self, probe)
        return [(delay + wait, data) for delay, data in ordinary]

    def packet(self, probe):
        return (self.on_way if probe.ttl < FAR else self.beyond)(probe)


def take(network, data, heard):
    probe = Probe(data)
    if not probe.is_probe:
        if probe.is_complaint():
            heard("complaint")
        return []
    network.asked[probe.dst] = network.asked.get(probe.dst, 0) + 1
    return network.packet(probe)


def play(device, network, heard):
    """Answers what comes from the device, each when it is due."""
    due, wake, number = [], threading.Condition(), 0

    def write():
        while True:
            with wake:
                while not due:
                    wake.wait()
                left = due[0][0] - time.monotonic()
                if left > 0:
                    wake.wait(left)
                    continue
                data = heapq.heappop(due)[2]
            os.write(device, data)

    def read():
        nonlocal number
        while True:
            for delay, data in take(network, os.read(device, 65536), heard):
                with wake:
                    number += 1
                    heapq.heappush(due, (time.monotonic() + delay, number,
                                         data))
                    wake.notify()

    def run(loop):
        try:
            loop()
        except Exception as error:  # or the programs would wait in vain
            print(f"the network fails: {error!r}", file=sys.stderr)
            os._exit(1)

    for loop in (write, read):
        threading.Thread(target=run, args=(loop,), daemon=True).start()


def unsettled(device):
    """IPv6 addresses of a device at which the kernel takes nothing yet: it
    lists an address, and sends from it, before work of its own has put it
    into the local table; what comes before is thrown away."""
    with open("/proc/net/if_inet6", encoding="ascii") as file:
        listed = [line.split() for line in file]
    with open("/proc/net/ipv6_route", encoding="ascii") as file:
        routes = [line.split() for line in file]
    local = {r[0] for r in routes if r[1] == "80" and
             int(r[8], 16) & 0x80000000}  # RTF_LOCAL
    return [a[0] for a in listed if a[5] == device and
            (int(a[4], 16) & 0x40 or a[0] not in local)]  # IFA_F_TENTATIVE


def settle(device, patience=60):
    """Waits until a device's addresses receive; patience in seconds."""
    end = time.monotonic() + patience
    while unsettled(device):
        if time.monotonic() > end:
            raise TimeoutError(f"{device}: {unsettled(device)} "
                               "receive nothing")
        time.sleep(0.01)


def enter(network, heard=lambda what: None):
    """Makes this process's namespace, an empty one, that network's host."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))
    for line in ("link set lo up", f"link set tun0 up mtu {network.mtu}",
                 f"addr add {SOURCE[4]}/24 dev tun0",
                 f"addr add {SOURCE[6]}/64 dev tun0 nodad",
                 "route add default dev tun0",
                 "-6 route add default dev tun0"):
        subprocess.run(["ip", *line.split()], check=True)
    settle("tun0")
    play(device, network, heard)
