"""What the stock Python client must be able to do.

Each key is the sentence it proves; the test that runs us holds the same list, so that a scenario cannot go missing
in silence.
"""

from centrifuge import DeltaType, ReplyError, StreamPosition

from world import Heard, api, ask, delta_bytes, seconds_from_now, token


async def refusal(call):
    """The code of a call that must be refused."""
    try:
        answer = await call
    except ReplyError as error:
        return error.code
    raise AssertionError(f"answered {answer}")


async def hears_itself(world, room):
    client, ears = await world.client()
    subscription, heard = await world.subscribed(client, room)
    await subscription.publish(world.pack({"text": "Grüße, 世界"}))
    (first,) = await heard.publication.count(1)
    assert world.unpack(first.pub.data) == {"text": "Grüße, 世界"}
    assert first.pub.offset == 1
    connected = ears.connected.all[0]
    assert first.pub.info.client == connected.client
    assert connected.version


async def presence(world, room):
    ana, _ = await world.client(token=token(sub="ana"))
    there, heard = await world.subscribed(ana, room)
    ben, _ = await world.client(token=token(sub="ben"))
    also_there, _ = await world.subscribed(ben, room)
    clients = (await there.presence()).clients
    assert sorted(info.user for info in clients.values()) == ["ana", "ben"]
    stats = await there.presence_stats()
    assert (stats.num_clients, stats.num_users) == (2, 2)
    await heard.join.until(lambda all: any(context.info.user == "ben" for context in all))
    await also_there.unsubscribe()
    await heard.leave.until(lambda all: any(context.info.user == "ben" for context in all))
    assert [info.user for info in (await there.presence()).clients.values()] == ["ana"]


async def history(world, room):
    client, _ = await world.client()
    subscription, _ = await world.subscribed(client, room)
    for n in range(1, 6):
        await subscription.publish(world.pack(n))
    top = await subscription.history(limit=0)
    assert (top.publications, top.offset) == ([], 5)

    async def page(**options):
        return [world.unpack(pub.data) for pub in (await subscription.history(**options)).publications]

    since = StreamPosition(offset=2, epoch=top.epoch)
    assert await page(limit=-1) == [1, 2, 3, 4, 5]
    assert await page(limit=2, since=since) == [3, 4]
    assert await page(limit=2, reverse=True) == [5, 4]
    assert await page(limit=2, reverse=True, since=since) == [1]


async def rpc(world, _room):
    client, _ = await world.client()
    assert await refusal(client.rpc("search", world.pack({"q": "tea"}))) == 108


async def recovery(world, room):
    client, ears = await world.client()
    _, heard = await world.subscribed(client, room)
    await api("publish", channel=room, data=1)
    await heard.publication.count(1)
    await ask("cut")
    await ears.connecting.count(2)
    for n in range(2, 41):
        await api("publish", channel=room, data=n)
    await ask("mend")
    _, again = await heard.subscribed.count(2)
    assert (again.was_recovering, again.recovered) == (True, True)
    await api("publish", channel=room, data=41)
    all = await heard.publication.until(lambda all: any(world.unpack(context.pub.data) == 41 for context in all))
    assert [(c.pub.offset, world.unpack(c.pub.data)) for c in all] == [(n, n) for n in range(1, 42)]


async def server_side_subscription(world, room):
    client, ears = await world.client(token=token(sub="ana", channels=[room]))
    await ears.subscribed.count(1)
    await client.publish(room, world.pack("for me too"))
    (heard,) = await ears.publication.count(1)
    assert (heard.channel, world.unpack(heard.pub.data)) == (room, "for me too")


async def server_unsubscribes(world, room):
    user = f"leaver of {room}"
    client, _ = await world.client(token=token(sub=user))
    _, heard = await world.subscribed(client, room)
    await api("unsubscribe", user=user, channel=room)
    (gone,) = await heard.unsubscribed.count(1)
    assert gone.code == 2000


async def server_disconnects(world, room):
    user = f"outcast of {room}"
    client, ears = await world.client(token=token(sub=user))
    await client.ready()
    await api("disconnect", user=user)
    (gone,) = await ears.disconnected.count(1)
    assert gone.code == 3503


async def forged_token(world, _room):
    _, ears = await world.client(token=token("another secret", sub="ana"))
    (gone,) = await ears.disconnected.count(1)
    assert gone.code == 3500


def offer(n):
    """A payload that is much like every other."""
    return {"symbol": "SPAN", "name": "Перекладина 跨度", "price": 1000 + n, "mood": "😀😁😂"[n % 3],
            "note": "what stays the same from one to the next is most of it"}


async def deltas(world, room):
    channel = f"delta:{room}"
    client, ears = await world.client()
    before = await delta_bytes()
    _, heard = await world.subscribed(client, channel, delta=DeltaType.FOSSIL)
    offers = [offer(3 if n == 4 else n) for n in range(1, 22)]
    for data in offers[:10]:
        await api("publish", channel=channel, data=data)
    await heard.publication.count(10)
    after = await delta_bytes()
    whole, saved = after["whole"] - before["whole"], after["saved"] - before["saved"]
    # No exact figures: what came with the answer to a client that had to come back meanwhile is not counted.
    assert saved > whole, f"patches saved {saved} bytes, and {whole} were told whole"
    await ask("cut")
    await ears.connecting.count(2)
    for data in offers[10:20]:
        await api("publish", channel=channel, data=data)
    await ask("mend")
    again = (await heard.subscribed.count(2))[1]
    assert again.recovered
    await api("publish", channel=channel, data=offers[20])
    all = await heard.publication.count(21)
    assert [(p.pub.offset, world.unpack(p.pub.data)) for p in all] == list(enumerate(offers, 1))


async def expired_token(world, room):
    renewals = []

    async def get_token():
        renewals.append(1)
        return token(sub="ana")

    client, _ = await world.client(token=token(sub="ana", exp=seconds_from_now(-60)), get_token=get_token)
    await world.subscribed(client, room)
    assert len(renewals) == 1


async def renewals(world, room):
    """Only an accepted renewal tells the client when to renew again, so the second one proves the first."""
    renewed = Heard("two renewals")

    async def get_token():
        await renewed.add(1)
        return token(sub="ana", exp=seconds_from_now(2))

    client, ears = await world.client(token=token(sub="ana", exp=seconds_from_now(2)), get_token=get_token)
    subscription, heard = await world.subscribed(client, room)
    await renewed.count(2)
    await subscription.publish(world.pack("still here"))
    await heard.publication.count(1)
    assert len(ears.connecting.all) == 1, ears.connecting.all


async def subscription_renewals(world, room):
    channel = f"closed:{room}"
    renewed = Heard("two renewals")

    def short():
        return token(sub="ana", channel=channel, exp=seconds_from_now(2))

    async def get_token(_context):
        await renewed.add(1)
        return short()

    client, _ = await world.client(token=token(sub="ana"))
    _, heard = await world.subscribed(client, channel, token=short(), get_token=get_token)
    await renewed.count(2)
    await api("publish", channel=channel, data="still here")
    await heard.publication.count(1)
    assert len(heard.subscribing.all) == 1, heard.subscribing.all
    assert heard.unsubscribed.all == []


SCENARIOS = {
    "a client hears its own publication": hears_itself,
    "presence counts exactly, and joins and leaves are heard": presence,
    "history pages forwards and backwards": history,
    "rpc without a handler answers 108": rpc,
    "a cut line loses nothing and repeats nothing": recovery,
    "deltas are patches on the wire, and every payload comes out, also behind a cut": deltas,
    "channels of the token are subscribed by the server": server_side_subscription,
    "the server can end a subscription": server_unsubscribes,
    "the server can end a connection for good": server_disconnects,
    "a forged token is refused for good": forged_token,
    "an expired token is renewed before connecting": expired_token,
    "a connection outlives its tokens": renewals,
    "a subscription outlives its tokens": subscription_renewals,
}
