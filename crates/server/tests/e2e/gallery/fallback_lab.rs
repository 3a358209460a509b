//! The fallback lab: one stream over four transports, and something put in the way.

use serde_json::json;

use crate::support::gallery::{
    Gallery, looks_good_everywhere, shows_its_code, shows_its_frames, tab_leads_to,
};
use crate::support::page::Page;

const PAGE: &str = "/demos/fallback-lab/";

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

#[tokio::test]
async fn all_four_transports_bring_the_same_stream() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    all_equal(&page, "__demo.lanes").await;
    let transports = page.evaluate("__demo.lanes.map(({ transport }) => transport)").await;
    assert_eq!(transports, json!(["websocket", "http_stream", "sse", "poll"]));
    assert_eq!(page.evaluate("__demo.chooser.transport").await, "websocket");
    gallery.behaved(&page);
}

#[tokio::test]
async fn a_proxy_that_blocks_websockets_moves_the_page_to_another_transport_without_a_loss() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    page.click("[data-test=refuse]").await;
    page.until("__demo.chooser.state === 'connected' && __demo.chooser.transport === 'http_stream'").await;
    all_equal(&page, "__demo.lanes.slice(1)").await;
    page.until("__demo.lanes[0].state !== 'connected'").await;
    page.until("'done' in document.querySelector('[data-try=refuse]').dataset").await;
    page.screenshot("fallback-lab-blocked").await;
    page.click("[data-test=none]").await;
    page.until("__demo.lanes[0].state === 'connected'").await;
    all_equal(&page, "__demo.lanes").await;
    gallery.behaved_though_cut(&page);
}

#[tokio::test]
async fn a_proxy_that_holds_answers_back_leaves_long_polls_and_they_bring_everything() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    page.click("[data-test=hold]").await;
    page.until("__demo.chooser.state === 'connected' && __demo.chooser.transport === 'poll'").await;
    all_equal(&page, "[__demo.lanes[3]]").await;
    let stuck = page.evaluate("__demo.lanes.slice(0, 3).every(({ state }) => state !== 'connected')").await;
    assert_eq!(stuck, true, "nothing else comes to an end");
    gallery.behaved_though_cut(&page);
}

#[tokio::test]
async fn what_was_cut_comes_back_with_another_connection_and_has_missed_nothing() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    all_equal(&page, "__demo.lanes").await;
    // Long polls do not notice: they ask again, in the same session.
    let connections = "__demo.lanes.slice(0, 3).map(({ client }) => client)";
    let before = page.evaluate(connections).await;
    page.click("[data-test=cut]").await;
    page.until(&format!("{connections}.every((client, lane) => client && client !== {before}[lane])")).await;
    page.until("'done' in document.querySelector('[data-try=cut]').dataset").await;
    let heard = page.evaluate("__demo.chooser.last").await;
    page.until(&format!("__demo.chooser.last > {heard}")).await;
    all_equal(&page, "__demo.lanes").await;
    gallery.behaved_though_cut(&page);
}

#[tokio::test]
async fn it_shows_its_code_and_its_frames_and_can_be_used_by_keyboard() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    shows_its_code(&page, "connect(url, { transports, name: \"fallback lab\" })").await;
    let frames = shows_its_frames(&page, "#lanes").await.to_string();
    assert!(frames.contains("lab-"), "{frames}");
    tab_leads_to(&page, &["code", "theme", "none", "cut", "frames"]).await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn it_is_light_legible_and_fits() {
    looks_good_everywhere("fallback-lab", PAGE, async |_, page| all_equal(page, "__demo.lanes").await).await;
}
