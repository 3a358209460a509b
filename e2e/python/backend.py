"""What a backend in Python must be able to do: with `cent`, the official library, and with nothing but /openapi.json.

    python backend.py

Each key of SCENARIOS is the sentence it proves; the test that runs us holds the same list.
"""

import inspect
import json
import os
import traceback
import urllib.error
import urllib.request

import cent
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

API = os.environ["SPANWIRE_API"]
KEY = os.environ["SPANWIRE_KEY"]

# How long a call may take: longer than the worst pause of a busy machine.
PATIENCE_SECONDS = 30.0

# What `cent` has for the paid edition of Centrifugo, and Spanwire has not.
ELSEWHERE = {
    "cancel_push", "connections", "delete_user_status", "device_list", "device_register", "device_remove",
    "device_topic_list", "device_topic_update", "device_update", "get_user_status", "send_push_notification",
    "update_push_status", "update_user_status", "user_topic_list", "user_topic_update",
}

# Bodies for every method, of which the first is answered with a result.
BODIES = {
    "publish": [{"channel": "api", "data": {"n": 1}, "tags": {"a": "b"}}, {"channel": "nowhere:x", "data": 1}],
    "broadcast": [{"channels": ["api", "nowhere:x"], "b64data": "AAE="}, {"channels": ["api"]}],
    "subscribe": [{"user": "nobody", "channel": "api", "override": {"presence": {"value": True}}}],
    "unsubscribe": [{"user": "nobody", "channel": "api"}],
    "disconnect": [{"user": "nobody", "disconnect": {"code": 4001, "reason": "bye"}}],
    "refresh": [{"user": "nobody", "expire_at": 4_000_000_000}],
    "presence": [{"channel": "api"}, {"channel": "plain:x"}],
    "presence_stats": [{"channel": "api"}, {"channel": "plain:x"}],
    "history": [{"channel": "api", "limit": -1}, {"channel": "api", "since": {"offset": 0, "epoch": "other"}}],
    "history_remove": [{"channel": "api"}, {"channel": "plain:x"}],
    "channels": [{"pattern": "*"}],
    "info": [{}],
    "revoke_token": [{"uid": "t1", "expire_at": 4_000_000_000}],
    "invalidate_user_tokens": [{"user": "nobody", "issued_before": 1, "channel": "api"}],
    "block_user": [{"user": "nobody"}],
    "unblock_user": [{"user": "nobody"}],
    "rpc": [{"method": "nothing", "params": [1]}],
    "batch": [{"commands": [{"publish": {"channel": "api", "data": 1}}, {"rpc": {"method": "nothing"}},
                            {"history": {"channel": "api", "limit": 10}}, {"info": {}}], "parallel": True}],
}


def ask(method, body):
    request = urllib.request.Request(f"{API}/{method}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json", "X-API-Key": KEY})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
        return json.load(response)


def described():
    with urllib.request.urlopen(API.removesuffix("/api") + "/openapi.json", timeout=PATIENCE_SECONDS) as response:
        return json.load(response)


def validator(document, schema):
    """Checks values against a part of the document, whose references lead into the whole of it."""
    return Draft202012Validator({**schema, "components": document["components"]})


def the_document_is_openapi():
    validate(described())


def every_method_is_as_described():
    document = described()
    paths = {path.removeprefix("/api/"): item["post"] for path, item in document["paths"].items()}
    assert paths.keys() == BODIES.keys(), f"methods without a body here: {paths.keys() ^ BODIES.keys()}"
    for method, operation in paths.items():
        request = validator(document, operation["requestBody"]["content"]["application/json"]["schema"])
        answer = validator(document, operation["responses"]["200"]["content"]["application/json"]["schema"])
        for body in BODIES[method]:
            request.validate(body)
            told = ask(method, body)
            answer.validate(told)
        assert method == "rpc" or "error" not in ask(method, BODIES[method][0]), method


def a_wrong_body_is_wrong_by_the_description_too():
    document = described()
    for method, body in [("publish", {"data": 1}), ("publish", {"channel": 5, "data": 1}),
                         ("history", {"channel": "api", "limit": "all"}), ("broadcast", {"channels": "api"}),
                         ("batch", {"commands": [{"teleport": {}}]}), ("presence", {"channel": ""})]:
        schema = document["paths"][f"/api/{method}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert not validator(document, schema).is_valid(body), f"{method} {body}"
        try:
            assert "error" in ask(method, body), f"{method} {body}"
        except urllib.error.HTTPError as refused:
            assert refused.code == 400, f"{method} {body}: {refused}"


def every_method_of_cent(client):
    channel = "cent"
    client.history_remove(cent.HistoryRemoveRequest(channel=channel))
    once = cent.PublishRequest(channel=channel, data={"n": 1}, tags={"lang": "en"}, idempotency_key="cent-1")
    first = client.publish(once)
    assert first.offset and first.epoch
    assert client.publish(once).offset == first.offset
    both = client.broadcast(cent.BroadcastRequest(channels=[channel, "nowhere:x"], data={"n": 2})).responses
    assert both[0].result.offset == first.offset + 1 and both[1].error.code == 102
    since = cent.StreamPosition(offset=first.offset - 1, epoch=first.epoch)
    override = cent.ChannelOptionsOverride(presence=cent.BoolValue(value=False))
    client.subscribe(cent.SubscribeRequest(user="nobody", channel=channel, info={"a": 1}, recover_since=since,
                                           override=override))
    client.unsubscribe(cent.UnsubscribeRequest(user="nobody", channel=channel))
    farewell = cent.Disconnect(code=4001, reason="bye")
    client.disconnect(cent.DisconnectRequest(user="nobody", disconnect=farewell, whitelist=["c"]))
    client.refresh(cent.RefreshRequest(user="nobody", expire_at=4_000_000_000))
    client.revoke_token(cent.RevokeTokenRequest(uid="t1", expire_at=4_000_000_000))
    client.invalidate_user_tokens(cent.InvalidateUserTokensRequest(user="nobody", issued_before=1))
    client.block_user(cent.BlockUserRequest(user="nobody"))
    client.unblock_user(cent.UnblockUserRequest(user="nobody"))
    assert client.presence(cent.PresenceRequest(channel=channel)).presence == {}
    stats = client.presence_stats(cent.PresenceStatsRequest(channel=channel))
    assert (stats.num_clients, stats.num_users) == (0, 0)
    kept = client.history(cent.HistoryRequest(channel=channel, limit=10, since=since))
    assert [publication.data for publication in kept.publications] == [{"n": 1}, {"n": 2}], kept
    assert kept.publications[0].tags == {"lang": "en"}
    assert isinstance(client.channels(cent.ChannelsRequest(pattern="*")).channels, dict)
    assert client.info(cent.InfoRequest()).nodes[0].num_clients >= 0
    replies = client.batch(cent.BatchRequest(requests=[
        cent.PublishRequest(channel=channel, data=3),
        cent.HistoryRequest(channel=channel, limit=1, reverse=True),
        cent.BroadcastRequest(channels=[channel], data=4),
        cent.ChannelsRequest(),
        cent.InfoRequest(),
    ])).replies
    assert replies[0].offset == first.offset + 2 and replies[1].publications[0].data == 3, replies
    client.history_remove(cent.HistoryRemoveRequest(channel=channel))
    assert client.history(cent.HistoryRequest(channel=channel, limit=10)).publications == []


def cent_does_what_it_offers():
    with_methods = {name for name, _ in inspect.getmembers(cent.Client, inspect.isfunction) if not name.startswith("_")}
    called = {"publish", "broadcast", "subscribe", "unsubscribe", "disconnect", "refresh", "presence", "presence_stats",
              "history", "history_remove", "channels", "info", "batch", "close", "revoke_token",
              "invalidate_user_tokens", "block_user", "unblock_user"}
    assert with_methods == called | ELSEWHERE, f"cent has other methods now: {with_methods ^ (called | ELSEWHERE)}"
    with cent.Client(API, KEY, timeout=PATIENCE_SECONDS) as client:
        every_method_of_cent(client)


def cent_is_told_what_is_wrong():
    with cent.Client(API, "guess", timeout=PATIENCE_SECONDS) as client:
        refused(cent.CentUnauthorizedError, lambda: client.info(cent.InfoRequest()))
    with cent.Client(API, KEY, timeout=PATIENCE_SECONDS) as client:
        error = refused(cent.CentApiResponseError, lambda: client.presence(cent.PresenceRequest(channel="nowhere:x")))
        assert error.code == 102, error
        error = refused(cent.CentApiResponseError, lambda: client.history(cent.HistoryRequest(channel="plain:x", limit=1)))
        assert error.code == 108, error


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind} was expected")


SCENARIOS = {
    "the description is OpenAPI": the_document_is_openapi,
    "every method is called and answered as described": every_method_is_as_described,
    "a wrong body is wrong by the description too": a_wrong_body_is_wrong_by_the_description_too,
    "every method of cent works": cent_does_what_it_offers,
    "cent is told what is wrong": cent_is_told_what_is_wrong,
}

for sentence, scene in SCENARIOS.items():
    try:
        scene()
        print(json.dumps({"held": sentence}), flush=True)
    except Exception:  # whatever it was, the test wants to hear of it, and of the scenarios after it
        print(json.dumps({"failed": sentence, "why": traceback.format_exc()}), flush=True)
