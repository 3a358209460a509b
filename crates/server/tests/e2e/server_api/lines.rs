//! `POST /api`: the older form, a command a line.

use serde_json::{Value, json};

use crate::support::http::{Response, post};
use crate::support::peer::Peer;
use crate::support::server::{API_KEY, Server};

async fn lines(server: &Server, key: &str, body: &str) -> Response {
    post(server.address, "/api", &format!("Authorization: apikey {key}\r\n"), body).await
}

#[tokio::test]
async fn each_line_is_answered_by_a_line() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::subscribe(server.address, "square").await;
    let body = "{\"method\":\"publish\",\"params\":{\"channel\":\"square\",\"data\":{\"n\":1}}}\n\
        {\"method\":\"publish\",\"params\":{\"channel\":\"nowhere:square\",\"data\":1}}\n\
        {\"method\":\"teleport\",\"params\":{}}\n{\"method\":\"channels\"}\n\
        {\"method\":\"history\",\"params\":{\"channel\":5}}\n";
    let response = lines(&server, API_KEY, body).await;
    assert_eq!(response.status, 200, "{response:?}");
    let answers: Vec<Value> =
        response.body.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_eq!(answers[0]["result"]["offset"], 1);
    let codes: Vec<_> = answers.iter().map(|answer| answer["error"]["code"].as_u64().unwrap_or(0)).collect();
    assert_eq!(codes, [0, 102, 104, 0, 107]);
    assert_eq!(answers[3]["result"]["channels"]["square"]["num_clients"], 1);
    assert_eq!(peer.publication().await, json!({ "n": 1 }));
}

#[tokio::test]
async fn a_key_opens_no_more_by_lines_than_by_paths() {
    let keys = json!([{ "name": "billing", "key": "may-publish", "scope": "publish" }]);
    let server = Server::serve(json!({ "http_api": { "keys": keys } })).await;
    let publish = r#"{"method":"publish","params":{"channel":"square","data":1}}"#;
    let info = r#"{"method":"info","params":{}}"#;
    for (key, body, status) in [
        ("guess", publish.to_owned(), 401),
        ("may-publish", publish.to_owned(), 200),
        ("may-publish", format!("{publish}\n{info}"), 403),
        (API_KEY, format!("{publish}\n{info}"), 200),
        (API_KEY, "hello".to_owned(), 400),
        (API_KEY, String::new(), 400),
    ] {
        let response = lines(&server, key, &body).await;
        assert_eq!(response.status, status, "{key} {body}: {response:?}");
    }
}
