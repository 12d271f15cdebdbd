# SPDX-License-Identifier: ISC
"""Ordinary traffic of Debian's programs.  A scenario is a function of the lab;
its header lists the programs that it needs.  Whatever it does, nobody in it is
to be accused."""
import os
import shutil
import time

from ordinary_lab import INSIDE, OUTSIDE, OUTSIDE6

SCENARIOS = {}


def needs(*programs, short=False):
    def add(function):
        SCENARIOS[function.__name__] = (function, programs, short)
        return function
    return add


def missing(programs):
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [p for p in programs if not shutil.which(p, path=path)]


def web_server(lab, name="out-web", numbers=range(80, 90), ports=(80,)):
    """Python's own server: it is everywhere."""
    first = lab.host(name, *numbers)
    root = os.path.join(lab.folder, "www")
    os.makedirs(root, exist_ok=True)
    page = "".join(f"<img src=/{i}.png>" for i in range(20))
    lab.write("www/index.html", f"<html><body>{page}</body></html>")
    lab.write("www/large", "x" * 400000)
    for port in ports:
        lab.spawn(name, "python3", "-m", "http.server", "-b", "::", "-d", root,
                  str(port))
        lab.wait_for(name, port)
    return first


def nginx(lab, name, numbers):
    first = lab.host(name, *numbers)
    root = os.path.join(lab.folder, "www")
    os.makedirs(root, exist_ok=True)
    os.chmod(lab.folder, 0o755)
    page = "".join(f"<img src=/{i}.png>" for i in range(20))
    lab.write("www/index.html", f"<html><body>{page}</body></html>")
    lab.write("www/large", "x" * 400000)
    key, cert = (os.path.join(lab.folder, n) for n in ("key.pem", "cert.pem"))
    lab.inside(name, "openssl", "req", "-x509", "-newkey", "rsa:2048",
               "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=lab")
    conf = lab.write(f"nginx-{name}.conf", f"""
daemon off; user root; pid {lab.folder}/nginx-{name}.pid;
error_log {lab.folder}/nginx.log;
events {{}}
http {{ access_log off; root {root};
  upstream back {{ server {OUTSIDE}81:8080; server {OUTSIDE}99:8080; }}
  server {{ listen 80; listen [::]:80; listen 443 ssl http2;
    ssl_certificate {cert}; ssl_certificate_key {key};
    location /back/ {{ proxy_pass http://back/; proxy_connect_timeout 1s; }}
    }} }}""")
    lab.spawn(name, "nginx", "-c", conf)
    lab.wait_for(name, 443)
    return first


@needs("curl", short=True)
def curl_clients(lab):
    """40 clients, ten servers; some ports are closed."""
    web_server(lab)
    lab.host("in-pc", *range(10, 50))
    for i in range(40):
        me = INSIDE + str(10 + i)
        for url in ("/", "/large", "/none"):
            lab.inside("in-pc", "curl", "-s", "-m", "5", "-o", "/dev/null",
                       "--interface", me,
                       f"http://{OUTSIDE}{80 + i % 10}{url}")
        if i % 8 == 0:
            lab.inside("in-pc", "curl", "-s", "-m", "2", "--interface", me,
                       f"http://{OUTSIDE}80:8443/")
    lab.inside("in-pc", "curl", "-s", "-m", "5", "-o", "/dev/null",
               f"http://[{OUTSIDE6}80]/")


@needs("curl", short=True)
def clients_of_our_server(lab):
    """The other way round: ours is the server, outside come the clients."""
    web_server(lab, "in-web", range(80, 84))
    lab.host("out-pc", *range(100, 140))
    for i in range(40):
        for k in range(2):
            lab.inside("out-pc", "curl", "-s", "-m", "5", "-o", "/dev/null",
                       "--interface", OUTSIDE + str(100 + i),
                       f"http://{INSIDE}{80 + (i + k) % 4}/")


@needs("nginx", "curl", "openssl")
def nginx_tls_and_proxy(lab):
    """TLS, HTTP/2, and a proxy of which one upstream is dead."""
    web_server(lab, "out-back", (81,), (8080,))
    nginx(lab, "in-proxy", (90, 91))
    lab.host("out-pc", *range(150, 170))
    for i in range(20):
        for url in ("https://" + INSIDE + "90/", "http://" + INSIDE +
                    "91/back/", "https://" + INSIDE + "90/large"):
            lab.inside("out-pc", "curl", "-sk", "-m", "8", "-o", "/dev/null",
                       "--interface", OUTSIDE + str(150 + i), url)


@needs("chromium", "nginx", "unbound", "openssl")
def chromium(lab):
    """A browser with what it asks for by itself; most of its names have no
    address here."""
    nginx(lab, "out-site", range(80, 86))
    lab.host("in-dns", 53)
    resolver(lab, "in-dns", [f'local-data: "s{i}.example. A {OUTSIDE}{80 + i}"'
                             for i in range(6)])
    lab.host("in-pc", 20)
    page = "".join(f"<iframe src=http://s{i}.example/></iframe>"
                   "<img src=https://s%d.example/large>" % i
                   for i in range(6))
    lab.write("www/all.html", page)
    for flags in ((), ("--enable-quic",)):
        lab.inside("in-pc", "timeout", "-k", "2", "20", "chromium",
                   "--headless", "--no-sandbox", "--disable-gpu",
                   "--disable-dev-shm-usage", *flags,
                   "--ignore-certificate-errors",
                   f"--user-data-dir={lab.folder}/chromium{len(flags)}",
                   "--virtual-time-budget=4000", "--dump-dom",
                   "http://s0.example/all.html", seconds=40)


def resolver(lab, name, lines, zones=""):
    conf = lab.write(f"unbound-{name}.conf", "server:\n" + "\n".join(
        " " + line for line in [
            "interface: 0.0.0.0", "access-control: 0.0.0.0/0 allow",
            'chroot: ""', 'username: ""', "use-syslog: no",
            'directory: "%s"' % lab.folder, "do-daemonize: no",
            'pidfile: "%s/unbound-%s.pid"' % (lab.folder, name),
            'module-config: "iterator"', "do-not-query-localhost: no",
            *lines]) + "\n" + zones + "\nremote-control:\n"
        " control-enable: no\n")
    lab.spawn(name, "unbound", "-c", conf)
    lab.wait_for(name, 53, "u")


@needs("unbound", "nsd", "dig")
def recursion(lab):
    """A resolver of ours asks from the root down, some servers are dead; 30
    clients ask it."""
    lab.host("out-ns", *range(50, 70))
    root = [". 3600 IN SOA a. b. 1 3600 600 86400 60",
            ". 3600 IN NS ns.root.", f"ns.root. 3600 IN A {OUTSIDE}50"]
    zones = ['zone:\n name: "."\n zonefile: root.zone\n']
    for i in range(40):
        zone = f"z{i}.test."
        servers = [50 + 1 + (i + k * 7) % 19 for k in range(2)]
        if i % 8 == 0:
            servers = [servers[0], 230 + i // 8]
        if i == 39:
            servers = [240, 241]
        for k, number in enumerate(servers):
            root += [f"{zone} 3600 IN NS n{k}.{zone}",
                     f"n{k}.{zone} 3600 IN A {OUTSIDE}{number}"]
        body = [f"{zone} 60 IN SOA a. b. 1 3600 600 86400 60",
                f"{zone} 60 IN NS n0.{zone}",
                f"n0.{zone} 60 IN A {OUTSIDE}{servers[0]}"]
        body += [f"w{k}.{zone} 60 IN A {OUTSIDE}{80 + k}" for k in range(20)]
        body += [f'big.{zone} 60 IN TXT "{"t" * 250}"']
        lab.write(f"z{i}.zone", "\n".join(body) + "\n")
        zones.append(f'zone:\n name: "{zone}"\n zonefile: z{i}.zone\n')
    lab.write("root.zone", "\n".join(root) + "\n")
    addresses = "".join(f" ip-address: {OUTSIDE}{n}\n" for n in range(50, 70))
    conf = lab.write("nsd.conf", f"""server:
{addresses} zonesdir: "{lab.folder}"
 database: ""
 username: root
 pidfile: "{lab.folder}/nsd.pid"
 xfrdfile: "{lab.folder}/xfrd.state"
 zonelistfile: "{lab.folder}/zone.list"
 xfrdir: "{lab.folder}"
remote-control:
 control-enable: no
""" + "".join(zones))
    lab.spawn("out-ns", "nsd", "-d", "-c", conf)
    lab.wait_for("out-ns", 53, "u")
    hints = lab.write("hints", f". 3600 NS ns.root.\nns.root. 3600 A {OUTSIDE}50\n")
    lab.host("in-dns", 53)
    resolver(lab, "in-dns", [f'root-hints: "{hints}"'])
    lab.host("in-pc", *range(100, 130))
    for i in range(30):
        names = [f"w{k}.z{(i * 3 + k) % 40}.test" for k in range(6)]
        lab.inside("in-pc", "dig", "-b", INSIDE + str(100 + i), "+tries=1",
                   "+time=2", *names, "none.z1.test", seconds=30)


@needs("chronyd")
def chrony(lab):
    """Four servers, one dead; six clients."""
    for i in range(3):
        name = f"out-ntp{i}"
        lab.host(name, 20 + i)
        conf = lab.write(f"chrony-s{i}.conf", "local stratum 3\nallow\n"
                         f"cmdport 0\nbindcmdaddress /run/none{i}\n"
                         f"pidfile {lab.folder}/chrony-s{i}.pid\n")
        lab.spawn(name, "chronyd", "-x", "-d", "-u", "root", "-f", conf)
    for i in range(6):
        name = f"in-ntp{i}"
        lab.host(name, 30 + i)
        lines = "".join(f"server {OUTSIDE}{20 + k} iburst minpoll 0 maxpoll 1\n"
                        for k in range(4))
        conf = lab.write(f"chrony-c{i}.conf", lines + "cmdport 0\n"
                         f"pidfile {lab.folder}/chrony-c{i}.pid\n")
        lab.spawn(name, "chronyd", "-x", "-d", "-u", "root", "-f", conf)
    time.sleep(12)


@needs("smbd", "nmbd", "smbclient")
def samba(lab):
    """A file server with its name service, five clients of the same link."""
    lab.host("in-smb", 60)
    share = os.path.join(lab.folder, "share")
    os.makedirs(share, exist_ok=True)
    lab.write("share/file", "s" * 300000)
    conf = lab.write("smb.conf", f"""[global]
 workgroup = LAB
 netbios name = FILES
 map to guest = Bad User
 guest account = root
 lock directory = {lab.folder}/smb
 state directory = {lab.folder}/smb
 cache directory = {lab.folder}/smb
 private dir = {lab.folder}/smb
 pid directory = {lab.folder}/smb
 ncalrpc dir = {lab.folder}/smb/rpc
 log file = {lab.folder}/smb.log
[share]
 path = {share}
 guest ok = yes
""")
    os.makedirs(os.path.join(lab.folder, "smb/rpc"), exist_ok=True)
    lab.spawn("in-smb", "smbd", "-F", "--no-process-group", "-s", conf)
    lab.spawn("in-smb", "nmbd", "-F", "--no-process-group", "-s", conf)
    lab.wait_for("in-smb", 445)
    lab.host("in-pc", 61)
    for i in range(5):
        lab.host(f"in-pc{i}", 70 + i)
        lab.inside(f"in-pc{i}", "smbclient", "-s", conf, "-N",
                   f"//{INSIDE}60/share", "-c",
                   f"get file {lab.folder}/got{i}")
        lab.inside(f"in-pc{i}", "smbclient", "-s", conf, "-N", "-L", "FILES")
        lab.inside(f"in-pc{i}", "nmblookup", "-s", conf, "-B", INSIDE + "255",
                   "FILES", "ABSENT")


@needs("avahi-daemon", "dbus-daemon", "avahi-browse")
def avahi(lab):
    """Four hosts that announce themselves, one that looks around."""
    for i in range(4):
        name = f"in-mdns{i}"
        lab.host(name, 110 + i)
        conf = lab.write(f"avahi{i}.conf", f"[server]\nhost-name=box{i}\n"
                         "enable-dbus=no\n[publish]\n"
                         "publish-workstation=yes\n")
        # One at a time may have /run/avahi-daemon.
        lab.spawn(name, "sh", "-c", f"mkdir -p /run/avahi{i}; unshare -m sh -c"
                  f" 'mkdir -p /run/avahi-daemon; mount --bind /run/avahi{i}"
                  f" /run/avahi-daemon; exec avahi-daemon --no-chroot"
                  f" --no-drop-root -f {conf}'")
    time.sleep(6)


@needs("snmpd", "snmpbulkwalk", short=True)
def snmp(lab):
    """A manager walks six devices, and asks for one that is gone."""
    for i in range(6):
        name = f"out-dev{i}"
        lab.host(name, 30 + i)
        conf = lab.write("snmpd.conf", "rocommunity public\n")
        lab.spawn(name, "snmpd", "-f", "-C", "-c", conf, "-Lo", "-p",
                  f"{lab.folder}/snmpd{i}.pid", f"udp:{OUTSIDE}{30 + i}:161",
                  env=dict(os.environ, MIBS=""))
        lab.wait_for(name, 161, "u")
    lab.host("in-nms", 5)
    for i in range(7):
        for part in (1, 2, 4):
            lab.inside("in-nms", "snmpbulkwalk", "-m", "", "-v2c", "-c",
                       "public", "-r", "1", "-t", "1", f"{OUTSIDE}{30 + i}",
                       f".1.3.6.1.2.1.{part}")


TRACKER = """
import http.server, struct, socket, sys
peers = b''.join(socket.inet_aton(a) + struct.pack('>H', int(p))
                 for a, p in (w.split(':') for w in sys.argv[1:]))
class Tracker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (b'd8:intervali60e12:min intervali30e5:peers%d:' % len(peers)
                + peers + b'e')
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    log_message = lambda *a: None
http.server.HTTPServer(('', 6969), Tracker).serve_forever()
"""


def torrent(lab, vanished):
    """Three peers of each side; the tracker remembers these as well."""
    alive = [("in-peer%d" % i, 140 + i, 51413) for i in range(3)] + \
        [("out-peer%d" % i, 140 + i, 51413 + 1111 * i) for i in range(3)]
    for name, number, _ in alive:
        lab.host(name, number)
    lab.host("out-tracker", 69)
    words = [f"{INSIDE if n.startswith('in') else OUTSIDE}{k}:{p}"
             for n, k, p in alive] + vanished
    script = lab.write("tracker.py", TRACKER)
    lab.spawn("out-tracker", "python3", script, *words)
    lab.wait_for("out-tracker", 6969)
    data = lab.write("seed/film", "f" * 3000000)
    lab.inside("out-peer0", "transmission-create", "-o",
               f"{lab.folder}/film.torrent", "-t",
               f"http://{OUTSIDE}69:6969/announce", data)
    for i, (name, _, port) in enumerate(alive):
        home = os.path.join(lab.folder, "peers", name)
        os.makedirs(home, exist_ok=True)
        where = os.path.join(lab.folder, "seed") if i == 3 else home
        lab.spawn(name, "transmission-cli", "-g", home, "-w", where, "-p",
                  str(port), "-m", f"{lab.folder}/film.torrent",
                  env=dict(os.environ, HOME=home))
    time.sleep(25)


@needs("transmission-cli", "transmission-create")
def transmission(lab):
    """Twelve of the peers have gone, each from another port."""
    torrent(lab, [f"{OUTSIDE}{150 + i}:{20000 + i * 2711}" for i in range(12)])


@needs("transmission-cli", "transmission-create")
def transmission_one_port(lab):
    """Gone peers, some from the program's own port."""
    torrent(lab, [f"{OUTSIDE}{170 + i}:{51413 if i % 3 else 6881 + i * 99}"
                  for i in range(12)])


@needs("baresip")
def baresip(lab):
    """A call with media both ways, for ten seconds."""
    for name, number in (("in-phone", 25), ("out-phone", 25)):
        address = lab.host(name, number)
        folder = os.path.join(lab.folder, name)
        os.makedirs(folder, exist_ok=True)
        modules = "".join(f"module {m}.so\n" for m in
                          ("stdio", "g711", "ausine", "aufile", "account",
                           "menu"))
        lab.write(f"{name}/config", f"""sip_listen {address}:5060
module_path /usr/lib/baresip/modules
{modules}audio_source ausine,440
audio_player aufile,{folder}/out.wav
rtp_ports 10000-20000
""")
        lab.write(f"{name}/accounts", f"<sip:{name}@{address}>;regint=0;"
                  "answermode=auto\n")
        lab.write(f"{name}/contacts", "")
    lab.spawn("out-phone", "baresip", "-f", f"{lab.folder}/out-phone", "-t",
              "16")
    lab.wait_for("out-phone", 5060, "u", 5)
    lab.inside("in-phone", "baresip", "-f", f"{lab.folder}/in-phone", "-e",
               f"/dial sip:out-phone@{OUTSIDE}25", "-t", "12", seconds=20)


@needs("sshd", "ssh", "rsync", "ssh-keygen")
def ssh_and_rsync(lab):
    """Logins, and a folder mirrored from eight addresses."""
    lab.host("out-ssh", *range(40, 48))
    key = f"{lab.folder}/id"
    lab.inside("out-ssh", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
               key)
    shutil.copy(key + ".pub", f"{lab.folder}/authorized")
    os.chmod(f"{lab.folder}/authorized", 0o600)
    lab.spawn("out-ssh", "/usr/sbin/sshd", "-D", "-e", "-h", key, "-o",
              "StrictModes=no", "-o",
              f"AuthorizedKeysFile={lab.folder}/authorized", "-o",
              f"PidFile={lab.folder}/sshd.pid", "-o", "UsePAM=no")
    conf = lab.write("rsyncd.conf", f"uid = root\n[seed]\npath = {lab.folder}"
                     "/www\n")
    web_server(lab, "out-ssh", (), ())
    lab.spawn("out-ssh", "rsync", "--daemon", "--no-detach", "--config", conf)
    lab.wait_for("out-ssh", 22)
    lab.host("in-admin", 7)
    for i in range(8):
        lab.inside("in-admin", "ssh", "-i", key, "-o",
                   "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "-o",
                   "UserKnownHostsFile=/dev/null", f"root@{OUTSIDE}{40 + i}",
                   "uptime", seconds=10)
        lab.inside("in-admin", "rsync", "-r", f"rsync://{OUTSIDE}{40 + i}/seed",
                   f"{lab.folder}/mirror{i}", seconds=10)


@needs("dnsmasq", "dhclient")
def dhcp(lab):
    """Six hosts get addresses, renew, and give them back."""
    lab.host("in-dhcp", 2)
    lab.spawn("in-dhcp", "dnsmasq", "-k", "-C", "/dev/null", "-u", "root",
              "-p", "0", f"--dhcp-range={INSIDE}200,{INSIDE}220,2m",
              f"--dhcp-leasefile={lab.folder}/leases", "--pid-file=")
    lab.wait_for("in-dhcp", 67, "u")
    script = lab.write("dhclient-script", '#!/bin/sh\n[ -z "$new_ip_address" ]'
                       ' || ip addr replace "$new_ip_address/24" dev eth0\n')
    os.chmod(script, 0o755)
    for i in range(6):
        name = f"in-new{i}"
        lab.host(name)
        files = ["-sf", script, "-lf", f"{lab.folder}/lease{i}", "-pf",
                 f"{lab.folder}/dhclient{i}.pid"]
        lab.inside(name, "dhclient", "-1", *files, "eth0", seconds=20)
        lab.inside(name, "dhclient", "-r", *files, "eth0", seconds=20)


@needs("ping", "mtr", "traceroute")
def paths(lab):
    """An administrator looks at paths, by every method, to hosts of which one
    is gone."""
    lab.host("out-a", 200, 201)
    lab.host("in-admin", 7)
    for number in (200, 201, 202):
        there = OUTSIDE + str(number)
        lab.inside("in-admin", "ping", "-c", "3", "-i", "0.2", "-W", "1",
                   there)
        for how in ("-I", "-T", "-U", ""):
            lab.inside("in-admin", "traceroute", "-n", "-m", "8", "-w", "1",
                       *how.split(), there, seconds=20)
        for how in ("", "-u", "-T"):
            lab.inside("in-admin", "mtr", "-n", "-r", "-c", "3", "-m", "8",
                       *how.split(), there, seconds=30)


@needs("iperf3")
def iperf(lab):
    """As much as goes, both ways, both protocols, and many streams."""
    lab.host("out-perf", 210)
    lab.spawn("out-perf", "iperf3", "-s")
    lab.wait_for("out-perf", 5201)
    lab.host("in-perf", 9)
    for how in ("-n 20M", "-R -n 20M", "-u -b 20M -t 3", "-u -R -b 20M -t 3",
                "-P 8 -n 10M"):
        lab.inside("in-perf", "iperf3", "-c", OUTSIDE + "210", *how.split())


@needs("mosquitto", "mosquitto_pub", "mosquitto_sub")
def mosquitto(lab):
    lab.host("out-mqtt", 220)
    conf = lab.write("mosquitto.conf", "listener 1883\nallow_anonymous true\n"
                     "user root\n")
    lab.spawn("out-mqtt", "mosquitto", "-c", conf)
    lab.wait_for("out-mqtt", 1883)
    lab.host("in-things", *range(120, 140))
    for i in range(20):
        lab.spawn("in-things", "mosquitto_sub", "-h", OUTSIDE + "220", "-A",
                  INSIDE + str(120 + i), "-t", "a")
    for i in range(20):
        lab.inside("in-things", "mosquitto_pub", "-h", OUTSIDE + "220", "-A",
                   INSIDE + str(120 + i), "-t", "a", "-m", "hot")


@needs("redis-server", "redis-cli", "memcached")
def caches(lab):
    lab.host("out-cache", *range(221, 225))
    lab.spawn("out-cache", "redis-server", "--bind", "0.0.0.0",
              "--protected-mode", "no", "--save", "", "--dir", lab.folder)
    lab.spawn("out-cache", "memcached", "-u", "root", "-U", "11211")
    lab.wait_for("out-cache", 6379)
    lab.host("in-app", 8)
    for i in range(4):
        lab.inside("in-app", "redis-cli", "-h", f"{OUTSIDE}{221 + i}", "info")
        lab.inside("in-app", "python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
for i in range(50):
    s.sendto(i.to_bytes(2, 'big') + b'\\0\\0\\0\\1\\0\\0get key\\r\\n',
             ('{OUTSIDE}{221 + i}', 11211))
    s.recv(999)
""")


@needs("coap-server-notls", "coap-client-notls")
def coap(lab):
    for i in range(8):
        lab.host(f"out-thing{i}", 230 + i)
        lab.spawn(f"out-thing{i}", "coap-server-notls")
        lab.wait_for(f"out-thing{i}", 5683, "u")
    lab.host("in-hub", 6)
    for k in range(3):
        for i in range(8):
            lab.inside("in-hub", "coap-client-notls", "-B", "2", "-m", "get",
                       f"coap://{OUTSIDE}{230 + i}/.well-known/core")


@needs("in.tftpd", "tftp", "vsftpd", "lftp", "curl")
def transfers(lab):
    """TFTP and FTP, whose second connections begin at the other end."""
    lab.host("out-ftp", 240)
    web_server(lab, "out-ftp", (), ())
    lab.spawn("out-ftp", "in.tftpd", "-L", "-s", f"{lab.folder}/www", "-u",
              "root")
    os.makedirs("/run/vsftpd/empty", exist_ok=True)
    conf = lab.write("vsftpd.conf", "listen=YES\nanonymous_enable=YES\n"
                     f"anon_root={lab.folder}/www\nsecure_chroot_dir="
                     "/run/vsftpd/empty\nbackground=NO\nseccomp_sandbox=NO\n"
                     "ftp_username=root\npasv_enable=YES\nport_enable=YES\n")
    lab.spawn("out-ftp", "vsftpd", conf)
    lab.wait_for("out-ftp", 69, "u")
    lab.wait_for("out-ftp", 21)
    lab.host("in-pc", 20)
    for i in range(4):
        lab.inside("in-pc", "tftp", "-m", "binary", OUTSIDE + "240", "-c",
                   "get", "large", f"{lab.folder}/got", seconds=20,
                   cwd=lab.folder)
        for how in ("--ftp-pasv", "-P-"):
            lab.inside("in-pc", "curl", "-s", "-m", "10", *how.split(), "-o",
                       "/dev/null", f"ftp://{OUTSIDE}240/large")


@needs("fping", "curl", short=True)
def monitor(lab):
    """A monitor asks 30 hosts by ping and web, three of them are dead; it has
    done so before and goes on."""
    web_server(lab, "out-many", range(100, 127))
    lab.host("in-nms", 5)
    targets = [OUTSIDE + str(n) for n in range(100, 130)]
    for _ in range(2):
        lab.inside("in-nms", "fping", "-c", "1", "-t", "500", *targets)
        for there in targets:
            lab.inside("in-nms", "curl", "-s", "-m", "1", "-o", "/dev/null",
                       f"http://{there}/")


@needs("curl")
def server_that_died(lab):
    """An application that goes on asking three servers that are gone, and one
    that refuses."""
    lab.host("out-refuses", 180)
    lab.host("in-app", *range(30, 40))
    for i in range(10):
        for k in (0, 180, 190, 191):
            lab.inside("in-app", "curl", "-s", "-m", "1", "--interface",
                       INSIDE + str(30 + i), f"http://{OUTSIDE}{k or 180}:"
                       f"{8000 + k}/")


@needs("dig", "unbound")
def stub_resolvers(lab):
    """30 hosts with three resolvers of which the first is dead."""
    lab.host("out-dns", 54, 55)
    resolver(lab, "out-dns", ['local-zone: "." static',
                              f'local-data: "a.example. A {OUTSIDE}80"'])
    lab.host("in-pc", *range(100, 130))
    for i in range(30):
        for there in ("53", "54", "55"):
            lab.inside("in-pc", "dig", "-b", INSIDE + str(100 + i), "+tries=1",
                       "+time=1", "@" + OUTSIDE + there, "a.example",
                       "b.example" if there != "53" else "+short")


@needs("dig", "curl", "ping")
def own_network(lab):
    """Everything at once from one address: what a gateway with address
    translation looks like from outside."""
    web_server(lab, "out-web", range(80, 110))
    lab.host("in-nat", 3)
    for n in range(80, 110):
        lab.inside("in-nat", "curl", "-s", "-m", "3", "-o", "/dev/null",
                   f"http://{OUTSIDE}{n}/")
        if n % 3 == 0:
            lab.inside("in-nat", "ping", "-c", "1", "-W", "1",
                       f"{OUTSIDE}{n}")
            lab.inside("in-nat", "curl", "-s", "-m", "1",
                       f"http://{OUTSIDE}{n}:8081/")
