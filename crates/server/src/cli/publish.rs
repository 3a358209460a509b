//! `spanwire pub`: publishes, by the server API as a backend does, or over a connection as a client does.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use spanwire_client::{CallError, Client, Error, Position, Raw};

use super::tail::printable;
use super::url::Server;
use super::{Exit, Failure, PubOptions, exit, session};

/// Where a publication came to stand; nothing in a channel without positions. The names are those of the API.
#[derive(Serialize)]
struct Published {
    #[serde(flatten)]
    position: Option<Place>,
}

#[derive(Serialize)]
struct Place {
    offset: u64,
    epoch: String,
}

pub(super) fn run(options: &PubOptions) -> Result<(), Failure> {
    // It goes on as it was typed, to the last space.
    let data: &RawValue = serde_json::from_str(&options.data).map_err(|error| {
        let quoted = Value::from(options.data.as_str());
        Failure::new(Exit::Data, format!("the data is not JSON: {error}"))
            .fix(format!("for a text, write: spanwire pub {} '{quoted}'", options.channel))
    })?;
    match options.as_client || options.token.is_some() {
        true => as_client(options, data),
        false => as_backend(options, data),
    }
}

fn as_backend(options: &PubOptions, data: &RawValue) -> Result<(), Failure> {
    let channel = Value::from(options.channel.as_str());
    let body = format!("{{\"channel\":{channel},\"data\":{data}}}");
    exit::print(options.caller.call("publish", &body)?.get())
}

fn as_client(options: &PubOptions, data: &RawValue) -> Result<(), Failure> {
    let server = options.caller.server()?;
    // In the environment it may stand for other commands, and must not change by itself how this one publishes.
    let token = options.token.clone().or_else(|| std::env::var("SPANWIRE_TOKEN").ok());
    let published = session::runtime()?.block_on(async {
        let client = session::open(&server, token.as_deref(), options.caller.ca_file())?;
        let published = publish(&client, &server, &options.channel, data).await;
        client.close().await;
        published
    })?;
    let position = published.map(|Position { offset, epoch }| Place { offset, epoch });
    // A number and a text: nothing in it that could fail.
    exit::print(&serde_json::to_string(&Published { position }).unwrap_or_default())
}

/// A server that cannot be reached is told at once. From then on the client does what it can: what was published when the
/// connection broke is published again under its key.
async fn publish(
    client: &Client,
    server: &Server,
    channel: &str,
    data: &RawValue,
) -> Result<Option<Position>, Failure> {
    session::arrive(client, server).await?;
    let data = Raw(data.get().to_owned().into());
    client.publish(channel, &data).await.map_err(|error| failure(channel, &error))
}

/// Why a publication came to nothing.
pub(super) fn failure(channel: &str, error: &Error) -> Failure {
    let trouble = |what: &dyn std::fmt::Display| format!("publish to {}: {what}", printable(channel));
    match error {
        Error::Call(CallError::Refused(refused)) => {
            let code = refused.code;
            let said = format!("{} ({code})", printable(&refused.message));
            let failure = Failure::new(session::exit_of(code), trouble(&said));
            match code {
                102 => failure
                    .fix("the channel's namespace, before the first colon, must be in channel.namespaces"),
                103 => failure.fix(
                    "let clients publish in the channel's namespace (allow_publish_for_client, allow_publish_for_anonymous), or publish by the server API",
                ),
                107 => failure.fix("an empty or overlong name is the usual reason"),
                _ => failure,
            }
        }
        Error::Call(CallError::Closed) => {
            Failure::new(Exit::Unavailable, trouble(&"the connection was lost"))
        }
        error if error.is_temporary() => Failure::new(Exit::Unavailable, trouble(error)),
        error => Failure::new(Exit::Failed, trouble(error)),
    }
}
