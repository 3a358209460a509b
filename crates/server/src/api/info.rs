//! `info`: the nodes, and how much there is on each.

use schemars::JsonSchema;
use serde::Serialize;

use super::World;
use super::call::Call;
use super::failure::Failure;

/// The nodes, and how much there is on each. Whatever the body is, nothing is read of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Info;

#[derive(Serialize, JsonSchema)]
pub(super) struct Nodes {
    /// The nodes. So far there is one.
    nodes: Vec<Node>,
}

/// One process.
#[derive(Serialize, JsonSchema)]
struct Node {
    /// What tells it from others, and from itself before its last start.
    uid: String,
    /// What it is called (`node.name`), or its machine.
    name: String,
    /// Its version.
    version: &'static str,
    /// How many clients are connected.
    num_clients: usize,
    /// How many users they belong to; all that are anonymous count as one.
    num_users: usize,
    /// How many subscriptions they have.
    num_subs: usize,
    /// How many channels have subscribers.
    num_channels: usize,
    /// Seconds since it started.
    uptime: u64,
}

impl Call for Info {
    type Body = ();
    type Result = Nodes;

    fn understand((): ()) -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn answer(self, world: World<'_>) -> Result<Nodes, Failure> {
        let census = world.engine.census().await?;
        let channels = world.engine.channels().await?;
        let node = Node {
            uid: world.rules.uid.clone(),
            name: world.rules.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            num_clients: census.clients,
            num_users: world.engine.users().await?,
            num_subs: census.subscriptions,
            num_channels: channels.len(),
            uptime: world.rules.started.elapsed().as_secs(),
        };
        Ok(Nodes { nodes: vec![node] })
    }
}
