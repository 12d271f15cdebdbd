# SPDX-License-Identifier: ISC
"""The two internets that the demo can run on, behind one face: where agents
run, what they watch, how worms get out."""
import os
import subprocess
import threading

import lab
import relay

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

    @staticmethod
    def mesh():
        """agent -> the other agents' addresses"""
        own = {a: lan.replace("0/24", "10")
               for a, (_, lan, _) in lab.AGENTS.items()}
        return {a: [x for b, x in own.items() if b != a] for a in own}

    def noise(self):
        self._worm("slammer", NOISE)

    def release(self, shape):
        self._worm(shape, WORMS[shape] + BOUNDS)

    def _worm(self, shape, extra):
        self.lab.spawn(shape, [f"{self.build}/demo/worm",
                               *worm_options(shape, extra)],
                       stderr=subprocess.DEVNULL)


class SimulatedInternet:
    """The same map as a file for --net sim: and worms as capture streams."""

    routers_expected = 20

    def __init__(self, build, folder, _port):
        self.build = build
        self.folder = folder
        self.worms = []
        self.slow_link = None
