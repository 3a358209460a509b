//! The page that leads to all others.

use serde_json::json;

use crate::support::chromium::Chromium;
use crate::support::gallery::{behaved, looks_good, open};
use crate::support::require;
use crate::support::server::Server;

#[tokio::test]
async fn every_page_that_is_listed_is_there_and_every_page_that_is_there_is_listed() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    let page = open(&browser, &server, "/", 1280).await;
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
}

#[tokio::test]
async fn it_can_be_looked_at_in_both_themes_and_on_a_phone() {
    let Some(chromium) = require::chromium() else { return };
    let server = Server::dev().await;
    let browser = Chromium::launch(&chromium).await;
    for width in [1280, 360] {
        let page = open(&browser, &server, "/", width).await;
        page.until("__demo.ready").await;
        looks_good(&page, "index", width).await;
        behaved(&page, &server, false);
    }
}
