use std::time::Duration;

use serde_json::json;
use spanwire_client::{CallError, Error, History, Limits, Position, PresenceStats, Raw};

use crate::support::server::{PATIENCE, Server, within};

#[tokio::test]
async fn a_publication_is_acknowledged_with_its_position() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    let answer = async {
        let asked = peer.hears("publish").await;
        assert_eq!((&asked["channel"], &asked["data"]), (&json!("x"), &json!({ "a": 1 })));
        peer.answers("publish", json!({ "sw_offset": 4, "sw_epoch": "e" })).await;
    };
    let data = json!({ "a": 1 });
    let (position, ()) = tokio::join!(client.publish("x", &data), answer);
    assert_eq!(position.unwrap(), Some(Position { offset: 4, epoch: "e".to_owned() }));
}

#[tokio::test]
async fn a_refusal_has_the_code_of_the_server() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    let answer = async {
        peer.hears("publish").await;
        peer.refuses("publish", 103, false).await;
    };
    let (refused, ()) = tokio::join!(client.publish("x", &1), answer);
    let error = refused.unwrap_err();
    assert_eq!((error.code(), error.is_temporary()), (Some(103), false));
    assert_eq!(error.to_string(), "refused: 103 no");
}

#[tokio::test]
async fn a_publication_whose_answer_was_lost_is_repeated_only_where_it_has_a_key() {
    for idempotent in [true, false] {
        let server = Server::start().await;
        let client = server.client().connect().unwrap();
        let mut peer = server.peer().await;
        peer.hears("connect").await;
        let granted = if idempotent { json!(["idempotent_publish"]) } else { json!([]) };
        peer.answers("connect", json!({ "client": "me", "sw_ext": granted })).await;
        let publisher = client.clone();
        let published = tokio::spawn(async move { publisher.publish("x", &1).await });
        let first = peer.hears("publish").await;
        assert_eq!(first.get("sw_key").is_some(), idempotent);
        drop(peer);
        if idempotent {
            let mut peer = server.peer().await;
            peer.hears("connect").await;
            peer.answers("connect", json!({ "client": "me", "sw_ext": granted })).await;
            assert_eq!(peer.hears("publish").await["sw_key"], first["sw_key"]);
            peer.answers("publish", json!({})).await;
            assert_eq!(within("the answer", published).await.unwrap().unwrap(), None);
        } else {
            let error = within("the answer", published).await.unwrap().unwrap_err();
            assert!(matches!(error, Error::Call(CallError::Unacknowledged)), "{error}");
        }
    }
}

#[tokio::test]
async fn questions_are_answered_in_the_types_that_were_asked_for() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    let server_side = async {
        assert_eq!(peer.hears("rpc").await, json!({ "method": "add", "data": [2, 3] }));
        peer.answers("rpc", json!({ "data": 5 })).await;
        let asked = peer.hears("history").await;
        assert_eq!((&asked["limit"], &asked["reverse"]), (&json!(2), &json!(true)));
        let publications = json!([{ "data": 9, "offset": 9 }, { "data": 8, "offset": 8 }]);
        peer.answers("history", json!({ "publications": publications, "epoch": "e", "offset": 9 })).await;
        peer.hears("presence").await;
        peer.answers("presence", json!({ "presence": { "c1": { "client": "c1", "user": "ana" } } })).await;
        peer.hears("presence_stats").await;
        peer.answers("presence_stats", json!({ "num_clients": 3, "num_users": 2 })).await;
    };
    let application = async {
        assert_eq!(client.rpc::<u64>("add", &(2, 3)).await.unwrap(), 5);
        let page = client.history::<u64>("x", History::newest(2)).await.unwrap();
        assert_eq!(page.publications.iter().map(|it| it.data).collect::<Vec<_>>(), [9, 8]);
        assert_eq!(page.top, Position { offset: 9, epoch: "e".to_owned() });
        assert_eq!(client.presence("x").await.unwrap()["c1"].user, "ana");
        assert_eq!(client.presence_stats("x").await.unwrap(), PresenceStats { clients: 3, users: 2 });
    };
    tokio::join!(server_side, application);
}

#[tokio::test]
async fn what_is_no_json_is_not_sent() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let error = client.publish("x", &Raw(vec![0, 255].into())).await.unwrap_err();
    assert!(matches!(error, Error::Unsendable(_)));
}

#[tokio::test]
async fn a_call_that_is_not_answered_in_time_says_whether_it_was_sent() {
    let limits =
        Limits { call_within: Duration::from_millis(50), connect_within: PATIENCE, ..Limits::default() };
    let server = Server::start().await;
    let client = server.client().limits(limits).connect().unwrap();
    let never_sent = client.rpc::<u64>("add", &1).await.unwrap_err();
    assert!(matches!(never_sent, Error::Call(CallError::Expired)), "{never_sent}");
    let mut peer = server.welcomed().await;
    within("the connection", client.ready()).await.unwrap();
    let (sent, _) = tokio::join!(client.rpc::<u64>("add", &1), peer.hears("rpc"));
    let sent = sent.unwrap_err();
    assert!(matches!(sent, Error::Call(CallError::Unacknowledged)), "{sent}");
}

#[tokio::test]
async fn what_may_not_wait_fails_at_once_without_a_connection() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let error = within("the failure", client.publish("x", &1).queue(false)).await.unwrap_err();
    assert!(matches!(error, Error::Call(CallError::Offline)), "{error}");
    let mut peer = server.welcomed().await;
    within("the connection", client.ready()).await.unwrap();
    let published = tokio::spawn(client.publish("x", &2).queue(false));
    assert_eq!(peer.hears("publish").await["data"], 2, "and what failed has not gone out since");
    drop(peer);
    let error = within("the failure", published).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Call(CallError::Unacknowledged)), "{error}");
}

#[tokio::test]
async fn a_publication_that_nobody_awaits_is_not_sent() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    drop(client.publish("x", &1));
    let published = tokio::spawn(client.publish("x", &2));
    assert_eq!(peer.hears("publish").await["data"], 2);
    peer.answers("publish", json!({})).await;
    within("the answer", published).await.unwrap().unwrap();
}
