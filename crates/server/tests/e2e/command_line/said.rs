//! What commands say, to the letter: help, results and refusals. The texts are in `tests/snapshots/`; when one is meant
//! to change, `SPANWIRE_UPDATE_SNAPSHOTS=1 cargo test -p spanwire --test e2e said` writes them anew, for you to read.

use std::path::Path;

use serde_json::json;

use super::run;
use crate::support::http::api;
use crate::support::peer::Peer;
use crate::support::server::{API_KEY, Server, scratch};
use crate::support::token::signed;

/// Compares a text with the one that is kept, or keeps it.
fn pinned(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("SPANWIRE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, text).expect("a snapshot can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name} has changed. If it should: SPANWIRE_UPDATE_SNAPSHOTS=1 cargo test -p spanwire --test e2e said\n\
         --- it was:\n{kept}\n--- it is:\n{text}"
    );
}

/// Arguments as a shell wants them.
fn typed(arguments: &[&str]) -> String {
    let quoted = |word: &&str| match word.contains([' ', '"', '{', '*']) || word.is_empty() {
        true => format!("'{word}'"),
        false => (*word).to_owned(),
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A command, what came of it, and what differs from run to run by its name.
async fn transcript(arguments: &[&str], names: &[(&str, &str)]) -> String {
    let (exit, stdout, stderr) = run(arguments).await;
    let mut text = format!("$ spanwire {}\n{stdout}", typed(arguments));
    text.extend(stderr.lines().map(|line| format!("2> {line}\n")));
    text.push_str(&format!("({exit})\n\n"));
    names.iter().fold(text, |text, (value, name)| text.replace(value, name))
}

#[tokio::test]
async fn the_help_of_every_command_is_pinned() {
    let (exit, help, _) = run(&["--help"]).await;
    assert_eq!(exit, 0);
    pinned("help.txt", &help);
    let (_, rest) = help.split_once("Commands:\n").expect("there are commands");
    let commands = rest.lines().map_while(|line| line.split_whitespace().next());
    for command in commands.filter(|command| *command != "help") {
        let (exit, help, _) = run(&[command, "--help"]).await;
        assert_eq!(exit, 0, "{command}");
        pinned(&format!("help-{command}.txt"), &help);
    }
}

#[tokio::test]
async fn what_commands_find_is_said_in_lines() {
    let server = Server::serve(json!({ "node": { "name": "alpha" } })).await;
    let url = format!("http://{}", server.address);
    let token = signed(json!({ "sub": "ana", "info": { "name": "Ana" } }));
    let mut ana = Peer::open(server.address).await;
    let client = ana.call("connect", json!({ "token": token })).await["client"].take();
    ana.call("subscribe", json!({ "channel": "square" })).await;
    ana.call("publish", json!({ "channel": "square", "data": { "text": "hello" } })).await;
    for data in ["two", "three"] {
        let request = json!({ "channel": "square", "data": data, "tags": { "lang": "en" } });
        api(server.address, "publish", &request).await;
    }
    let top = api(server.address, "history", &json!({ "channel": "square" })).await;
    let node = api(server.address, "info", &json!({})).await["result"]["nodes"][0].take();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let (client, epoch, uid) = (text(&client), text(&top["result"]["epoch"]), text(&node["uid"]));
    let names = [
        (url.as_str(), "URL"),
        (client.as_str(), "CLIENT"),
        (epoch.as_str(), "EPOCH"),
        (uid.as_str(), "UID"),
        (&format!("'{API_KEY}'"), "KEY"),
    ];
    let options = ["--url", &url, "--key", API_KEY];
    let commands: &[&[&str]] = &[
        &["channels"],
        &["channels", "nothing:*"],
        &["channels", "--json"],
        &["presence", "square"],
        &["presence", "square", "--json"],
        &["presence", "square", "--stats"],
        &["presence", "square", "--stats", "--json"],
        &["history", "square"],
        &["history", "square", "--limit", "1", "--json"],
        &["history", "square", "--since", "1", "--limit", "1"],
        &["history", "square", "--all", "--json"],
        &["pub", "plain:square", "1"],
        &["pub", "plain:square", "1", "--as-client"],
        &["disconnect", "nobody"],
        &["disconnect", "--client", "nobody", "--code", "4001", "--reason", "bye", "--json"],
    ];
    let mut said = String::new();
    for command in commands {
        said.push_str(&transcript(&[*command, &options].concat(), &names).await);
    }
    // How to reach the server is the same each time.
    pinned("results.txt", &said.replace(" --url URL --key KEY", ""));
    // Its uptime differs from run to run.
    let (exit, line, _) = run(&[&["info"][..], &options].concat()).await;
    let (before, after) = line.split_once("  up ").expect("it says since when");
    let (_, after) = after.split_once(": ").expect("it says how much there is");
    assert_eq!(exit, 0);
    assert_eq!(before, format!("alpha {} ({uid})", env!("CARGO_PKG_VERSION")));
    assert_eq!(after, "1 client of 1 user, 1 subscription to 1 channel\n");
    let (_, line, _) = run(&[&["info", "--json"][..], &options].concat()).await;
    let told: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
    assert_eq!((&told["uid"], &told["num_clients"]), (&node["uid"], &json!(1)));
    ana.call("unsubscribe", json!({ "channel": "square" })).await;
}

#[tokio::test]
async fn what_goes_wrong_is_said_with_a_way_out() {
    let server = Server::serve(json!({
        "http_api": { "keys": [{ "name": "reader", "key": "may-read", "scope": "read" }] },
    }))
    .await;
    let (url, nobody) = (format!("http://{}", server.address), "http://127.0.0.1:9");
    let missing = scratch("nowhere.toml");
    let missing = missing.to_str().expect("our paths are UTF-8");
    let closed = scratch("closed.toml");
    std::fs::write(&closed, "").expect("a file can be written");
    let closed = closed.to_str().expect("our paths are UTF-8");
    let names =
        [(url.as_str(), "URL"), (&format!("'{API_KEY}'"), "KEY"), (missing, "NOWHERE"), (closed, "CLOSED")];
    let mut text = String::new();
    let commands: &[&[&str]] = &[
        &["history", "square", "--url", &url],
        &["history", "square", "--url", &url, "--key", "guess"],
        &["disconnect", "ann", "--url", &url, "--key", "may-read"],
        &["history", "square", "--url", nobody, "--key", API_KEY],
        &["history", "square", "--url", "localhost:8000", "--key", API_KEY],
        &["history", "plain:square", "--url", &url, "--key", API_KEY],
        &["presence", "plain:square", "--url", &url, "--key", API_KEY],
        &["presence", "nowhere:square", "--url", &url, "--key", API_KEY],
        &["history", "square", "--since", "1", "--epoch", "other", "--url", &url, "--key", API_KEY],
        &["pub", "square", "hello", "--url", &url, "--key", API_KEY],
        &["pub", "", "1", "--url", &url, "--key", API_KEY],
        &["pub", "closed:square", "1", "--url", &url, "--as-client"],
        &["pub", "nowhere:square", "1", "--url", &url, "--as-client"],
        &["rpc", "teleport", "--url", &url, "--key", API_KEY],
        &["rpc", "teleport", "{", "--url", &url, "--key", API_KEY],
        &["token"],
        &["info", "-c", missing],
        &["info", "-c", closed],
        &["disconnect"],
        &["disconnect", "ann", "--code", "1000"],
        &["history", "square", "--all", "--limit", "1"],
        &["histroy", "square"],
        &["histroy"],
        &["completions", "ksh"],
        &["man", missing],
    ];
    for command in commands {
        text.push_str(&transcript(command, &names).await);
    }
    pinned("errors.txt", &text);
}

#[tokio::test]
async fn a_server_that_has_too_much_to_do_is_an_exit_code_of_its_own() {
    let server = Server::serve(json!({ "http_api": { "rate_limit": 1 } })).await;
    let many: Vec<_> = (0..1_000).map(|n| format!("room-{n}")).collect();
    api(server.address, "broadcast", &json!({ "channels": many, "data": 1 })).await;
    let (exit, stdout, stderr) =
        run(&["info", "--url", &format!("http://{}", server.address), "--key", API_KEY]).await;
    assert_eq!((exit, stdout.as_str()), (75, ""), "{stderr}");
    assert!(stderr.contains("try again in 99"), "{stderr}");
}

#[tokio::test]
async fn shells_and_manuals_get_what_they_need() {
    for (shell, word) in
        [("bash", "complete "), ("zsh", "#compdef spanwire"), ("fish", "complete -c spanwire")]
    {
        let (exit, script, _) = run(&["completions", shell]).await;
        assert_eq!(exit, 0, "{shell}");
        assert!(script.contains(word) && script.contains("history"), "{shell}: {script:.300}");
    }
    let directory = scratch("man1");
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    let (exit, stdout, stderr) = run(&["man", directory.to_str().expect("our paths are UTF-8")]).await;
    assert_eq!((exit, stdout.as_str(), stderr.as_str()), (0, "", ""));
    let page = std::fs::read_to_string(directory.join("spanwire-history.1")).expect("a page a command");
    assert!(page.contains("Shows what a channel has kept"), "{page}");
    let (exit, page, _) = run(&["man"]).await;
    assert_eq!(exit, 0);
    assert!(page.contains("Exit codes"), "{page}");
}
