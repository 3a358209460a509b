//! The fallback lab as people use it: one stream over four transports, and something put in the way.

use serde_json::json;

use crate::support::chromium::Chromium;
use crate::support::line::DevLine;
use crate::support::page::Page;
use crate::support::require;
use crate::support::server::Server;
use crate::support::until::until;

/// Most that the whole page may weigh, in bytes.
const PAGE_BYTES_MAX: u64 = 150_000;

async fn lab(browser: &Chromium, server: &Server, width: u32) -> Page {
    let mut page = browser.page().await;
    page.resize(width, 900).await;
    let line = DevLine::to(server).await;
    page.navigate(&format!("http://localhost:{}/demos/fallback-lab/?line", line.address.port())).await;
    page.until("window.__demo?.ready").await;
    page
}

/// Waits until every lane that can get through has what was published last, and says that nothing went wrong on the way.
async fn all_equal(page: &Page, lanes: &str) {
    page.until(&format!(
        "__demo.chooser.last > 20 && {lanes}.every(({{ last }}) => last >= __demo.chooser.last - 8)"
    ))
    .await;
    let accounts =
        page.evaluate("[__demo.chooser, ...__demo.lanes].map(({ lost, twice }) => [lost, twice])").await;
    assert_eq!(accounts, json!(vec![[0, 0]; 5]));
}

/// A browser writes down each request that was refused or cut; anything else is a fault of the page.
fn behaved(page: &Page, server: &Server) {
    let forgiven = |text: &String| text.contains("/connection/") || text.contains("/emulation");
    let complaints: Vec<_> = page.complaints().into_iter().filter(|text| !forgiven(text)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    let first = format!("//localhost:{}/", server.address.port());
    let local = |url: &String| url.contains("//localhost:") || url.starts_with("data:");
    let foreign: Vec<_> = page.requests().into_iter().filter(|url| !local(url)).collect();
    assert!(foreign.is_empty(), "these left the machine: {foreign:?}");
    let direct =
        page.requests().into_iter().filter(|url| url.contains(&first) && url.contains("/connection/"));
    assert_eq!(direct.count(), 0, "everything goes over the line");
}

#[tokio::test]
async fn all_four_transports_bring_the_same_stream() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    let page = lab(&browser, &server, 1280).await;
    all_equal(&page, "__demo.lanes").await;
    let transports = page.evaluate("__demo.lanes.map(({ transport }) => transport)").await;
    assert_eq!(transports, json!(["websocket", "http_stream", "sse", "poll"]));
    assert_eq!(page.evaluate("__demo.chooser.transport").await, "websocket");
    let bytes =
        "performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/connection/'))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)";
    let bytes = page.evaluate(bytes).await.as_u64().expect("a sum");
    assert!((1..PAGE_BYTES_MAX).contains(&bytes), "{bytes} bytes");
    behaved(&page, &server);
}

#[tokio::test]
async fn a_proxy_that_blocks_websockets_moves_the_page_to_another_transport_without_a_loss() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    let page = lab(&browser, &server, 1280).await;
    page.click("[data-test=refuse]").await;
    page.until("__demo.chooser.state === 'connected' && __demo.chooser.transport === 'http_stream'").await;
    all_equal(&page, "__demo.lanes.slice(1)").await;
    page.until("__demo.lanes[0].state !== 'connected'").await;
    page.screenshot("fallback-lab-blocked").await;
    page.click("[data-test=none]").await;
    page.until("__demo.lanes[0].state === 'connected'").await;
    all_equal(&page, "__demo.lanes").await;
    behaved(&page, &server);
}

#[tokio::test]
async fn it_can_be_looked_at_in_both_themes_and_on_a_phone_and_used_by_keyboard() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    for width in [1280, 360] {
        let page = lab(&browser, &server, width).await;
        all_equal(&page, "__demo.lanes").await;
        for theme in ["light", "dark"] {
            page.prefer(theme).await;
            page.screenshot(&format!("fallback-lab-{theme}-{width}")).await;
        }
        assert_eq!(page.evaluate("document.documentElement.scrollWidth <= innerWidth").await, true);
        let unnamed = "[...document.querySelectorAll('button, input, svg:not([aria-hidden]):not([hidden])')]
            .filter((each) => !(each.labels?.length || each.textContent.trim() || each.ariaLabel)).length";
        assert_eq!(page.evaluate(unnamed).await, 0);
        page.evaluate("document.querySelector('[data-test=none]').focus()").await;
        assert_eq!(page.evaluate("document.activeElement.matches(':focus-visible, input')").await, true);
        behaved(&page, &server);
    }
}

#[tokio::test]
async fn the_gallery_leads_to_it_and_it_opens_a_line_of_its_own() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    let mut page = browser.page().await;
    page.resize(1280, 1400).await;
    page.navigate(&format!("http://localhost:{}/", server.address.port())).await;
    page.screenshot("gallery").await;
    page.click("[data-test=fallback-lab]").await;
    // It is loaded twice, and a page that goes away cannot be watched from within.
    let over_a_line = async || page.requests().into_iter().find(|url| url.contains("/connection/sse"));
    let url = until("the lab over a line", over_a_line).await;
    assert!(!url.contains(&format!(":{}/", server.address.port())), "{url}");
}
