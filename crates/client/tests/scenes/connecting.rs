use std::time::Duration;

use serde_json::json;
use spanwire_client::{Client, ClientEvent, ConfigError, Ended, Limits, Raw, Status, Transport};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::time::Instant;

use crate::support::server::{PATIENCE, Server, within};

#[tokio::test]
async fn a_client_says_who_it_is_and_is_told_who_it_is() {
    let server = Server::start().await;
    let client = server
        .client()
        .token("t0ken")
        .name("thermometer", "7")
        .data(&json!({ "room": 3 }))
        .unwrap()
        .connect()
        .unwrap();
    let mut events = client.events();
    let mut peer = server.peer().await;
    let hello = peer.hears("connect").await;
    assert_eq!(hello["token"], "t0ken");
    assert_eq!((&hello["name"], &hello["version"]), (&json!("thermometer"), &json!("7")));
    assert_eq!((&hello["data"], &hello["headers"]), (&json!({ "room": 3 }), &json!({ "spanwire": "1" })));
    assert_eq!(client.status(), Status::Connecting { transport: Transport::WebSocket });
    peer.answers("connect", json!({ "client": "c1", "version": "t", "data": { "motd": "hi" } })).await;
    within("the connection", client.ready()).await.unwrap();
    assert_eq!(
        client.status(),
        Status::Connected { client: "c1".to_owned(), transport: Transport::WebSocket }
    );
    let Some(ClientEvent::Connected { client: id, data: Raw(data) }) =
        within("an event", events.next()).await
    else {
        panic!("it has connected")
    };
    assert_eq!((id.as_str(), &data[..]), ("c1", &br#"{"motd":"hi"}"#[..]));
}

#[tokio::test]
async fn a_server_that_has_no_time_is_left_alone_for_as_long_as_it_said() {
    let second = Duration::from_secs(1);
    let backoff = Duration::from_millis(300);
    for (header, least, most) in [
        ("Retry-After: 60\r\n", 60 * second, 60 * second + backoff),
        ("", Duration::ZERO, backoff),
        ("Retry-After: Sat, 21 Nov 2026 22:00:00 GMT\r\n", Duration::ZERO, backoff),
    ] {
        let server = Server::start().await;
        let client = server.client().connect().unwrap();
        let mut events = client.events();
        let mut stream = server.stream().await;
        let before = Instant::now();
        let answer = format!("HTTP/1.1 503 Service Unavailable\r\n{header}Content-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        let Some(ClientEvent::Disconnected(why)) = within("the end", events.next()).await else {
            panic!("it was never connected")
        };
        assert_eq!(why.code, 503, "{why}");
        if let Status::Waiting { retry_at, .. } = client.status() {
            // The client counts in whole milliseconds.
            assert!(retry_at + Duration::from_millis(1) >= before + least, "{header}");
            assert!(retry_at <= Instant::now() + most, "{header}");
        } else {
            assert_eq!(least, Duration::ZERO, "it waits");
        }
        client.close().await;
    }
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_told() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut events = client.events();
    let peer = server.welcomed().await;
    within("the connection", client.ready()).await.unwrap();
    peer.closes(3001, "shutdown").await;
    let _peer = server.welcomed().await;
    let mut story = Vec::new();
    while story.len() < 3 {
        story.push(match within("an event", events.next()).await.unwrap() {
            ClientEvent::Connected { .. } => "connected".to_owned(),
            ClientEvent::Disconnected(why) => why.to_string(),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(story, ["connected", "shutdown (3001)", "connected"]);
}

#[tokio::test]
async fn a_client_that_is_not_wanted_back_stays_away() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut subscription = client.channel::<u64>("x").listen();
    let mut peer = server.welcomed().await;
    peer.lets_in("x", json!({})).await;
    peer.closes(3503, "force disconnect").await;
    let why = within("the end", client.closed()).await;
    assert_eq!(why, Ended { code: 3503, reason: "force disconnect".to_owned() });
    assert_eq!(client.ready().await.unwrap_err(), why);
    let mut last = None;
    while let Some(event) = within("an event", subscription.next()).await {
        last = Some(event);
    }
    assert!(matches!(last, Some(spanwire_client::Event::Ended(it)) if it == why));
    assert!(client.publish("x", &1).await.is_err());
    assert_eq!(client.channel::<u64>("x").subscribe().await.unwrap_err().code, Ended::WISH);
}

#[tokio::test]
async fn an_answer_that_is_no_websocket_is_told_with_its_status() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut events = client.events();
    let mut stream = server.stream().await;
    stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let Some(ClientEvent::Disconnected(why)) = within("an event", events.next()).await else { panic!() };
    assert_eq!(why.code, 403);
    assert!(matches!(client.status(), Status::Waiting { .. }));
    // It is tried again all the same.
    let _peer = server.welcomed().await;
    within("the connection", client.ready()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_until_it_is() {
    // Nobody else is given a port that is bound, and nobody listens at this one.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("ws://{}", nobody.local_addr().unwrap());
    let limits = Limits { retry_max: Duration::from_millis(20), ..Limits::default() };
    let client = Client::builder(&url).limits(limits).connect().unwrap();
    let mut events = client.events();
    for _ in 0..3 {
        let Some(ClientEvent::Disconnected(why)) = within("an event", events.next()).await else { panic!() };
        assert_eq!(why.code, Ended::UNREACHABLE);
    }
    client.close().await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let server = Server::start().await;
    let limits = Limits { connect_within: Duration::from_millis(50), ..Limits::default() };
    let client = server.client().limits(limits).connect().unwrap();
    let mut events = client.events();
    let _silent = server.stream().await;
    let Some(ClientEvent::Disconnected(why)) = within("an event", events.next()).await else { panic!() };
    assert_eq!(why.code, Ended::SILENT);
}

#[tokio::test]
async fn nonsense_ends_the_connection_and_not_the_client() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut events = client.events();
    let mut peer = server.peer().await;
    peer.hears("connect").await;
    peer.says("nonsense").await;
    let Some(ClientEvent::Disconnected(why)) = within("an event", events.next()).await else { panic!() };
    assert_eq!(why.code, Ended::BAD_PROTOCOL);
    let _peer = server.welcomed().await;
    within("the connection", client.ready()).await.unwrap();
}

#[tokio::test]
async fn what_the_server_subscribes_us_to_is_told_as_an_event_of_the_client() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut events = client.events();
    let mut peer = server.peer().await;
    peer.hears("connect").await;
    peer.answers("connect", json!({ "client": "me", "subs": { "news": {} } })).await;
    peer.publishes("news", [0]).await;
    peer.says(r#"{"push":{"message":{"data":"for you"}}}"#).await;
    let mut story = Vec::new();
    while story.len() < 4 {
        story.push(match within("an event", events.next()).await.unwrap() {
            ClientEvent::Connected { .. } => "connected".to_owned(),
            ClientEvent::Channel(channel, event) => {
                format!("{channel}: {}", crate::support::story::brief(&event.read()))
            }
            ClientEvent::Message(Raw(data)) => String::from_utf8_lossy(&data).into_owned(),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(story, ["connected", "news: subscribed at ?", "news: 0", r#""for you""#]);
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_it_is_tried() {
    assert!(matches!(Client::builder("localhost").connect(), Err(ConfigError::Url(_))));
    let missing = Client::builder("wss://localhost").ca_file("/nowhere/ca.pem").connect();
    assert!(matches!(missing, Err(ConfigError::CaFile(..) | ConfigError::NoTls)));
}

#[tokio::test]
async fn whoever_knows_of_a_new_network_does_not_wait_for_the_next_try() {
    let server = Server::start().await;
    let hour = Duration::from_secs(3600);
    let limits = Limits { retry_min: hour, retry_max: hour, connect_within: PATIENCE, ..Limits::default() };
    let client = server.client().limits(limits).connect().unwrap();
    let mut events = client.events();
    drop(server.welcomed().await);
    while !matches!(within("the loss", events.next()).await, Some(ClientEvent::Disconnected(_))) {}
    client.reconnect_now();
    let _peer = server.welcomed().await;
}
