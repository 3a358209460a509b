//! `examples/chat.rs`: ten lines, two browsers, and everything that clients of the server can do.

use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::chromium::Chromium;
use crate::support::http::{get, post};
use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::Server;
use crate::support::until::within;

#[tokio::test]
async fn two_browsers_talk_in_the_ten_lines_of_the_chat() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::example("chat").await;
    let url = format!("http://localhost:{}/", server.address.port());
    let browser = Chromium::launch(&chromium).await;
    let mut pages = Vec::new();
    for name in ["Ann", "Bob"] {
        let mut page = browser.page().await;
        page.before_scripts(&format!("window.prompt = () => '{name}'")).await;
        page.navigate(&url).await;
        pages.push(page);
    }
    let [ann, bob] = &pages[..] else { panic!("two pages") };
    ann.until("['Ann, Bob', 'Bob, Ann'].includes(document.querySelector('#who').textContent)").await;
    bob.until("['Ann, Bob', 'Bob, Ann'].includes(document.querySelector('#who').textContent)").await;
    ann.click("#text").await;
    ann.type_text("good morning").await;
    ann.press_enter().await;
    bob.until("document.querySelector('#log li')?.textContent === 'Ann: good morning'").await;
    for page in &pages {
        let complaints = page.complaints();
        assert!(complaints.iter().all(|complaint| complaint.contains("favicon")), "{complaints:?}");
    }
}

#[tokio::test]
async fn a_client_of_the_chat_recovers_what_it_missed() {
    let server = Server::example("chat").await;
    let mut bob = Peer::subscribe(server.address, "chat:lobby").await;
    let mut ann = Peer::subscribe(server.address, "chat:lobby").await;
    let before = ann.call("history", json!({ "channel": "chat:lobby", "limit": 0 })).await;
    ann.leave().await;
    for n in 0..20 {
        bob.call("publish", json!({ "channel": "chat:lobby", "data": n })).await;
    }
    let mut ann = Peer::connect(server.address).await;
    let missed = ann
        .call(
            "subscribe",
            json!({ "channel": "chat:lobby", "recover": true, "epoch": before["epoch"], "offset": 0 }),
        )
        .await;
    assert_eq!(missed["recovered"], true, "{missed}");
    let data: Vec<_> =
        missed["publications"].as_array().unwrap().iter().map(|one| one["data"].clone()).collect();
    assert_eq!(json!(data), json!((0..20).collect::<Vec<_>>()));
}

#[tokio::test]
async fn sigterm_tells_every_client_and_ends_the_application_well() {
    let mut server = Server::example("chat").await;
    let mut peers = Vec::new();
    for _ in 0..10 {
        peers.push(Peer::subscribe(server.address, "chat:lobby").await);
    }
    server.signal(Signal::TERM);
    for peer in &mut peers {
        assert_eq!(peer.closed().await, (3001, "shutdown".to_owned()));
    }
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn the_application_serves_its_own_page_and_our_client() {
    let server = Server::example("chat").await;
    assert!(get(server.address, "/").await.body.contains("/spanwire.js"));
    let script = get(server.address, "/spanwire.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    let (_, rest) = script.body.split_once("\"./spanwire/").expect("it is made of modules");
    let module = rest.split('"').next().expect("a module has a name");
    assert_eq!(get(server.address, &format!("/spanwire/{module}")).await.status, 200);
    for of_the_server in ["/metrics", "/health", "/api/publish", "/nothing"] {
        assert_eq!(get(server.address, of_the_server).await.status, 404, "{of_the_server}");
    }
}

#[tokio::test]
async fn a_client_without_websockets_takes_another_transport() {
    let server = Server::example("chat").await;
    let mut witness = Peer::subscribe(server.address, "chat:lobby").await;
    witness.push("join").await; // Its own.
    let body = "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"chat:lobby\"}}";
    for transport in ["http_stream", "sse"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!(
            "POST /connection/{transport} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
            server.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        witness.push("join").await;
        witness.call("publish", json!({ "channel": "chat:lobby", "data": transport })).await;
        let mut heard = String::new();
        within("the publication", async {
            let mut bytes = [0; 4096];
            while !heard.contains(&format!("\"data\":\"{transport}\"")) {
                let count = stream.read(&mut bytes).await.unwrap();
                assert_ne!(count, 0, "{heard}");
                heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        })
        .await;
        drop(stream);
        witness.push("leave").await;
    }
    let poll = json!({ "data": "{\"id\":1,\"connect\":{}}" }).to_string();
    let opened = post(server.address, "/connection/poll", "", &poll).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    assert!(opened.body.contains("\"connect\""), "{opened:?}");
}
