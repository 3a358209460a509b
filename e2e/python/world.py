"""What a scenario stands on: the server's addresses, its HTTP API, tokens, and a line to the test that started us.

Everything comes from the environment, so the same scenarios run against any server:

    SPANWIRE_URL     WebSocket address, usually through a proxy which the test can cut
    SPANWIRE_API     address of the HTTP API, past the proxy
    SPANWIRE_KEY     its key
    SPANWIRE_SECRET  the HS256 secret of connection tokens
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.request

from centrifuge import Client, ClientEventHandler, SubscriptionEventHandler

# How long a scenario waits for anything before it calls it missing.
PATIENCE_SECONDS = 10.0

URL = os.environ["SPANWIRE_URL"]
API = os.environ["SPANWIRE_API"]
KEY = os.environ["SPANWIRE_KEY"]
SECRET = os.environ["SPANWIRE_SECRET"]


class Heard:
    """Everything that was said under one name, in order, and a way to wait until enough has been said."""

    def __init__(self, what):
        self.what = what
        self.all = []
        self._news = asyncio.Condition()

    async def add(self, item):
        async with self._news:
            self.all.append(item)
            self._news.notify_all()

    async def until(self, condition):
        async with self._news:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._news.wait_for(lambda: condition(self.all))
            except TimeoutError:
                raise AssertionError(f"waited for {self.what}, heard {self.all}") from None
        return self.all

    async def count(self, n):
        return await self.until(lambda all: len(all) >= n)


class Ears:
    """Collects what the SDK tells its handlers: one list per kind of event, contexts as they came."""

    KINDS = ("connecting", "connected", "disconnected", "subscribing", "subscribed", "unsubscribed",
             "publication", "join", "leave", "error")

    def __init__(self, base):
        self.handler = base()
        for kind in self.KINDS:
            heard = Heard(kind)
            setattr(self, kind, heard)
            setattr(self.handler, f"on_{kind}", heard.add)


class World:
    """The world of one scenario: it makes clients, and ends every client it made."""

    def __init__(self, use_protobuf):
        self._use_protobuf = use_protobuf
        self._clients = []

    def pack(self, value):
        return json.dumps(value).encode() if self._use_protobuf else value

    def unpack(self, data):
        return json.loads(data) if self._use_protobuf else data

    async def client(self, **options):
        ears = Ears(ClientEventHandler)
        client = Client(URL, events=ears.handler, use_protobuf=self._use_protobuf, min_reconnect_delay=0.05,
                        max_reconnect_delay=0.2, proxy=None, **options)
        self._clients.append(client)
        await client.connect()
        return client, ears

    async def subscribed(self, client, channel, **options):
        """Subscribes and waits until the server has agreed."""
        ears = Ears(SubscriptionEventHandler)
        subscription = client.new_subscription(channel, events=ears.handler, **options)
        await subscription.subscribe()
        await ears.subscribed.count(1)
        return subscription, ears

    async def end(self):
        for client in self._clients:
            await client.disconnect()


async def api(method, **params):
    """Calls a method of the server's HTTP API and returns its result."""
    def call():
        request = urllib.request.Request(f"{API}/{method}", json.dumps(params).encode(),
                                         {"Content-Type": "application/json", "X-API-Key": KEY})
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return json.load(response)

    answer = await asyncio.to_thread(call)
    assert "error" not in answer, f"/api/{method} answered {answer}"
    return answer["result"]


async def delta_bytes():
    """What the server has counted of payloads that were told whole, and what it saved by patches, in bytes."""
    def call():
        with urllib.request.urlopen(API.removesuffix("api") + "metrics", timeout=PATIENCE_SECONDS) as response:
            lines = response.read().decode().splitlines()
            return dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))

    figures = await asyncio.to_thread(call)
    names = {"whole": 'spanwire_delta_bytes_total{kind="whole"}', "saved": "spanwire_delta_saved_bytes_total"}
    return {kind: float(figures[name]) for kind, name in names.items()}


def token(secret=SECRET, **claims):
    """A connection token, signed as a backend would. Times in the claims are Unix seconds."""
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{head}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def seconds_from_now(seconds):
    """Unix time in whole seconds."""
    return int(time.time()) + seconds


def say(message):
    """One JSON object per line is how we speak to the test."""
    print(json.dumps(message), flush=True)


async def ask(deed):
    """Asks the test to do something to the line between us and the server, and waits until it is done."""
    say({"ask": deed})
    answer = await asyncio.wait_for(asyncio.to_thread(sys.stdin.readline), PATIENCE_SECONDS)
    assert answer, "the test has gone"
