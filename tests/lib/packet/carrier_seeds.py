#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""usage: carrier_seeds.py [tests/corpus]: writes the seeds of the fuzzers of
carriers and links again: each carrier and link, around one datagram, and the
carriers in one another a few deep."""
import os
import struct
import sys

import carrier_frames as make


def write(folder, parser, name, data):
    path = os.path.join(folder, parser)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as out:
        out.write(data)


def seed(folder, name, frame):
    """By what the frame's carrier stands in."""
    kind, body = make.kind_of(frame), frame[14:]
    if kind == make.IP4 and body[9] != 17:
        write(folder, "carrier_ip", name, bytes([body[9], 0]) + body[20:])
    elif kind in (make.IP4, make.IP6):
        head = 20 if kind == make.IP4 else 40
        proto = body[9] if kind == make.IP4 else body[6]
        if proto == 17:
            write(folder, "carrier_udp", name,
                  body[head + 2:head + 4] + b"\0" + body[head + 8:])
        else:
            write(folder, "carrier_ip", name, bytes([proto, 0]) + body[head:])
    else:
        write(folder, "carrier_frame", name, b"\0" + frame[12:])


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "tests/corpus"
    sources = ("203.0.113.9", "2001:db8:1::9")
    for name, (wrap, _) in make.CARRIERS.items():
        for version, source in zip((4, 6), sources):
            frame = wrap(make.datagram(
                source, "198.51.100.9" if version == 4 else "2001:db8:2::9"))
            if frame is not None:
                seed(folder, f"{name}-{version}", frame)
    for names in (("vxlan", "gre-ethernet", "mpls", "ipip"),
                  ("pppoe", "gtp", "6in4"), ("802.1ah", "snap", "gre"),
                  ("erspan-3", "qinq", "geneve", "l2tp"),
                  ("mpls-ethernet", "trill", "vxlan-gpe", "nsh")):
        frame = make.datagram("203.0.113.9", "198.51.100.9")
        if "6in4" in names:
            frame = make.datagram("2001:db8:1::9", "2001:db8:2::9")
        for name in reversed(names):
            frame = make.CARRIERS[name][0](frame)
        seed(folder, "-".join(names), frame)
    for name, (link, wrap) in make.LINKS.items():
        frame = wrap(make.datagram("203.0.113.9", "198.51.100.9"))
        write(folder, "link_types", name,
              struct.pack("!H", link) + b"\0" + frame)


if __name__ == "__main__":
    main()
