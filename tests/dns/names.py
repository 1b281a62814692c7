"""Name servers that misbehave, and whether programs resolve a name beside them. Inside namespaces of its own: tests/dns/run.

Each case is a resolv.conf and what each name server says. Whether the name was resolved shows in how the program fails:
nothing listens at the address, so that the connection is refused; else the name can't be resolved, or not in time.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

NAME = "maestro.example.test"
PORT = 8443
FIRST, SECOND = "127.0.0.1", "127.0.0.2"
A, AAAA = 1, 28
OK, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5

ONE = f"nameserver {FIRST}\n"
TWO = ONE + f"nameserver {SECOND}\n"
SEARCH = ONE + "search a.svc.cluster.local svc.cluster.local\noptions ndots:5\n"


def aaaa_fails(code):
    """A is answered, AAAA is not."""
    return lambda server, name, kind: (OK if kind == A else code) if name == NAME else NXDOMAIN


def search_fails(code):
    return lambda server, name, kind: OK if name == NAME else code


def second_knows_nothing(server, name, kind):
    # The one that knows is the slower one.
    if server == FIRST:
        time.sleep(0.05)
        return OK if name == NAME else NXDOMAIN
    return NXDOMAIN


# Name, resolv.conf, what the servers say (a code, or None for silence), whether the name resolves.
CASES = [
    ("all is well", ONE, search_fails(NXDOMAIN), True),
    ("nobody knows the name", ONE, lambda server, name, kind: NXDOMAIN, False),
    ("A answered, AAAA NXDOMAIN", ONE, aaaa_fails(NXDOMAIN), True),
    ("A answered, AAAA SERVFAIL", ONE, aaaa_fails(SERVFAIL), True),
    ("A answered, AAAA REFUSED", ONE, aaaa_fails(REFUSED), True),
    # glibc waits for ten seconds here, which is all the time there is.
    ("A answered, AAAA silent", ONE, aaaa_fails(None), True),
    ("ndots:5, SERVFAIL from the search domains", SEARCH, search_fails(SERVFAIL), True),
    ("ndots:5, REFUSED from the search domains", SEARCH, search_fails(REFUSED), True),
    ("two name servers, the second says NXDOMAIN at once", TWO, second_knows_nothing, True),
    ("two name servers, the first refuses", TWO, lambda server, name, kind: REFUSED if server == FIRST else OK, True),
]


def raise_loopback():
    """`ip link set lo up`, which not every machine has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, 0x8913, request))[1]
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def question(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), struct.unpack("!H", message[at + 1 : at + 3])[0], at + 5


class NameServer:
    """Answers on port 53 of an address by the case at hand."""

    def __init__(self, address):
        self.address, self.says = address, None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            message, client = self.socket.recvfrom(4096)
            threading.Thread(target=self.answer, args=(message, client), daemon=True).start()

    def answer(self, message, client):
        name, kind, end = question(message)
        code = self.says(self.address, name, kind)
        if code is None:
            return
        records = b""
        if code == OK and kind == A:
            records = struct.pack("!HHHIH", 0xC00C, A, 1, 60, 4) + socket.inet_aton("127.0.0.9")
        head = message[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if records else 0, 0, 0)
        self.socket.sendto(head + message[12:end] + records, client)


def resolves(program, folder, address=f"https://{NAME}:{PORT}"):
    """Whether the program gets as far as to connect, and how long it took."""
    environment = {"DADOSFERA_ACCESS_TOKEN": "a-token-of-nobody", "PATH": os.environ["PATH"]}
    flags = [f"--base-url={address}", "--pipeline-id=p", "--run-id=r", "--timeout=0", "--ci=none"]
    began = time.monotonic()
    done = subprocess.run(
        [program, *flags], env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    took = time.monotonic() - began
    if done.returncode == 6 and "refused" in done.stdout:
        return True, took
    if done.returncode == 6 and ("can't be resolved" in done.stdout or "can't connect" in done.stdout):
        return False, took
    sys.exit(f"dns: {program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def asks_only_this_machine(program, folder):
    """Whether plain http to localhost stays here although the hosts file says otherwise."""
    hosts = os.path.join(folder, "hosts")
    with open(hosts, "w", encoding="utf-8") as file:
        file.write("10.9.9.9 localhost\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    try:
        return resolves(program, folder, f"http://localhost:{PORT}")[0]
    finally:
        subprocess.run(["umount", "/etc/hosts"], check=True)


def main():
    raise_loopback()
    servers = [NameServer(FIRST), NameServer(SECOND)]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        configuration = os.path.join(folder, "resolv.conf")
        with open(configuration, "w", encoding="utf-8"):
            pass
        subprocess.run(["mount", "--bind", configuration, "/etc/resolv.conf"], check=True)
        for program in map(os.path.abspath, sys.argv[1:]):
            for case, text, says, expected in CASES:
                with open(configuration, "w", encoding="utf-8") as file:
                    file.write(text)
                for server in servers:
                    server.says = says
                found, took = resolves(program, folder)
                word = "ok" if found == expected else "WRONG"
                wrong += found != expected
                print(f"dns: {word:5} {took:5.1f} s  {case}: {'resolved' if found else 'not resolved'}", flush=True)
            stays = asks_only_this_machine(program, folder)
            wrong += not stays
            print(f"dns: {'ok' if stays else 'WRONG'}  localhost elsewhere by the hosts file: {'here' if stays else 'there'}")
    if wrong:
        sys.exit(f"dns: {wrong} cases went wrong")


if __name__ == "__main__":
    main()
