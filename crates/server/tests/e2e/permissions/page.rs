//! `docs/permissions.md`, as it stands there: its configuration, its tokens, and its table.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::{Server, TOKEN_SECRET};
use crate::support::token::signed;

fn page() -> String {
    fs::read_to_string(require::repository().join("docs/permissions.md")).expect("the page")
}

/// The blocks of the page that are fenced as this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let start = page.match_indices(&fence).map(|(at, _)| at + fence.len());
    start.map(|at| page[at..].split("```").next().expect("a block")).collect()
}

/// The rows of the table at the end: who, does what, and gets which code.
fn rows<'a>(page: &'a str) -> Vec<[&'a str; 3]> {
    let (_, table) = page.split_once("\n## Tried\n").expect("the page ends with it");
    let cells = |row: &'a str| -> Vec<&'a str> { row.trim_matches('|').split('|').map(str::trim).collect() };
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| cells(row).try_into().expect("three cells")).collect()
}

/// What becomes of the last of these commands; those before it succeed.
async fn outcome(peer: &mut Peer, commands: &str, tokens: &BTreeMap<&str, String>) -> String {
    let mut code = String::new();
    for command in commands.split(", ") {
        assert!(code.is_empty() || code == "ok", "{commands}: {code} before {command}");
        let words: Vec<_> = command.split_whitespace().collect();
        let (method, request) = match words.as_slice() {
            ["subscribe", channel, "with", token] => {
                ("subscribe", json!({ "channel": channel, "token": tokens[token] }))
            }
            ["publish", channel] => ("publish", json!({ "channel": channel, "data": { "text": "hello" } })),
            [method @ ("subscribe" | "history" | "presence"), channel] => {
                (*method, json!({ "channel": channel }))
            }
            _ => panic!("{command}"),
        };
        let reply = peer.reply(method, request).await;
        code = reply["error"]["code"].as_u64().map_or("ok".to_owned(), |code| code.to_string());
    }
    code
}

#[tokio::test]
async fn the_page_about_permissions_is_true() {
    let page = page();
    let [config] = blocks(&page, "toml")[..] else { panic!("one configuration") };
    let claims: Vec<Value> =
        blocks(&page, "json").iter().map(|block| serde_json::from_str(block).expect("JSON")).collect();
    let [board, moderator] = &claims[..] else { panic!("two tokens") };
    let config = config.replace("a long random text", TOKEN_SECRET);
    let config = format!("[http_server]\naddress = \"127.0.0.1\"\nport = 0\n\n{config}");
    let server = Server::serve_file("toml", &config).await;
    let people = BTreeMap::from([
        ("ann", signed(json!({ "sub": "ann" }))),
        ("mod", signed(moderator.clone())),
        ("-", signed(json!({}))),
    ]);
    let tokens = BTreeMap::from([("board", signed(board.clone()))]);
    let rows = rows(&page);
    assert!(rows.len() > 20, "{}", rows.len());
    for [who, commands, expected] in rows {
        let mut peer = Peer::connect_as(server.address, json!({ "token": people[who] })).await;
        let found = outcome(&mut peer, commands, &tokens).await;
        assert_eq!(found, expected, "{who}: {commands}");
    }
}
