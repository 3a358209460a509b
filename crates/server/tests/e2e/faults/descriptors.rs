//! No more sockets to be had: by our own count, and by the system's.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stage::{nothing_is_left, ticks};
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::{until, within};

/// How many connections are served by a server that may have [`DESCRIPTORS`]: it keeps the others for itself.
const PLACES: usize = 36;

/// How many descriptors a server may have, which is fewer than a comfortable one keeps for itself.
const DESCRIPTORS: usize = 64;

/// How long the CPU time of a server in distress is watched.
const WATCH: Duration = Duration::from_secs(1);

/// Most clock ticks that it may use in that time: a server that spins uses a hundred on each core.
const TICKS_MAX: u64 = 25;

/// Publishes from one peer to another, both inside.
async fn talk(from: &mut Peer, to: &mut Peer, data: Value) {
    from.call("publish", json!({ "channel": "square", "data": data })).await;
    assert_eq!(to.publication().await, data);
}

/// Whether a server has closed a connection.
fn has_ended(stream: &TcpStream) -> bool {
    match stream.try_read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// Whether a connection is served, and not closed unread.
async fn is_let_in(server: &Server) -> bool {
    let mut stream = TcpStream::connect(server.address).await.expect("the system accepts for it");
    let asked =
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let mut answer = Vec::new();
    // A server that turns us away may reset the connection; then there is no answer.
    let _ = within("an answer or an end", stream.read_to_end(&mut answer)).await;
    asked.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

async fn stays_calm(server: &Server) {
    let before = ticks(server);
    tokio::time::sleep(WATCH).await;
    let used = ticks(server) - before;
    assert!(used <= TICKS_MAX, "{used} ticks of CPU in {WATCH:?} with nothing to do");
}

#[tokio::test]
async fn with_few_descriptors_the_connected_are_served_and_others_wait_for_a_place() {
    let server =
        Server::serve_under(&format!("ulimit -n {DESCRIPTORS}"), json!({ "engine": { "shards": 1 } })).await;
    let mut speaker = Peer::connect(server.address).await;
    let mut listener = Peer::subscribe(server.address, "square").await;
    // Three in four find no place.
    let mut knocking = Vec::new();
    for _ in 0..4 * PLACES {
        knocking.push(TcpStream::connect(server.address).await.expect("the system accepts for it"));
    }
    until("those without a place to be turned away", async || {
        let turned_away = knocking.iter().filter(|stream| has_ended(stream)).count();
        (turned_away >= 3 * PLACES).then_some(())
    })
    .await;
    talk(&mut speaker, &mut listener, json!("full")).await;
    stays_calm(&server).await;
    drop(knocking);
    until("room for many", async || {
        let let_in = join_all((0..PLACES / 2).map(|_| is_let_in(&server))).await;
        let_in.iter().all(|let_in| *let_in).then_some(())
    })
    .await;
    let mut newcomer = Peer::subscribe(server.address, "square").await;
    talk(&mut speaker, &mut newcomer, json!("room")).await;
    for peer in [speaker, listener, newcomer] {
        peer.leave().await;
    }
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn a_server_that_cannot_accept_serves_on_without_spinning_and_accepts_when_it_can() {
    let server = Server::serve(json!({})).await;
    let mut speaker = Peer::connect(server.address).await;
    let mut listener = Peer::subscribe(server.address, "square").await;
    let newcomers = (0..20).map(|_| Peer::subscribe(server.address, "square"));
    let before = allow_descriptors(&server, open_descriptors(&server));
    let newcomers = tokio::spawn(join_all(newcomers.collect::<Vec<_>>()));
    talk(&mut speaker, &mut listener, json!("no more")).await;
    stays_calm(&server).await;
    assert!(!newcomers.is_finished(), "there was no descriptor for them");
    talk(&mut speaker, &mut listener, json!("still here")).await;
    allow_descriptors(&server, before);
    let newcomers = within("everybody to come in", newcomers).await.expect("they come in");
    for peer in [speaker, listener].into_iter().chain(newcomers) {
        peer.leave().await;
    }
    nothing_is_left(&server).await;
}

fn open_descriptors(server: &Server) -> u64 {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("it runs").count() as u64
}

/// Sets how many descriptors a server may have, and returns how many that were before.
fn allow_descriptors(server: &Server, count: u64) -> u64 {
    let pid = Pid::from_raw(server.pid() as i32).expect("a process id is not zero");
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: Some(count), maximum };
    let before = prlimit(Some(pid), Resource::Nofile, limit).expect("it is ours to limit");
    before.current.expect("the server has counted its descriptors")
}
