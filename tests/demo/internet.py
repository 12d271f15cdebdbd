# SPDX-License-Identifier: ISC
"""The two internets that the demo can run on, behind one face: where agents
run, what they watch, how worms get out."""
import os
import subprocess

import lab
import relay
import streams

WORMS = {
    "slammer": ["--sources", "180", "--doubling", "4s", "--rate", "1"],
    "mirai": ["--sources", "120", "--doubling", "6s", "--rate", "0.7"],
}
BOUNDS = ["--for", "45s", "--max-packets", "12000"]
NOISE = ["--sources", "3", "--seeds", "3", "--rate", "0.2", "--for", "15m",
         "--max-packets", "1000"]


def worm_options(shape, extra):
    return ["--shape", shape, "--from", lab.SITES[shape][1], *extra,
            *[dark for _, _, dark in lab.AGENTS.values()]]


def mesh():
    """agent -> the other agents' addresses"""
    own = {a: lab.addresses_on(lan)[1] for a, (_, lan, _) in
           lab.AGENTS.items()}
    return {a: [x for b, x in own.items() if b != a] for a in own}


class LabInternet:
    """Namespaces and real packets; needs root."""

    routers_expected = 20

    def __init__(self, build, _folder, port):
        self.build = build
        self.port = port
        self.lab = lab.Lab(f"sonde{os.getpid()}", f"{build}/demo/wire")
        self.relay = None
        self.slow_link = None

    missing = staticmethod(lab.Lab.missing)

    def __enter__(self):
        self.lab.__enter__()
        try:
            self.relay = relay.Relay([self.lab.ns(a) for a in lab.AGENTS],
                                     self.port)
        except BaseException:
            self.lab.__exit__()
            raise
        self.slow_link = self.lab.slow_link
        return self

    def __exit__(self, *_):
        if self.relay:
            self.relay.stop()
        self.lab.__exit__()

    def command(self, agent, words):
        return ["ip", "netns", "exec", self.lab.ns(agent), *words]

    @staticmethod
    def agent_config(_agent):
        return 'sensor-interfaces = {"dark0"}\n'

    def noise(self):
        self._worm("slammer", NOISE)

    def release(self, shape):
        self._worm(shape, WORMS[shape] + BOUNDS)

    def _worm(self, shape, extra):
        self.lab.spawn(shape, [f"{self.build}/demo/worm",
                               *worm_options(shape, extra)],
                       stderr=subprocess.DEVNULL)


def simulated_map():
    """The lab's map in the words of sonde-sim(5), and its slow link."""
    lines = ["seed 11", "start now", "default router ecmp 5-tuple"]
    slow = None
    gateways = {}
    for router, lan in [(r, n) for r, n, _ in lab.AGENTS.values()] + \
            list(lab.SITES.values()):
        gateways.setdefault(router, []).append(lab.addresses_on(lan)[0])
    links = list(lab.numbered_links())
    for router in lab.ROUTERS:
        own = gateways.get(router) or [
            ends[router == b] for a, b, ends, _, _ in links
            if router in (a, b)][:1]
        limit = " limit 1/s burst 6" if router == lab.RATE_LIMITED else ""
        lines.append(f"router {router} {' '.join(own)}{limit}")
    for agent, (router, lan, _) in lab.AGENTS.items():
        gateway, own = lab.addresses_on(lan)
        lines.append(f"vantage {agent} {own}/24")
        lines.append(f"link {agent} {router} addr {own} {gateway} "
                     "delay 0.1ms jitter 0.1ms")
    for a, b, ends, _, wire in links:
        how = "delay 0.2ms jitter 0.1ms"
        if wire is lab.SLOW:
            how, slow = "delay 35ms jitter 3ms", ends
        elif wire is lab.LOSSY:
            how = "delay 2ms jitter 1ms loss 0.06"
        lines.append(f"link {a} {b} addr {ends[0]} {ends[1]} {how}")
    return "\n".join(lines) + "\n", slow


class SimulatedInternet:
    """The same map as a file for --net sim:, and worms as capture streams:
    no privilege at all."""

    routers_expected = 20

    def __init__(self, build, folder, _port):
        self.build = build
        self.folder = folder
        self.map = f"{folder}/internet.sim"
        self.streams = None
        self.slow_link = None

    def __enter__(self):
        text, self.slow_link = simulated_map()
        with open(self.map, "w", encoding="ascii") as to:
            to.write(text)
        self.streams = streams.Streams(
            {dark: self._stream(agent)
             for agent, (_, _, dark) in lab.AGENTS.items()})
        self._worm("slammer", NOISE)        # a sensor waits for its header
        return self

    def __exit__(self, *_):
        self.streams.stop()

    def _stream(self, agent):
        return f"{self.folder}/{agent}.pcap"

    @staticmethod
    def command(_agent, words):
        return words

    def agent_config(self, agent):
        return (f'net = "sim:{self.map}@{agent}"\n'
                f'sensor-interfaces = {{"file:{self._stream(agent)}"}}\n')

    def noise(self):
        """It is there from the start."""

    def release(self, shape):
        self._worm(shape, WORMS[shape] + BOUNDS)

    def _worm(self, shape, extra):
        self.streams.add([f"{self.build}/demo/worm", "--pcap", "-",
                          *worm_options(shape, extra)])
