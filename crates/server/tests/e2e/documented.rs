//! Pages of the documentation, done as they stand there: commands in a shell, configurations, code in a browser.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::chromium::Chromium;
use crate::support::document::{Block, blocks, in_language};
use crate::support::http::api;
use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::{API_KEY, Server, TOKEN_SECRET, scratch, spanwire};
use crate::support::token::signed;
use crate::support::until::within;

/// The configuration of a page, on a free port.
async fn serve(toml: &str) -> Server {
    Server::serve_file("toml", &format!("http_server.port = 0\nhttp_server.address = \"127.0.0.1\"\n{toml}"))
        .await
}

/// The value of `key = "…"` in a configuration.
fn key_in(toml: &str) -> &str {
    let (_, rest) = toml.split_once("\nkey = \"").expect("the page has a key");
    rest.split('"').next().expect("it ends")
}

/// Runs the commands of a page in their order, and compares what they say with what the page shows.
async fn play(page: &str, server: &Server, key: &str) {
    let url = format!("http://{}", server.address);
    let program = Path::new(env!("CARGO_BIN_EXE_spanwire")).parent().expect("a program is in a folder");
    let path = std::env::var("PATH").expect("there is one");
    let mut said = String::new();
    for Block { language, text } in blocks(page) {
        match language.as_str() {
            "sh" => {
                let mut shell = Command::new("bash");
                shell.args(["-euo", "pipefail", "-c", &text]).kill_on_drop(true);
                shell.env("PATH", format!("{}:{path}", program.display()));
                shell.envs([("URL", &*url), ("SPANWIRE_URL", &url), ("KEY", key), ("SPANWIRE_API_KEY", key)]);
                let output = within(&text, shell.output()).await.expect("there is a shell");
                assert!(output.status.success(), "{text}\n{output:?}");
                said = String::from_utf8(output.stdout).expect("it speaks UTF-8");
            }
            "text" => assert!(is_like(&text, said.trim_end()), "{page} shows:\n{text}\nit was:\n{said}"),
            "json" => {
                let shown: Value = serde_json::from_str(&text).expect("a page shows JSON");
                let found: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
                assert!(fits(&shown, &found), "{page} shows:\n{text}\nit was:\n{said}");
            }
            _ => {}
        }
    }
}

/// Whether a value is what a page shows, where "…" stands for anything.
fn fits(shown: &Value, found: &Value) -> bool {
    match (shown, found) {
        (Value::String(text), _) if text == "…" => true,
        (Value::Object(shown), Value::Object(found)) => {
            shown.len() == found.len()
                && shown.iter().all(|(name, value)| found.get(name).is_some_and(|found| fits(value, found)))
        }
        (Value::Array(shown), Value::Array(found)) => {
            shown.len() == found.len() && shown.iter().zip(found).all(|(shown, found)| fits(shown, found))
        }
        (shown, found) => shown == found,
    }
}

/// The same for text.
fn is_like(shown: &str, found: &str) -> bool {
    let mut rest = Some(found);
    let mut parts = shown.split('…').peekable();
    let first = parts.next().unwrap_or_default();
    rest = rest.and_then(|rest| rest.strip_prefix(first));
    while let Some(part) = parts.next() {
        rest = match parts.peek() {
            None => rest.and_then(|rest| rest.strip_suffix(part)).map(|_| ""),
            Some(_) => rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest),
        };
    }
    rest == Some("")
}

#[test]
fn what_a_page_leaves_open_fits_anything_and_nothing_else_does() {
    assert!(is_like("a…c…e", "abcde") && is_like("ab", "ab") && is_like("a…", "a"));
    assert!(!is_like("a…c", "abcd") && !is_like("ab", "abc") && !is_like("a…c", "xabc"));
    assert!(fits(&json!({ "a": "…", "b": [1] }), &json!({ "a": 5, "b": [1] })));
    assert!(!fits(&json!({ "a": 1 }), &json!({ "a": 1, "b": 2 })));
}

#[tokio::test]
async fn the_commands_of_the_page_on_the_server_api_do_what_it_says() {
    if require::curl().is_none() {
        return;
    }
    let [config] = &in_language("docs/api.md", "toml")[..] else {
        panic!("one configuration is on the page")
    };
    play("docs/api.md", &serve(config).await, key_in(config)).await;
}

#[tokio::test]
async fn a_configuration_of_centrifugo_is_served_as_the_page_says() {
    let page = "docs/coming-from-centrifugo.md";
    let [config] = &in_language(page, "json")[..] else { panic!("one configuration is on the page") };
    let file = scratch("centrifugo.json");
    std::fs::write(&file, config).expect("a file can be written");
    let file = file.to_str().expect("our paths are UTF-8");
    let checked = spanwire(&["check-config", "-c", file]).output().await.expect("it can start");
    assert!(checked.status.success(), "{checked:?}");

    let mut config: Value = serde_json::from_str(config).expect("it is JSON");
    config["http_server"]["port"] = 0.into();
    let server = Server::serve_file("json", &config.to_string()).await;
    let secret = config["client"]["token"]["hmac_secret_key"].as_str().expect("a secret");
    let minted =
        spanwire(&["token", "--user", "42", "--secret", secret]).output().await.expect("it can start");
    let token = String::from_utf8(minted.stdout).expect("a token is ASCII");
    let mut peer = Peer::connect_as(server.address, json!({ "token": token.trim() })).await;
    peer.call("subscribe", json!({ "channel": "chat:lobby" })).await;
    peer.call("publish", json!({ "channel": "chat:lobby", "data": "hello" })).await;
    assert_eq!(peer.publication().await, "hello");
}

#[tokio::test]
async fn what_the_page_says_is_lacking_is_refused_with_its_name() {
    let page = std::fs::read_to_string(require::repository().join("docs/coming-from-centrifugo.md"));
    let page = page.expect("the page is there");
    let (_, lacking) = page.split_once("## What is lacking").expect("it says what is lacking");
    let rows = lacking.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut count = 0;
    for (key, _) in rows {
        let file = scratch("lacking.toml");
        std::fs::write(&file, format!("{key} = \"x\"")).expect("a file can be written");
        let mut command = spanwire(&["check-config", "-c", file.to_str().expect("our paths are UTF-8")]);
        let output = command.output().await.expect("it can start");
        let told = String::from_utf8(output.stderr).expect("it speaks UTF-8");
        assert!(output.status.code() == Some(78) && told.contains("not supported"), "{key}: {told}");
        count += 1;
    }
    assert!(count > 5, "the page has a table");
}

#[tokio::test]
async fn a_last_value_is_there_from_the_first_moment_on() {
    let [config] = &in_language("docs/guarantees.md", "toml")[..] else {
        panic!("one configuration is on the page")
    };
    let keys = format!("http_api.key = \"{API_KEY}\"\nclient.token.hmac_secret_key = \"{TOKEN_SECRET}\"\n");
    let server = serve(&format!("{keys}{config}")).await;
    for price in [3, 4] {
        api(server.address, "publish", &json!({ "channel": "price:tea", "data": price })).await;
    }
    let mut ann = Peer::connect_as(server.address, json!({ "token": signed(json!({ "sub": "ann" })) })).await;
    let joined = ann.call("subscribe", json!({ "channel": "price:tea" })).await;
    assert_eq!(joined["publications"].as_array().map(Vec::len), Some(1), "{joined}");
    assert_eq!((&joined["publications"][0]["data"], &joined["recovered"]), (&json!(4), &json!(true)));
}

#[tokio::test]
async fn our_side_of_the_page_on_socket_io_works_in_a_browser() {
    let Some(chromium) = require::chromium() else { return };
    if require::curl().is_none() {
        return;
    }
    let page = "docs/coming-from-socketio.md";
    let [config] = &in_language(page, "toml")[..] else { panic!("one configuration is on the page") };
    let server = serve(&format!("client.allowed_origins = [\"*\"]\n{config}")).await;
    let secret = config.split_once("hmac_secret_key = \"").and_then(|(_, rest)| rest.split('"').next());
    let mint = |user: &'static str| {
        let secret = secret.expect("the page has a secret").to_owned();
        async move {
            let info = format!("{{\"name\":\"{user}\"}}");
            let arguments = ["token", "--user", user, "--secret", &secret, "--info", &info];
            let minted = spanwire(&arguments).output().await.expect("it can start");
            String::from_utf8(minted.stdout).expect("a token is ASCII").trim().to_owned()
        }
    };
    let directory = scratch("socketio");
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    let (ana, script) = (mint("ana").await, in_language(page, "js").join("\n"));
    let html = format!(
        "<script type=\"module\">\nconst shown = [];\nwindow.shown = shown;\n\
         const show = (...what) => shown.push(what.join(\" \"));\n\
         const token = async () => \"{ana}\";\n{}\nwindow.room = room;\n</script>",
        script.replace("wss://rt.example.org", &format!("ws://{}", server.address))
    );
    std::fs::write(directory.join("index.html"), html).expect("a page can be written");
    let pages = Server::dev_with(&[directory.to_str().expect("our paths are UTF-8")]).await;
    let browser = Chromium::launch(&chromium).await;
    let mut tab = browser.page().await;
    tab.navigate(&format!("http://localhost:{}/", pages.address.port())).await;
    tab.until("window.shown?.includes('here: ana')").await;
    let mut ben = Peer::connect_as(server.address, json!({ "token": mint("ben").await })).await;
    ben.call("subscribe", json!({ "channel": "room:42" })).await;
    tab.until("window.shown.includes('here: ana, ben')").await;
    ben.call("publish", json!({ "channel": "room:42", "data": { "text": "hi" } })).await;
    tab.until("window.shown.includes('ben: hi')").await;
    play(page, &server, key_in(config)).await;
    tab.until("window.shown.includes('notice: the match begins')").await;
    let url = format!("http://{}", server.address);
    let arguments = ["history", "room:42", "--json", "--url", &url, "--key", key_in(config)];
    let history = spanwire(&arguments).output().await.expect("it can start");
    let history = String::from_utf8(history.stdout).expect("it speaks UTF-8");
    assert!(history.contains(r#""data":{"text":"hello"}"#), "what the page itself has said: {history}");
}
