//! What people type, and what they are told.

mod said;

use std::path::Path;

use serde_json::{Value, json};

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::{API_KEY, Server, scratch, spanwire};
use crate::support::token::signed;
use crate::support::until::{until, within};

/// Runs a command to its end: its exit code, what it answered, and what it said besides.
async fn run(arguments: &[&str]) -> (i32, String, String) {
    let output =
        within(&format!("{arguments:?} to end"), spanwire(arguments).output()).await.expect("it can start");
    let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
    (output.status.code().expect("no signal ended it"), text(output.stdout), text(output.stderr))
}

/// A configuration that is wrong, the exit code, and what must be in the complaint.
const REFUSED: &[(&str, i32, &[&str])] = &[
    ("[client]\nping_intervall = \"25s\"", 78, &["client.ping_intervall", "client.ping_interval"]),
    ("[client]\nping_interval = \"soon\"", 78, &["client.ping_interval"]),
    ("[client]\nping_interval = \"5s\"\npong_timeout = \"8s\"", 78, &["ping_interval", "pong_timeout"]),
    ("[client]\ninsecure = true", 78, &["client.insecure"]),
    ("[admin]\npassword = \"x\"", 78, &["admin", "not supported"]),
    ("[[channel.namespaces]]\nname = \"x y\"", 78, &["channel.namespaces"]),
    ("[channel.without_namespace]\nforce_recovery = true", 78, &["force_recovery", "history"]),
    ("[http_server]\naddress = \"nowhere\"", 78, &["http_server.address"]),
    ("not toml at all", 78, &["line 1"]),
];

#[tokio::test]
async fn a_mistake_in_the_configuration_is_named_and_nothing_is_started() {
    for (text, code, words) in REFUSED {
        let path = scratch("wrong.toml");
        std::fs::write(&path, text).expect("a config file can be written");
        let (exit, stdout, stderr) = run(&["serve", "-c", path.to_str().expect("our paths are UTF-8")]).await;
        assert_eq!(exit, *code, "{text}: {stderr}");
        assert!(words.iter().all(|word| stderr.contains(word)), "{text}: {stderr}");
        assert!(!stdout.contains("ready in"), "{stdout}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    for command in [&["serve"][..], &["token"], &["info"]] {
        let (exit, _, stderr) = run(&[command, &["-c", "/nowhere/spanwire.toml"]].concat()).await;
        assert_eq!(exit, 66, "{command:?}: {stderr}");
        assert!(stderr.contains("/nowhere/spanwire.toml") && stderr.contains("spanwire init"), "{stderr}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_sentence_and_not_a_panic() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = taken.local_addr().expect("a listener has an address").port();
    let (exit, _, stderr) = run(&["--port", &port.to_string()]).await;
    assert_eq!(exit, 69, "{stderr}");
    assert!(stderr.contains(&port.to_string()) && !stderr.contains("panicked"), "{stderr}");
}

#[tokio::test]
async fn the_dev_profile_refuses_to_be_reached_from_elsewhere() {
    for address in ["0.0.0.0", "::", "192.0.2.1"] {
        let (exit, _, stderr) = run(&["--address", address, "--port", "0"]).await;
        assert_eq!(exit, 78, "{address}: {stderr}");
        assert!(stderr.contains("spanwire serve"), "it says the way out: {stderr}");
    }
}

#[tokio::test]
async fn a_config_file_may_be_toml_as_well() {
    let text = format!(
        "[http_server]\naddress = \"127.0.0.1\"\nport = 0\n[http_api]\nkey = \"{API_KEY}\"\n\
         [client]\nallow_anonymous_connect_without_token = true\n\
         [[channel.namespaces]]\nname = \"news\"\nallow_subscribe_for_client = true\n\
         allow_subscribe_for_anonymous = true\nhistory_size = 10\nhistory_ttl = \"300s\"\n"
    );
    let server = Server::serve_file("toml", &text).await;
    let mut peer = Peer::subscribe(server.address, "news:today").await;
    http::api(server.address, "publish", &json!({ "channel": "news:today", "data": 1 })).await;
    assert_eq!(peer.publication().await, 1);
    assert_eq!(peer.refusal("subscribe", json!({ "channel": "today" })).await, 103);
}

/// How many subscribe to a channel, by the server's own account.
async fn subscribers(server: &Server, channel: &str) -> usize {
    let answer = http::api(server.address, "presence", &json!({ "channel": channel })).await;
    answer["result"]["presence"].as_object().expect("presence is a map").len()
}

#[tokio::test]
async fn what_is_published_in_one_terminal_is_shown_in_another() {
    let server = Server::serve(json!({})).await;
    let url = format!("http://{}", server.address);
    let tail =
        spanwire(&["sub", "square", "--count", "3", "--json", "--url", &url]).spawn().expect("it can start");
    until("the subscriber", async || (subscribers(&server, "square").await == 1).then_some(())).await;
    for n in 1..=3 {
        let data = json!({ "n": n }).to_string();
        let (exit, stdout, stderr) = run(&["pub", "square", &data, "--url", &url, "--key", API_KEY]).await;
        assert_eq!(exit, 0, "{stderr}");
        let answer: Value = serde_json::from_str(&stdout).expect("the answer is JSON");
        assert_eq!(answer["offset"], n);
    }
    let output =
        within("the third publication", tail.wait_with_output()).await.expect("a child can be awaited");
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).expect("it speaks UTF-8");
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let heard: Vec<_> =
        lines.iter().map(|line| (&line["channel"], &line["offset"], &line["data"]["n"])).collect();
    let channel = json!("square");
    let numbers = [json!(1), json!(2), json!(3)];
    assert_eq!(heard, numbers.each_ref().map(|n| (&channel, n, n)));
}

#[tokio::test]
async fn what_is_published_as_a_client_has_its_user() {
    let server = Server::serve(json!({})).await;
    let url = format!("http://{}", server.address);
    let token = signed(json!({ "sub": "ana" }));
    let mut by_environment = spanwire(&["pub", "square", "2", "--url", &url, "--as-client"]);
    by_environment.env("SPANWIRE_TOKEN", &token);
    let (exit, stdout, stderr) = run(&["pub", "square", "1", "--url", &url, "--token", &token]).await;
    let answer: Value = serde_json::from_str(&stdout).expect("the answer is JSON");
    assert_eq!((exit, &answer["offset"]), (0, &json!(1)), "{stderr}");
    let output = within("the end", by_environment.output()).await.expect("it can start");
    assert!(output.status.success(), "{output:?}");
    let (exit, stdout, stderr) = run(&["pub", "plain:square", "3", "--url", &url, "--as-client"]).await;
    assert_eq!((exit, stdout.as_str()), (0, "{}\n"), "{stderr}");
    let history = http::api(server.address, "history", &json!({ "channel": "square", "limit": 9 })).await;
    let publications = history["result"]["publications"].as_array().expect("it has a history");
    let by_ana = |publication: &Value| (publication["data"].clone(), publication["info"]["user"].clone());
    let expected = [1, 2].map(|data| (json!(data), json!("ana")));
    assert_eq!(publications.iter().map(by_ana).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_dev_profile_is_published_to_without_a_key_by_its_own_user() {
    let runtime = scratch("runtime");
    std::fs::create_dir_all(&runtime).expect("a directory can be made");
    let mut server = Server::dev_of(&runtime).await;
    let url = format!("http://localhost:{}", server.address.port());
    let mut publish = spanwire(&["pub", "news", "1", "--url", &url]);
    let output = publish.env("XDG_RUNTIME_DIR", &runtime).output().await.expect("it can start");
    assert!(output.status.success(), "{output:?}");
    let (exit, _, stderr) = run(&["pub", "news", "1", "--url", &url]).await;
    assert_eq!(exit, 77, "somebody else has to know the key: {stderr}");
    server.terminate();
    assert!(server.ended().await.success());
    let left: Vec<_> = std::fs::read_dir(runtime.join("spanwire")).expect("it was there").collect();
    assert!(left.is_empty(), "the key is gone with the server: {left:?}");
}

#[tokio::test]
async fn the_file_of_a_server_is_enough_to_call_it() {
    let file = scratch("called-spanwire.toml");
    let file = file.to_str().unwrap();
    assert_eq!(run(&["init", file]).await.0, 0);
    let written = std::fs::read_to_string(file).unwrap();
    let with_port = |port: u16| {
        std::fs::write(file, written.replace("port = 8000", &format!("port = {port}"))).unwrap();
    };
    // The system chooses a port that is free, and afterwards the file says which.
    with_port(0);
    let server = Server::serve_from(Path::new(file)).await;
    with_port(server.address.port());
    let published = run(&["pub", "-c", file, "chat:lobby", "1"]).await;
    assert_eq!(published.0, 0, "{published:?}");
    let kept = run(&["history", "-c", file, "chat:lobby", "--json"]).await;
    assert!(kept.1.contains("\"data\":1"), "{kept:?}");
    let key = run(&["info", "-c", file, "--key", "guess"]).await;
    assert_eq!(key.0, 77, "what is said outright holds: {key:?}");
    let mut beside_others = spanwire(&["info", "-c", file]);
    beside_others.envs([("SPANWIRE_URL", "http://127.0.0.1:9"), ("SPANWIRE_API_KEY", "guess")]);
    let output = within("the answer", beside_others.output()).await.expect("it can start");
    assert!(output.status.success(), "the file holds before the environment: {output:?}");
    let mut elsewhere = spanwire(&["info"]);
    let url = format!("http://127.0.0.1:{}", server.address.port());
    elsewhere.envs([("SPANWIRE_URL", url.as_str()), ("SPANWIRE_API_KEY", "guess")]);
    let output = within("the answer", elsewhere.output()).await.expect("it can start");
    assert_eq!(output.status.code(), Some(77), "without a file the environment holds: {output:?}");
}

/// The result of a benchmark, for programs.
fn measured(stdout: &[u8]) -> Value {
    serde_json::from_slice(stdout).unwrap_or_else(|error| panic!("{error}: {stdout:?}"))
}

#[tokio::test]
async fn a_benchmark_counts_what_its_clients_have_heard() {
    let server = Server::serve(json!({})).await;
    let url = format!("http://{}", server.address);
    for encoding in [&[][..], &["--protobuf"], &["--rate", "200"]] {
        let options =
            ["bench", &url, "--channel", "square", "--subscribers", "8", "--messages", "40", "--json"];
        let (exit, stdout, stderr) = run(&[&options[..], encoding].concat()).await;
        let result = measured(stdout.as_bytes());
        assert_eq!(exit, 0, "{stderr}");
        assert_eq!(
            (&result["delivered"], &result["missing"], &result["repeated"]),
            (&json!(320), &json!(0), &json!(0))
        );
        assert!(result["client_us_per_delivery"].as_f64() > Some(0.0), "{result}");
    }
    let history = http::api(server.address, "history", &json!({ "channel": "square", "limit": 1 })).await;
    assert_eq!(history["result"]["publications"][0]["data"].to_string().len(), 128);
}

#[tokio::test]
async fn a_benchmark_that_is_interrupted_says_how_far_it_came() {
    let server = Server::serve(json!({})).await;
    let url = format!("http://{}", server.address);
    let options = ["bench", &url, "--channel", "square", "--subscribers", "3", "--rate", "20", "--json"];
    let bench = spanwire(&options).spawn().expect("it can start");
    let published = async || {
        let history = http::api(server.address, "history", &json!({ "channel": "square", "limit": 0 })).await;
        (history["result"]["offset"].as_u64() >= Some(2)).then_some(())
    };
    until("two publications", published).await;
    let pid = rustix::process::Pid::from_raw(bench.id().expect("it runs").cast_signed()).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is ours");
    let output = within("its end", bench.wait_with_output()).await.expect("a child can be awaited");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let result = measured(&output.stdout);
    assert_eq!(result["interrupted"], true, "{result}");
    assert!(result["missing"].as_u64() > Some(0), "{result}");
}

#[tokio::test]
async fn each_way_to_fail_has_its_exit_code() {
    let server = Server::serve(json!({})).await;
    let url = format!("http://{}", server.address);
    let nobody = "http://127.0.0.1:9";
    for (arguments, code) in [
        (&["pub", "square", "1", "--url", &url, "--key", "guess"][..], 77),
        (&["pub", "square", "hello", "--url", &url, "--key", API_KEY], 65),
        (&["pub", "nowhere:square", "1", "--url", &url, "--key", API_KEY], 1),
        (&["pub", "square", "1", "--url", nobody, "--key", API_KEY], 69),
        (&["pub", "closed:square", "1", "--url", &url, "--as-client"], 77),
        (&["pub", "nowhere:square", "1", "--url", &url, "--as-client"], 1),
        (&["pub", "square", "1", "--url", &url, "--token", "forged"], 77),
        (&["pub", "square", "1", "--url", nobody, "--as-client"], 69),
        (&["sub", "closed:square", "--url", &url], 77),
        (&["sub", "square", "--token", "forged", "--url", &url], 77),
        (&["sub", "square", "--url", nobody], 69),
        (&["bench", nobody], 69),
        (&["bench", &url, "--channel", "closed:square", "--subscribers", "1"], 77),
        (&["bench", "http://192.0.2.1", "--subscribers", "1"], 2),
        (&["--teleport"], 2),
    ] {
        let (exit, stdout, stderr) = run(arguments).await;
        assert_eq!((exit, stdout.as_str()), (code, ""), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn a_first_configuration_is_written_once_and_starts() {
    let file = scratch("first-spanwire.toml");
    let file = file.to_str().unwrap();
    let written = run(&["init", file]).await;
    assert_eq!(written.0, 0, "{written:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read_to_string(file).unwrap();
    assert_eq!(run(&["init", file]).await.0, 1);
    assert_eq!(std::fs::read_to_string(file).unwrap(), before);
    let checked = run(&["check-config", "--strict", "-c", file]).await;
    assert_eq!(checked.0, 0, "{checked:?}");
    for key in before.lines().filter_map(|line| line.split_once("key = \"")) {
        assert!(!checked.1.contains(key.1.trim_end_matches('"')), "{}", checked.1);
    }
}

#[tokio::test]
async fn an_option_comes_from_the_flag_then_the_environment_then_the_file() {
    let file = scratch("precedence-spanwire.toml");
    std::fs::write(&file, "client = { ping_interval = \"10s\", pong_timeout = \"3s\", channel_limit = 5 }")
        .unwrap();
    let mut command = spanwire(&["check-config", "-c", file.to_str().unwrap(), "--client.ping_interval=30s"]);
    command.env("SPANWIRE_CLIENT_PING_INTERVAL", "20s").env("SPANWIRE_CLIENT_PONG_TIMEOUT", "4s");
    let output = command.output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let origins = [
        ("client.ping_interval = \"30s\"", "command line"),
        ("client.pong_timeout = \"4s\"", "SPANWIRE_CLIENT_PONG_TIMEOUT"),
        ("client.channel_limit = 5", "spanwire.toml"),
    ];
    for (setting, origin) in origins {
        assert!(
            said.lines().any(|line| line.starts_with(setting) && line.contains(origin)),
            "{setting}: {said}"
        );
    }
}

#[tokio::test]
async fn a_token_that_was_made_here_is_good_until_something_is_wrong_with_it() {
    let made = run(&[
        "token",
        "--user",
        "ann",
        "--secret",
        "s3cret",
        "--channel",
        "news",
        "--info",
        r#"{"name":"Ann"}"#,
    ])
    .await;
    assert_eq!(made.0, 0, "{made:?}");
    let token = made.1.trim();
    let good = run(&["token", "check", token, "--secret", "s3cret"]).await;
    assert_eq!(good.0, 0, "{good:?}");
    assert!(good.1.contains(r#""sub":"ann""#) && !good.1.contains("FAILED"), "{}", good.1);
    let table: [(&[&str], &str); 3] = [
        (&["--secret", "guess"], "FAILED signature: not made with a key of ours"),
        (&["--secret", "s3cret", "--subscription"], "ok     signature"),
        (&["--secret", ""], "FAILED signature"),
    ];
    for (options, step) in table {
        let checked = run(&[&["token", "check", token], options].concat()).await;
        assert!(checked.0 == 77 && checked.1.contains(step), "{options:?}: {checked:?}");
    }
    let subscription = run(&["sub-token", "$room", "--user", "ann", "--secret", "s3cret"]).await.1;
    let checked = run(&["token", "check", subscription.trim(), "--subscription", "--secret", "s3cret"]).await;
    assert_eq!(checked.0, 0, "{checked:?}");
    assert!(checked.1.contains("ok     channels: $room"), "{checked:?}");
}

#[tokio::test]
async fn a_token_is_checked_against_the_channels_of_a_configuration() {
    let file = scratch("checked-spanwire.toml");
    let file = file.to_str().unwrap();
    assert_eq!(run(&["init", file]).await.0, 0);
    for (channel, exit, step) in [
        ("chat:lobby", 0, "ok     channels: chat:lobby"),
        ("nowhere:x", 77, "FAILED channels: no namespace has nowhere:x"),
    ] {
        let token = run(&["token", "-c", file, "--user", "ann", "--channel", channel]).await.1;
        let checked = run(&["token", "check", "-c", file, token.trim()]).await;
        assert!(checked.0 == exit && checked.1.contains(step), "{checked:?}");
    }
}
