#!/usr/bin/env python3
"""A backend for Spanwire, with nothing but Python's standard library.

It decides who connects, subscribes and publishes, answers calls, and keeps account of who is there by the events that it
is told. Beside it stands spanwire.toml, which points Spanwire here:

    python3 backend.py --port 3000 --ledger ledger.sqlite &
    spanwire serve -c spanwire.toml
"""

import argparse
import hashlib
import hmac
import http.server
import json
import sqlite3
import threading
import time

EVENTS_SECRET = b"a secret that Spanwire shares with this backend"
TICKET_SECRET = b"a secret of this backend alone"
PASSWORDS = {"ann": "lemon", "bob": "sugar", "cat": "cream", "dan": "honey"}
STAFF = {"ann"}


def is_signed(body, header, secret, now):
    """Whether a request is Spanwire's, and not an old one that somebody has overheard."""
    said = dict(part.split("=", 1) for part in (header or "").split(",") if "=" in part)
    expected = hmac.new(secret, said.get("t", "").encode() + b"." + body, hashlib.sha256)
    is_ours = hmac.compare_digest(expected.hexdigest(), said.get("v1", ""))
    return is_ours and abs(now - int(said["t"])) < 300


class Ledger:
    """Who is where, as far as events have told: what is told twice counts once."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.executescript(
            """
            create table if not exists lives (node, epoch primary key, seq);
            create table if not exists clients (epoch, client, user, primary key (epoch, client));
            create table if not exists members (epoch, channel, client, primary key (epoch, channel, client));
            create table if not exists rooms (epoch, channel, primary key (epoch, channel));
            create table if not exists log (epoch, seq, event, primary key (epoch, seq));
            create table if not exists counts (name primary key, count);
            """
        )

    def take(self, request):
        """Takes a whole request, or nothing of it: if we are ended in between, it comes again."""
        with self.lock:
            self.db.execute("begin immediate")
            try:
                for event in request["events"]:
                    self.take_event(request["node"], request["epoch"], event)
                self.db.execute("commit")
            except BaseException:
                self.db.execute("rollback")
                raise

    def take_event(self, node, epoch, event):
        row = self.db.execute("select seq from lives where epoch = ?", (epoch,)).fetchone()
        last = row[0] if row else 0
        if event["seq"] <= last:
            return self.count("repeated")  # our answer was lost
        missing = event["seq"] - last - 1
        if event["type"] == "gap":
            missing -= event["dropped"] - 1
            self.count("dropped", event["dropped"])
        if missing > 0:
            self.count("missing", missing)  # never; a gap is always told
        self.db.execute("insert or replace into lives values (?, ?, ?)", (node, epoch, event["seq"]))
        self.db.execute("insert into log values (?, ?, ?)", (epoch, event["seq"], json.dumps(event)))
        self.enter(node, epoch, event)

    def enter(self, node, epoch, event):
        # A client that came back within the grace goes on with the stay that was told.
        client = event.get("first_client", event.get("client"))
        match event["type"]:
            case "started":
                self.forget(node, epoch)
            case "connected":
                self.db.execute("insert into clients values (?, ?, ?)", (epoch, client, event["user"]))
            case "disconnected":
                self.db.execute("delete from clients where epoch = ? and client = ?", (epoch, client))
            case "subscribed":
                self.db.execute("insert into members values (?, ?, ?)", (epoch, event["channel"], event["client"]))
            case "unsubscribed":
                self.db.execute(
                    "delete from members where epoch = ? and channel = ? and client = ?",
                    (epoch, event["channel"], event["client"]),
                )
            case "occupied":
                self.db.execute("insert into rooms values (?, ?)", (epoch, event["channel"]))
            case "vacated":
                self.db.execute("delete from rooms where epoch = ? and channel = ?", (epoch, event["channel"]))

    def forget(self, node, epoch):
        """A node has begun anew: whoever was there in its earlier lives is not any more."""
        earlier = self.db.execute("select epoch from lives where node = ? and epoch <> ?", (node, epoch))
        for (over,) in earlier.fetchall():
            for table in ("clients", "members", "rooms"):
                self.db.execute(f"delete from {table} where epoch = ?", (over,))

    def count(self, name, by=1):
        self.db.execute("insert or ignore into counts values (?, 0)", (name,))
        self.db.execute("update counts set count = count + ? where name = ?", (by, name))

    def pages(self):
        """Everything that is in the ledger."""
        with self.lock:
            rows = lambda query: self.db.execute(query).fetchall()
            return {
                "online": [user for (user,) in rows("select distinct user from clients order by user")],
                "rooms": [channel for (channel,) in rows("select distinct channel from rooms order by channel")],
                "members": len(rows("select * from members")),
                "counts": dict(rows("select name, count from counts")),
                "lives": [epoch for (epoch,) in rows("select epoch from lives order by rowid")],
                "log": [
                    {"epoch": epoch, **json.loads(event)}
                    for epoch, event in rows("select epoch, event from log order by rowid")
                ],
            }


def ticket_for(user):
    return hmac.new(TICKET_SECRET, user.encode(), hashlib.sha256).hexdigest()


def log_in(asked):
    """Not Spanwire's business: how your users show you who they are."""
    user = asked.get("user", "")
    if user not in PASSWORDS or not hmac.compare_digest(PASSWORDS[user], asked.get("password", "")):
        return {"error": "wrong name or password"}
    return {"user": user, "ticket": ticket_for(user)}


def connect(asked, _):
    shown = asked.get("data") or {}
    user, ticket = shown.get("user", ""), shown.get("ticket", "")
    if user in PASSWORDS and hmac.compare_digest(ticket, ticket_for(user)):
        return {"result": {"user": user, "info": {"name": user.capitalize()}}}
    return {"disconnect": {"code": 4501, "reason": "log in first"}}


def subscribe(asked, _):
    if asked["channel"].startswith("room:staff") and asked["user"] not in STAFF:
        return {"error": {"code": 403, "message": "for staff only"}}
    return {"result": {}}


def publish(asked, _):
    text = (asked.get("data") or {}).get("text", "")
    if not 0 < len(text) <= 500:
        return {"error": {"code": 400, "message": "a text of up to 500 characters"}}
    return {"result": {"data": {"text": text, "by": asked["user"]}}}


def rpc(asked, ledger):
    if asked["method"] == "who":
        pages = ledger.pages()
        return {"result": {"data": {"online": pages["online"], "rooms": pages["rooms"]}}}
    return {"error": {"code": 404, "message": "no such method"}}


DECISIONS = {
    "/spanwire/connect": connect,
    "/spanwire/subscribe": subscribe,
    "/spanwire/publish": publish,
    "/spanwire/rpc": rpc,
}


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    ledger = None

    def do_GET(self):
        self.answer(200, self.ledger.pages()) if self.path == "/ledger" else self.answer(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/spanwire/events":
            return self.take_events(body)
        asked = json.loads(body)
        if self.path == "/login":
            return self.answer(200, log_in(asked))
        decide = DECISIONS.get(self.path)
        self.answer(200, decide(asked, self.ledger)) if decide else self.answer(404, {})

    def take_events(self, body):
        if not is_signed(body, self.headers["x-spanwire-signature"], EVENTS_SECRET, time.time()):
            return self.answer(403, {})
        self.ledger.take(json.loads(body))
        self.answer(200, {})

    def answer(self, status, words):
        body = json.dumps(words).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=3000, help="where to listen; 0 takes a free port")
    options.add_argument("--ledger", default="ledger.sqlite", help="where the account is kept")
    chosen = options.parse_args()
    Backend.ledger = Ledger(chosen.ledger)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", chosen.port), Backend)
    print(f"backend: http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
