//! `spanwire token` and `spanwire sub-token`: making tokens, and saying what is wrong with one.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::print;
use super::sources::settings_of;
use super::{Exit, Failure};
use crate::auth::{Key, Rules, Verifier};
use crate::config::parse_duration;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct TokenOptions {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    #[command(flatten)]
    mint: MintOptions,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Verifies a token, and says at which step it fails.
    Check(CheckOptions),
}

#[derive(Debug, Args)]
struct MintOptions {
    /// The user; without one the token is for somebody anonymous.
    #[arg(long, default_value = "")]
    user: String,
    /// Subscribes the connection to this channel; may be repeated.
    #[arg(long = "channel")]
    channels: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct SubTokenOptions {
    /// The channel.
    channel: String,
    /// The user, who must be that of the connection.
    #[arg(long, default_value = "")]
    user: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// How long the token is good; 0 is for ever.
    #[arg(long, default_value = "1h", value_parser = duration)]
    ttl: Duration,
    /// What others are told: a JSON value.
    #[arg(long, value_parser = value)]
    info: Option<Value>,
    #[command(flatten)]
    key: KeyOptions,
}

#[derive(Debug, Args)]
struct CheckOptions {
    /// The token.
    token: String,
    /// It is a subscription token.
    #[arg(long)]
    subscription: bool,
    #[command(flatten)]
    key: KeyOptions,
}

/// Where the key is.
#[derive(Debug, Args)]
struct KeyOptions {
    /// The configuration of the server.
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// The shared secret itself, as the dev profile prints it.
    #[arg(long, env = "SPANWIRE_TOKEN_SECRET", hide_env_values = true, conflicts_with = "config")]
    secret: Option<String>,
}

/// Which tokens a key is for.
#[derive(Clone, Copy)]
enum Use {
    Connection,
    Subscription,
}

pub(super) fn run(options: &TokenOptions) -> Result<(), Failure> {
    let MintOptions { user, channels, common } = match &options.command {
        Some(TokenCommand::Check(options)) => return check(options),
        None => &options.mint,
    };
    let mut claims = json!({ "sub": user });
    if !channels.is_empty() {
        claims["channels"] = channels.as_slice().into();
    }
    mint(claims, common, Use::Connection)
}

pub(super) fn run_subscription(options: &SubTokenOptions) -> Result<(), Failure> {
    mint(json!({ "sub": options.user, "channel": options.channel }), &options.common, Use::Subscription)
}

fn mint(mut claims: Value, common: &Common, purpose: Use) -> Result<(), Failure> {
    let now = now_unix();
    claims["iat"] = now.into();
    if common.ttl > Duration::ZERO {
        claims["exp"] = (now + common.ttl.as_secs()).into();
    }
    if let Some(info) = &common.info {
        claims["info"] = info.clone();
    }
    match verifier(&common.key, purpose)?.mint(&claims) {
        Some(token) => print(&token),
        None => Err(Failure::new(Exit::Config, "there is no shared secret to sign with").fix(
            "set client.token.hmac_secret_key; tokens under a public key are made where the private one is",
        )),
    }
}

fn check(options: &CheckOptions) -> Result<(), Failure> {
    let purpose = if options.subscription { Use::Subscription } else { Use::Connection };
    let verifier = verifier(&options.key, purpose)?;
    let now = now_unix();
    let (steps, claims) = verifier.examine(now, &options.token);
    for step in &steps {
        print(&format!("{} {}: {}", if step.is_fine { "ok    " } else { "FAILED" }, step.what, step.found))?;
    }
    if let Some(claims) = claims {
        print(&format!("claims {}", claims.get()))?;
    }
    let is_good = match purpose {
        Use::Connection => verifier.connection(now, &options.token).map(drop),
        // Whether it is for a certain channel and user is for the one who shows it to say.
        Use::Subscription => verifier.subscription(now, &options.token, "", "").map(drop),
    };
    match is_good {
        Ok(()) => Ok(()),
        Err(error) => Err(Failure::new(Exit::Denied, error).fix(
            "the step that failed says why; a token with a channel is for --subscription, one without is not",
        )),
    }
}

fn verifier(options: &KeyOptions, purpose: Use) -> Result<Verifier, Failure> {
    if let Some(secret) = &options.secret {
        return Ok(Verifier::new(vec![Key::secret(secret.as_bytes())], Rules::default()));
    }
    let Some(config) = &options.config else {
        return Err(Failure::new(Exit::Usage, "there is no key to work with")
            .fix("name the configuration of the server with -c, or the shared secret with --secret"));
    };
    let settings = settings_of(config)?;
    let own = match purpose {
        Use::Connection => None,
        Use::Subscription => settings.client.subscription_tokens,
    };
    Ok(own.unwrap_or(settings.client.tokens))
}

fn now_unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("a duration such as 90s, 15m or 1h30m is wanted")
}

fn value(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("JSON is wanted: {error}"))
}
