//! The chat as people use it: two browsers in a room, typing and reading; one of them on a line that can be cut.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::chromium::Chromium;
use crate::support::page::Page;
use crate::support::proxy::{Cut, Line, Proxy};
use crate::support::require;
use crate::support::server::Server;

/// What a server waits at least before it lets a client go that is no longer there: a tab that is closed says so itself.
const PONG_TIMEOUT: Duration = Duration::from_secs(8);

/// What a page shows of the conversation, top to bottom.
const SHOWN: &str =
    "[...document.querySelectorAll('[data-test=message] .bubble')].map((bubble) => bubble.textContent)";

/// The page of one person, who comes over this address.
fn address_of(name: &str, address: SocketAddr) -> String {
    format!("http://localhost:{}/demos/chat/?panes=1&name={name}", address.port())
}

async fn arrive(browser: &Chromium, name: &str, address: SocketAddr) -> Page {
    let mut page = browser.page().await;
    page.navigate(&address_of(name, address)).await;
    page.until("__demo.ready && __demo.state === 'connected'").await;
    page
}

async fn say(page: &Page, text: &str) {
    page.type_text(text).await;
    page.press_enter().await;
}

/// Waits until a page shows exactly these, in this order.
async fn shows(page: &Page, texts: &[String]) {
    page.until(&format!("{SHOWN}.length >= {}", texts.len())).await;
    assert_eq!(page.evaluate(SHOWN).await, json!(texts));
}

/// Complains about what a good page does not do. A browser itself writes down each WebSocket and each request that was
/// refused, so a page that was cut off is forgiven that, and nothing else.
fn behaved(page: &Page, address: SocketAddr, was_cut: bool) {
    let socket = format!("ws://localhost:{}/", address.port());
    let refused = format!("http://localhost:{}/connection/", address.port());
    let script = format!("http://localhost:{}/spanwire/", address.port());
    let forgiven = |complaint: &str| {
        let lost = complaint.starts_with("Failed to load resource: net::");
        let lost = lost && (complaint.contains(&refused) || complaint.contains(&script));
        was_cut && (lost || complaint.contains(&format!("WebSocket connection to '{socket}")))
    };
    let complaints: Vec<_> = page.complaints().into_iter().filter(|text| !forgiven(text)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    let origin = format!("http://localhost:{}/", address.port());
    let foreign =
        |url: &String| !url.starts_with(&origin) && !url.starts_with(&socket) && !url.starts_with("data:");
    let foreign: Vec<_> = page.requests().into_iter().filter(foreign).collect();
    assert!(foreign.is_empty(), "these left the origin: {foreign:?}");
}

#[tokio::test]
async fn a_page_cut_off_for_two_seconds_has_every_message_once_and_in_order() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let proxy = Proxy::to(server.address).await;
    let browser = Chromium::launch(&chromium).await;
    let ana = arrive(&browser, "Ana", server.address).await;
    let ben = arrive(&browser, "Ben", proxy.address).await;
    for page in [&ana, &ben] {
        page.until("__demo.members.join() === 'Ana,Ben'").await;
    }

    ben.click("[data-test=text]").await;
    ben.type_text("hm").await;
    ana.until("__demo.typing.join() === 'Ben'").await;

    // He is gone for two seconds; every attempt to return is refused meanwhile.
    proxy.set(Line::Refusing);
    proxy.cut(Cut::Reset);
    let cut = Instant::now();
    ben.until("__demo.state !== 'connected'").await;
    let texts: Vec<String> = (1..=50).map(|n| format!("message {n} <b>of</b> 50")).collect();
    ana.click("[data-test=text]").await;
    for text in &texts {
        say(&ana, text).await;
    }
    ana.until("__demo.messages.length === 50 && __demo.messages.every(({ mark, offset }) => mark === 'sent' && offset)")
        .await;
    assert_eq!(ben.evaluate("__demo.messages.length").await, 0);
    tokio::time::sleep_until((cut + Duration::from_secs(2)).into()).await;
    proxy.set(Line::Clear);

    for page in [&ana, &ben] {
        shows(page, &texts).await;
        let offsets = page.evaluate("__demo.messages.map(({ offset }) => offset)").await;
        assert_eq!(offsets, json!((1..=50).collect::<Vec<_>>()));
        assert_eq!(page.evaluate("__demo.gaps").await, 0);
    }
    say_and_hear(&ben, &ana, "I am back").await;

    behaved(&ben, proxy.address, true);
    let closed = Instant::now();
    ben.close().await;
    ana.until("__demo.members.join() === 'Ana'").await;
    let gone = closed.elapsed();
    assert!(gone < PONG_TIMEOUT, "a closed tab is still there after {gone:?}");
    behaved(&ana, server.address, false);
}

/// What one of them says now, the other reads last.
async fn say_and_hear(speaker: &Page, reader: &Page, text: &str) {
    speaker.evaluate(&format!("__demo.say({})", json!(text))).await;
    reader.until(&format!("{SHOWN}.at(-1) === {}", json!(text))).await;
}

#[tokio::test]
async fn what_is_said_while_cut_off_is_sent_once_on_return() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let proxy = Proxy::to(server.address).await;
    let browser = Chromium::launch(&chromium).await;
    let ana = arrive(&browser, "Ana", server.address).await;
    let ben = arrive(&browser, "Ben", proxy.address).await;
    proxy.set(Line::Refusing);
    proxy.cut(Cut::Close);
    ben.until("__demo.state !== 'connected'").await;
    let texts = ["from the tunnel", "still in it"].map(str::to_owned);
    ben.click("[data-test=text]").await;
    for text in &texts {
        say(&ben, text).await;
    }
    ben.until("__demo.messages.length === 2 && __demo.messages.every(({ mark }) => mark === 'pending')")
        .await;
    proxy.set(Line::Clear);
    ben.until("__demo.messages.every(({ mark, offset }) => mark === 'sent' && offset)").await;
    for page in [&ana, &ben] {
        shows(page, &texts).await;
    }
    behaved(&ana, server.address, false);
    behaved(&ben, proxy.address, true);
}

#[tokio::test]
async fn what_cannot_wait_is_marked_as_not_sent_and_can_be_sent_again() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let proxy = Proxy::to(server.address).await;
    let browser = Chromium::launch(&chromium).await;
    let ben = arrive(&browser, "Ben", proxy.address).await;
    proxy.set(Line::Refusing);
    proxy.cut(Cut::Close);
    ben.until("__demo.state !== 'connected'").await;
    // The client keeps 256 for when it is back, and says so of the one that is too many.
    ben.evaluate("for (let n = 1; n <= 257; n++) __demo.say(`message ${n}`)").await;
    ben.until("__demo.messages.some(({ mark }) => mark === 'failed')").await;
    let failed = "__demo.messages.filter(({ mark }) => mark === 'failed').map(({ text }) => text)";
    assert_eq!(ben.evaluate(failed).await, json!(["message 257"]));
    proxy.set(Line::Clear);
    ben.until("__demo.messages.filter(({ offset }) => offset).length === 256").await;
    ben.click("[data-test=retry]").await;
    let whole = "__demo.messages.every(({ mark, offset }) => mark === 'sent' && offset)";
    ben.until(&format!("__demo.messages.length === 257 && {whole}")).await;
    behaved(&ben, proxy.address, true);
}

#[tokio::test]
async fn a_late_comer_reads_what_was_said_before() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    let ana = arrive(&browser, "Ana", server.address).await;
    for text in ["one", "two"] {
        ana.evaluate(&format!("__demo.say({})", json!(text))).await;
    }
    ana.until("__demo.messages.length === 2 && __demo.messages.every(({ mark }) => mark === 'sent')").await;
    let ben = arrive(&browser, "Ben", server.address).await;
    shows(&ben, &["one", "two"].map(str::to_owned)).await;
    behaved(&ben, server.address, false);
}

#[tokio::test]
async fn it_can_be_looked_at_in_both_themes_and_on_a_phone() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    for (width, panes) in [(1280, 2), (360, 1)] {
        let mut page = browser.page().await;
        page.resize(width, 800).await;
        page.navigate(&format!("http://localhost:{}/demos/chat/?name=Ana#{width}", server.address.port()))
            .await;
        page.until(&format!("__demo.panes.length === {panes} && __demo.panes.every(({{ ready }}) => ready)"))
            .await;
        let lines = ["Is anybody there?", "I am. It is quiet here.", "Not for long!", "https://example.org"];
        for (n, line) in lines.iter().enumerate() {
            page.evaluate(&format!("__demo.panes[{}].say({})", n % panes, json!(line))).await;
            page.until(&format!("__demo.panes.every(({{ messages }}) => messages.length === {})", n + 1))
                .await;
        }
        for theme in ["light", "dark"] {
            page.prefer(theme).await;
            page.screenshot(&format!("chat-{theme}-{width}")).await;
        }
        fits(&page, width).await;
        behaved(&page, server.address, false);
    }
}

#[tokio::test]
async fn a_window_that_becomes_narrow_still_fits() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    let mut page = browser.page().await;
    page.resize(1280, 800).await;
    page.navigate(&format!("http://localhost:{}/demos/chat/", server.address.port())).await;
    page.until("__demo.panes.length === 2 && __demo.panes.every(({ ready }) => ready)").await;
    page.resize(360, 800).await;
    page.until("!matchMedia('(width >= 900px)').matches").await;
    fits(&page, 360).await;
}

/// Nothing may be wider than the screen, or a phone shows everything smaller than it was meant to be.
async fn fits(page: &Page, width: u32) {
    assert_eq!(
        page.evaluate("[innerWidth, document.documentElement.scrollWidth]").await,
        json!([width, width])
    );
}
