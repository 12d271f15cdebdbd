# SPDX-License-Identifier: ISC
"""Situations that a sensor sees, and what is right to say of each.

A scene is made in a world: addresses, ports and counts drawn from a seed, IPv4
or IPv6, so that one function stands for many captures.  It says which sources
have a verdict; every other source is innocent and must not be accused."""
import random
import struct

import sensor_packets as make
from sensor_packets import ACK, FIN, PSH, RST, SYN, URG

SCENES = {}
LINUX = bytes.fromhex("020405b40402080a010203040000000001030307")
WINDOWS = bytes.fromhex("020405b40103030801010402")
ANY = None  # any verdict that accuses nobody


class World:
    """home: monitored; of it, dark addresses are those that nobody has."""

    def __init__(self, seed, six=False):
        self.random = random.Random(f"{seed} {six}")
        self.six = six
        pick = self.random.randrange
        self.packets = []
        self.want = {}      # source: {verdict: of at least one row, ...}
        self.never = set()  # verdicts that no source may have
        self.proven = set() # sources that completed a handshake
        self.one_sided = True  # the verdicts rest on what comes in alone
        self.needs_both = False  # a capture of one direction misleads
        self.first = pick(1, 60)
        if six:
            self.net = f"2001:db8:{pick(0x1000, 0xf000):x}"
            self.home = f"{self.net}::/48"
            self.away = f"2001:db8:{pick(0x100, 0xf00):x}"
        else:
            nets = ["192.0.2", "198.51.100", "203.0.113"]
            self.random.shuffle(nets)
            self.net, self.away = nets[:2]
            self.home = self.net + ".0/24"

    def out(self, i=0):
        """A host elsewhere on the Internet."""
        if self.six:
            return f"{self.away}:{self.first + i:x}::{self.first:x}"
        return f"{self.away}.{self.first + i}"

    def host(self, i=0):
        """A host of ours."""
        return self.of_home(1 + i)

    def dark(self, i=0):
        """An address of ours that no host has."""
        return self.of_home(50 + i % 200)

    def of_home(self, i):
        return f"{self.net}:{i:x}::1" if self.six else f"{self.net}.{i}"

    def some(self, least):
        return self.random.randrange(least, least + least // 3 + 2)

    def port(self):
        return self.random.randrange(32768, 61000)

    def number(self):
        return self.random.getrandbits(32)

    def send(self, at, packet, **more):
        self.packets.append((at, packet, more))

    def expect(self, source, verdict, **fields):
        self.want[source] = (verdict, fields)

    # What hosts do.

    def syn(self, at, src, dst, dport, options=LINUX, window=64240, **more):
        more.setdefault("sport", self.port())
        more.setdefault("seq", self.number())
        more.setdefault("ttl", 52)
        more.setdefault("ident", self.random.randrange(54000))
        self.send(at, make.tcp(src, dst, dport, options=options,
                               window=window, **more))

    def talk(self, at, client, server, dport, right_number=True):
        """A TCP conversation with data both ways."""
        sport, q, r = self.port(), self.number(), self.number()

        def c(after, flags, seq, ack, payload=b"", options=b""):
            self.send(at + after, make.tcp(
                client, server, dport, flags, sport, seq, 502, options, ack,
                payload, ttl=52))

        def s(after, flags, seq, ack, payload=b"", options=b""):
            self.send(at + after, make.tcp(
                server, client, sport, flags, dport, seq, 502, options, ack,
                payload))
        said, back = b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"
        n, m = len(said), len(back)
        c(0, SYN, q, 0, options=LINUX)
        s(.012, SYN | ACK, r, q + 1, options=LINUX)
        if not right_number:
            c(.024, ACK, q + 1, r + 7)
            return
        self.proven.add(client)
        c(.024, ACK, q + 1, r + 1)
        c(.036, ACK | PSH, q + 1, r + 1, said)
        s(.048, ACK | PSH, r + 1, q + 1 + n, back)
        c(.060, ACK | FIN, q + 1 + n, r + 1 + m)
        s(.072, ACK | FIN, r + 1 + m, q + 2 + n)
        c(.084, ACK, q + 2 + n, r + 2 + m)

    def ask(self, at, client, server, dport, question, answer, after=.012,
            sport=None):
        """A datagram, and its answer if there is one."""
        sport = sport or self.port()
        self.send(at, make.udp(client, server, dport, question, sport,
                               ttl=52))
        if answer:
            self.send(at + after, make.udp(server, client, sport, answer,
                                           dport))

    def ping(self, at, client, server, rest, answered=True):
        self.send(at, make.echo(client, server, rest, ttl=52))
        if answered:
            self.send(at + .012, make.echo(server, client, rest, True))


def scene(kind, families="46"):
    """families: in which the situation exists."""
    def add(build):
        SCENES[build.__name__.replace("_", "-")] = (kind, families, build)
        return build
    return add


# ---- contents

def dns(name=b"\3www\7example\3org\0", answer=False, ident=0xabcd):
    head = struct.pack(">HHHHHH", ident, 0x8180 if answer else 0x100, 1,
                       int(answer), 0, 0)
    record = b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4\xc0\0\2\1" if answer else b""
    return head + name + b"\0\1\0\1" + record


MONLIST = bytes.fromhex("1700032a") + b"\0" * 4
NTP_CLIENT = b"\x23" + b"\0" * 39 + b"\xe9\1\2\3\4\5\6\7"
NTP_SERVER = b"\x24\2\3\xe8" + b"\0" * 36 + b"\xe9\1\2\3\4\5\6\7"
SEARCH = (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
          b'MAN: "ssdp:discover"\r\nST: ssdp:all\r\n\r\n')
FOUND = (b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\n"
         b"ST: upnp:rootdevice\r\nUSN: uuid:1\r\n\r\n")
SNMP_GET = bytes.fromhex("302602010104067075626c6963a0190201010201000201003"
                         "00e300c06082b060102010101000500")
SNMP_REPLY = bytes.fromhex("302e02010104067075626c6963a221020101020100020100"
                           "301630140608" "2b06010201010100") + b"\4\x08router-1"
CHARGEN = b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJ\r\n" * 6
MEMCACHED = (b"\0\1\0\0\0\1\0\0VALUE x 0 400\r\n" + b"a" * 400 +
             b"\r\nEND\r\n")
CLDAP = bytes.fromhex("30840000003002010764840000002704003084000000") + \
    b"x" * 60
QUIC_NEGOTIATION = b"\x80\0\0\0\0\x08" + b"a" * 8 + b"\x08" + b"b" * 8 + \
    b"\0\0\0\1"
QUIC_INITIAL = b"\xc3\0\0\0\1\x08" + b"a" * 8 + b"\x08" + b"b" * 8 + \
    b"\0\x44\xb0" + b"z" * 300
MDNS = bytes.fromhex("000000000001000000000000") + \
    b"\x09_services\x07_dns-sd\x04_udp\x05local\0\0\x0c\0\1"
REFLECTED = {
    "ntp": (123, bytes.fromhex("d7000327000000480000") + b"\0" * 440),
    "ssdp": (1900, FOUND), "memcached": (11211, MEMCACHED),
    "cldap": (389, CLDAP), "chargen": (19, CHARGEN),
    "snmp": (161, SNMP_REPLY), "dns": (53, dns(answer=True) + b"r" * 300),
}
PEERS = {
    "utp": b"\x41\0" + struct.pack(">HIII", 9, 1, 0, 0x38000) + b"\0\1\0\0",
    "dht-reply": b"d2:ip6:\xc6\x33\x64\x4d\x1a\xe11:rd2:id20:" + b"a" * 20 +
                 b"e1:t2:aa1:y1:re",
    "dht-error": b"d1:eli203e14:Protocol Errore1:t2:aa1:y1:ee",
    "dht-read-only": b"d1:ad2:id20:" + b"a" * 20 +
                     b"e1:q4:ping2:roi1e1:t2:aa1:y1:qe",
    "stun": b"\0\1\0\0\x21\x12\xa4\x42" + b"t" * 12,
    "edonkey": b"\xe4\x60" + b"k" * 24,
}


# ---- proof: what shows that the source address is true

def amplification(w, dport, question, servers, times):
    victim, at = w.out(), 0
    for again in range(times):
        for i in range(servers):
            w.send(at, make.udp(victim, w.dark(i), dport, question, 80,
                                ttl=241, ident=again * servers + i))
            at += .5
    w.expect(victim, "flood", spoofable=True, victim=victim)
    w.never |= {"scan", "worm"}


@scene("proof", "4")
def asked_in_a_victims_name_ntp(w):
    amplification(w, 123, MONLIST, w.some(30), 5)


@scene("proof")
def asked_in_a_victims_name_ssdp(w):
    amplification(w, 1900, SEARCH, w.some(40), 4)


@scene("proof")
def identification_never_moves(w):
    for i in range(4):
        w.syn(i * 30, w.out(), w.dark(i), 23, b"", ident=0, ttl=241)
    w.expect(w.out(), "probe", spoofable=True, attempts=4)


@scene("proof")
def identification_runs(w):
    for i in range(w.some(30)):
        w.syn(i * .5, w.out(), w.dark(i), 8080, ident=3000 + i)
    w.expect(w.out(), "scan", spoofable=True)


@scene("proof")
def handshake_then_scan(w):
    w.talk(0, w.out(), w.host(), 80)
    for i in range(w.some(40)):
        w.syn(5 + i * .1, w.out(), w.dark(i), 80)
    w.expect(w.out(), "scan", spoofable=False)
    w.one_sided = False


@scene("proof")
def forged_handshake_then_scan(w):
    w.talk(0, w.out(), w.host(), 80, right_number=False)
    for i in range(w.some(40)):
        w.syn(5 + i * .1, w.out(), w.dark(i), 80)
    w.expect(w.out(), "scan", spoofable=True)


@scene("proof", "4")
def number_is_the_address_by_chance(w):
    client, server, sport = w.out(), w.host(), w.port()
    number = make.number(server)
    w.send(0, make.tcp(client, server, 443, sport=sport, seq=number,
                       options=LINUX, ttl=52))
    w.send(.012, make.tcp(server, client, sport, SYN | ACK, 443, 7,
                          options=LINUX, ack=number + 1))
    w.never |= {"worm", "scan"}


@scene("proof", "4")
def wrong_ip_checksum(w):
    for i in range(w.some(20)):
        packet = bytearray(make.mirai(w.out(), w.dark(i)))
        packet[10] ^= 0xff
        w.send(i, bytes(packet))
    w.never |= {"worm", "scan", "probe"}


# ---- attempts: one is one however often its packet comes

def connect(w, src, dst, dport, times, **more):
    packet = make.tcp(src, dst, dport, sport=w.port(), seq=w.number(),
                      ttl=115, **more)
    for at in times:
        w.send(at, packet)


@scene("attempts")
def one_connect_of_linux(w):
    connect(w, w.out(), w.dark(), 445, (0, 1, 3, 7, 15, 31, 63),
            options=LINUX, window=64240)
    w.expect(w.out(), "probe", attempts=1, targets=1)


@scene("attempts")
def outbreak_of_single_connects(w):
    start = w.random.randrange(1000)
    for i in range(w.some(60)):
        connect(w, w.out(i), w.dark(), 445,
                (start + i * 5, start + i * 5 + 3, start + i * 5 + 9),
                options=WINDOWS, window=8192)
        w.expect(w.out(i), "probe", attempts=1)


@scene("attempts")
def one_query_each(w):
    for i in range(w.some(2)):
        w.ask(i * 10, w.out(i), w.dark(), 53, dns(), None)
        w.expect(w.out(i), "probe", attempts=1)


@scene("attempts")
def one_ping_each(w):
    for i in range(w.some(3)):
        w.ping(i * 10, w.out(i), w.dark(), w.number(), False)
        w.expect(w.out(i), "probe", attempts=1)


@scene("attempts")
def ping_of_a_dead_host(w):
    for i in range(w.some(60)):
        w.ping(i, w.out(), w.dark(), 0x70000 + i, False)
    w.expect(w.out(), "probe", targets=1)


@scene("attempts")
def dead_service_tried_again(w):
    for i in range(w.some(40)):
        w.syn(i * 10, w.out(), w.dark(), 5432)
    w.expect(w.out(), "probe", targets=1, ports=1)


@scene("attempts")
def each_syn_sent_three_times(w):
    n = w.some(30)
    for i in range(n):
        connect(w, w.out(), w.dark(i), 3389, (i, i + 3, i + 9),
                options=WINDOWS, window=8192)
    w.expect(w.out(), "scan", attempts=n, targets=n, ports=1, dport=3389)


@scene("attempts")
def four_hosts_tried_in_vain(w):
    for i in range(4):
        connect(w, w.out(), w.dark(i), 22, (i, i + 1, i + 3, i + 7),
                options=LINUX, window=64240)
    w.expect(w.out(), "probe", attempts=4, targets=4)


# ---- answered: a conversation is nobody's scan

@scene("answered")
def browser(w):
    for i, dport in enumerate((80, 443, 443)):
        w.talk(i, w.out(), w.host(i // 2), dport)


@scene("answered")
def clients_of_a_name_server(w):
    for i in range(w.some(15)):
        w.ask(i, w.out(i), w.host(), 53, dns(ident=i), dns(answer=True,
                                                           ident=i))


@scene("answered")
def uptime_monitor(w):
    for at in range(0, 300, 60):
        for i in range(5):
            w.talk(at + i, w.out(), w.host(i), 443)
            w.ping(at + i + .5, w.out(), w.host(i), 0x70000 + at)


@scene("answered")
def gateway_to_many_servers(w):
    for i in range(w.some(100)):
        w.ask(i * .02, w.host(), w.out(i % 120), 443, b"\x43" + b"q" * 20,
              b"\x43" + b"r" * 20, after=6)
    w.never |= {"backscatter"}


@scene("answered")
def own_host(w):
    for i in range(w.some(6)):
        w.talk(i, w.host(), w.out(i), 443)


@scene("answered")
def call(w):
    ports = w.port() & ~1, w.port() & ~1
    for i in range(w.some(1000)):
        voice = b"\x80\0" + struct.pack(">HII", i, i * 160, 7) + b"v" * 20
        w.send(i * .02, make.udp(w.out(), w.host(), ports[1], voice, ports[0],
                                 ttl=52))
        w.send(i * .02 + .008, make.udp(w.host(), w.out(), ports[0], voice,
                                        ports[1]))


@scene("answered")
def snmp_manager(w):
    for i in range(w.some(9)):
        w.ask(i * 20, w.out(), w.host(i % 3), 161, SNMP_GET, SNMP_REPLY)


@scene("answered")
def time_server(w):
    for i in range(w.some(30)):
        w.ask(i, w.out(i), w.host(), 123, NTP_CLIENT, NTP_SERVER, sport=123)


@scene("answered")
def resolver_and_its_servers(w):
    for i in range(w.some(60)):
        w.ask(i * .1, w.host(), w.out(i), 53, dns(ident=i),
              dns(answer=True, ident=i), after=.03)


@scene("answered")
def some_hosts_are_down(w):
    for i in range(w.some(20)):
        if i % 5 == 4:
            w.syn(i, w.out(), w.dark(i), 443)
        else:
            w.talk(i, w.out(), w.host(i), 443)


@scene("answered")
def mail_server_refuses_some(w):
    for i in range(w.some(12)):
        if i % 6 == 5:
            sport, seq = w.port(), w.number()
            w.syn(i, w.out(), w.host(i), 25, sport=sport, seq=seq)
            w.send(i + .012, make.tcp(w.host(i), w.out(), sport, RST | ACK,
                                      25, 0, 0, ack=seq + 1))
        else:
            w.talk(i, w.out(), w.host(i), 25)
    w.never |= {"backscatter"}


@scene("answered")
def trace_to_our_host(w):
    for hop in range(1, 16):
        for i in range(3):
            probe = make.udp(w.out(), w.host(), 33434 + hop * 3 + i, b"t" * 12,
                             ttl=hop)
            at = hop * .3 + i * .1
            w.send(at, probe)
            if hop < 12:
                w.send(at + .02, make.time_exceeded(w.host(20), probe))
            else:
                w.send(at + .02, make.unreachable(w.host(), probe))


# ---- direction: who asked, by what the packets say

def reflectors(w, name):
    dport, answer = REFLECTED[name]
    for i in range(w.some(40)):
        w.send(i * .1, make.udp(w.out(i), w.dark(), 1024 + i * 977,
                                answer, dport, ttl=52))
    w.never |= {"scan", "worm", "probe"}


def add_reflectors(name):
    def build(w):
        reflectors(w, name)
    build.__name__ = "reflectors_" + name
    scene("direction")(build)


for protocol in REFLECTED:
    add_reflectors(protocol)


@scene("direction")
def quic_server_under_attack(w):
    for i in range(w.some(20)):
        w.send(i * 3, make.udp(w.out(), w.dark(i * 7), 20000 + i * 331,
                               (QUIC_NEGOTIATION, QUIC_INITIAL)[i & 1], 443,
                               ttl=52))
    w.expect(w.out(), "backscatter", victim=w.out())


@scene("direction")
def web_server_under_attack(w):
    for i in range(w.some(20)):
        flags = (SYN | ACK, RST)[i & 1]
        w.send(i * 3, make.tcp(w.out(), w.dark(i), w.port(), flags, 80,
                               w.number(), ack=w.number(), ttl=52))
    w.expect(w.out(), "backscatter", victim=w.out())


@scene("direction")
def router_tells_of_an_attack(w):
    for i in range(w.some(20)):
        quote = make.tcp(w.dark(i), w.out(9), 80, sport=w.port(),
                         seq=w.number())
        w.send(i * 3, make.unreachable(w.out(), quote, ttl=52))
    w.expect(w.out(), "backscatter", victim=w.out(9))


def datagram_scan(w, dport, question, sport, verdict="scan"):
    n = w.some(45)
    for i in range(n):
        w.send(i, make.udp(w.out(), w.dark(i), dport, question, sport,
                           ttl=52, ident=i * 77 + 5))
    w.expect(w.out(), verdict, dport=dport, targets=n, ports=1)
    w.never |= {"backscatter", "misconfiguration"}


@scene("direction")
def scan_from_port_53(w):
    datagram_scan(w, 161, SNMP_GET, 53)


@scene("direction")
def scan_for_ssdp(w):
    datagram_scan(w, 1900, SEARCH, w.port())


@scene("direction")
def scan_for_ntp_from_123(w):
    datagram_scan(w, 123, MONLIST, 123)


@scene("direction")
def scan_for_ssdp_asks_twice(w):
    n = w.some(45)
    for i in range(n):
        for again in range(2):
            w.send(i + again * .5, make.udp(
                w.out(), w.dark(i), 1900, SEARCH, 40000, ttl=52,
                ident=i * 77 + again))
    w.expect(w.out(), "scan", dport=1900, targets=n, attempts=n)


@scene("direction")
def scan_for_unknown_service(w):
    datagram_scan(w, 9527, b"hello there, camera", w.port())


@scene("direction")
def one_mdns_query_each(w):
    for i in range(w.some(45)):
        w.ask(i * 20, w.out(i), w.dark(), 5353, MDNS, None)
        w.expect(w.out(i), "probe")
    w.never |= {"misconfiguration"}


@scene("direction", "4")
def broadcasts_of_a_lan(w):
    for i, (port, said) in enumerate([
            (57621, b"SpotUdp0"), (27036, b"\xff\xff\xff\xff!L_\xa0"),
            (8612, b"BJNP")] * 3):
        w.send(i * 5, make.udp(w.host(), w.of_home(255), port, said, port),
               mac=b"\xff" * 6)
    w.never |= {"scan", "flood", "misconfiguration"}


@scene("direction", "4")
def relay_of_dhcp(w):
    for i in range(w.some(20)):
        w.send(i * 5, make.udp(w.host(), w.host(1 + i % 2), 67,
                               b"\1\1\6\1" + b"\0" * 236, 67))


@scene("direction")
def ack_scan_is_refused(w):
    for i in range(w.some(40)):
        sport = w.port()
        w.send(i, make.tcp(w.out(), w.host(i), 80, ACK, sport, 7, 1024,
                           ack=9, ttl=52))
        w.send(i + .012, make.tcp(w.host(i), w.out(), sport, RST, 80, 9, 0))
    w.expect(w.out(), "scan", dport=80)
    w.never |= {"backscatter"}
    w.one_sided = False


@scene("direction")
def syn_scan_is_refused(w):
    for i in range(w.some(40)):
        sport, seq = w.port(), w.number()
        w.syn(i, w.out(), w.host(i), 23, sport=sport, seq=seq)
        w.send(i + .012, make.tcp(w.host(i), w.out(), sport, RST | ACK, 23, 0,
                                  0, ack=seq + 1))
    w.expect(w.out(), "scan", dport=23)
    w.never |= {"backscatter"}


@scene("direction")
def datagram_scan_is_refused(w):
    for i in range(w.some(40)):
        probe = make.udp(w.out(), w.host(i), 5060, b"OPTIONS", w.port(),
                         ttl=52)
        w.send(i, probe)
        w.send(i + .012, make.unreachable(w.host(i), probe))
    w.expect(w.out(), "scan", dport=5060)
    w.never |= {"backscatter"}


def add_stealth(name, flags):
    def build(w):
        for i in range(w.some(20)):
            w.send(i, make.tcp(w.out(), w.dark(i), 22, flags, w.port(),
                               w.number(), 1024, ttl=52))
        w.expect(w.out(), "scan", dport=22)
    build.__name__ = name + "_scan"
    scene("direction")(build)


for name_of, flags_of in (("fin", FIN), ("null", 0),
                          ("xmas", FIN | PSH | URG)):
    add_stealth(name_of, flags_of)


@scene("direction")
def sctp_scan(w):
    for i in range(w.some(20)):
        body = struct.pack(">HHII", w.port(), 36412, 0, 0) + \
            struct.pack(">BBHIIHHI", 1, 0, 20, w.number(), 106496, 10, 65535,
                        w.number())
        w.send(i, make.ip(w.out(), w.dark(i), 132, body, ttl=52))
    w.expect(w.out(), "scan")


@scene("direction", "4")
def syn_in_pieces(w):
    for i in range(w.some(40)):
        whole = make.tcp(w.out(), w.dark(i), 22, sport=w.port(),
                         seq=w.number())[20:]
        for at in range(0, 20, 8):
            more = 0x2000 if at < 16 else 0
            w.send(i + at / 1000, make.ip(
                w.out(), w.dark(i), 6, whole[at:at + 8], 777 + i, 52,
                more | at // 8))
    w.expect(w.out(), "scan", dport=22)


@scene("direction")
def idle_scan_shows_the_zombie(w):
    mss = bytes.fromhex("020405b4")
    for i in range(w.some(40)):
        w.syn(i * .1, w.out(), w.dark(), 1 + i * 13, mss, 1024, sport=80)
    w.expect(w.out(), "probe", spoofable=True)


# ---- unit: who one source is, and one event

@scene("unit", "6")
def host_with_many_addresses(w):
    n = w.some(110)
    for i in range(n):
        tail = ":".join(f"{w.random.randrange(65536):x}" for _ in range(4))
        w.syn(i * .5, f"{w.away}:5:{tail}", w.dark(i), 22, b"")
    w.expect(f"{w.away}:5::", "scan", addresses=n)


def add_peers(name):
    def build(w):
        for i in range(w.some(40)):
            w.send(i * 2, make.udp(
                w.out(i), w.dark(), 50505 if name == "stun" else 6881,
                PEERS[name], 20000 + i * 613, ttl=52))
            w.expect(w.out(i), "misconfiguration")
    build.__name__ = "peers_" + name.replace("-", "_")
    scene("unit")(build)


for protocol in PEERS:
    add_peers(protocol)


@scene("unit")
def addresses_that_nobody_has(w):
    sources = ("fd00:1::1", "fe80::7") if w.six else (
        "10.1.2.3", "127.0.0.1", "169.254.3.3", "100.64.3.3", "192.168.7.7")
    for i, source in enumerate(sources):
        for k in range(w.some(8)):
            w.syn(i + k * .1, source, w.dark(k), 80, ttl=50)
        w.expect(source, "unrouted")
    w.never |= {"scan", "probe"}


@scene("unit")
def ports_of_one_host(w):
    n = w.some(250)
    for i in range(n):
        w.syn(i * .05, w.out(), w.dark(), 1 + i * 3, b"")
    w.expect(w.out(), "scan", ports=n, ports_are="exact", targets=1,
             dport=None)


@scene("unit")
def two_ports_of_many_hosts(w):
    n = w.some(40)
    for i in range(n):
        w.syn(i * .2, w.out(), w.dark(i), (23, 2323)[i % 3 == 0])
    w.expect(w.out(), "scan", ports=2, targets=n, dport=23)


@scene("unit")
def flood_of_one_source(w):
    for i in range(w.some(300)):
        w.syn(i * .006, w.out(), w.host(), 80, sport=w.port())
    w.expect(w.out(), "flood", targets=1)
    w.never |= {"scan", "worm"}


@scene("unit", "6")
def flood_of_forged_sources(w):
    for i in range(1500):
        source = f"{w.away}:{w.random.randrange(65536):x}::1"
        w.syn(i * .002, source, w.host(), 80, b"", sport=w.port(),
              ttl=w.random.randrange(40, 190))
    w.want[ANY] = ("flood", {})
    w.never |= {"scan", "worm"}


# ---- coverage: what tools and worms send is found however it is captured

@scene("coverage", "4")
def mirai(w):
    n = w.some(8)
    for i in range(n):
        w.send(i, make.mirai(w.out(), w.dark(i), ttl=52))
    w.expect(w.out(), "worm", signature="mirai", targets=n)


@scene("coverage", "4")
def slammer(w):
    n = w.some(3)
    for i in range(n):
        w.send(i, make.udp(w.out(), w.dark(i), 1434, make.SLAMMER, ttl=110))
    w.expect(w.out(), "worm", signature="slammer", targets=n)


@scene("coverage", "4")
def one_probe_of_zmap_each(w):
    for i in range(w.some(10)):
        w.send(i * 60, make.tcp(
            w.out(i), w.dark(i), 23, sport=w.port(), seq=w.number(),
            window=65535, ident=54321, ttl=241 + i % 9))
        w.expect(w.out(i), "scan", signature="zmap")


@scene("coverage", "4")
def masscan(w):
    n = w.some(6)
    for i in range(n):
        w.send(i, make.masscan(w.out(), w.dark(i), 443, w.number()))
    w.expect(w.out(), "scan", signature="masscan", targets=n)


@scene("coverage")
def scan_by_windows(w):
    n = w.some(40)
    for i in range(n):
        w.syn(i, w.out(), w.dark(i), 2222, WINDOWS, 8192, ttl=115)
    w.expect(w.out(), "scan", targets=n, dport=2222)
