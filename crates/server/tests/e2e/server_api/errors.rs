//! Every method, every way in which it says no, and both ways in which that travels.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::http::{Response, post};
use crate::support::server::{API_KEY, Server};

/// A method, a body, and the error code of the answer; 0 is none.
const TABLE: &[(&str, &str, u64)] = &[
    ("publish", r#"{"channel":"square","data":1}"#, 0),
    (
        "publish",
        r#"{"channel":"square","b64data":"e30=","tags":{"a":"b"},"skip_history":true,"delta":true}"#,
        0,
    ),
    ("publish", r#"{"data":1}"#, 107),
    ("publish", r#"{"channel":"","data":1}"#, 107),
    ("publish", r#"{"channel":"square"}"#, 107),
    ("publish", r#"{"channel":"square","b64data":""}"#, 107),
    ("publish", r#"{"channel":"square","b64data":"%"}"#, 107),
    ("publish", r#"{"channel":"square","data":1,"version":1}"#, 108),
    ("publish", r#"{"channel":"nowhere:square","data":1}"#, 102),
    ("broadcast", r#"{"channels":["square"],"data":1}"#, 0),
    ("broadcast", r#"{"channels":["nowhere:square"],"data":1}"#, 0),
    ("broadcast", r#"{"channels":[],"data":1}"#, 107),
    ("broadcast", r#"{"channels":["square"]}"#, 107),
    ("subscribe", r#"{"user":"ann","channel":"square"}"#, 0),
    ("subscribe", r#"{"user":"ann","channel":"square","b64info":"%"}"#, 107),
    ("subscribe", r#"{"channel":"square"}"#, 107),
    ("subscribe", r#"{"user":"ann","channel":""}"#, 107),
    ("subscribe", r#"{"user":"ann","channel":"nowhere:square"}"#, 102),
    ("unsubscribe", r#"{"user":"ann","channel":"square"}"#, 0),
    ("unsubscribe", r#"{"user":"ann"}"#, 0),
    ("unsubscribe", r#"{"client":"c"}"#, 0),
    ("unsubscribe", r#"{"session":"s"}"#, 0),
    ("unsubscribe", r#"{"channel":"square"}"#, 107),
    ("unsubscribe", r#"{"user":"ann","channel":"nowhere:square"}"#, 102),
    ("disconnect", r#"{"user":"ann"}"#, 0),
    ("disconnect", r#"{"user":"ann","session":"s","whitelist":["c"]}"#, 0),
    ("disconnect", r#"{}"#, 107),
    ("disconnect", r#"{"user":"ann","disconnect":{"code":1000,"reason":"no code of an application"}}"#, 107),
    ("refresh", r#"{"user":"ann","expire_at":4000000000}"#, 0),
    ("refresh", r#"{"expired":true}"#, 107),
    ("presence", r#"{"channel":"square"}"#, 0),
    ("presence", r#"{"channel":""}"#, 107),
    ("presence", r#"{"channel":"nowhere:square"}"#, 102),
    ("presence", r#"{"channel":"plain:square"}"#, 108),
    ("presence_stats", r#"{"channel":"square"}"#, 0),
    ("presence_stats", r#"{}"#, 107),
    ("presence_stats", r#"{"channel":"nowhere:square"}"#, 102),
    ("presence_stats", r#"{"channel":"plain:square"}"#, 108),
    ("history", r#"{"channel":"square","limit":-1,"reverse":true}"#, 0),
    ("history", r#"{"limit":1}"#, 107),
    ("history", r#"{"channel":"square","reverse":true,"since":{"offset":0,"epoch":""}}"#, 107),
    ("history", r#"{"channel":"nowhere:square"}"#, 102),
    ("history", r#"{"channel":"plain:square"}"#, 108),
    ("history", r#"{"channel":"square","since":{"offset":0,"epoch":"other"},"limit":1}"#, 112),
    ("history_remove", r#"{"channel":"square"}"#, 0),
    ("history_remove", r#"{}"#, 107),
    ("history_remove", r#"{"channel":"nowhere:square"}"#, 102),
    ("history_remove", r#"{"channel":"plain:square"}"#, 108),
    ("channels", r#"{}"#, 0),
    ("channels", r#"{"pattern":"chat:*"}"#, 0),
    ("info", r#"{}"#, 0),
    ("revoke_token", r#"{"uid":"t1","expire_at":4000000000}"#, 0),
    ("revoke_token", r#"{}"#, 107),
    ("revoke_token", r#"{"uid":"t1","expire_at":1}"#, 107),
    ("invalidate_user_tokens", r#"{"user":"nobody","issued_before":1,"channel":"square"}"#, 0),
    ("invalidate_user_tokens", r#"{"issued_before":1}"#, 107),
    ("block_user", r#"{"user":"nobody"}"#, 0),
    ("block_user", r#"{"user":""}"#, 107),
    ("unblock_user", r#"{"user":"nobody"}"#, 0),
    ("unblock_user", r#"{}"#, 107),
    ("rpc", r#"{"method":"teleport","params":{}}"#, 104),
    ("rpc", r#"{"params":{}}"#, 107),
    ("batch", r#"{"commands":[{"info":{}},{"publish":{}}],"parallel":true}"#, 0),
    ("batch", r#"{"commands":[]}"#, 107),
    ("batch", r#"{}"#, 107),
];

/// The status of an error, where errors travel by statuses.
fn status_of(code: u64) -> u16 {
    match code {
        0 => 200,
        102 | 104 => 404,
        107 | 108 => 400,
        112 => 416,
        code => panic!("the table has no error {code}"),
    }
}

async fn call(server: &Server, method: &str, headers: &str, body: &str) -> Response {
    let key = format!("X-API-Key: {API_KEY}\r\n{headers}");
    post(server.address, &format!("/api/{method}"), &key, body).await
}

/// The words of each error, which a caller may compare with.
fn is_error(error: &Value, code: u64) -> bool {
    let message = match code {
        102 => "unknown channel",
        104 => "method not found",
        107 => "bad request",
        108 => "not available",
        112 => "unrecoverable position",
        code => panic!("the table has no error {code}"),
    };
    *error == json!({ "code": code, "message": message })
}

#[tokio::test]
async fn every_method_says_each_error_in_the_body_and_by_a_status_if_asked() {
    let server = Server::serve(json!({})).await;
    for (method, body, code) in TABLE {
        let usual = call(&server, method, "", body).await;
        assert_eq!(usual.status, 200, "{method} {body}: {usual:?}");
        assert_eq!(usual.header("content-type"), Some("application/json"));
        let asked = call(&server, method, "X-Centrifugo-Error-Mode: transport\r\n", body).await;
        assert_eq!(asked.status, status_of(*code), "{method} {body}: {asked:?}");
        match (*code, *method) {
            (0, "batch") => assert!(usual.json()["replies"].is_array(), "{usual:?}"),
            (0, _) => assert!(usual.json()["result"].is_object(), "{method} {body}: {usual:?}"),
            (code, _) => {
                assert!(is_error(&usual.json()["error"], code), "{method} {body}: {usual:?}");
                assert!(is_error(&asked.json(), code), "{method} {body}: {asked:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_table_goes_over_every_method_that_there_is() {
    let server = Server::serve(json!({})).await;
    let told = call(&server, "teleport", "", "{}").await;
    assert_eq!(told.status, 404);
    let (_, list) = told.body.split_once("It has: ").expect("the methods are named");
    let named: BTreeSet<_> = list.trim_end().trim_end_matches('.').split(", ").collect();
    assert_eq!(named, TABLE.iter().map(|(method, ..)| *method).collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn statuses_for_errors_can_be_configured() {
    let server = Server::serve(json!({ "http_api": { "error_mode": "transport" } })).await;
    let refused = call(&server, "presence", "", r#"{"channel":"nowhere:square"}"#).await;
    assert_eq!((refused.status, is_error(&refused.json(), 102)), (404, true), "{refused:?}");
    let done = call(&server, "presence", "", r#"{"channel":"square"}"#).await;
    assert_eq!((done.status, done.json()["result"].is_object()), (200, true), "{done:?}");
}
