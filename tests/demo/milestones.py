# SPDX-License-Identifier: ISC
"""What a newcomer is to look at, told when there is something to see: each
milestone is reached once, by what the API shows."""


def median(numbers):
    return sorted(numbers)[len(numbers) // 2]


class Milestones:
    """get: path -> JSON of the running collector."""

    def __init__(self, get, url, internet):
        self.get = get
        self.url = url
        self.internet = internet
        self.waiting = [self._map, self._slow_link, self._outbreak]

    def reached(self):
        """The sentences of those that came true since the last call."""
        sentences = [(check, check()) for check in self.waiting]
        self.waiting = [c for c, sentence in sentences if not sentence]
        return [sentence for _, sentence in sentences if sentence]

    def _map(self):
        found = self.get("/api/v1/topology?from=-10m")
        routers = {n["addr"] for n in found["nodes"]
                   if n["addr"] and n["role"] == "router"}
        if len(routers) < self.internet.routers_expected:
            return None
        return (f"the map is there: {len(routers)} router addresses and "
                f"{len(found['links'])} links so far, drawn from traces alone", "?page=map")

    def _slow_link(self):
        worst = self.get("/api/v1/overview")["worst_links"]
        slow = [w for w in worst if w["to"] in self.internet.slow_link and
                "slow" in w["why"]]
        if not slow:
            return None
        links = self.get("/api/v1/topology?from=-10m")["links"]
        usual = median([li["delay_ns"] for li in links
                        if li["delay_ns"] is not None])
        return (f"the slow link is found: {slow[0]['from']} > "
                f"{slow[0]['to']}, {slow[0]['delay_ns'] / 1e6:.0f} ms where "
                f"{max(usual / 1e6, 0.1):.1f} ms are usual", "")

    def _outbreak(self):
        alarms = [a for a in self.get("/api/v1/overview")["alarms"]
                  if a["direction"] == "rise" and not a["ended_at"]]
        if not alarms:
            return None
        alarm = alarms[0]
        return (f"the outbreak is an alarm: {alarm['signature']}, "
                f"{alarm['observed']:.0f} sources in {alarm['bin_s']} s where "
                f"{alarm['expected']:.1f} were expected", "?page=outbreaks")
