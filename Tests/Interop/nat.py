"""A NAT between a client and the gateway, for one flow of UDP: its outer port can change while
media flows, as when a phone goes from one network to another, and it can lose packets."""
import random
import select
import socket
import threading


class NAT:
    """`with NAT(port) as nat:` relays datagrams of one client between `nat.port` and `port`."""

    def __init__(self, gateway_port, loss=0, seed=1):
        """`loss`: of a hundred datagrams, how many vanish, either way."""
        self.loss, self.dice, self.moved, self.lost = loss, random.Random(seed), 0, 0
        self.gateway = ("127.0.0.1", gateway_port)
        self.inner, self.outer = self.socket(""), self.socket()
        self.port, self.client, self.changes = self.inner.getsockname()[1], None, 0
        self.open = True
        self.thread = threading.Thread(target=self.relay, daemon=True)

    @staticmethod
    def socket(host="127.0.0.1"):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((host, 0))
        return one

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.thread.join(2)
        self.inner.close()
        self.outer.close()

    def rebind(self):
        """From now on the gateway sees another address; what it sends to the old one is lost."""
        old, self.outer = self.outer, self.socket()
        old.close()
        self.changes += 1

    def relay(self):
        while self.open:
            outer = self.outer
            try:
                for one in select.select([self.inner, outer], [], [], .05)[0]:
                    self.move(one)
            except (OSError, ValueError):  # the outer one has just been replaced
                continue

    def move(self, one):
        data, source = one.recvfrom(65536)
        self.moved += 1
        if self.dice.random() * 100 < self.loss:
            self.lost += 1
            return
        if one is self.inner:
            self.client = source
            self.outer.sendto(data, self.gateway)
        elif self.client:
            self.inner.sendto(data, self.client)
