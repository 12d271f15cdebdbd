# SPDX-License-Identifier: ISC
"""Captures as streams: what worms write on their standard output is dealt out
to one FIFO for each dark prefix, so that sensors without privilege see it as
it happens."""
import ipaddress
import os
import struct
import subprocess
import threading

HEADER = 24                 # of a capture file
RECORD = struct.Struct("=IIII")


class Streams:
    """fifos: {dark prefix: path}; made here, fed until stop()."""

    def __init__(self, fifos):
        self.open = {}
        self.lock = threading.Lock()
        self.worms = []
        self.threads = []
        self.started = set()
        for prefix, path in fifos.items():
            os.mkfifo(path)
            # Opened for both, so that nobody waits for the other end and the
            # stream does not end before the demo does.
            self.open[ipaddress.ip_network(prefix)] = os.open(
                path, os.O_RDWR | os.O_NONBLOCK)

    def add(self, command):
        """Starts a program that writes a capture to its standard output."""
        worm = subprocess.Popen(command, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        self.worms.append(worm)
        thread = threading.Thread(target=self._deal, args=(worm.stdout,),
                                  daemon=True)
        thread.start()
        self.threads.append(thread)

    def begin(self, header):
        """Each FIFO gets a capture's header once, before its packets."""
        with self.lock:
            for fd in self.open.values():
                if fd not in self.started:
                    os.write(fd, header)
                    self.started.add(fd)

    def _deal(self, stream):
        header = stream.read(HEADER)
        if len(header) < HEADER:
            return
        self.begin(header)
        while len(head := stream.read(RECORD.size)) == RECORD.size:
            body = stream.read(RECORD.unpack(head)[2])
            self._give(head + body, body)

    def _give(self, record, packet):
        target = ipaddress.ip_address(packet[16:20])
        for prefix, fd in self.open.items():
            if target in prefix:
                with self.lock:
                    try:
                        os.write(fd, record)    # atomic: below PIPE_BUF
                    except BlockingIOError:
                        pass                    # a full pipe loses packets

    def stop(self):
        for worm in self.worms:
            worm.terminate()
            worm.wait()
        for thread in self.threads:
            thread.join(2)
        for fd in self.open.values():
            os.close(fd)
