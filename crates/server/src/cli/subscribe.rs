//! `spanwire sub`: shows what is published.

use std::io::{self, Write as _};

use futures_util::StreamExt as _;
use futures_util::stream::SelectAll;
use spanwire_client::{Builder, Client, ClientEvent, ConfigError, Ended, Event, Events, Raw, Subscription};

use super::subscription::{self, Heard};
use super::tail::Tail;
use super::url::Server;
use super::{Exit, Failure, SubOptions, exit};

/// Where sessions are opened.
const PATH: &str = "/connection/websocket";

pub(super) fn run(options: &SubOptions) -> Result<(), Failure> {
    let server = Server::parse(&options.url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Failed, error))?;
    runtime.block_on(async {
        let client = builder(&server, options).connect().map_err(|error| refused(&error))?;
        let heard = hear(&client, &server, options).await;
        client.close().await;
        heard
    })
}

fn builder(server: &Server, options: &SubOptions) -> Builder {
    let scheme = if server.secure { "wss" } else { "ws" };
    let url = format!("{scheme}://{}{}{PATH}", server.authority(), server.prefix);
    let mut builder = Client::builder(url).name("spanwire", env!("CARGO_PKG_VERSION"));
    if let Some(token) = &options.token {
        builder = builder.token(token);
    }
    if let Some(path) = &options.ca_file {
        builder = builder.ca_file(path);
    }
    builder
}

/// Shows what is published until there has been enough, or the connection is over: what would be missed meanwhile should
/// be missed by whoever reads, and not in silence.
async fn hear(client: &Client, server: &Server, options: &SubOptions) -> Result<(), Failure> {
    let mut tail = Tail::new(options.json, options.count);
    let mut life = client.events();
    let mut channels: SelectAll<_> = options.channels.iter().map(|name| channel(client, name)).collect();
    while !tail.is_done() {
        let heard = tokio::select! {
            over = over(client, &mut life) => return Err(subscription::over(&over, server)),
            Some((channel, event)) = channels.next() => match subscription::hear(&channel, &event, &mut tail)? {
                Some(heard) => heard,
                None => continue,
            },
        };
        match heard {
            Heard::Line(line) => exit::print(&line)?,
            // Talk is for people; if nobody listens, nothing is lost.
            Heard::Talk(line) if !options.json => drop(writeln!(io::stderr(), "{line}")),
            Heard::Talk(_) => {}
        }
    }
    Ok(())
}

/// The events of one channel, each with its name. A channel that is named twice is heard once.
fn channel(
    client: &Client,
    name: &str,
) -> impl futures_util::Stream<Item = (String, Event<Raw>)> + Unpin + use<> {
    let subscription: Subscription<Raw> = client.channel(name).recover(false).listen();
    let name = name.to_owned();
    subscription.map(move |event| (name.clone(), event))
}

/// Waits until the connection is over, whether it would be tried again or not.
async fn over(client: &Client, life: &mut Events) -> Ended {
    loop {
        match life.next().await {
            Some(ClientEvent::Disconnected(why)) => return why,
            Some(_) => {}
            None => return client.closed().await,
        }
    }
}

fn refused(error: &ConfigError) -> Failure {
    match error {
        ConfigError::CaFile(path, why) => {
            Failure::new(Exit::NoInput, format!("--ca-file {}: {why}", path.display()))
        }
        ConfigError::NoAuthorities => Failure::new(Exit::Failed, error)
            .fix("install ca-certificates, or name the authority of your server with --ca-file"),
        _ => Failure::new(Exit::Usage, error),
    }
}
