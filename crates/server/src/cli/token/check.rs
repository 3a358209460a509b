//! `spanwire token check`: what a server would say to a token, step by step.

use std::sync::mpsc;

use clap::Args;
use serde_json::Value;
use serde_json::value::RawValue;
use spanwire_hub::namespace::Namespaces;

use super::{KeyOptions, Use, now_unix};
use crate::auth::{Jwks, Step, TokenError, Verifier};
use crate::cli::exit::print;
use crate::cli::{Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// The token.
    token: String,
    /// It is a subscription token.
    #[arg(long)]
    subscription: bool,
    #[command(flatten)]
    key: KeyOptions,
}

pub(super) fn run(options: &CheckOptions) -> Result<(), Failure> {
    let CheckOptions { token, subscription, key } = options;
    let purpose = if *subscription { Use::Subscription } else { Use::Connection };
    let (verifier, namespaces) = key.trusted(purpose)?;
    let now = now_unix();
    if let Some(jwks) = verifier.lacks_key_of(now, token) {
        say(&fetched(jwks, now))?;
    }
    let (steps, claims) = verifier.examine(now, token);
    steps.iter().try_for_each(say)?;
    let channels = match purpose {
        Use::Connection => opened_by_connection(&verifier, now, token),
        Use::Subscription => opened_by_subscription(&verifier, now, token, claims.as_deref()),
    };
    let step = channels.as_ref().ok().map(|channels| examined(channels, namespaces.as_ref()));
    step.iter().try_for_each(say)?;
    if let Some(claims) = claims {
        print(&format!("claims {}", claims.get()))?;
    }
    match (channels, step) {
        (Err(error), _) => Err(Failure::new(Exit::Denied, error).fix(
            "the step that failed says why; a token with a channel is for --subscription, one without is not",
        )),
        (Ok(_), Some(step)) if !step.is_fine => {
            Err(Failure::new(Exit::Denied, "the token opens a channel that there is not: error 102")
                .fix("add its namespace to channel.namespaces, or take it out of the token"))
        }
        _ => Ok(()),
    }
}

fn say(step: &Step) -> Result<(), Failure> {
    print(&format!("{} {}: {}", if step.is_fine { "ok    " } else { "FAILED" }, step.what, step.found))
}

/// Waits until keys are fetched, as a server does before it judges.
fn fetched(jwks: &Jwks, now: u64) -> Step {
    let (done, ended) = mpsc::channel();
    // We wait below, so that it is heard.
    jwks.fetch(now, Box::new(move || done.send(()).unwrap_or_default()));
    // The fetch has limits of its own in time, and calls back whatever comes of it.
    let _ = ended.recv();
    let (is_fine, name) = (jwks.fetches().0.is_some(), jwks.name());
    let found = match is_fine {
        true => format!("fetched from {name}"),
        false => format!("{name} has no set of keys for us (RFC 7517), or did not answer in time"),
    };
    Step { what: "keys", is_fine, found }
}

fn opened_by_connection(verifier: &Verifier, now: u64, token: &str) -> Result<Vec<String>, TokenError> {
    let credentials = verifier.connection(now, token)?;
    Ok(credentials.channels.into_iter().map(|(channel, _)| channel.as_str().to_owned()).collect())
}

/// A subscription token is good for one user, who is there only when it is shown; here it is taken at its word.
fn opened_by_subscription(
    verifier: &Verifier,
    now: u64,
    token: &str,
    claims: Option<&RawValue>,
) -> Result<Vec<String>, TokenError> {
    verifier.subscription(now, token, "", "")?;
    let claims: Option<Value> = claims.and_then(|claims| serde_json::from_str(claims.get()).ok());
    Ok(claims.iter().filter_map(|claims| claims["channel"].as_str()).map(str::to_owned).collect())
}

/// Whether there are such channels. Without a configuration nobody knows.
fn examined(channels: &[String], namespaces: Option<&Namespaces>) -> Step {
    let unknown = |channel: &&String| namespaces.is_some_and(|namespaces| namespaces.of(channel).is_err());
    let strange: Vec<_> = channels.iter().filter(unknown).map(String::as_str).collect();
    let found = match (channels, &strange[..]) {
        ([], _) => "none that it opens by itself".to_owned(),
        (_, []) => channels.join(", "),
        (_, strange) => format!("no namespace has {}, or not by such a name", strange.join(", ")),
    };
    Step { what: "channels", is_fine: strange.is_empty(), found }
}
