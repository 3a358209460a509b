//! The code of the README, as it stands there: its pages in a real browser, its configuration, its commands.

use std::fs;
use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use crate::support::chromium::Chromium;
use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::{Server, scratch, spanwire};

/// The README.
fn readme() -> String {
    fs::read_to_string(require::repository().join("README.md")).expect("the README")
}

/// The blocks of the README that are fenced as this language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let readme = readme();
    let rests = readme.split(&fence).skip(1);
    rests.map(|rest| rest.split("```").next().expect("a block").to_owned()).collect()
}

/// A command of the README that begins so, with the lines that it goes on over.
fn command(beginning: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("\n    {beginning}")).expect("the README has that command");
    let mut command = beginning.to_owned();
    for line in rest.lines() {
        command.push_str(line);
        if !line.ends_with('\\') {
            break;
        }
        command.push('\n');
    }
    command
}

/// Writes the HTML of the README into a directory: `0.html`, `1.html`, and so on.
fn write_pages(directory: &Path) {
    fs::create_dir_all(directory).expect("a directory can be made");
    for (number, page) in blocks("html").iter().enumerate() {
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

#[tokio::test]
async fn what_the_readme_locks_down_is_locked_and_opens_to_its_token_and_key() {
    let [config] = &blocks("toml")[..] else { panic!("one configuration is in the README") };
    let server = Server::serve_file("toml", &format!("http_server.port = 0\n{config}")).await;
    let url = format!("localhost:{}", server.address.port());
    let file = scratch("spanwire.toml");
    fs::write(&file, config).expect("a file can be written");

    let mut stranger = Peer::open(server.address).await;
    stranger.text(r#"{"id":1,"connect":{}}"#).await;
    assert_eq!(stranger.closed().await.0, 3501);

    let mint = command("spanwire token").replace("spanwire.toml", file.to_str().expect("UTF-8"));
    let words: Vec<_> = mint.split_whitespace().skip(1).collect();
    let minted = spanwire(&words).output().await.expect("it can start");
    let token = String::from_utf8(minted.stdout).expect("a token is ASCII");
    let mut ana = Peer::connect_as(server.address, json!({ "token": token.trim() })).await;
    ana.call("subscribe", json!({ "channel": "chat:lobby" })).await;

    let curl = command("curl").replace("localhost:8000", &url);
    let published = Command::new("sh").arg("-c").arg(&curl).output().await.expect("a shell");
    assert!(published.status.success(), "{curl}: {published:?}");
    assert_eq!(ana.publication().await, json!({ "text": "hello" }));
}
