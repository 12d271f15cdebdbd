# SPDX-License-Identifier: ISC
"""A gateway between a monitored network and an outside one, in namespaces that
end with the process: it runs again as process 1 of namespaces of its own, so
what its programs left running ends too.  Hosts have as many addresses as a
scenario wants; the gateway captures on the monitored network's bridge."""
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

INSIDE, OUTSIDE = "192.0.2.", "203.0.113."
INSIDE6, OUTSIDE6 = "2001:db8:a::", "2001:db8:b::"
RESOLVER = INSIDE + "53"
PATIENCE_S = 60


def own_namespaces():
    """Runs this program again inside; returns only there."""
    if os.environ.get("ORDINARY_INSIDE"):
        ctypes.CDLL(None).prctl(36, 1)
        return
    os.environ["ORDINARY_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork",
                          "--mount-proc", "--kill-child", sys.executable,
                          *sys.argv])


def why_not():
    """Why there can be no lab here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("unshare", "ip", "tcpdump"):
        if not shutil.which(program):
            return f"needs {program}"
    tried = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork",
                            "true"], capture_output=True, check=False)
    return "no namespaces" if tried.returncode else None


def sh(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


class Lab:
    def __init__(self, folder):
        self.folder = folder
        self.hosts = {}
        self.running = []
        sh("mount", "-t", "tmpfs", "none", "/run")
        os.makedirs("/run/netns")
        os.makedirs("/run/sshd")
        conf = self.write("resolv.conf",
                          f"nameserver {RESOLVER}\noptions timeout:1\n")
        sh("mount", "--bind", conf, os.path.realpath("/etc/resolv.conf"))
        sh("ip", "link", "set", "lo", "up")
        for side, net, net6 in (("in", INSIDE, INSIDE6),
                                ("out", OUTSIDE, OUTSIDE6)):
            sh("ip", "link", "add", f"br-{side}", "type", "bridge")
            sh("ip", "addr", "add", f"{net}1/24", "dev", f"br-{side}")
            sh("ip", "addr", "add", f"{net6}1/64", "dev", f"br-{side}",
               "nodad")
            sh("ip", "link", "set", f"br-{side}", "up")
        for knob in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            with open(f"/proc/sys/net/{knob}", "w") as file:
                file.write("1")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def host(self, name, *numbers):
        """A host of the side that its name begins with, with these last
        octets; its first address."""
        side = "in" if name.startswith("in") else "out"
        net, net6 = (INSIDE, INSIDE6) if side == "in" else (OUTSIDE, OUTSIDE6)
        if name not in self.hosts:
            sh("ip", "netns", "add", name)
            sh("ip", "link", "add", f"v-{name}", "type", "veth", "peer",
               "name", "eth0", "netns", name)
            sh("ip", "link", "set", f"v-{name}", "master", f"br-{side}", "up")
            self.inside(name, "ip", "link", "set", "lo", "up")
            self.inside(name, "ip", "link", "set", "eth0", "up")
            self.hosts[name] = []
        for number in numbers:
            self.inside(name, "ip", "addr", "add", f"{net}{number}/24",
                        "broadcast", f"{net}255", "dev", "eth0")
            self.inside(name, "ip", "addr", "add", f"{net6}{number}/64",
                        "dev", "eth0", "nodad")
            self.hosts[name].append(net + str(number))
        if numbers:
            self.inside(name, "ip", "route", "replace", "default", "via",
                        f"{net}1")
            self.inside(name, "ip", "-6", "route", "replace", "default",
                        "via", f"{net6}1")
        return self.hosts[name][0] if self.hosts[name] else None

    def inside(self, name, *words, check=False, seconds=PATIENCE_S, **more):
        """Runs to its end; a program that fails to reach somebody is
        ordinary too."""
        try:
            return subprocess.run(["ip", "netns", "exec", name, *words],
                                  check=check, capture_output=True, text=True,
                                  timeout=seconds, stdin=subprocess.DEVNULL,
                                  **more)
        except subprocess.TimeoutExpired:
            return None

    def spawn(self, name, *words, **more):
        with open(os.path.join(self.folder, "spawned.log"), "ab") as log:
            child = subprocess.Popen(["ip", "netns", "exec", name, *words],
                                     stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log, start_new_session=True,
                                     **more)
        self.running.append(child)
        return child

    def wait_for(self, name, port, kind="t", seconds=20):
        """Until somebody listens at this port there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if f":{port} " in self.inside(name, "ss", f"-Hln{kind}").stdout:
                return True
            time.sleep(0.1)
        return False

    def close(self):
        """So that another lab finds the namespace as this one did."""
        for side in ("in", "out"):
            sh("ip", "link", "del", f"br-{side}")
        sh("umount", "-l", os.path.realpath("/etc/resolv.conf"))
        sh("umount", "-l", "/run")

    def log(self):
        """The last that its servers said."""
        with open(os.path.join(self.folder, "spawned.log"), "ab+") as file:
            file.seek(0)
            return file.read()[-1500:].decode(errors="replace")

    def stop(self):
        for child in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        for child in self.running:
            child.wait()
        self.running = []
        for name in self.hosts:
            for pid in sh("ip", "netns", "pids", name).stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            sh("ip", "netns", "del", name)
        self.hosts = {}

    @contextlib.contextmanager
    def capture(self, path, device="br-in"):
        tcpdump = subprocess.Popen(
            ["tcpdump", "-Z", "root", "-i", device, "-U",
             "--immediate-mode", "-s", "0", "-B",
             "16384", "-w", path], stderr=subprocess.PIPE, text=True)
        for line in tcpdump.stderr:
            if "listening on" in line:
                break
        try:
            yield
        finally:
            time.sleep(0.5)
            tcpdump.send_signal(signal.SIGINT)
            tcpdump.communicate(timeout=PATIENCE_S)
