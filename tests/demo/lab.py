# SPDX-License-Identifier: ISC
"""A lab internet of network namespaces: five providers, twenty kernel routers,
ECMP diamonds, a rate-limited router, a slow and a lossy wire, five vantage
points with dark prefixes, two sites that will be infected.

The map is data (ROUTERS, LINKS, SITES); everything else is derived from it:
addresses, shortest paths with equal-cost next hops, the ip(8) batches.  The
addresses are of 11.0.0.0/8, which nothing in the lab can leave.
"""
import heapq
import ipaddress
import os
import subprocess

# Router: provider's second octet.
ROUTERS = {
    **{f"aurora{i}": 1 for i in (1, 2, 3, 4)},
    **{f"boreal{i}": 2 for i in (1, 2, 3, 4)},
    **{f"cirrus{i}": 3 for i in (1, 2, 3, 4, 5, 6)},
    **{f"delta{i}": 4 for i in (1, 2, 3)},
    **{f"ember{i}": 5 for i in (1, 2, 3)},
}
RATE_LIMITED = "cirrus5"

# (one end, other end, wire options or None for a plain veth)
SLOW = ["--delay", "35ms", "--jitter", "3ms"]
LOSSY = ["--delay", "2ms", "--jitter", "1ms", "--loss", "0.06"]
LINKS = [
    ("aurora1", "aurora2", None), ("aurora1", "aurora3", None),
    ("aurora2", "aurora4", None), ("aurora3", "aurora4", None),
    ("boreal1", "boreal2", None), ("boreal1", "boreal3", None),
    ("boreal2", "boreal4", None), ("boreal3", "boreal4", None),
    ("cirrus1", "cirrus2", None), ("cirrus1", "cirrus3", None),
    ("cirrus2", "cirrus4", None), ("cirrus3", "cirrus4", None),
    ("cirrus4", "cirrus5", None), ("cirrus5", "cirrus6", None),
    ("delta1", "delta2", SLOW), ("delta2", "delta3", None),
    ("ember1", "ember2", LOSSY), ("ember2", "ember3", None),
    ("aurora4", "cirrus1", None), ("boreal4", "cirrus4", None),
    ("delta1", "cirrus4", None), ("ember1", "cirrus1", None),
]

# Vantage point: (router, LAN, dark prefix)
AGENTS = {
    "oslo": ("aurora1", "11.1.100.0/24", "11.101.0.0/20"),
    "porto": ("boreal1", "11.2.100.0/24", "11.102.0.0/20"),
    "quito": ("cirrus6", "11.3.100.0/24", "11.103.0.0/20"),
    "riga": ("delta3", "11.4.100.0/24", "11.104.0.0/20"),
    "seoul": ("ember3", "11.5.100.0/24", "11.105.0.0/20"),
}
# Site whose hosts get infected: (router, prefix)
SITES = {
    "slammer": ("boreal2", "11.66.0.0/22"),
    "mirai": ("delta2", "11.77.0.0/22"),
}


def numbered_links():
    """(one end, other end, their addresses, their network, wire)."""
    numbers = dict.fromkeys(ROUTERS.values(), 0)
    for a, b, wire in LINKS:
        provider = ROUTERS[a]
        net = ipaddress.ip_network(f"11.{provider}.{numbers[provider]}.0/30")
        numbers[provider] += 1
        yield a, b, (str(net[1]), str(net[2])), str(net), wire


def addresses_on(lan):
    """(gateway, host) of a LAN."""
    net = ipaddress.ip_network(lan)
    return str(net[1]), str(net[10])


class Lab:
    """Builds the lab on entry, takes every trace of it away on exit."""

    def __init__(self, tag, wire):
        self.tag = tag          # distinguishes two labs on one machine
        self.wire = wire        # path of the wire program
        self.processes = []
        self.namespaces = []
        self.batches = {}       # namespace -> ip(8) lines
        self.edges = {}         # router -> {neighbour: [(via, device)]}
        self.slow_link = self.lossy_link = None

    def ns(self, node):
        return f"{self.tag}-{node}"

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", name], check=False,
                           stderr=subprocess.DEVNULL)

    def spawn(self, node, command, **how):
        """Starts a command in a node's namespace; it ends with the lab."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.ns(node), *command], **how)
        self.processes.append(process)
        return process

    def _link(self, a, b, ends, wire):
        """A veth pair between two routers, or two with a wire between."""
        dev_a, dev_b = f"to-{b}"[:15], f"to-{a}"[:15]
        if wire is None:
            self._ip(f"link add {dev_a} netns {self.ns(a)} type veth "
                     f"peer name {dev_b} netns {self.ns(b)}")
        else:
            middle = f"wire-{a}"
            self._namespace(middle)
            for node, dev, end in ((a, dev_a, "left"), (b, dev_b, "right")):
                self._ip(f"link add {dev} netns {self.ns(node)} type veth "
                         f"peer name {end} netns {self.ns(middle)}")
                self._later(middle, f"link set {end} up")
        for node, dev, own in ((a, dev_a, ends[0]), (b, dev_b, ends[1])):
            self._later(node, f"addr add {own}/30 dev {dev}")
            self._later(node, f"link set {dev} up")
        self.edges.setdefault(a, {})[b] = (ends[1], dev_a)
        self.edges.setdefault(b, {})[a] = (ends[0], dev_b)

    def _build(self):
        for router in ROUTERS:
            self._namespace(router)
        wires = []
        prefixes = []           # (router, prefix) to be routed everywhere
        for a, b, ends, net, wire in numbered_links():
            self._link(a, b, ends, wire)
            prefixes.append((a, net))
            if wire:
                wires.append((f"wire-{a}", wire))
            if wire is SLOW:
                self.slow_link = ends
            if wire is LOSSY:
                self.lossy_link = ends
        for agent, (router, lan, dark) in AGENTS.items():
            self._attach(agent, router, lan, prefixes)
            self._attach_dark(agent, router, dark, prefixes)
        for site, (router, lan) in SITES.items():
            self._attach(site, router, lan, prefixes)
        self._route(prefixes)
        self._commit()
        for node, options in wires:
            self.spawn(node, [self.wire, *options, "left", "right"])

    def _attach(self, host, router, lan, prefixes):
        """A host on a LAN of its own behind a router."""
        self._namespace(host)
        gateway, own = addresses_on(lan)
        length = ipaddress.ip_network(lan).prefixlen
        self._ip(f"link add lan-{host} netns {self.ns(router)} type veth "
                 f"peer name eth0 netns {self.ns(host)}")
        self._later(router, f"addr add {gateway}/{length} "
                            f"dev lan-{host}")
        self._later(router, f"link set lan-{host} up")
        self._later(host, f"addr add {own}/{length} dev eth0")
        self._later(host, "link set eth0 up")
        self._later(host, f"route add default via {gateway}")
        prefixes.append((router, lan))

    def _attach_dark(self, agent, router, dark, prefixes):
        """A prefix that nobody lives in, delivered to the agent's sensor."""
        index = list(AGENTS).index(agent)
        gateway, own = f"11.100.{index}.1", f"11.100.{index}.2"
        self._ip(f"link add dark-{agent} netns {self.ns(router)} type veth "
                 f"peer name dark0 netns {self.ns(agent)}")
        self._later(router, f"addr add {gateway}/30 dev dark-{agent}")
        self._later(router, f"link set dark-{agent} up")
        self._later(router, f"route add {dark} via {own}")
        self._later(agent, f"addr add {own}/30 dev dark0")
        self._later(agent, "link set dark0 up")
        prefixes.append((router, dark))

    def _route(self, prefixes):
        """Every router learns every prefix, by all shortest paths."""
        distance = {r: self._distances(r) for r in ROUTERS}
        for router in ROUTERS:
            for home, prefix in prefixes:
                if home == router or self._is_connected(router, prefix):
                    continue
                hops = [
                    hop for neighbour, hop in self.edges[router].items()
                    if neighbour in ROUTERS and
                    distance[neighbour][home] + 1 == distance[router][home]]
                nexthops = " ".join(
                    f"nexthop via {via} dev {dev}" for via, dev in hops)
                self._later(router, f"route add {prefix} {nexthops}")

    def _is_connected(self, router, prefix):
        net = ipaddress.ip_network(prefix)
        return any(ipaddress.ip_address(via) in net
                   for via, _ in self.edges[router].values())

    def _distances(self, start):
        found = {start: 0}
        heap = [(0, start)]
        while heap:
            cost, at = heapq.heappop(heap)
            for neighbour in self.edges[at]:
                if neighbour not in found:
                    found[neighbour] = cost + 1
                    heapq.heappush(heap, (cost + 1, neighbour))
        return found

    def _namespace(self, node):
        name = self.ns(node)
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.namespaces.append(name)
        self._later(node, "link set lo up")
        settings = {
            "net/ipv4/icmp_ratelimit": 1000 if node == RATE_LIMITED else 0,
            "net/ipv4/conf/all/rp_filter": 0,
            "net/ipv4/conf/default/rp_filter": 0,
            "net/ipv6/conf/all/disable_ipv6": 1,
            "net/ipv6/conf/default/disable_ipv6": 1,
        }
        if node in ROUTERS:
            settings |= {
                "net/ipv4/ip_forward": 1,
                "net/ipv4/fib_multipath_hash_policy": 1,
                "net/ipv4/icmp_errors_use_inbound_ifaddr": 1,
            }
        script = "".join(f"echo {value} >/proc/sys/{key};"
                         for key, value in settings.items())
        subprocess.run(["ip", "netns", "exec", name, "sh", "-c", script],
                       check=True)

    def _later(self, node, line):
        self.batches.setdefault(node, []).append(line)

    def _commit(self):
        for node, lines in self.batches.items():
            subprocess.run(["ip", "-n", self.ns(node), "-batch", "-"],
                           input="\n".join(lines), text=True, check=True)

    @staticmethod
    def _ip(line):
        subprocess.run(["ip", *line.split()], check=True)

    @staticmethod
    def missing():
        """Why this machine cannot build the lab, or None."""
        if os.geteuid() != 0:
            return "not root"
        probe = f"sonde-try-{os.getpid()}"
        done = subprocess.run(["ip", "netns", "add", probe], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            return "network namespaces: " + done.stderr.strip()
        subprocess.run(["ip", "netns", "del", probe], check=False)
        return None
