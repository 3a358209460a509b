use serde_json::json;
use spanwire_client::{Client, Ended, Event, Overflow, Position, Subscription};

use crate::support::server::{Peer, Server, within};
use crate::support::story::{next, some};

/// What a server says to a subscribe in a channel with recovery.
fn positioned(offset: u64) -> serde_json::Value {
    json!({ "recoverable": true, "positioned": true, "epoch": "e", "offset": offset })
}

/// A client whose reader of the channel `x` has room for four events, subscribed at offset 5.
async fn reading(server: &Server, overflow: Overflow) -> (Client, Peer, Subscription<u64>) {
    let client = server.client().connect().unwrap();
    let mut subscription = client.channel::<u64>("x").overflow(overflow).buffer(4, 1000).listen();
    let mut peer = server.welcomed().await;
    peer.lets_in("x", positioned(5)).await;
    assert_eq!(next(&mut subscription).await, "subscribed at e5");
    (client, peer, subscription)
}

/// Waits until the client has heard everything that was said before.
async fn heard_all(client: &Client, peer: &mut Peer) {
    let answer = async {
        peer.hears("rpc").await;
        peer.answers("rpc", json!({ "data": 1 })).await;
    };
    let (answer, ()) = tokio::join!(client.rpc::<u64>("heard", &()), answer);
    assert_eq!(answer.unwrap(), 1);
}

#[tokio::test]
async fn a_reader_who_is_slow_is_paused_and_hears_the_rest_by_recovery() {
    let server = Server::start().await;
    let (client, mut peer, mut subscription) = reading(&server, Overflow::Pause).await;
    peer.publishes("x", 6..=12).await;
    peer.hears("unsubscribe").await;
    peer.answers("unsubscribe", json!({})).await;
    heard_all(&client, &mut peer).await;
    assert_eq!(some(&mut subscription, 2).await, ["6", "7"]);
    let missed: Vec<_> = (10..=12).map(|offset| json!({ "data": offset, "offset": offset })).collect();
    let mut result = positioned(9);
    result["was_recovering"] = true.into();
    result["recovered"] = true.into();
    result["publications"] = missed.into();
    let asked = peer.lets_in("x", result).await;
    assert_eq!(
        (&asked["recover"], &asked["offset"], &asked["epoch"]),
        (&json!(true), &json!(9), &json!("e"))
    );
    // Two are left and three come: the fourth place is taken, and the one behind it must be asked for again.
    peer.hears("unsubscribe").await;
    peer.answers("unsubscribe", json!({})).await;
    assert_eq!(some(&mut subscription, 2).await, ["8", "9"]);
    let mut result = positioned(12);
    result["was_recovering"] = true.into();
    result["recovered"] = true.into();
    result["publications"] = json!([{ "data": 12, "offset": 12 }]);
    let asked = peer.lets_in("x", result).await;
    assert_eq!(asked["offset"], 11);
    assert_eq!(some(&mut subscription, 4).await, ["10", "11", "12", "recovered at e12"]);
    peer.publishes("x", [13]).await;
    assert_eq!(next(&mut subscription).await, "13");
}

#[tokio::test]
async fn a_pause_without_positions_is_told_as_a_gap() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut subscription = client.channel::<u64>("x").buffer(2, 1000).listen();
    let mut peer = server.welcomed().await;
    peer.lets_in("x", json!({})).await;
    assert_eq!(next(&mut subscription).await, "subscribed at ?");
    peer.publishes("x", [0, 0, 0]).await;
    peer.hears("unsubscribe").await;
    peer.answers("unsubscribe", json!({})).await;
    assert_eq!(next(&mut subscription).await, "0");
    peer.lets_in("x", json!({})).await;
    assert_eq!(next(&mut subscription).await, "0");
    assert_eq!(next(&mut subscription).await, "gap ?..?");
    assert_eq!(next(&mut subscription).await, "subscribed at ?");
}

#[tokio::test]
async fn the_oldest_are_dropped_and_told_where_that_is_wished() {
    let server = Server::start().await;
    let (client, mut peer, mut subscription) = reading(&server, Overflow::DropOldest).await;
    peer.publishes("x", 6..=12).await;
    heard_all(&client, &mut peer).await;
    assert_eq!(some(&mut subscription, 5).await, ["gap e5..e8", "9", "10", "11", "12"]);
}

#[tokio::test]
async fn a_slow_reader_is_let_go_where_that_is_wished() {
    let server = Server::start().await;
    let (client, mut peer, mut subscription) = reading(&server, Overflow::End).await;
    peer.publishes("x", 6..=12).await;
    peer.hears("unsubscribe").await;
    peer.answers("unsubscribe", json!({})).await;
    assert_eq!(some(&mut subscription, 6).await, ["6", "7", "8", "9", "ended 15", "nothing more"]);
    // The channel is free again.
    let mut again = client.channel::<u64>("x").listen();
    peer.lets_in("x", positioned(12)).await;
    assert_eq!(next(&mut again).await, "subscribed at e12");
}

#[tokio::test]
async fn one_slow_reader_costs_the_others_nothing() {
    let server = Server::start().await;
    let (client, mut peer, _slow) = reading(&server, Overflow::Pause).await;
    let mut quick = client.channel::<u64>("y").listen();
    peer.lets_in("y", positioned(0)).await;
    peer.publishes("x", 6..=30).await;
    peer.publishes("y", [1, 2]).await;
    assert_eq!(some(&mut quick, 3).await, ["subscribed at e0", "1", "2"]);
}

#[tokio::test]
async fn a_cut_is_told_and_what_was_missed_comes_before_the_live() {
    let server = Server::start().await;
    let (_client, mut peer, mut subscription) = reading(&server, Overflow::Pause).await;
    peer.publishes("x", [6]).await;
    assert_eq!(next(&mut subscription).await, "6");
    drop(peer);
    let mut peer = server.welcomed().await;
    let mut result = positioned(7);
    result["was_recovering"] = true.into();
    result["recovered"] = true.into();
    result["publications"] = json!([{ "data": 7, "offset": 7 }]);
    let asked = peer.lets_in("x", result).await;
    assert_eq!(asked["offset"], 6);
    peer.publishes("x", [8]).await;
    assert_eq!(some(&mut subscription, 4).await, ["interrupted 1006", "7", "recovered at e7", "8"]);
}

#[tokio::test]
async fn what_cannot_be_recovered_is_a_gap() {
    let server = Server::start().await;
    let (_client, peer, mut subscription) = reading(&server, Overflow::Pause).await;
    drop(peer);
    let mut peer = server.welcomed().await;
    let mut result = positioned(2);
    result["epoch"] = "f".into();
    result["was_recovering"] = true.into();
    peer.lets_in("x", result).await;
    assert_eq!(some(&mut subscription, 3).await, ["interrupted 1006", "gap e5..f2", "unrecovered at f2"]);
}

#[tokio::test]
async fn a_reader_may_begin_where_it_was() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let since = Position { offset: 41, epoch: "e".to_owned() };
    let _subscription = client.channel::<u64>("x").since(since).listen();
    let mut peer = server.welcomed().await;
    let asked = peer.hears("subscribe").await;
    assert_eq!((&asked["recover"], &asked["offset"]), (&json!(true), &json!(41)));
}

#[tokio::test]
async fn something_else_than_was_expected_is_told_and_does_no_harm() {
    let server = Server::start().await;
    let (_client, mut peer, mut subscription) = reading(&server, Overflow::Pause).await;
    peer.says(r#"{"push":{"channel":"x","pub":{"data":"text","offset":6}}}"#).await;
    peer.publishes("x", [7]).await;
    assert_eq!(some(&mut subscription, 2).await, [r#"unreadable "text""#, "7"]);
}

#[tokio::test]
async fn subscribing_waits_for_the_server_and_tells_what_it_says() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    let refused = async {
        peer.hears("subscribe").await;
        peer.refuses("subscribe", 103, false).await;
    };
    let (refusal, ()) = tokio::join!(client.channel::<u64>("x").subscribe(), refused);
    assert_eq!(refusal.unwrap_err().code, 103);
    let (allowed, _) = tokio::join!(client.channel::<u64>("x").subscribe(), peer.lets_in("x", positioned(0)));
    let mut subscription = allowed.unwrap();
    assert_eq!(next(&mut subscription).await, "subscribed at e0");
    let second = client.channel::<u64>("x").subscribe().await;
    assert_eq!(second.unwrap_err().code, Ended::ALREADY_SUBSCRIBED);
    peer.publishes("x", [1]).await;
    assert_eq!(next(&mut subscription).await, "1");
}

#[tokio::test]
async fn dropping_a_subscription_leaves_the_channel_and_so_does_giving_up_to_subscribe() {
    let server = Server::start().await;
    let (client, mut peer, subscription) = reading(&server, Overflow::Pause).await;
    drop(subscription);
    assert_eq!(peer.hears("unsubscribe").await["channel"], "x");
    let mut wish = Box::pin(client.channel::<u64>("y").subscribe());
    tokio::select! {
        biased;
        _ = &mut wish => panic!("nobody has answered"),
        _ = peer.hears("subscribe") => {}
    }
    drop(wish);
    assert_eq!(peer.hears("unsubscribe").await["channel"], "y");
}

#[tokio::test]
async fn joins_and_leaves_come_where_they_are_wished_for() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut subscription = client.channel::<u64>("x").join_leave().listen();
    let mut peer = server.welcomed().await;
    let asked = peer.lets_in("x", json!({})).await;
    assert_eq!(asked["join_leave"], true);
    peer.says(r#"{"push":{"channel":"x","join":{"info":{"user":"bob","client":"b"}}}}"#).await;
    peer.says(r#"{"push":{"channel":"x","leave":{"info":{"user":"bob","client":"b"}}}}"#).await;
    assert_eq!(some(&mut subscription, 3).await, ["subscribed at ?", "join bob", "leave bob"]);
}

#[tokio::test]
async fn a_subscription_is_a_stream() {
    use futures_util::StreamExt as _;
    let server = Server::start().await;
    let (client, mut peer, subscription) = reading(&server, Overflow::Pause).await;
    peer.publishes("x", [6, 7]).await;
    heard_all(&client, &mut peer).await;
    client.close().await;
    let numbers = subscription.filter_map(async |event| match event {
        Event::Publication(publication) => Some(publication.data),
        _ => None,
    });
    assert_eq!(within("the end", numbers.collect::<Vec<_>>()).await, [6, 7]);
}

#[tokio::test]
async fn who_is_there_is_told_where_it_is_wished_for() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut subscription = client.channel::<u64>("x").presence().listen();
    let mut peer = server.welcomed().await;
    peer.lets_in("x", json!({})).await;
    assert_eq!(peer.hears("presence").await["channel"], "x");
    peer.answers("presence", json!({ "presence": { "a": { "user": "ann", "client": "a" } } })).await;
    peer.says(r#"{"push":{"channel":"x","join":{"info":{"user":"bob","client":"b"}}}}"#).await;
    let told = ["subscribed at ?", "presence a", "join bob", "presence a b"];
    assert_eq!(some(&mut subscription, 4).await, told);
}

#[tokio::test]
async fn a_server_that_does_not_say_who_is_there_is_no_reason_to_leave() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut subscription = client.channel::<u64>("x").presence().listen();
    let mut peer = server.welcomed().await;
    peer.lets_in("x", positioned(5)).await;
    peer.hears("presence").await;
    peer.refuses("presence", 108, false).await;
    peer.publishes("x", [6]).await;
    assert_eq!(some(&mut subscription, 3).await, ["subscribed at e5", "no presence 108", "6"]);
}
