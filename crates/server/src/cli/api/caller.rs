//! Who calls the server API: an address, a key, and whom to believe.

use std::env::VarError;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::{Keyring, Scope};
use crate::cli::http::{self, Answer};
use crate::cli::key_file::{KeyFile, runtime_directory};
use crate::cli::sources::settings_of;
use crate::cli::trust::Trust;
use crate::cli::url::Server;
use crate::cli::{Exit, Failure};
use crate::config::{Secret, Settings};

/// Where a server is unless somebody says otherwise.
const URL: &str = "http://localhost:8000";

/// Which server is called, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct Caller {
    /// The configuration of a server on this machine, which has its address and key.
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// The server; without it, that of --config, of SPANWIRE_URL, or http://localhost:8000.
    #[arg(long)]
    url: Option<String>,
    /// The key of the server API; without it, that of --config, of SPANWIRE_API_KEY, or of a dev profile on this machine.
    #[arg(long)]
    key: Option<String>,
    /// Certificates of the authorities that may vouch for an https or wss server, in PEM, instead of the system's.
    #[arg(long, env = "SPANWIRE_CA_FILE")]
    ca_file: Option<PathBuf>,
}

impl Caller {
    /// Calls a method and returns its result, as it stands.
    pub(in crate::cli) fn call(&self, method: &str, body: &str) -> Result<Box<RawValue>, Failure> {
        let settings = self.settings()?;
        let server = self.server_of(settings.as_ref())?;
        let trust = Trust::new(&server, self.ca_file.as_deref())?;
        let key = self.key(settings.as_ref(), &server)?;
        let answer = http::post(&server, &trust, &format!("/api/{method}"), key.reveal(), body)?;
        result(method, &answer)
    }

    /// Calls a method and reads its result.
    pub(super) fn ask<T: DeserializeOwned>(&self, method: &str, body: &Value) -> Result<T, Failure> {
        let result = self.call(method, &body.to_string())?;
        serde_json::from_str(result.get()).map_err(|error| strange(method, &format!("{error} in {result}")))
    }

    /// The server that is meant.
    pub(in crate::cli) fn server(&self) -> Result<Server, Failure> {
        self.server_of(self.settings()?.as_ref())
    }

    /// Whose authorities are believed, if not the system's.
    pub(in crate::cli) fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    fn settings(&self) -> Result<Option<Settings>, Failure> {
        self.config.as_deref().map(settings_of).transpose()
    }

    fn server_of(&self, settings: Option<&Settings>) -> Result<Server, Failure> {
        match (&self.url, settings) {
            (Some(url), _) => Server::parse(url),
            (None, Some(settings)) => Ok(Server::of(&settings.http_server)),
            (None, None) => Server::parse(surroundings("SPANWIRE_URL")?.as_deref().unwrap_or(URL)),
        }
    }

    fn key(&self, settings: Option<&Settings>, server: &Server) -> Result<Secret, Failure> {
        if let Some(key) = &self.key {
            return plain("--key", key);
        }
        if let Some(settings) = settings {
            return key_of(&settings.http_api.keys).ok_or_else(|| {
                Failure::new(Exit::Config, "http_api.key is not set: the server API is closed")
                    .fix("set it in the configuration, and start the server again")
            });
        }
        if let Some(key) = surroundings("SPANWIRE_API_KEY")? {
            return plain("SPANWIRE_API_KEY", &key);
        }
        let kept = runtime_directory()
            .filter(|_| server.is_local())
            .and_then(|runtime| KeyFile::find(&runtime, server.port));
        kept.ok_or_else(|| {
            Failure::new(Exit::Denied, "the server API wants a key")
                .fix("name its configuration with -c, or its http_api.key with --key or SPANWIRE_API_KEY; the dev profile prints its key at start")
        })
    }
}

/// What the environment says. It comes last: nobody sees it on the line that they type, and a key of one server must not
/// go to another that a forgotten variable names.
fn surroundings(variable: &str) -> Result<Option<String>, Failure> {
    match std::env::var(variable) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Failure::new(Exit::Usage, format!("{variable}: it is no text in UTF-8")))
        }
    }
}

/// A key that can stand in a header.
fn plain(said_by: &str, key: &str) -> Result<Secret, Failure> {
    if key.is_empty() || !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(Failure::new(Exit::Usage, format!("{said_by}: a key is a line of plain characters")));
    }
    Ok(Secret::new(key))
}

/// The key that opens most.
fn key_of(Keyring(keys): &Keyring) -> Option<Secret> {
    let key = keys.iter().find(|key| key.scope == Scope::All).or(keys.first())?;
    Some(key.secret.clone())
}

/// An answer, as far as it is understood.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<ApiError>,
}

#[derive(serde::Deserialize)]
struct ApiError {
    code: u32,
    message: String,
}

/// The result of a method, or why there is none and what to do about it.
fn result(method: &str, answer: &Answer) -> Result<Box<RawValue>, Failure> {
    match answer.status {
        401 => {
            return Err(Failure::new(Exit::Denied, "the server does not accept the key")
                .fix("compare --key with http_api.key of the server"));
        }
        403 => {
            return Err(Failure::new(Exit::Denied, format!("this key may not {method}"))
                .fix("use another key, or widen its scope in http_api.keys of the server"));
        }
        429 | 503 => return Err(later(answer.retry_after)),
        _ => {}
    }
    let envelope: Envelope<'_> =
        serde_json::from_str(&answer.body).unwrap_or(Envelope { result: None, error: None });
    match envelope {
        Envelope { error: Some(error), .. } => Err(refused(method, &error)),
        Envelope { result: Some(result), .. } if answer.status == 200 => Ok(result.to_owned()),
        _ => {
            let said: String = answer.body.trim().chars().take(200).collect();
            Err(strange(method, &format!("status {} and {said:?}", answer.status)))
        }
    }
}

fn later(wait: Option<Duration>) -> Failure {
    let failure = Failure::new(Exit::Temporary, "the server has more calls than it takes at the moment");
    let seconds = wait.map_or(1, |wait| wait.as_secs());
    failure.fix(format!(
        "try again in {seconds} s; the limits are http_api.rate_limit and http_api.concurrency_limit"
    ))
}

/// What the server says, and what its operator could do about it.
fn refused(method: &str, error: &ApiError) -> Failure {
    let failure = Failure::new(Exit::Failed, format!("the server says: {} ({})", error.message, error.code));
    let option = match method {
        "presence" | "presence_stats" => "presence",
        _ => "history_size and history_ttl",
    };
    match error.code {
        102 => failure.fix("the channel's namespace, before the first colon, must be in channel.namespaces"),
        104 => failure.fix(
            "nothing of this name was added to the server; what clients call is answered by your backend (rpc.proxy)",
        ),
        107 => failure.fix("an empty or overlong name is the usual reason"),
        108 => failure.fix(format!("set {option} for the channel's namespace")),
        112 => failure.fix("that part of the stream is gone: ask again without --since"),
        _ => failure,
    }
}

fn strange(method: &str, what: &str) -> Failure {
    Failure::new(Exit::Failed, format!("no answer to {method} that makes sense: {what}"))
        .fix("check --url; it should be the address of a Spanwire server")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_result_or_an_exit_code() {
        let table = [
            (200, r#"{"result":{"offset":1}}"#, Ok(r#"{"offset":1}"#)),
            (200, r#"{"error":{"code":102,"message":"unknown channel"}}"#, Err(Exit::Failed)),
            (404, r#"{"code":102,"message":"unknown channel"}"#, Err(Exit::Failed)),
            (401, "", Err(Exit::Denied)),
            (403, "This key may not ask for that.", Err(Exit::Denied)),
            (429, r#"{"error":{"code":111,"message":"too many requests"}}"#, Err(Exit::Temporary)),
            (503, "", Err(Exit::Temporary)),
            (404, "nothing", Err(Exit::Failed)),
            (200, "hello", Err(Exit::Failed)),
            (200, "{}", Err(Exit::Failed)),
        ];
        for (status, body, expected) in table {
            let answer = Answer { status, retry_after: None, body: body.to_owned() };
            let found = result("publish", &answer);
            let found = found.as_ref().map(|result| result.get()).map_err(|failure| failure.exit);
            assert_eq!(found, expected, "{status} {body}");
        }
    }

    #[test]
    fn who_is_turned_away_is_told_for_how_long() {
        let answer = Answer { status: 429, retry_after: Some(Duration::from_secs(7)), body: String::new() };
        let fix = result("info", &answer).unwrap_err().fix.unwrap();
        assert!(fix.starts_with("try again in 7 s"), "{fix}");
    }
}
