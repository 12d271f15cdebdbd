# SPDX-License-Identifier: ISC
"""Packets and capture files for the sensor's tests, made from bytes.  What a
worm signature matches is there; everything else is inert filler."""
import ipaddress
import socket
import struct
import time

DLT = {"ethernet": 1, "vlan": 1, "qinq": 1, "sll": 113,
       "sll2": 276, "raw": 101, "null": 0, "loop": 108}
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
SLAMMER = bytes([4]) + b"\1" * 96 + b"A" * 53 + bytes.fromhex(
    "81f10301049b81f101") + b"A" * 41 + b"sock" + b"A" * 16 + b"send"
SLAMMER += b"A" * (376 - len(SLAMMER))
WITTY = bytes([5, 0]) + b"A" * 100 + \
    b"(^.^)      insert witty message here      (^.^)" + b"A" * 700


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packed(address):
    return ipaddress.ip_address(address).packed


def ip(src, dst, proto, body, ident=7, ttl=64, frag=0):
    a, b = packed(src), packed(dst)
    if len(a) == 16:
        return struct.pack(">IHBB", 6 << 28, len(body), proto, ttl) + \
            a + b + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ident, frag, ttl,
                       proto, 0) + a + b
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return head + body


def upper(src, dst, proto, body, at):
    """Fills the checksum at `at`, over the pseudo-header."""
    pseudo = packed(src) + packed(dst) + struct.pack(">HH", proto, len(body))
    value = checksum(pseudo + body)
    return body[:at] + struct.pack(">H", value) + body[at + 2:]


def tcp(src, dst, dport, flags=SYN, sport=40000, seq=1, window=512,
        options=b"", ack=0, payload=b"", **more):
    body = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff,
                       ack & 0xffffffff, (20 + len(options)) // 4 << 4, flags,
                       window, 0, 0) + options + payload
    return ip(src, dst, 6, upper(src, dst, 6, body, 16), **more)


def udp(src, dst, dport, payload=b"", sport=40000, **more):
    body = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ip(src, dst, 17, upper(src, dst, 17, body, 6), **more)


def icmp(src, dst, kind, code=0, payload=b"", rest=0x10001, **more):
    body = struct.pack(">BBHI", kind, code, 0, rest) + payload
    body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
    return ip(src, dst, 1, body, **more)


def icmp6(src, dst, kind, code=0, payload=b"", rest=0x10001, **more):
    body = struct.pack(">BBHI", kind, code, 0, rest) + payload
    return ip(src, dst, 58, upper(src, dst, 58, body, 2), **more)


def is_six(address):
    return ":" in address


def echo(src, dst, rest, reply=False, payload=b"x" * 56, **more):
    if is_six(src):
        return icmp6(src, dst, 129 if reply else 128, 0, payload, rest, **more)
    return icmp(src, dst, 0 if reply else 8, 0, payload, rest, **more)


def unreachable(src, quote, **more):
    """A port that nobody listens to, as `src` tells the quoted packet's
    sender."""
    if quote[0] >> 4 == 6:
        back = str(ipaddress.ip_address(quote[8:24]))
        return icmp6(src, back, 1, 4, quote, 0, **more)
    back = str(ipaddress.ip_address(quote[12:16]))
    return icmp(src, back, 3, 3, quote, 0, **more)


def time_exceeded(src, quote, **more):
    if quote[0] >> 4 == 6:
        back = str(ipaddress.ip_address(quote[8:24]))
        return icmp6(src, back, 3, 0, quote, 0, **more)
    back = str(ipaddress.ip_address(quote[12:16]))
    return icmp(src, back, 11, 0, quote, 0, **more)


def ends(packet):
    """Source and destination of an IP packet."""
    at, size = (8, 16) if packet[0] >> 4 == 6 else (12, 4)
    return tuple(str(ipaddress.ip_address(packet[i:i + size]))
                 for i in (at, at + size))


def number(address):
    return int(ipaddress.ip_address(address))


def mirai(src, dst, dport=23, **more):
    return tcp(src, dst, dport, seq=number(dst), **more)


def masscan(src, dst, dport, seq):
    ident = (number(dst) ^ dport ^ seq) & 0xffff
    return tcp(src, dst, dport, seq=seq, window=1024, ttl=252, ident=ident)


def in_gre(packet, near="192.0.2.201", far="192.0.2.202"):
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return ip(near, far, 47, b"\0\0" + kind + packet)


def frame(link, packet, mac=b"\2\0\0\0\0\1"):
    """mac: whom an Ethernet frame is for."""
    six = packet[0] >> 4 == 6
    kind = b"\x86\xdd" if six else b"\x08\x00"
    macs = mac + b"\2\0\0\0\0\2"
    heads = {
        "ethernet": macs + kind,
        "vlan": macs + b"\x81\0\0\x64" + kind,
        "qinq": macs + b"\x88\xa8\0\x64\x81\0\0\x65" + kind,
        "sll": b"\0\0\0\1\0\6" + b"\2" + b"\0" * 7 + kind,
        "sll2": kind + b"\0\0\0\0\0\2\0\1\0\6" + b"\2" + b"\0" * 7,
        "raw": b"",
        "framed": b"",
        "null": struct.pack("<I", 30 if six else 2),
        "loop": struct.pack(">I", 24 if six else 2),
    }
    return heads[link] + packet


def carries(device, patience_s=60, must=True):
    """Waits until what is sent by a device leaves it: for a moment after its
    peer came up the kernel still drops it.  What it tries with is not IP."""
    def sent():
        with open("/proc/net/dev", encoding="ascii") as devices:
            for line in devices:
                name, _, counts = line.partition(":")
                if name.strip() == device:
                    return int(counts.split()[9])
        raise FileNotFoundError(device)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((device, 0))
        before, end = sent(), time.monotonic() + patience_s
        while sent() == before:
            if time.monotonic() > end and not must:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{device} does not send")
            out.send(b"\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5" + bytes(46))
            time.sleep(0.01)


def pcap(path, packets, link="ethernet", snaplen=65535, order="<", nano=False,
         start=1700000000.0, step=1.0, dlt=None):
    """packets: bytes, or (seconds after the start, bytes)."""
    magic = 0xa1b23c4d if nano else 0xa1b2c3d4
    scale = 10**9 if nano else 10**6
    with open(path, "wb") as out:
        out.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen,
                              DLT[link] if dlt is None else dlt))
        for i, packet in enumerate(packets):
            after = i * step
            if isinstance(packet, tuple):
                after, packet = packet
            data = frame(link, packet)
            at = start + after
            out.write(struct.pack(
                order + "IIII", int(at), int(round(at % 1 * scale)) % scale,
                min(snaplen, len(data)), len(data)))
            out.write(data[:snaplen])
    return path


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def pcapng(path, packets, link="ethernet", start=1700000000.0, step=1.0):
    with open(path, "wb") as out:
        out.write(block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0,
                                                -1)))
        out.write(block(1, struct.pack("<HHI", DLT[link], 0, 65535)))
        for i, packet in enumerate(packets):
            data = frame(link, packet)
            at = int((start + i * step) * 10**6)
            out.write(block(6, struct.pack("<IIIII", 0, at >> 32,
                                           at & 0xffffffff, len(data),
                                           len(data)) + data))
    return path
