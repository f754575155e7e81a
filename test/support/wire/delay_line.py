#!/usr/bin/env python3
"""A wire between two TUN devices that adds delay and faults: `delay_line.py CLIENT_TUN SERVER_TUN`.

Commands are JSON lines on stdin, answers and seen TCP packets are JSON lines on stdout; the end of stdin ends it.

  {"faults": {"<address>": {"delay": ms, "drop": true, "refuse": true, "unreachable": true}, ...}}
  {"sync": n}     answered by {"sync": n} after all packets that could be read before it; the first answer also says
                  that both devices are there

A fault belongs to an address of the server's side. `delay` is what the wire adds to a round trip: it holds what the
server sends, and its own answers, and lets at once through what the client sends. A packet that is held already when
the faults change keeps its time.
"""

import errno
import fcntl
import heapq
import ipaddress
import itertools
import json
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000

ICMP, TCP, ICMPV6 = 1, 6, 58
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

NO_FAULT = {}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def ip_packet(source, destination, protocol, payload):
    if len(source) == 4:
        length = 20 + len(payload)
        header = struct.pack("!BBHIBBH4s4s", 0x45, 0, length, 0, 64, protocol, 0, source, destination)
        header = header[:10] + checksum(header) + header[12:]
    else:
        header = struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, 64, source, destination)
    return header + payload


def pseudo_header(source, destination, protocol, payload):
    # The layout is that of IPv6; that of IPv4 has the same sum.
    return source + destination + struct.pack("!II", len(payload), protocol)


class Packet:
    """An IP packet, as far as the wire looks into it; `flags` is None unless it is TCP."""

    def __init__(self, data):
        self.data = data
        if data[0] >> 4 == 4:
            header_length = (data[0] & 0x0F) * 4
            protocol, self.source, self.destination = data[9], data[12:16], data[16:20]
        else:
            header_length = 40
            protocol, self.source, self.destination = data[6], data[8:24], data[24:40]
        self.flags = None
        if protocol == TCP and len(data) >= header_length + 20:
            segment = data[header_length:]
            self.source_port, self.destination_port, self.sequence = struct.unpack("!HHI", segment[:8])
            self.flags = segment[13]
            self.payload_length = len(segment) - (segment[12] >> 4) * 4

    def opens_connection(self):
        return self.flags is not None and self.flags & (SYN | ACK | RST) == SYN


def refusal_of(syn):
    acknowledged = (syn.sequence + 1 + syn.payload_length) & 0xFFFFFFFF
    segment = struct.pack(
        "!HHIIBBHHH", syn.destination_port, syn.source_port, 0, acknowledged, 5 << 4, RST | ACK, 0, 0, 0
    )
    summed = pseudo_header(syn.destination, syn.source, TCP, segment) + segment
    segment = segment[:16] + checksum(summed) + segment[18:]
    return Packet(ip_packet(syn.destination, syn.source, TCP, segment))


def unreachable_of(syn):
    version4 = len(syn.source) == 4
    protocol, kind, code = (ICMP, 3, 1) if version4 else (ICMPV6, 1, 3)
    message = struct.pack("!BBHI", kind, code, 0, 0) + syn.data
    summed = message if version4 else pseudo_header(syn.destination, syn.source, protocol, message) + message
    message = message[:2] + checksum(summed) + message[4:]
    return Packet(ip_packet(syn.destination, syn.source, protocol, message))


def name_of(flags):
    if flags & RST:
        return "RST"
    if flags & SYN:
        return "SYN-ACK" if flags & ACK else "SYN"
    if flags & FIN:
        return "FIN"
    return "ACK"


def open_tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def packets_from(device):
    """The packets that can be read without waiting."""
    while True:
        try:
            yield Packet(os.read(device, 65536))
        except BlockingIOError:
            return


def send(packet, device):
    try:
        os.write(device, packet.data)
    except OSError as error:
        # The device is not up, or its queue is full: as on any wire, the packet is lost.
        if error.errno not in (errno.EIO, errno.EAGAIN, errno.ENOBUFS):
            raise


class Held:
    """What is to be done at a time to come, in the order of the times, and of the calls among equal ones."""

    def __init__(self):
        self.heap = []
        self.order = itertools.count()

    def add(self, due, action):
        heapq.heappush(self.heap, (due, next(self.order), action))

    def release(self):
        while self.heap and self.heap[0][0] <= time.monotonic():
            heapq.heappop(self.heap)[2]()

    def seconds_to_next(self):
        return max(0, self.heap[0][0] - time.monotonic()) if self.heap else None


class Output:
    """Lines for stdout; a reader that is slow must not hold up the packets, so no write waits for it."""

    def __init__(self):
        self.pending = bytearray()
        os.set_blocking(1, False)

    def line(self, value):
        self.pending += json.dumps(value, separators=(",", ":")).encode() + b"\n"

    def flush(self):
        while self.pending:
            try:
                del self.pending[: os.write(1, self.pending)]
            except BlockingIOError:
                return


def hurry():
    """Other processes that keep the machine busy must not make the wire late."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        # It is not permitted, and the wire works without it.
        pass


class DelayLine:
    def __init__(self, client, server):
        self.client = client
        self.server = server
        self.faults = {}
        self.held = Held()
        self.output = Output()
        self.input = b""

    def fault_of(self, address):
        return self.faults.get(address, NO_FAULT)

    def log(self, packet, sender, dropped=False):
        if packet.flags is None:
            return
        name = name_of(packet.flags)
        if name == "ACK" and sender != "client":
            return
        ends = [(packet.destination, packet.destination_port), (packet.source, packet.source_port)]
        (address, server_port), (_, client_port) = ends if sender == "client" else reversed(ends)
        self.output.line({
            "at": time.monotonic_ns() // 1000 / 1000,
            "from": sender,
            "address": str(ipaddress.ip_address(address)),
            "flags": name,
            "clientPort": client_port,
            "serverPort": server_port,
            **({"dropped": True} if dropped else {}),
        })

    def hold(self, fault, action):
        delay = fault.get("delay", 0)
        if delay > 0:
            self.held.add(time.monotonic() + delay / 1000, action)
        else:
            action()

    def answer(self, packet):
        self.log(packet, "wire")
        send(packet, self.client)

    def from_client(self, packet):
        fault = self.fault_of(packet.destination)
        dropped = fault.get("drop", False)
        self.log(packet, "client", dropped)
        if dropped:
            return
        if packet.opens_connection() and fault.get("refuse"):
            self.hold(fault, lambda: self.answer(refusal_of(packet)))
        elif packet.opens_connection() and fault.get("unreachable"):
            self.hold(fault, lambda: self.answer(unreachable_of(packet)))
        else:
            send(packet, self.server)

    def from_server(self, packet):
        fault = self.fault_of(packet.source)
        dropped = fault.get("drop", False)
        self.log(packet, "server", dropped)
        if not dropped:
            self.hold(fault, lambda: send(packet, self.client))

    def forward(self):
        self.held.release()
        for packet in packets_from(self.client):
            self.from_client(packet)
        for packet in packets_from(self.server):
            self.from_server(packet)

    def command(self, text):
        command = json.loads(text)
        if "faults" in command:
            self.faults = {
                ipaddress.ip_address(address).packed: fault for address, fault in command["faults"].items()
            }
        if "sync" in command:
            self.output.line({"sync": command["sync"]})

    def read_commands(self):
        """False at the end of the input."""
        data = os.read(0, 65536)
        # The packets that came before the commands are handled, and logged, before them.
        self.forward()
        *lines, self.input = (self.input + data).split(b"\n")
        for line in lines:
            self.command(line)
        return data != b""

    def run(self):
        while True:
            self.output.flush()
            readable, _, _ = select.select(
                [0, self.client, self.server],
                [1] if self.output.pending else [],
                [],
                self.held.seconds_to_next(),
            )
            self.forward()
            if 0 in readable and not self.read_commands():
                return


if __name__ == "__main__":
    try:
        hurry()
        DelayLine(open_tun(sys.argv[1]), open_tun(sys.argv[2])).run()
    except (BrokenPipeError, KeyboardInterrupt):
        pass
