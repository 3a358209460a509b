//! `spanwire history`: what a channel has kept.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use spanwire_wire::message::{ClientInfo, Publication};

use super::{Caller, Shown, counted};
use crate::cli::Failure;
use crate::cli::exit::print;
use crate::cli::tail::Tail;

#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryOptions {
    /// The channel.
    channel: String,
    /// How many publications at most: the last ones, or the first ones behind --since.
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: u32,
    /// Everything that is kept.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Begins behind this offset.
    #[arg(long, value_name = "OFFSET")]
    since: Option<u64>,
    /// The epoch of that offset; without it, the stream's own.
    #[arg(long, requires = "since")]
    epoch: Option<String>,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    caller: Caller,
}

#[derive(Deserialize)]
struct Kept {
    publications: Vec<Item>,
    epoch: String,
    offset: u64,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Item {
    data: Option<Box<RawValue>>,
    b64data: String,
    info: Option<Client>,
    offset: u64,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Client {
    user: String,
    client: String,
}

impl HistoryOptions {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let Kept { publications, epoch, offset } = self.caller.ask("history", &self.request())?;
        let mut publications: Vec<_> = publications.into_iter().map(Publication::from).collect();
        if self.is_backwards() {
            publications.reverse();
        }
        let mut tail = Tail::new(self.shown.json, None);
        for publication in &publications {
            print(&tail.show(&self.channel, publication))?;
        }
        if self.shown.json {
            let top = json!({ "offset": offset, "epoch": epoch });
            print(&json!({ "channel": self.channel, "top": top }).to_string())?;
        }
        let shown = counted(publications.len() as u64, "publication");
        self.shown.talk(&format!("{shown}; the stream is at offset {offset} of epoch {epoch}"));
        Ok(())
    }

    /// The last publications are asked for from the end, and shown in their order.
    fn is_backwards(&self) -> bool {
        self.since.is_none()
    }

    fn request(&self) -> Value {
        let limit = if self.all { -1 } else { i64::from(self.limit) };
        let mut request = json!({ "channel": self.channel, "limit": limit, "reverse": self.is_backwards() });
        if let Some(offset) = self.since {
            request["since"] =
                json!({ "offset": offset, "epoch": self.epoch.as_deref().unwrap_or_default() });
        }
        request
    }
}

impl From<Item> for Publication {
    fn from(Item { data, b64data, info, offset, tags }: Item) -> Self {
        let data = match data {
            Some(json) => Bytes::from(String::from(Box::<str>::from(json))),
            None => STANDARD.decode(b64data).unwrap_or_default().into(),
        };
        let info = info.map(|Client { user, client }| ClientInfo { user, client, ..ClientInfo::default() });
        Self { data, info, offset, tags, ..Self::default() }
    }
}
