//! `spanwire token` and `spanwire sub-token`: making tokens, and saying what is wrong with one.

mod check;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use spanwire_hub::namespace::Namespaces;

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
    Check(check::CheckOptions),
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

impl KeyOptions {
    /// What verifies these tokens, and the channels that there are, if the configuration is known.
    fn trusted(&self, purpose: Use) -> Result<(Verifier, Option<Namespaces>), Failure> {
        if let Some(secret) = &self.secret {
            let keys = vec![Key::secret(secret.as_bytes())];
            return Ok((Verifier::new(keys, Rules::default()), None));
        }
        let Some(config) = &self.config else {
            return Err(Failure::new(Exit::Usage, "there is no key to work with")
                .fix("name the configuration of the server with -c, or the shared secret with --secret"));
        };
        let settings = settings_of(config)?;
        let own = match purpose {
            Use::Connection => None,
            Use::Subscription => settings.client.subscription_tokens,
        };
        Ok((own.unwrap_or(settings.client.tokens), Some(settings.namespaces)))
    }
}

/// Which tokens a key is for.
#[derive(Clone, Copy)]
enum Use {
    Connection,
    Subscription,
}

pub(super) fn run(options: &TokenOptions) -> Result<(), Failure> {
    let MintOptions { user, channels, common } = match &options.command {
        Some(TokenCommand::Check(options)) => return check::run(options),
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
    match common.key.trusted(purpose)?.0.mint(&claims) {
        Some(token) => print(&token),
        None => Err(Failure::new(Exit::Config, "there is no shared secret to sign with").fix(
            "set client.token.hmac_secret_key; tokens under a public key are made where the private one is",
        )),
    }
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
