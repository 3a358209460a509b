//! The pages of the README, as they stand there, in a real browser.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::chromium::Chromium;
use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::{Server, scratch, spanwire};

/// Writes the HTML of the README into a directory: `0.html`, `1.html`, and so on.
fn write_pages(directory: &Path) {
    fs::create_dir_all(directory).expect("a directory can be made");
    let readme = fs::read_to_string(require::repository().join("README.md")).expect("the README");
    for (number, rest) in readme.split("```html\n").skip(1).enumerate() {
        let page = rest.split("```").next().expect("a block");
        fs::write(directory.join(format!("{number}.html")), page).expect("a page can be written");
    }
}

#[tokio::test]
async fn the_pages_of_the_readme_work_as_they_stand_there() {
    let Some(chromium) = require::chromium() else { return };
    let (directory, runtime) = (scratch("readme"), scratch("readme-runtime"));
    write_pages(&directory);
    fs::create_dir_all(&runtime).expect("a directory can be made");
    let server = Server::dev_with_pages(&directory, &runtime).await;
    let url = format!("http://localhost:{}", server.address.port());
    let browser = Chromium::launch(&chromium).await;

    let mut witness = Peer::connect(server.address).await;
    witness.call("subscribe", json!({ "channel": "news", "join_leave": true })).await;
    witness.push("join").await;
    let mut news = browser.page().await;
    news.navigate(&format!("{url}/0.html")).await;
    // The page shows nothing before it is told something; that it listens, others can see.
    witness.push("join").await;
    let mut publish = spanwire(&["pub", "--url", &url, "news", r#"{"text":"hello"}"#]);
    let output = publish.env("XDG_RUNTIME_DIR", &runtime).output().await.expect("it can start");
    assert!(output.status.success(), "{output:?}");
    news.until("document.querySelector('#log li')?.textContent === 'hello'").await;

    let mut chat = browser.page().await;
    chat.before_scripts("window.prompt = () => 'Ana'").await;
    chat.navigate(&format!("{url}/1.html")).await;
    chat.until("document.querySelector('#who').textContent === 'Ana'").await;
    chat.click("#text").await;
    chat.type_text("good morning").await;
    chat.press_enter().await;
    chat.until("document.querySelector('#log li')").await;
    let said =
        chat.evaluate("[...document.querySelectorAll('#log li')].map((line) => line.textContent)").await;
    assert_eq!(said, json!(["Ana: good morning"]));

    for page in [news, chat] {
        let complaints = page.complaints();
        let serious = complaints.iter().filter(|complaint| !complaint.contains("favicon"));
        assert_eq!(serious.count(), 0, "{complaints:?}");
    }
}
