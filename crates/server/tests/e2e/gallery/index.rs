//! The page that leads to all others.

use serde_json::json;

use crate::support::gallery::{Gallery, looks_good_everywhere, tab_leads_to};
use crate::support::require;

#[tokio::test]
async fn every_page_that_is_listed_is_there_and_every_page_that_is_there_is_listed() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page("/", 1280).await;
    let listed = page
        .evaluate("[...document.querySelectorAll('a.demo')].map(({ pathname }) => pathname).sort()")
        .await;
    let demos = require::repository().join("demos");
    let mut there: Vec<_> = std::fs::read_dir(demos)
        .expect("the demos")
        .flatten()
        .filter(|entry| entry.path().join("index.html").exists())
        .map(|entry| format!("/demos/{}/", entry.file_name().to_string_lossy()))
        .collect();
    there.sort();
    assert_eq!(listed, json!(there));
    let bar = "[...document.querySelectorAll('.pages a')].map(({ pathname }) => pathname).sort()";
    assert_eq!(page.evaluate(bar).await, json!(there), "and each of them in the bar");
}

#[tokio::test]
async fn it_is_light_legible_and_fits() {
    looks_good_everywhere("index", "/", async |_, _| ()).await;
}

#[tokio::test]
async fn it_says_hello_to_the_echo_and_can_be_used_by_keyboard() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page("/", 1280).await;
    tab_leads_to(
        &page,
        &["page", "theme", "chat", "notifications", "ticker", "health", "fallback-lab", "echo"],
    )
    .await;
    page.press_enter().await;
    page.until("document.querySelector('[data-test=heard]').textContent.startsWith('It said “hello”')").await;
    gallery.behaved(&page);
}
