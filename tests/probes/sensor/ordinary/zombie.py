#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""usage: zombie.py DEVICE ADDRESS
A host whose IP identification counts its packets, as an idle scan needs one:
answers ARP for the address, echo requests, and a SYN or SYN+ACK with RST."""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from sensor_packets import checksum, upper

device, address = sys.argv[1:]
mine = socket.inet_aton(address)
with open(f"/sys/class/net/{device}/address") as file:
    mac = bytes.fromhex(file.read().strip().replace(":", ""))
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.bind((device, 0))
identification = 1000


def answer(to, proto, src, body):
    global identification
    identification += 1
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), identification,
                       0, 64, proto, 0) + mine + src
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    link.send(to + mac + b"\x08\0" + head + body)


def reset(to, src, segment):
    sport, dport, seq, ack, _, flags = struct.unpack(">HHIIBB", segment[:14])
    if flags & 4:
        return
    number, flag = (ack, 4) if flags & 16 else (0, 20)
    body = struct.pack(">HHIIBBHHH", dport, sport, number,
                       0 if flags & 16 else seq + 1 & 0xffffffff, 80, flag, 0,
                       0, 0)
    answer(to, 6, src, upper(address, socket.inet_ntoa(src), 6, body, 16))


while True:
    frame = link.recv(2000)
    to, kind, body = frame[6:12], frame[12:14], frame[14:]
    if kind == b"\x08\x06" and body[6:8] == b"\0\1" and body[24:28] == mine:
        link.send(to + mac + b"\x08\x06" + body[:6] + b"\0\2" + mac + mine +
                  body[8:18])
    if kind != b"\x08\0" or body[16:20] != mine:
        continue
    src, rest = body[12:16], body[(body[0] & 15) * 4:]
    if body[9] == 6 and len(rest) >= 20:
        reset(to, src, rest)
    elif body[9] == 1 and rest[:1] == b"\x08":
        # Type 8 became 0: the sum grows by what the type lost.
        echo = b"\0\0\0\0" + rest[4:]
        answer(to, 1, src, echo[:2] + struct.pack(">H", checksum(echo)) +
               echo[4:])
