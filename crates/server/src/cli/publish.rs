//! `spanwire pub`: publishes by the server API.

use serde_json::Value;
use serde_json::value::RawValue;

use super::http::{self, Answer};
use super::key_file::{KeyFile, runtime_directory};
use super::trust::Trust;
use super::url::Server;
use super::{Exit, Failure, PubOptions, exit};
use crate::config::Secret;

pub(super) fn run(options: &PubOptions) -> Result<(), Failure> {
    let server = Server::parse(&options.url)?;
    let trust = Trust::new(&server, options.ca_file.as_deref())?;
    let data: &RawValue = serde_json::from_str(&options.data).map_err(|error| {
        let quoted = Value::from(options.data.as_str());
        Failure::new(Exit::Usage, format!("the data is not JSON: {error}"))
            .fix(format!("for a text, write: spanwire pub {} '{quoted}'", options.channel))
    })?;
    let key = key(options, &server)?;
    let channel = Value::from(options.channel.as_str());
    let body = format!("{{\"channel\":{channel},\"data\":{data}}}");
    exit::print(&result(http::post(&server, &trust, "/api/publish", key.reveal(), &body)?)?)
}

fn key(options: &PubOptions, server: &Server) -> Result<Secret, Failure> {
    if let Some(key) = &options.key {
        if key.is_empty() || !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(Failure::new(Exit::Usage, "--key: a key is a line of plain characters"));
        }
        return Ok(Secret::new(key.as_str()));
    }
    let kept = runtime_directory()
        .filter(|_| server.is_local())
        .and_then(|runtime| KeyFile::find(&runtime, server.port));
    kept.ok_or_else(|| {
        Failure::new(Exit::Denied, "the server API wants a key")
            .fix("pass --key, or set SPANWIRE_API_KEY, to http_api.key of the server; the dev profile prints its key at start")
    })
}

/// What to print, or why there is nothing to print.
fn result(answer: Answer) -> Result<String, Failure> {
    if answer.status == 401 {
        return Err(Failure::new(Exit::Denied, "the server does not accept the key")
            .fix("compare --key with http_api.key of the server"));
    }
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if let Some(error) = body.get("error") {
        let (code, message) = (&error["code"], error["message"].as_str().unwrap_or("unknown"));
        return Err(Failure::new(Exit::Failed, format!("the server says: {message} ({code})")));
    }
    match body.get("result") {
        Some(result) if answer.status == 200 => Ok(result.to_string()),
        _ => {
            let said = answer.body.trim();
            Err(Failure::new(Exit::Failed, format!("the server answered {}: {said}", answer.status)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_line_or_an_exit_code() {
        let table = [
            (200, r#"{"result":{"offset":1}}"#, Ok(r#"{"offset":1}"#)),
            (200, r#"{"error":{"code":102,"message":"unknown channel"}}"#, Err(Exit::Failed)),
            (401, "", Err(Exit::Denied)),
            (404, "nothing", Err(Exit::Failed)),
            (200, "hello", Err(Exit::Failed)),
        ];
        for (status, body, expected) in table {
            let found = result(Answer { status, body: body.to_owned() });
            assert_eq!(found.as_deref().map_err(|failure| failure.exit), expected, "{status} {body}");
        }
    }
}
