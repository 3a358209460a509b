//! `info`: the nodes, and how much there is on each.

use serde::Serialize;

use super::World;
use super::failure::{Failure, write};

/// The nodes, and how much there is on each. Whatever the body is, nothing is read of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Info;

#[derive(Serialize)]
struct Nodes {
    nodes: [Node; 1],
}

/// One process.
#[derive(Serialize)]
struct Node {
    uid: String,
    name: &'static str,
    version: &'static str,
    num_clients: usize,
    num_users: usize,
    num_subs: usize,
    num_channels: usize,
    uptime: u64,
}

impl Info {
    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let census = world.engine.census().await?;
        let channels = world.engine.channels().await?;
        let node = Node {
            uid: world.rules.uid.clone(),
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            num_clients: census.clients,
            num_users: world.engine.users().await?,
            num_subs: census.subscriptions,
            num_channels: channels.len(),
            uptime: world.rules.started.elapsed().as_secs(),
        };
        write(&Nodes { nodes: [node] })
    }
}
