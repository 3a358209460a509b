//! The browser client where it lives: tabs that share a connection, pages that sleep and wake, long absences.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::chromium::Chromium;
use crate::support::page::Page;
use crate::support::peer::Peer;
use crate::support::proxy::{Cut, Line, Proxy};
use crate::support::require;
use crate::support::server::{Server, scratch};
use crate::support::token::{seconds_from_now, signed};
use crate::support::until::until;

/// Writes down all it hears in a channel. What `connect` is given, the address says: `#{"worker":false}`.
const LEDGER: &str = r#"<!doctype html><title>ledger</title><script type="module">
    import { connect } from "/spanwire.js";
    import { shared } from "/spanwire/shared.js";
    const { tabs, url, channel = "chat:ledger", join, ...options } = JSON.parse(decodeURIComponent(location.hash.slice(1)) || "{}");
    Object.assign(options, window.outside);
    Object.assign(window, { heard: [], gaps: [], statuses: [], shows: [] });
    addEventListener("pageshow", ({ persisted }) => shows.push(persisted));
    window.rt = tabs ? shared(url, { ...options, worker: tabs === "worker" }) : connect(url, options);
    rt.on("status", ({ state }) => statuses.push(state));
    window.room = rt.channel(channel, join);
    room.on("message", ({ data }) => heard.push(data));
    room.on("gap", (gap) => gaps.push(gap));
    room.on("subscribed", () => (window.joined = true));
</script>"#;

struct Scene {
    /// Where the server's pages are.
    pages: PathBuf,
    server: Server,
    proxy: Proxy,
    browser: Chromium,
    published: u64,
}

impl Scene {
    /// A server with the page, and a line to it that can be cut.
    async fn new() -> Option<Self> {
        let chromium = require::chromium()?;
        let (directory, runtime) = (scratch("pages"), scratch("pages-runtime"));
        for folder in [&directory, &runtime] {
            std::fs::create_dir_all(folder).expect("a directory can be made");
        }
        std::fs::write(directory.join("ledger.html"), LEDGER).expect("a page can be written");
        let server = Server::dev_with_pages(&directory, &runtime).await;
        let proxy = Proxy::to(server.address).await;
        let browser = Chromium::launch(&chromium).await;
        Some(Self { pages: directory, server, proxy, browser, published: 0 })
    }

    fn url(&self, options: Value) -> String {
        // What `decodeURIComponent` undoes, as far as JSON needs it.
        let options = options.to_string().replace('%', "%25").replace('"', "%22");
        format!("http://localhost:{}/ledger.html#{options}", self.proxy.address.port())
    }

    /// Opens the page, and waits until it has joined.
    async fn open(&self, page: &mut Page, options: Value) {
        page.navigate(&self.url(options)).await;
        page.until("window.joined").await;
    }

    /// As somebody who comes and goes: a scene may take longer than a client that reads nothing is kept.
    async fn publish(&mut self, count: u64) {
        let mut publisher = Peer::connect(self.server.address).await;
        for _ in 0..count {
            self.published += 1;
            let request = json!({ "channel": "chat:ledger", "data": self.published });
            publisher.call("publish", request).await;
        }
    }

    /// A frame of updates in a channel, of which nothing is kept.
    async fn tick(publisher: &mut Peer, channel: &str, updates: u64) {
        let data = json!({ "symbol": "SPAN", "price": 101.25, "volume": 12_000, "at": 1_700_000_000 });
        let publish =
            |id: u64| json!({ "id": id, "publish": { "channel": channel, "data": data } }).to_string();
        let frame: Vec<_> = (1..=updates).map(publish).collect();
        publisher.text(&frame.join("\n")).await;
        publisher.replies(updates as usize).await;
    }

    /// All that was published since was heard, once and in order.
    async fn heard_from(&self, page: &Page, first: u64) {
        let expected: Vec<_> = (first..=self.published).collect();
        page.until(&format!("heard.includes({})", self.published)).await;
        assert_eq!(page.evaluate("heard").await, json!(expected));
        assert_eq!(page.evaluate("gaps").await, json!([]));
    }

    /// The members of the channel, as the server knows them.
    async fn members(&self) -> Vec<String> {
        let mut witness = Peer::connect(self.server.address).await;
        let mut result = witness.call("presence", json!({ "channel": "chat:ledger" })).await;
        let members = result["presence"].take();
        members.as_object().expect("a map by client").keys().cloned().collect()
    }
}

/// Two tabs of one person on one connection, wherever that lives: one socket, one member, everything heard by both;
/// a cut costs nothing; and when the tab that came first is closed, the other one goes on, whether or not the connection
/// survives that.
async fn two_tabs_share_one_connection(tabs: &str, survives: bool) {
    let Some(mut scene) = Scene::new().await else { return };
    let options = json!({ "tabs": tabs, "join": { "presence": true } });
    let mut first = scene.browser.page().await;
    scene.open(&mut first, options.clone()).await;
    let mut second = scene.browser.tab_beside(&first).await;
    scene.open(&mut second, options).await;

    let client = first.evaluate("rt.status.client").await;
    assert_eq!(second.evaluate("rt.status.client").await, client);
    assert_eq!(json!(scene.members().await), json!([client]));
    second.until("room.members.size === 1").await;
    scene.publish(3).await;
    scene.heard_from(&first, 1).await;
    scene.heard_from(&second, 1).await;

    scene.proxy.set(Line::Refusing);
    scene.proxy.cut(Cut::Reset);
    for page in [&first, &second] {
        page.until("rt.status.state === 'waiting'").await;
    }
    let queue =
        "rt.publish('chat:ledger', 'from the second').then(({ offset }) => (window.sent = offset)), true";
    second.evaluate(queue).await;
    scene.publish(3).await;
    scene.proxy.set(Line::Clear);
    second.until("window.sent === 7").await;
    for page in [&first, &second] {
        page.until("heard.length === 7").await;
        assert_eq!(page.evaluate("heard").await, json!([1, 2, 3, 4, 5, 6, "from the second"]));
        assert_eq!(page.evaluate("gaps").await, json!([]));
    }

    let client = second.evaluate("rt.status.client").await;
    first.close().await;
    scene.publish(2).await;
    let same = if survives { "===" } else { "!==" };
    second.until(&format!("rt.status.client && rt.status.client {same} {client}")).await;
    second.until(&format!("heard.includes({}) && rt.status.state === 'connected'", scene.published)).await;
    assert_eq!(second.evaluate("heard").await, json!([1, 2, 3, 4, 5, 6, "from the second", 7, 8]));
    assert_eq!(second.evaluate("gaps").await, json!([]));
    let client = second.evaluate("rt.status.client").await;
    let alone = until("the first connection to be forgotten", async || {
        Some(scene.members().await).filter(|members| members.len() == 1)
    });
    assert_eq!(json!(alone.await), json!([client]));
}

#[tokio::test]
async fn two_tabs_share_the_connection_of_a_worker() {
    two_tabs_share_one_connection("worker", true).await;
}

#[tokio::test]
async fn two_tabs_share_the_connection_of_a_tab_and_survive_its_end() {
    two_tabs_share_one_connection("leader", false).await;
}

#[tokio::test]
async fn a_page_whose_worker_is_forbidden_leads_itself() {
    let Some(mut scene) = Scene::new().await else { return };
    let mut page = scene.browser.page().await;
    let forbidden = "window.SharedWorker = class {
        port = new MessageChannel().port1;
        constructor() { queueMicrotask(() => this.onerror(new Event('error'))); }
    }";
    page.before_scripts(forbidden).await;
    scene.open(&mut page, json!({ "tabs": "worker" })).await;
    scene.publish(2).await;
    scene.heard_from(&page, 1).await;
}

#[tokio::test]
async fn a_page_that_joins_in_the_middle_of_a_stream_misses_nothing_between_history_and_live() {
    let Some(mut scene) = Scene::new().await else { return };
    let mut page = scene.browser.page().await;
    scene.open(&mut page, json!({ "channel": "chat:other" })).await;
    let rounds = 20;
    for round in 0..rounds {
        // It joins and leaves while others speak: replies and pushes come as they may, in one frame or in many.
        let join = "window.round = []; window.middle = rt.channel('chat:ledger', { history: 50 });
            middle.on('message', ({ offset }) => round.push(offset)); true";
        page.evaluate(join).await;
        scene.publish(5 + round % 3).await;
        page.until(&format!("round.at(-1) === {}", scene.published)).await;
        let holes = "round.filter((offset, n) => n && offset !== round[n - 1] + 1)";
        assert_eq!(page.evaluate(holes).await, json!([]), "round {round}");
        page.evaluate("middle.leave(), true").await;
        page.until("middle.state === 'unsubscribed'").await;
    }
}

/// A page in the browser's back/forward cache has no connection: the client gives it up when the page is left, for no browser
/// would keep the page otherwise, and goes on from there when it is shown again. Nothing of it is loaded anew.
#[tokio::test]
async fn a_page_that_comes_back_from_the_cache_of_the_browser_goes_on_where_it_was() {
    let Some(mut scene) = Scene::new().await else { return };
    let mut page = scene.browser.page().await;
    scene.open(&mut page, json!({ "join": { "presence": true } })).await;
    scene.publish(2).await;
    scene.heard_from(&page, 1).await;
    page.navigate(&format!("http://localhost:{}/", scene.proxy.address.port())).await;
    let gone = until("the member to be gone", async || Some(scene.members().await).filter(Vec::is_empty));
    gone.await;
    scene.publish(2).await;
    page.evaluate("history.back(), true").await;
    page.until("window.shows?.length === 2 && rt.status.state === 'connected'").await;
    assert_eq!(page.evaluate("shows").await, json!([false, true]), "it was kept, and is the same page");
    scene.publish(2).await;
    // It keeps no history, so a page that was loaded anew would not have the first ones.
    scene.heard_from(&page, 1).await;
}

/// A socket whose frames the page may hold back, to have them as one frame, or to have them again.
const HELD: &str = r#"
    window.holding = false;
    window.outside = { WebSocket: class extends WebSocket {
        onmessage_ = null;
        held = [];
        all = [];
        constructor(url) {
            super(url);
            window.socket = this;
            this.addEventListener("message", ({ data }) => {
                this.held.push(data);
                if (!holding) this.release();
            });
        }
        get onmessage() { return this.onmessage_; }
        set onmessage(listener) { this.onmessage_ = listener; }
        release() {
            const data = this.held.splice(0).join("\n");
            this.all.push(data);
            if (data) this.onmessage_?.({ data });
        }
    } };"#;

/// Two traps that a network springs on chance only: what is live comes in one frame with the reply that brings what was before
/// it, and everything comes twice.
#[tokio::test]
async fn what_shares_a_frame_with_a_reply_stays_behind_it_and_what_comes_twice_is_heard_once() {
    let Some(mut scene) = Scene::new().await else { return };
    let mut page = scene.browser.page().await;
    page.before_scripts(HELD).await;
    scene.open(&mut page, json!({ "channel": "chat:other", "transports": ["websocket"] })).await;
    page.evaluate("rt.publish('chat:ledger', 0).then((place) => (window.place = place)), true").await;
    page.until("window.place").await;
    scene.publish(2).await;

    let join = "holding = true;
        window.frames = 0;
        rt.on('frame', ({ sent, text }) => (frames += !sent && /\"subscribe\"/.test(text) && /\"data\":3/.test(text)));
        window.joiner = rt.channel('chat:ledger', { since: place });
        window.order = [];
        joiner.on('message', ({ data, recovered }) => order.push([data, recovered]));
        joiner.on('gap', (gap) => gaps.push(gap));
        true";
    page.evaluate(join).await;
    page.until("socket.held.some((frame) => frame.includes('\"subscribe\"'))").await;
    scene.publish(1).await;
    page.until("socket.held.some((frame) => frame.includes('\"data\":3'))").await;
    assert_eq!(page.evaluate("order").await, json!([]));
    page.evaluate("holding = false, socket.release(), true").await;
    assert_eq!(page.evaluate("frames").await, 1, "the reply and the push came in one frame");
    assert_eq!(page.evaluate("order").await, json!([[1, true], [2, true], [3, false]]));

    // All of it once more; then a cut, and again what came before it, behind what was recovered.
    let again = "window.before = socket.all, before.forEach((data) => socket.onmessage({ data })), true";
    page.evaluate(again).await;
    scene.proxy.set(Line::Refusing);
    scene.proxy.cut(Cut::Reset);
    page.until("rt.status.state === 'waiting'").await;
    scene.publish(2).await;
    scene.proxy.set(Line::Clear);
    page.until("joiner.state === 'subscribed' && order.length === 5").await;
    page.evaluate("before.forEach((data) => socket.onmessage({ data })), true").await;
    scene.publish(1).await;
    page.until("order.length >= 6").await;
    let expected = json!([[1, true], [2, true], [3, false], [4, true], [5, true], [6, false]]);
    assert_eq!(page.evaluate("order").await, expected);
    assert_eq!(page.evaluate("gaps").await, json!([]));
}

/// Ten minutes without a network, of which the page's clock tells; the test does not wait for them.
#[tokio::test]
async fn ten_minutes_offline_are_made_good_and_do_not_hammer_the_server() {
    let Some(mut scene) = Scene::new().await else { return };
    let mut page = scene.browser.page().await;
    // A second of the page takes ten milliseconds while it is offline.
    let clock = "let speed = 1, since = Date.now(), passed = 0;
        window.hurry = (factor) => { passed += (Date.now() - since) * speed; since = Date.now(); speed = factor; };
        const begun = Date.now();
        window.outside = {
            now: () => begun + passed + (Date.now() - since) * speed,
            setTimeout: (callback, ms) => setTimeout(callback, ms / speed),
        };";
    page.before_scripts(clock).await;
    scene.open(&mut page, json!({})).await;
    scene.publish(3).await;
    scene.heard_from(&page, 1).await;

    page.evaluate("hurry(100), (window.left = outside.now())").await;
    scene.proxy.set(Line::Refusing);
    scene.proxy.cut(Cut::Reset);
    page.until("rt.status.state === 'waiting'").await;
    page.evaluate("rt.publish('chat:ledger', 'old').catch(({ code }) => (window.fate = code)), true").await;
    scene.publish(50).await;
    page.until("outside.now() - left > 600_000").await;
    assert_eq!(page.evaluate("window.fate").await, "expired", "what waited for a minute is not sent");
    let tries = page.evaluate("statuses.filter((state) => state === 'waiting').length").await;
    // Waits are drawn from up to 20 seconds, so ten minutes have some sixty; a client without backoff has thousands.
    assert!(tries.as_u64().is_some_and(|tries| (10..300).contains(&tries)), "{tries} tries");

    page.evaluate("hurry(1), true").await;
    scene.proxy.set(Line::Clear);
    scene.publish(1).await;
    page.until("rt.status.state === 'connected'").await;
    scene.publish(1).await;
    scene.heard_from(&page, 1).await;
}

#[tokio::test]
async fn a_token_that_expires_while_a_page_is_offline_is_renewed_and_nothing_is_missed() {
    let Some(scene) = Scene::new().await else { return };
    let origin = format!("http://localhost:{}", scene.proxy.address.port());
    let server = Server::serve(json!({ "client": { "allowed_origins": [origin] } })).await;
    let line = Proxy::to(server.address).await;
    let token = |seconds| signed(json!({ "sub": "ann", "exp": seconds_from_now(seconds) }));
    let mut page = scene.browser.page().await;
    let tokens = json!([token(12), token(600)]);
    let outside = format!(
        "window.asked = []; window.outside = {{ \
         getToken: ({{ reason }}) => {{ asked.push(reason); return {tokens}[Math.min(asked.length, 2) - 1]; }} }}"
    );
    page.before_scripts(&outside).await;
    let url = format!("ws://localhost:{}/connection/websocket", line.address.port());
    scene.open(&mut page, json!({ "url": url, "channel": "ledger" })).await;
    line.set(Line::Refusing);
    line.cut(Cut::Reset);
    page.until("rt.status.state === 'waiting'").await;
    let mut publisher = Peer::connect(server.address).await;
    for data in [1, 2] {
        publisher.call("publish", json!({ "channel": "ledger", "data": data })).await;
    }
    // Until the server would not take it any more.
    let late = seconds_from_now(14);
    page.until(&format!("Date.now() > {late}000")).await;
    line.set(Line::Clear);
    page.until("heard.length === 2 && rt.status.state === 'connected'").await;
    assert_eq!(page.evaluate("heard").await, json!([1, 2]));
    assert_eq!(page.evaluate("gaps").await, json!([]));
    assert_eq!(page.evaluate("asked").await, json!(["connect", "connect"]));
}

/// React as it is published, in development, where StrictMode mounts everything twice.
#[tokio::test]
async fn components_in_strict_mode_subscribe_once_and_render_everything_once() {
    let Some(node) = require::node_with("js", "node_modules/react-dom/package.json") else { return };
    let Some(mut scene) = Scene::new().await else { return };
    let script = require::repository().join("js/test/packages/react-page.mjs");
    let built = Command::new(node).arg(script).arg(&scene.pages).output().await.expect("it can be started");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    scene.publish(2).await;
    let mut page = scene.browser.page().await;
    page.navigate(&format!("http://localhost:{}/react.html", scene.proxy.address.port())).await;
    let items = "[...document.querySelectorAll('li')].map((item) => Number(item.textContent))";
    page.until("document.querySelectorAll('li').length === 2").await;
    page.until("document.querySelector('#members').textContent === '1'").await;
    page.until("document.querySelector('#state').textContent === 'connected'").await;
    assert!(page.evaluate("renderings").await.as_u64() > Some(1), "StrictMode renders twice");
    scene.publish(2).await;
    page.until("document.querySelectorAll('li').length === 4").await;
    assert_eq!(page.evaluate(items).await, json!([1, 2, 3, 4]));

    let complaints = page.complaints();
    let serious: Vec<_> = complaints.iter().filter(|complaint| !complaint.contains("favicon")).collect();
    assert!(serious.is_empty(), "{serious:?}");

    scene.proxy.cut(Cut::Reset);
    page.until("document.querySelector('#state').textContent !== 'connected'").await;
    scene.publish(2).await;
    page.until("document.querySelectorAll('li').length === 6").await;
    assert_eq!(page.evaluate(items).await, json!([1, 2, 3, 4, 5, 6]));
    assert_eq!(page.evaluate("document.querySelector('ol').dataset.gaps").await, "0");

    // Mounted anew in the same moment, nothing is said; gone for good, the channel is left.
    page.evaluate("commands.length = 0, unmount(), mount(), true").await;
    page.evaluate("unmount(), true").await;
    page.until("commands.some((command) => command.unsubscribe)").await;
    assert_eq!(page.evaluate("commands.filter((command) => command.subscribe)").await, json!([]));
}

/// How many updates a page hears while its memory is watched, in frames of a hundred as a ticker sends them.
async fn memory_stays(updates: u64) {
    let Some(scene) = Scene::new().await else { return };
    let mut page = scene.browser.page().await;
    scene.open(&mut page, json!({ "channel": "chat:other" })).await;
    page.evaluate("window.count = 0; window.ticks = []").await;
    // No client, and no channel, may be as busy as all of them are together.
    let channels = ["signal:1", "signal:2", "signal:3", "signal:4"];
    let mut publishers = Vec::new();
    for channel in channels {
        let listen =
            format!("ticks.push(rt.channel('{channel}')); ticks.at(-1).on('message', () => count++); true");
        page.evaluate(&listen).await;
        publishers.push(Peer::connect(scene.server.address).await);
    }
    page.until("ticks.every(({ state }) => state === 'subscribed')").await;
    let mut before = 0;
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    for frame in 1..=updates / 100 {
        pace.tick().await;
        for (publisher, channel) in publishers.iter_mut().zip(channels) {
            Scene::tick(publisher, channel, 25).await;
        }
        if frame == 20 {
            page.until("count === 2000").await;
            before = page.heap_bytes().await;
        }
    }
    page.until(&format!("count === {updates}")).await;
    let grown = page.heap_bytes().await - before;
    eprintln!("{updates} updates: the heap has grown by {grown} bytes");
    assert!(grown < 5_000_000, "{grown} bytes more");
}

#[tokio::test]
async fn the_memory_of_a_page_does_not_grow_with_what_it_hears() {
    memory_stays(10_000).await;
}

/// A minute of 2,000 updates per second; for machines with a minute to spare.
#[tokio::test]
#[ignore = "takes a minute: cargo test -p spanwire --test e2e -- --ignored 120_000"]
async fn the_memory_of_a_page_does_not_grow_over_120_000_updates() {
    memory_stays(120_000).await;
}
