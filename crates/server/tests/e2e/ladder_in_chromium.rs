//! A page whose network turns bad: it finds another way by itself, and misses nothing on it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::chromium::Chromium;
use crate::support::line::DevLine;
use crate::support::page::Page;
use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::{Server, scratch};
use crate::support::until::within;

/// A page that writes down all it hears, and each change of its connection with the time of it.
const PAGE: &str = r#"<!doctype html><title>ledger</title><script type="module">
    import { connect } from "/spanwire.js";
    window.heard = [];
    window.gaps = 0;
    window.changes = [];
    window.rt = connect();
    rt.on("status", ({ state, transport }) => changes.push({ state, transport, at: performance.now() }));
    const room = rt.channel("chat:ledger");
    room.on("message", ({ data }) => heard.push(data));
    room.on("gap", () => gaps++);
    room.on("subscribed", () => (window.joined = true));
</script>"#;

/// The same in a Worker, which has no storage.
const WORKER: &str = r#"
    import { connect } from "/spanwire.js";
    const rt = connect();
    const room = rt.channel("chat:ledger");
    room.on("subscribed", () => postMessage({ transport: rt.status.transport }));
    room.on("message", ({ data }) => postMessage({ transport: rt.status.transport, data }));
"#;

/// Longest way from finding out that a transport does not work to being connected.
const SOON: Duration = Duration::from_secs(3);

/// How often something is published meanwhile: often, and yet less than the history of the channel holds.
const PACE: Duration = Duration::from_millis(40);

struct Scene {
    page: Page,
    line: DevLine,
    publisher: Peer,
    published: u64,
    _browser: Chromium,
    _server: Server,
}

impl Scene {
    /// A page that is connected by a WebSocket over a clear line, and somebody else who publishes.
    async fn new() -> Option<Self> {
        let chromium = require::chromium()?;
        let (directory, runtime) = (scratch("ladder"), scratch("ladder-runtime"));
        for folder in [&directory, &runtime] {
            std::fs::create_dir_all(folder).expect("a directory can be made");
        }
        for (name, text) in [("ledger.html", PAGE), ("worker.js", WORKER)] {
            std::fs::write(directory.join(name), text).expect("a page can be written");
        }
        let server = Server::dev_with_pages(&directory, &runtime).await;
        let line = DevLine::to(&server).await;
        let browser = Chromium::launch(&chromium).await;
        let mut page = browser.page().await;
        page.navigate(&format!("http://localhost:{}/ledger.html", line.address.port())).await;
        page.until("window.joined").await;
        assert_eq!(page.evaluate("rt.status.transport").await, "websocket");
        let publisher = Peer::connect(server.address).await;
        Some(Self { page, line, publisher, published: 0, _browser: browser, _server: server })
    }

    async fn publish(&mut self) {
        self.published += 1;
        self.publisher.call("publish", json!({ "channel": "chat:ledger", "data": self.published })).await;
    }

    /// Publishes until something is true of the page, and a little longer.
    async fn publish_until(&mut self, expression: &str) {
        within(expression, async {
            while self.page.evaluate(expression).await != true {
                self.publish().await;
                tokio::time::sleep(PACE).await;
            }
        })
        .await;
        for _ in 0..10 {
            self.publish().await;
        }
    }

    /// Puts something in the way and cuts what was there, as a walk into another network does.
    async fn meet(&mut self, obstacles: Value) {
        self.line.set(&obstacles).await;
        self.publish().await;
        self.line.cut().await;
        self.publish().await;
    }

    /// Everything that was published was heard once and in order.
    async fn heard_all(&self) {
        let expected: Vec<_> = (1..=self.published).collect();
        self.page.until(&format!("heard.length >= {}", self.published)).await;
        assert_eq!(self.page.evaluate("heard").await, json!(expected));
        assert_eq!(self.page.evaluate("gaps").await, 0);
    }

    /// How long it took from finding out that `from` does not work to being connected over `to`.
    async fn climbed(&self, from: &str, to: &str) -> Duration {
        // Whatever fails before it has brought an answer, the client begins again at once.
        let found_out = format!(
            "changes.findLast(({{ state, transport }}) => state === 'connecting' && transport === '{from}').at"
        );
        let there = format!(
            "changes.findLast(({{ state, transport }}) => state === 'connected' && transport === '{to}').at"
        );
        let took = self.page.evaluate(&format!("{there} - {found_out}")).await;
        let took = Duration::from_secs_f64(took.as_f64().expect("both have happened") / 1000.0);
        eprintln!("{from} does not work; connected over {to} after {took:?}");
        took
    }
}

#[tokio::test]
async fn where_upgrades_are_refused_a_page_goes_on_over_an_http_stream() {
    let Some(mut scene) = Scene::new().await else { return };
    scene.meet(json!({ "upgrades": "refuse" })).await;
    scene.publish_until("rt.status.state === 'connected' && rt.status.transport === 'http_stream'").await;
    scene.heard_all().await;
    assert!(scene.climbed("websocket", "http_stream").await < SOON);
}

#[tokio::test]
async fn where_upgrades_are_swallowed_a_page_goes_on_over_an_http_stream() {
    let Some(mut scene) = Scene::new().await else { return };
    scene.meet(json!({ "upgrades": "hang" })).await;
    scene.publish_until("rt.status.state === 'connected' && rt.status.transport === 'http_stream'").await;
    scene.heard_all().await;
    assert!(scene.climbed("websocket", "http_stream").await < SOON);
}

#[tokio::test]
async fn where_answers_are_held_back_until_they_end_a_page_goes_on_with_long_polls() {
    let Some(mut scene) = Scene::new().await else { return };
    scene.meet(json!({ "hold_answers": true })).await;
    scene.publish_until("rt.status.state === 'connected' && rt.status.transport === 'poll'").await;
    scene.heard_all().await;
    assert!(scene.climbed("websocket", "poll").await < SOON);
}

#[tokio::test]
async fn where_idle_connections_are_cut_after_ten_seconds_a_page_returns_and_misses_nothing() {
    let Some(mut scene) = Scene::new().await else { return };
    scene.publish().await;
    scene.line.set(&json!({ "cut_idle_ms": 10_000 })).await;
    scene.page.until("changes.some(({ state }) => state === 'waiting')").await;
    scene.publish_until("rt.status.state === 'connected'").await;
    scene.heard_all().await;
    let took = scene
        .page
        .evaluate("changes.findLast(({ state }) => state === 'connected').at - changes.find(({ state }) => state === 'waiting').at")
        .await;
    assert!(took.as_f64().is_some_and(|ms| ms < 1000.0 * SOON.as_secs_f64()), "{took}");
}

#[tokio::test]
async fn a_page_on_its_way_down_sends_what_it_publishes_once() {
    let Some(mut scene) = Scene::new().await else { return };
    scene.meet(json!({ "upgrades": "refuse" })).await;
    let queue = "rt.publish('chat:ledger', 'from below').then(() => (window.sent = true)), true";
    scene.page.evaluate(queue).await;
    scene.page.until("window.sent").await;
    scene.publish().await;
    scene.page.until(&format!("heard.includes({})", scene.published)).await;
    assert_eq!(scene.page.evaluate("heard.filter((data) => data === 'from below').length").await, 1);
}

#[tokio::test]
async fn a_page_that_is_loaded_again_remembers_what_worked() {
    let Some(mut scene) = Scene::new().await else { return };
    scene.meet(json!({ "upgrades": "refuse" })).await;
    scene.page.until("rt.status.state === 'connected' && rt.status.transport === 'http_stream'").await;
    let url = format!("http://localhost:{}/ledger.html", scene.line.address.port());
    scene.page.navigate(&url).await;
    scene.page.until("window.joined").await;
    let tried = scene.page.evaluate("[...new Set(changes.map(({ transport }) => transport))]").await;
    assert_eq!(tried, json!(["http_stream"]));
    let sockets = scene.page.requests().into_iter().filter(|url| url.starts_with("ws:")).count();
    assert_eq!(sockets, 2, "one that worked, one that was refused, and none after that");
    scene.publish().await;
    scene.page.until(&format!("heard.includes({})", scene.published)).await;
}

#[tokio::test]
async fn a_worker_climbs_down_as_a_page_does() {
    let Some(mut scene) = Scene::new().await else { return };
    scene.line.set(&json!({ "upgrades": "refuse" })).await;
    let start = "const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => (window.told = data)";
    scene.page.evaluate(start).await;
    scene.page.until("window.told?.transport === 'http_stream'").await;
    scene.publish().await;
    scene.page.until(&format!("told.data === {}", scene.published)).await;
}
