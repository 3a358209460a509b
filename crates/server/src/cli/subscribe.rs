//! `spanwire sub`: shows what is published.

use std::io::{self, Write as _};

use futures_util::StreamExt as _;
use futures_util::stream::SelectAll;
use spanwire_client::{Client, Event, Raw, Subscription};

use super::subscription::{self, Heard};
use super::tail::Tail;
use super::url::Server;
use super::{Failure, SubOptions, exit, session};

pub(super) fn run(options: &SubOptions) -> Result<(), Failure> {
    let server = Server::parse(&options.url)?;
    session::runtime()?.block_on(async {
        let client = session::open(&server, options.token.as_deref(), options.ca_file.as_deref())?;
        let heard = hear(&client, &server, options).await;
        client.close().await;
        heard
    })
}

/// Shows what is published until there has been enough, or the connection is over: what would be missed meanwhile should
/// be missed by whoever reads, and not in silence.
async fn hear(client: &Client, server: &Server, options: &SubOptions) -> Result<(), Failure> {
    let mut tail = Tail::new(options.json, options.count);
    let mut life = client.events();
    let mut channels: SelectAll<_> = options.channels.iter().map(|name| channel(client, name)).collect();
    while !tail.is_done() {
        let heard = tokio::select! {
            over = session::over(client, &mut life) => return Err(session::failure(&over, server)),
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
