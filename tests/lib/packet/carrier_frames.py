# SPDX-License-Identifier: ISC
"""Writes frames in carriers.  A carrier is a function from an Ethernet frame to
one that carries it, or to None where it cannot; a link is a function from an
Ethernet frame to the octets of another link type.  The ends of a carrier are
192.0.2.1 and 192.0.2.2 (2001:db8::1 and ::2)."""
import socket
import struct

MACS = bytes.fromhex("00005e00530200005e005301")
ENDS = ("192.0.2.1", "192.0.2.2")
ENDS6 = ("2001:db8::1", "2001:db8::2")
IP4, IP6, MPLS = 0x0800, 0x86dd, 0x8847


def address(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(src, dst, proto, payload):
    if ":" in src:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + \
            address(src) + address(dst) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64,
                       proto, 0) + address(src) + address(dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def ethernet(kind, payload, macs=MACS):
    return macs + struct.pack("!H", kind) + payload


def datagram(src, dst):
    """An ordinary one, in an Ethernet frame."""
    kind = IP6 if ":" in src else IP4
    return ethernet(kind, ip(src, dst, 17, udp(40000, 9, b"quiet!")))


def kind_of(frame):
    return struct.unpack("!H", frame[12:14])[0]


def packet_of(frame):
    """The IP packet in a frame, or None."""
    return frame[14:] if kind_of(frame) in (IP4, IP6) else None


def in_ip(proto, header, ends=ENDS):
    """Header and what it carries, in an IP packet in a frame."""
    def wrap(frame):
        inside = header(frame)
        if inside is None:
            return None
        kind = IP6 if ":" in ends[0] else IP4
        return ethernet(kind, ip(*ends, proto, inside))
    return wrap


def in_udp(port, header, ends=ENDS):
    def inside(frame):
        body = header(frame)
        return None if body is None else udp(50000, port, body)
    return in_ip(17, inside, ends)


def whole(text):
    """A header before the whole frame."""
    return lambda frame: bytes.fromhex(text) + frame


def typed(before, after=""):
    """A header with the frame's type in it, before what that type has."""
    def wrap(frame):
        if kind_of(frame) < 0x600:
            return None  # a length
        return bytes.fromhex(before) + frame[12:14] + bytes.fromhex(after) + \
            frame[14:]
    return wrap


def packet(header, version=None):
    """A header (or one for each version) before an IP packet alone."""
    def wrap(frame):
        inner = packet_of(frame)
        if inner is None or version not in (None, inner[0] >> 4):
            return None
        head = header(inner) if callable(header) else bytes.fromhex(header)
        return head + inner
    return wrap


def tagged(text):
    """A tag between addresses and type."""
    return lambda frame: frame[:12] + bytes.fromhex(text) + frame[12:]


def under(kind, header):
    def wrap(frame):
        body = header(frame)
        return None if body is None else ethernet(kind, body)
    return wrap


def ppp(inner):
    return b"\0\x21" if inner[0] >> 4 == 4 else b"\0\x57"


def snap(frame):
    body = typed("aaaa03000000")(frame)
    return None if body is None or len(body) > 1500 else \
        frame[:12] + struct.pack("!H", len(body)) + body


def checked_gre(frame):
    body = typed("a000", "0000000000000007")(frame)
    return None if body is None else body[:4] + struct.pack("!H", checksum(body)) + body[6:]


def gtp(more=""):
    def head(inner):
        extra = bytes.fromhex(more)
        flags = 0x34 if more else 0x30
        return struct.pack("!BBHI", flags, 255, len(inner) + len(extra),
                           7) + extra
    return packet(head)


# name: (carrier, does tshark look into it as it comes)
CARRIERS = {
    "vlan": (tagged("8100000a"), True),
    "qinq": (tagged("88a8000a8100000b"), True),
    "802.1BR": (tagged("893f000100020000"), True),
    "802.1ah": (under(0x88e7, whole("00000001")), True),
    "snap": (snap, True),
    "mpls": (under(MPLS, packet("0006404000065140")), True),
    "mpls-ethernet": (under(MPLS, whole("0006514000000001")), False),
    "pppoe": (under(0x8864, packet(lambda inner: struct.pack(
        "!BBHH", 0x11, 0, 1, len(inner) + 2) + ppp(inner))), True),
    "trill": (under(0x22f3, whole("003f00010002")), True),
    "nsh": (under(0x894f, whole("0fc2020300000aff")), True),
    "ipip": (in_ip(4, packet("", 4)), True),
    "6in4": (in_ip(41, packet("", 6)), True),
    "4in6": (in_ip(4, packet("", 4), ENDS6), True),
    "6in6": (in_ip(41, packet("", 6), ENDS6), True),
    "gre": (in_ip(47, typed("0000")), True),
    "gre-in-6": (in_ip(47, typed("0000"), ENDS6), True),
    "gre-checked": (in_ip(47, checked_gre), True),
    "gre-sequence": (in_ip(47, typed("1000", "00000001")), True),
    "gre-ethernet": (in_ip(47, whole("200065580000002a")), True),
    "pptp": (in_ip(47, packet(lambda inner: struct.pack(
        "!HHHHI", 0x3001, 0x880b, len(inner) + 4, 7, 1) +
        b"\xff\x03" + ppp(inner))), True),
    "erspan-1": (in_ip(47, whole("000088be")), True),
    "erspan-2": (in_ip(47, whole("100088be000000011001000100000000")), True),
    "erspan-3": (in_ip(47, whole(
        "100022eb00000001" "200100010000000000000000")), True),
    "etherip": (in_ip(97, whole("3000")), True),
    "mpls-in-ip": (in_ip(137, packet("00065140")), True),
    "l2tpv3": (in_ip(115, whole("00000001" "11223344")), False),
    "vxlan": (in_udp(4789, whole("0800000000002a00")), True),
    "vxlan-in-6": (in_udp(4789, whole("0800000000002a00"), ENDS6), True),
    "vxlan-gpe": (in_udp(4790, whole("0c00000300002a00")), True),
    "geneve": (in_udp(6081, whole("0000655800002a00")), True),
    "geneve-options": (in_udp(6081, whole(
        "0240655800002a00" "0101800100000007")), True),
    "geneve-typed": (in_udp(6081, typed("0000", "00002a00")), True),
    "gtp": (in_udp(2152, gtp()), True),
    "gtp-extended": (in_udp(2152, gtp("00000085" "01100100")), True),
    "tzsp": (in_udp(37008, whole("01000001" "0a01d8" "01")), True),
    "l2tp": (in_udp(1701, packet(lambda inner: bytes.fromhex(
        "000200010001ff03") + ppp(inner))), True),
    "l2tpv3-udp": (in_udp(1701, whole("0003000000000001")), False),
    "mpls-in-udp": (in_udp(6635, packet("00065140")), True),
    "lisp": (in_udp(4341, packet("c000000100000001")), True),
}


def wireless(frame):
    body = typed("aaaa03000000")(frame)
    return None if body is None else bytes.fromhex("08020000") + \
        frame[:6] + frame[6:12] + frame[6:12] + b"\0\0" + body


def nflog(frame):
    inner = packet_of(frame)
    if inner is None:
        return None
    family = 2 if inner[0] >> 4 == 4 else 10
    return bytes([family, 0, 0, 0]) + struct.pack(
        "<HH", 4 + len(inner), 9) + inner + b"\0" * (-len(inner) % 4)


def pflog(frame):
    inner = packet_of(frame)
    if inner is None:
        return None
    return bytes([61, 2 if inner[0] >> 4 == 4 else 24]) + bytes(58) + \
        b"\1\0\0\0" + inner


RADIOTAP = bytes.fromhex("00000a0006000000") + b"\0\2"
# name: (number in a capture file, link)
LINKS = {
    "ethernet": (1, lambda frame: frame),
    "ppp": (9, packet(lambda inner: b"\xff\3" + ppp(inner))),
    "ppp-serial": (50, typed("0f00")),
    "ppp-ether": (51, packet(lambda inner: struct.pack(
        "!BBHH", 0x11, 0, 1, len(inner) + 2) + ppp(inner))),
    "ppp-directed": (204, packet(lambda inner: b"\1\xff\3" + ppp(inner))),
    "hdlc": (104, typed("0f00")),
    "relay": (107, typed("18410300" "80000000")),
    "raw": (101, packet("")),
    "sll": (113, typed("00000001000600005e0053010000")),
    "null": (0, packet(lambda inner: struct.pack(
        "<I", 2 if inner[0] >> 4 == 4 else 24))),
    "802.11": (105, wireless),
    "radiotap": (127, lambda frame: RADIOTAP + wireless(frame)),
    "nflog": (239, nflog),
    "pflog": (117, pflog),
    "juniper": (178, whole("4d474381" "0006040201000301")),
    "juniper-ppp": (179, packet(lambda inner: b"MGC\1\xff\3" + ppp(inner))),
    "atm": (100, typed("aaaa03000000")),
}


def write_capture(path, link, frames):
    """frames: octets, or (octets, captured), or (octets, captured, sent)."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144,
                              link))
        for i, frame in enumerate(frames):
            data, *sizes = frame if isinstance(frame, tuple) else (frame,)
            size = sizes[0] if sizes else len(data)
            sent = sizes[1] if len(sizes) > 1 else len(data)
            out.write(struct.pack("<IIII", 1700000000 + i, 0, size,
                                  max(sent, size)) + data[:size])


def read_capture(data):
    """(link, frames as write_capture takes them) of a classic capture, as far
    as it goes."""
    orders = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<",
              b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
    order = orders.get(data[:4])
    if order is None or len(data) < 24:
        return 0, []
    link = struct.unpack(order + "I", data[20:24])[0] & 0xffff
    frames, pos = [], 24
    while pos + 16 <= len(data):
        size, wire = struct.unpack(order + "II", data[pos + 8:pos + 16])
        if size > 262144 or pos + 16 + size > len(data):
            break
        frames.append((data[pos + 16:pos + 16 + size], size, wire))
        pos += 16 + size
    return link, frames
