# SPDX-License-Identifier: ISC
"""Networks that are not as one would wish, and what is true in each.

A row of a case is (attempt of a ping or TTL of a trace, outcome, from whom):
a hop's number, T the target, O another address of its, G the gateway.
"""
import struct

import tun_internet as tun
from tun_internet import FAR, Network, Probe

NETWORKS = {}
ALL = ("icmp", "udp", "tcp")
WAY = [(1, "hop", 1), (2, "hop", 2), (3, "hop", 3)]
REACHED = WAY + [(4, "answered", "T")]
PINGERS = {"icmp": ("ping", "fping")}
TRACERS = {method: ("traceroute",) for method in ALL}
# Who is answered does not wait: those waits are for busy machines.
PATIENT = "-c 3 -i 30ms -w 3s"
TIMES = "-c 3 -i 30ms -w 1500ms --late 50ms"
LONG_TIMES = "-c 3 -i 30ms -w 3s --late 50ms"


class Case:
    def __init__(self, script, rows, options="", methods=ALL, reached=True,
                 stop="completed", duplicates=(0,), remarks=(0,),
                 judges=None, see=None, late=()):
        self.script, self.rows, self.options = script, rows, options
        self.methods, self.reached, self.stop = methods, reached, stop
        # How many there may be: after a ping's last answer nobody listens.
        self.duplicates, self.remarks = duplicates, remarks
        self.see, self.judges = see, judges or {}
        self.late = list(late)  # TTLs, or attempts, of what comes so


def ping(outcome, who, options=None, **how):
    options = options or (PATIENT if outcome == "answered" else
                          TIMES if outcome == "silent" else LONG_TIMES)
    count = int(options.split()[1])
    how.setdefault("reached", outcome in ("answered", "late"))
    return Case("ping", [(n + 1, outcome, who) for n in range(count)],
                options, **how)


def trace(rows, options="-w 3s", **how):
    how.setdefault("reached", how.get("stop", "completed") == "completed")
    return Case("trace", rows, options, **how)


def network(cls):
    name = "".join(("-" + c.lower()) if c.isupper() else c
                   for c in cls.__name__).lstrip("-")
    NETWORKS[name] = cls
    return cls


@network
class Ordinary(Network):
    cases = [ping("answered", "T", judges=PINGERS),
             trace(REACHED, judges=TRACERS),
             trace([(10, "answered", "T")], "--first-ttl 10 -w 3s"),
             ping("hop", 2, TIMES + " -t 2")]


@network
class Redirect(Network):
    """The gateway advises another, and passes the probe on."""
    cases = [ping("answered", "T", remarks=(3,), judges=PINGERS),
             trace(REACHED, remarks=(4,))]

    def packet(self, probe):
        return [(0.001, probe.redirect())] + super().packet(probe)


@network
class RedirectAfter(Network):
    """It comes when all is known."""
    cases = [ping("answered", "T", remarks=(2, 3))]

    def packet(self, probe):
        return self.answered(probe) + [(0.015, probe.redirect())]


@network
class RedirectOnly(Network):
    """Advice, and nothing else: the probe is lost."""
    cases = [ping("silent", None, remarks=(3,))]

    def packet(self, probe):
        return [(0.001, probe.redirect())]


@network
class Quench(Network):
    """The target asks for less, and answers."""
    families = (4,)
    cases = [ping("answered", "T", remarks=(3,))]

    def beyond(self, probe):
        return [(0.001, probe.error("quench"))] + super().beyond(probe)


def rejecting(name, says, at, families=(4, 6)):
    """Router `at` refuses all, with this code."""
    def packet(self, probe):
        if probe.ttl < at:
            return self.on_way(probe)
        return [(0.004, probe.error(says, by=at))]
    rows = [(n, "hop", n) for n in range(1, at)] + [(at, "rejected", at)]
    NETWORKS[name] = type(name, (Network,), {
        "packet": packet, "families": families,
        "cases": [ping("rejected", at, reached=False, judges=PINGERS),
                  trace(rows, stop="unreachable")]})


rejecting("gateway-rejects", "port", 1)
rejecting("router-rejects", "port", 2)
rejecting("router-forbids", "filter", 3)
rejecting("host-unreachable", "host", 3)
rejecting("net-unreachable", "net", 2)
rejecting("protocol-unreachable", "protocol", 2, (4,))
rejecting("reject-route", "reject-route", 2, (6,))
rejecting("parameter-problem", "parameter", 2)


@network
class TargetRejects(Network):
    """The target itself forbids it: it is there, and does not answer."""
    cases = [ping("rejected", "T", reached=False),
             trace(WAY + [(4, "rejected", "T")], stop="unreachable")]

    def beyond(self, probe):
        return [(0.008, probe.error("filter"))]


@network
class TargetPort(Network):
    """The target's packet filter says port unreachable to whatever."""
    cases = [ping("rejected", "T", methods=("icmp", "tcp"), reached=False),
             trace(WAY + [(4, "rejected", "T")], methods=("icmp", "tcp"))]

    def beyond(self, probe):
        return [(0.008, probe.error("port"))]


@network
class ErrorThenAnswer(Network):
    """A router gives the target up, and the target answers all the same."""
    cases = [ping("answered", "T", remarks=(3,), judges={"icmp": ("fping",)})]

    def beyond(self, probe):
        return [(0.001, probe.error("host", by=3))] + super().beyond(probe)


@network
class AnswerThenError(Network):
    cases = [ping("answered", "T", remarks=(2, 3)),
             trace(REACHED)]

    def beyond(self, probe):
        return self.answered(probe) + [(0.016, probe.error("host", by=3))]


@network
class TwoErrors(Network):
    """Two routers refuse; the first that said so stands."""
    cases = [ping("rejected", 2, remarks=(3,), reached=False)]

    def beyond(self, probe):
        return [(0.002, probe.error("host", by=2)),
                (0.006, probe.error("filter", by=3))]


@network
class BetterError(Network):
    """The target's own refusal is worth more than a router's."""
    cases = [ping("rejected", "T", remarks=(3,), reached=False)]

    def beyond(self, probe):
        return [(0.002, probe.error("host", by=2)),
                (0.006, probe.error("filter"))]


@network
class OneTtl(Network):
    """A router refuses what would have ended there; the path goes on."""
    cases = [trace([(1, "hop", 1), (2, "rejected", 2), (3, "hop", 3),
                    (4, "answered", "T")])]

    def on_way(self, probe):
        if probe.ttl == 2:
            return [(0.004, probe.error("host", by=2))]
        return super().on_way(probe)


@network
class Gap(Network):
    """Eight silent hops; the last, of which the length hangs, is asked more
    often."""
    cases = [trace(WAY + [(n, "silent", None) for n in range(4, 11)] +
                   [(11, "silent", None)] * 3 + [(12, "answered", "T")],
                   "-w 2s -a 1",
                   methods=("udp", "icmp"))]

    def beyond(self, probe):
        return super().beyond(probe) if probe.ttl >= 12 else []


@network
class Late(Network):
    """The target takes longer than the wait."""
    cases = [ping("late", "T", "-c 2 -i 30ms -w 300ms --late 5s",
                  late=(1, 2)),
             trace(WAY + [(4, "late", "T"), (4, "silent", None)],
                   "-w 1s", late=(4,))]

    def beyond(self, probe):
        return [(1.5, probe.answer())]


@network
class Slow(Network):
    cases = [ping("answered", "T", PATIENT)]

    def beyond(self, probe):
        return [(0.3, probe.answer())]


@network
class LateRefusal(Network):
    cases = [ping("rejected", 3, "-c 2 -i 30ms -w 300ms --late 5s",
                  reached=False, late=(1, 2),
                  see=lambda r: all(x["late"] for x in r["replies"]))]

    def beyond(self, probe):
        return [(0.6, probe.error("host", by=3))]


@network
class OtherAddress(Network):
    """The target answers from another address of its own."""
    cases = [ping("other-address", "O", methods=("icmp", "tcp"),
                  reached=False)]

    def beyond(self, probe):
        return [(0.008, probe.answer(by=tun.OTHER[probe.family]))]


@network
class OtherThenTarget(Network):
    """The address that was asked for is worth more."""
    cases = [ping("answered", "T", methods=("icmp", "tcp"), remarks=(3,))]

    def beyond(self, probe):
        return [(0.004, probe.answer(by=tun.OTHER[probe.family]))] + \
            super().beyond(probe)


@network
class OtherPort(Network):
    """Another address says that the port is closed: that is no arrival."""
    cases = [ping("rejected", "O", methods=("udp",), reached=False)]

    def beyond(self, probe):
        return [(0.008, probe.answer(by=tun.OTHER[probe.family]))]


@network
class Twice(Network):
    cases = [ping("answered", "T", duplicates=(2, 3)),
             trace(REACHED, judges=TRACERS)]

    def packet(self, probe):
        return [(delay + more, data) for delay, data in
                self.answered(probe) for more in (0, 0.005)]


@network
class Bleached(Network):
    """Hop 2 clears the type of service."""
    cases = [trace(REACHED, "--tos 184 -w 3s", see=lambda r: [
        x["quoted_tos"] for x in r["replies"][:3]] == [184, 0, 0])]

    def on_way(self, probe):
        quote = bytearray(probe.quoted())
        if probe.ttl > 1 and probe.family == 4:
            quote[1] = 0
        elif probe.ttl > 1:
            quote[0:2] = b"\x60\0"
        return [(0.002, probe.error("hop", by=probe.ttl, quote=bytes(quote)))]


def labelled(name, words, real=None, valid=True, at=128):
    """Labels behind `at` octets, whatever the length says they are at:
    words, by family."""
    def on_way(self, probe):
        quote = probe.quoted(real or 1000)[:at]
        quote += bytes(at - len(quote))
        said = words[probe.family]
        rest = bytes([0, said, 0, 0]) if probe.family == 4 else \
            bytes([said, 0, 0, 0])
        return [(0.002, probe.error("hop", by=probe.ttl, quote=quote,
                                    rest=rest,
                                    tail=tun.labels(24314, valid=valid)))]

    def see(record):
        return all([x["extensions"][0]["mpls"][0]["label"] == 24314
                    for x in record["replies"][:3]])
    NETWORKS[name] = type(name, (Network,), {
        "on_way": on_way,
        "cases": [trace(REACHED, "--size 40 -w 3s",
                        methods=("udp", "icmp"), see=see)]})


labelled("labels", {4: 32, 6: 16})
labelled("labels-quote-length", {4: 17, 6: 11})
labelled("labels-no-length", {4: 0, 6: 0}, valid=False)
labelled("labels-octets", {4: 128, 6: 128})
labelled("labels-beyond", {4: 255, 6: 255})
labelled("labels-far", {4: 64, 6: 32}, at=256)


@network
class Silent(Network):
    cases = [ping("silent", None, judges=PINGERS),
             trace(WAY, "-m 3 -w 3s", stop="maxttl"),
             trace(WAY + [(n, "silent", None) for n in range(4, 6)],
                   "-g 2 -w 2s -a 1", stop="gaplimit")]

    def beyond(self, probe):
        return []


@network
class TooBig(Network):
    """Hop 2 takes no more than 1280 octets."""
    cases = [trace([(1, "hop", 1), (2, "rejected", 2)],
                   "--size 1300 -w 3s", methods=("udp", "icmp"),
                   stop="unreachable",
                   see=lambda r: r["replies"][1]["mtu"] == 1280)]

    def packet(self, probe):
        if probe.ttl == 1:
            return self.on_way(probe)
        rest = struct.pack("!I", 1280)
        return [(0.004, probe.error("too-big", by=2, rest=rest))]


@network
class Service(Network):
    """The target answers datagrams with some of its own; this host must not
    complain."""
    # A hop at a time, or a busy machine makes one slow.
    cases = [ping("answered", "T", methods=("udp",)),
             trace(REACHED, "--window 1 -w 3s", methods=("udp",))]

    def beyond(self, probe):
        if probe.name != "udp":
            return super().beyond(probe)
        return [(0.008, probe.datagram(b"pong"))]


@network
class ServicePort(Network):
    """A service that answers from a port of its own, as TFTP's do."""
    cases = [ping("answered", "T", methods=("udp",), see=lambda r: [
        x.get("from_port") for x in r["replies"]] == [50000] * 3),
             trace(REACHED, "--window 1 -w 3s", methods=("udp",))]

    def beyond(self, probe):
        if probe.name != "udp":
            return super().beyond(probe)
        return [(0.008, probe.datagram(b"pong", port=50000))]


@network
class ServiceElsewhere(Network):
    """Neither its address nor its port is what was asked: no proof."""
    cases = [ping("silent", None, methods=("udp",), reached=False)]

    def beyond(self, probe):
        return [(0.008, probe.datagram(b"pong", port=50000,
                                       by=tun.OTHER[probe.family]))]


@network
class ServiceBehindSilence(Network):
    """What a service answers does not show which probe it got, where one to a
    silent hop is still waited for: both are asked anew, one after the other."""
    cases = [trace(WAY[:2] + [(3, "ambiguous", "T")] +
                   [(3, "silent", None)] * 3 +
                   [(4, "ambiguous", "T"), (4, "answered", "T")],
                   "-w 1s", methods=("udp",), remarks=(0, 1, 2))]

    def on_way(self, probe):
        return [] if probe.ttl == 3 else super().on_way(probe)

    def beyond(self, probe):
        return [(0.008, probe.datagram(b"pong"))] \
            if probe.name == "udp" else []


@network
class ServiceAskedAtOnce(Network):
    """The same of several probes to one hop."""
    cases = [trace([row for row in WAY for _ in range(2)] +
                   [(4, "ambiguous", "T")] * 2 + [(4, "answered", "T")] * 2,
                   "-q 2 --window 1 -w 2s", methods=("udp",))]

    def beyond(self, probe):
        return [(0.4, probe.datagram(b"pong"))] if probe.name == "udp" else []


@network
class ServiceFallsSilent(Network):
    """What two probes may have got, no probe gets when asked anew: there is
    more to ask beyond those that left."""
    # By the window no other probe leaves before the answer.
    cases = [trace(WAY[:2] + [(n, outcome, by) for n in (3, 4) for outcome, by
                              in (("ambiguous", "T"), ("silent", None))] +
                   [(5, "silent", None)] * 2, "-m 5 --window 2 -w 1s",
                   methods=("udp",), remarks=(0, 1, 2), stop="maxttl")]

    def __init__(self):
        super().__init__()
        self.answered_to = set()

    def on_way(self, probe):
        return [] if probe.ttl == 3 else super().on_way(probe)

    def beyond(self, probe):
        if probe.name != "udp" or probe.dst in self.answered_to:
            return []
        self.answered_to.add(probe.dst)
        return [(0.008, probe.datagram(b"pong"))]


@network
class AnswersFromAfar(Network):
    """The target answers no probe of the trace but one with the highest TTL,
    which no answer quotes, and echo requests at its distance."""
    cases = [trace(WAY + [(4, "silent", None)] * 5 + [(5, "silent", None)],
                   "-m 5 --window 1 -w 2s", methods=("tcp",), stop="maxttl")]

    def beyond(self, probe):
        if probe.name == "tcp" and probe.ttl < 200:
            return []
        return super().beyond(probe)


@network
class DropsAtItsDistance(Network):
    """The target drops what arrives with a TTL of 1, echo requests apart: its
    answer to the next is no length."""
    cases = [trace(WAY + [(4, "silent", None)] * 7 + [(5, "answered", "T")],
                   "--window 1 -w 2s", methods=("tcp",), stop="limited",
                   reached=True)]

    def beyond(self, probe):
        if probe.name == "tcp" and probe.ttl == FAR:
            return []
        return super().beyond(probe)


@network
class DropsBehindSilence(DropsAtItsDistance):
    """The same, of which it was known before that it is there."""
    cases = [trace(WAY[:2] + [(3, "silent", None)] * 2 +
                   [(4, "silent", None)] * 7 + [(5, "answered", "T")],
                   "-g 1 --window 1 -w 2s", methods=("tcp",), stop="limited",
                   reached=True)]

    def on_way(self, probe):
        return [] if probe.ttl == 3 else super().on_way(probe)


@network
class TargetExceeded(Network):
    """A target behind a translator: the one before says that it was there
    that time ended, in the target's name."""
    cases = [trace(WAY + [(4, "hop", "T"), (5, "answered", "T")])]

    def beyond(self, probe):
        if probe.ttl == FAR:
            return [(0.008, probe.error("hop"))]
        return super().beyond(probe)


@network
class Resets(Network):
    cases = [ping("answered", "T", methods=("tcp",)),
             trace(REACHED, methods=("tcp",), judges=TRACERS)]

    def beyond(self, probe):
        return [(0.008, probe.answer(flags=0x14))]


@network
class WholeQuotes(Network):
    """Errors quote all of the probe."""
    cases = [trace(REACHED, judges=TRACERS)]

    def on_way(self, probe):
        return [(0.002, probe.error("hop", by=probe.ttl,
                                    quote=probe.quoted(1000)))]


def short(name, size):
    """Errors quote the IP header and so many octets more."""
    def on_way(self, probe):
        return [(0.002, probe.error("hop", by=probe.ttl,
                                    quote=probe.quoted(size)))]
    NETWORKS[name] = type(name, (Network,), {
        "on_way": on_way, "families": (4,),
        "cases": [ping("hop", 2, TIMES + " -t 2"),
                  trace(REACHED, "--window 8 -w 3s")]})


short("no-octet-quoted", 0)
short("three-octets-quoted", 3)
short("four-octets-quoted", 4)


@network
class QuotedOptions(Network):
    """A router wrote options into the packet before it gave it up."""
    families = (4,)
    cases = [trace(REACHED, judges=TRACERS)]

    def on_way(self, probe):
        old = probe.quoted(8)
        head = bytes([0x47]) + old[1:10] + bytes(2) + old[12:20] + \
            bytes([148, 4, 0, 0, 1, 1, 1, 0])
        return [(0.002, probe.error("hop", by=probe.ttl,
                                    quote=head + old[20:28]))]


@network
class ReplyOptions(Network):
    """Replies carry options: router alert, or a hop-by-hop header."""
    cases = [ping("answered", "T", judges=PINGERS),
             trace(REACHED, judges=TRACERS)]

    def how(self, probe):
        if probe.family == 4:
            return {"options": bytes([148, 4, 0, 0])}
        proto = probe.proto
        return {"options": bytes([proto, 0, 5, 2, 0, 0, 1, 0])}

    def on_way(self, probe):
        how = self.how(probe)
        if probe.family == 6:
            how["options"] = bytes([tun.ICMP6]) + how["options"][1:]
        return [(0.002, probe.error("hop", by=probe.ttl, **how))]

    def beyond(self, probe):
        how = self.how(probe)
        if probe.family == 6 and probe.name == "udp":
            how["options"] = bytes([tun.ICMP6]) + how["options"][1:]
        return [(0.008, probe.answer(**how))]


@network
class TwoHeaders(Network):
    """Replies carry two extension headers: options for hops and for us."""
    families = (6,)
    cases = [ping("answered", "T", judges=PINGERS),
             trace(REACHED, judges=TRACERS)]

    @staticmethod
    def headers(proto):
        return {"options": bytes([60, 0, 1, 4, 0, 0, 0, 0,
                                  proto, 0, 1, 4, 0, 0, 0, 0])}

    def on_way(self, probe):
        return [(0.002, probe.error("hop", by=probe.ttl,
                                    **self.headers(tun.ICMP6)))]

    def beyond(self, probe):
        proto = tun.ICMP6 if probe.name == "udp" else probe.proto
        return [(0.008, probe.answer(**self.headers(proto)))]


@network
class Fragments(Network):
    """What comes back comes in two parts."""
    cases = [ping("answered", "T", PATIENT + " --size 400",
                  methods=("icmp", "udp")),
             trace(REACHED, "--size 400 -w 3s", methods=("icmp", "udp"))]

    def packet(self, probe):
        quote = probe.quoted(300)
        whole = probe.error("hop", by=probe.ttl, quote=quote) \
            if probe.ttl < FAR else probe.answer() \
            if probe.name == "icmp" else probe.error("port", quote=quote)
        return [(0.004, part) for part in probe.fragments(whole, 96)]


@network
class Translated(Network):
    """A translator between hops 1 and 2 does not translate quotes back."""
    cases = [trace(REACHED)]

    def translated(self, probe):
        """The probe with another source and port, checksums kept right."""
        if probe.ttl < 2:
            return probe.quoted()
        new = tun.octets("100.64.0.9" if probe.family == 4 else
                         "2001:db8:64::9")
        upper = probe.upper
        if probe.name == "icmp":
            upper = tun.put16(upper, 4, 4711)
        else:
            upper = tun.put16(upper, 0, 4711)
        upper = tun.summed(new, probe.dst, probe.proto, upper)
        head = probe.quoted()[:probe.head]
        at = 8 if probe.family == 6 else 12
        return head[:at] + new + head[at + len(new):] + upper[:8]

    def on_way(self, probe):
        return [(0.002, probe.error("hop", by=probe.ttl,
                                    quote=self.translated(probe)))]

    def beyond(self, probe):
        if probe.name != "udp":
            return super().beyond(probe)
        return [(0.008, probe.error("port", quote=self.translated(probe)))]


@network
class TranslatedTarget(Network):
    """Between hops 1 and 2 the target becomes another, and what hops behind
    that quote is not translated back."""
    cases = [trace(REACHED)]

    def on_way(self, probe):
        if probe.ttl < 2:
            return super().on_way(probe)
        new = tun.octets("100.64.0.9" if probe.family == 4 else
                         "2001:db8:64::9")
        upper = tun.summed(probe.src, new, probe.proto, probe.upper)
        head = probe.quoted()[:probe.head]
        at = 24 if probe.family == 6 else 16
        quote = head[:at] + new + head[at + len(new):] + upper[:8]
        return [(0.002, probe.error("hop", by=probe.ttl, quote=quote))]


@network
class TranslatedPort(Network):
    """The same with another port of the target."""
    cases = [trace(REACHED, methods=("udp", "tcp"))]

    def on_way(self, probe):
        if probe.ttl < 2:
            return super().on_way(probe)
        upper = tun.summed(probe.src, probe.dst, probe.proto,
                           tun.put16(probe.upper, 2, 8080))
        quote = probe.quoted()[:probe.head] + upper[:8]
        return [(0.002, probe.error("hop", by=probe.ttl, quote=quote))]


@network
class Mangled(Network):
    """Routers that clear the quoted checksum, and some with it the length."""
    families = (4,)
    cases = [trace(REACHED, methods=("udp",), judges={})]

    def on_way(self, probe):
        quote = tun.put16(probe.quoted(), 26, 0)
        if probe.ttl == 2:
            quote = tun.put16(quote, 2, 0)
        return [(0.002, probe.error("hop", by=probe.ttl, quote=quote))]


@network
class Firewall(Network):
    """Something on the way resets later connections in the target's name."""
    cases = [ping("answered", "T", methods=("tcp",), see=lambda r: [
        bool(x.get("perhaps_firewall")) for x in r["replies"]] ==
        [False, True, True])]

    def beyond(self, probe):
        if self.asked[probe.dst] == 1:
            return [(0.008, probe.answer(ttl=61))]
        return [(0.002, probe.answer(flags=0x14, ttl=63))]


@network
class ExpiredCopy(Network):
    """A copy of the probe goes round and ends; the probe arrives."""
    cases = [ping("answered", "T", remarks=(3,))]

    def beyond(self, probe):
        return [(0.002, probe.error("hop", by=2))] + super().beyond(probe)


@network
class AnswersInTwoWays(Network):
    """A datagram, and that the port is closed."""
    cases = [ping("answered", "T", methods=("udp",), remarks=(2, 3)),
             trace(REACHED, "--window 1 -w 3s", methods=("udp",))]

    def beyond(self, probe):
        if probe.name != "udp":
            return super().beyond(probe)
        return [(delay + more, data) for delay, _ in self.answered(probe)
                for more, data in ((0, probe.datagram(b"pong")),
                                   (0.004, probe.answer()))]


@network
class Forger(Network):
    """Somebody who does not see the probes says that they failed, and
    answers for the target."""
    cases = [ping("answered", "T"), trace(REACHED)]

    def packet(self, probe):
        quote = bytearray(probe.quoted(8))
        head = probe.head
        quote[head + (6 if probe.name != "tcp" else 4)] ^= 0x5a
        if probe.family == 4:
            quote[5] ^= 0x5a
        forged = [(0.0005, probe.error("host", by=tun.OTHER[probe.family],
                                       quote=bytes(quote)))]
        if probe.name == "icmp":
            at = probe.head + 8
            other = Probe(probe.data[:at] + b"another!" +
                          probe.data[at + 8:])
            forged.append((0.0005, other.answer()))
        elif probe.name == "tcp":
            at = probe.head + 4
            other = Probe(probe.data[:at] + b"lost" + probe.data[at + 4:])
            forged.append((0.0005, other.answer()))
        return forged + super().packet(probe)


@network
class LateHops(Network):
    """The first hop takes longer than the wait, while the trace goes on."""
    cases = [trace([(1, "hop", 1), (1, "silent", None)] + REACHED[1:],
                   "-w 1s", late=(1,), see=lambda r:
                   r["replies"][0]["late"] and
                   not any(x.get("late") for x in r["replies"][1:]))]

    def on_way(self, probe):
        return [(1.5 if probe.ttl == 1 else 0.002,
                 probe.error("hop", by=probe.ttl))]


@network
class LabelledRefusal(Network):
    """Extensions in an unreachable."""
    cases = [trace([(1, "hop", 1), (2, "rejected", 2)], "--size 200 -w 3s",
                   methods=("udp", "icmp"), stop="unreachable",
                   see=lambda r: r["replies"][1]["extensions"][0]["mpls"][0][
                       "label"] == 77)]

    def packet(self, probe):
        if probe.ttl == 1:
            return self.on_way(probe)
        quote = probe.quoted(1000)[:128]
        rest = bytes([0, 32, 0, 0]) if probe.family == 4 else \
            bytes([16, 0, 0, 0])
        return [(0.004, probe.error("host", by=2, quote=quote, rest=rest,
                                    tail=tun.labels(77)))]


@network
class Damaged(Network):
    """What comes back is not what was sent: this host drops such packets."""
    families = (4,)
    cases = [ping("silent", None, methods=("icmp", "udp"), reached=False),
             trace([(n, "silent", None) for n in (1, 2)],
                   "-m 2 -w 600ms -a 1", stop="maxttl",
                   judges=TRACERS)]

    def packet(self, probe):
        answer = bytearray(super().packet(probe)[0][1])
        answer[22] ^= 0x55  # of ICMP's checksum
        return [(0.002, bytes(answer))]


@network
class DamagedUpper(Network):
    """The same of segments, of datagrams and over IPv6."""
    cases = [ping("silent", None, reached=False)]

    def beyond(self, probe):
        answer = bytearray(probe.datagram(b"pong") if probe.name == "udp"
                           else probe.answer())
        answer[-1] ^= 0x55  # with TCP of the urgent pointer
        return [(0.002, bytes(answer))]


@network
class LeftOpen(Network):
    """What a device was to sum up holds the pseudo header's sum, as among
    hosts of one machine."""
    cases = [ping("answered", "T", methods=("tcp", "udp"))]

    def beyond(self, probe):
        whole = probe.datagram(b"pong") if probe.name == "udp" \
            else probe.answer()
        head = 20 if probe.family == 4 else 40
        length = len(whole) - head
        pseudo = probe.src + probe.dst + \
            struct.pack("!II", length, probe.proto)
        at = head + (6 if probe.name == "udp" else 16)
        return [(0.008, tun.put16(whole, at,
                                  ~tun.checksum(pseudo) & 0xffff))]


@network
class OtherEnd(Network):
    """Echo replies end in other data than the requests, or in more."""
    cases = [ping("answered", "T", methods=("icmp",), judges=PINGERS)]

    def beyond(self, probe):
        data = bytes([0 if probe.family == 4 else 129]) + probe.upper[1:-4]
        data += b"none" if self.asked[probe.dst] == 1 else b"longer"
        return [(0.008, tun.ip_packet(
            probe.dst, probe.src, probe.proto,
            tun.summed(probe.dst, probe.src, probe.proto, data)))]


@network
class WorseError(Network):
    """A router's refusal comes after the target's own."""
    cases = [ping("rejected", "T", remarks=(2, 3), reached=False)]

    def beyond(self, probe):
        return [(0.002, probe.error("filter")),
                (0.006, probe.error("host", by=2))]
