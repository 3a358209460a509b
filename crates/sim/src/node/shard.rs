//! One shard: a real hub, and around it what the engine's shard does with sockets and mailboxes.

mod carrying_out;
mod posting;
mod reading;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use spanwire_hub::broker::Ticket;
use spanwire_hub::limits::Limits;
use spanwire_hub::{Config, Hub, Input, Opening};
use spanwire_wire::Encoding;

use super::Remains;
use super::inbox::Inbox;
use super::keeper::Keeper;
use super::letter::Letter;
use super::office::Office;
use super::peer::Peer;
use crate::channels::namespaces;
use crate::net::LinkId;
use crate::plot::Plot;
use crate::scene::Scene;

/// Most bytes that a client may leave unread: little, so that it happens.
pub(crate) const OUTBOX_BYTES_MAX: usize = 16 << 10;

/// One thread's part of the node.
#[derive(Debug)]
pub(crate) struct Shard {
    index: usize,
    shards: usize,
    answers_apart: bool,
    pub(crate) hub: Hub,
    keeper: Keeper,
    office: Office,
    inbox: Inbox,
    /// Letters are not read before this time.
    slow_until: u64,
    peers: BTreeMap<LinkId, Peer>,
    /// Which link is in which of the hub's places.
    places: BTreeMap<u32, LinkId>,
    /// Those to write to.
    unwritten: BTreeSet<LinkId>,
    /// Publishes that full mailboxes gave back.
    refused: Vec<Ticket>,
    posts: Vec<(usize, Letter)>,
    permits_back: usize,
}

impl Shard {
    pub(super) fn new(index: usize, plot: &Plot, seed: [u8; 32], keeper: Keeper) -> Self {
        let limits = Limits {
            outbox_bytes_max: OUTBOX_BYTES_MAX,
            asks_per_client_max: 6,
            joining_publications_max: if plot.narrow { 12 } else { 1024 },
            ..Limits::default()
        };
        let config = Config { limits, namespaces: namespaces(), version: "sim".to_owned() };
        Self {
            index,
            shards: plot.shards,
            answers_apart: plot.answers_apart,
            hub: Hub::new(config, seed),
            keeper,
            office: Office::default(),
            inbox: Inbox::default(),
            slow_until: 0,
            peers: BTreeMap::new(),
            places: BTreeMap::new(),
            unwritten: BTreeSet::new(),
            refused: Vec::new(),
            posts: Vec::new(),
            permits_back: 0,
        }
    }

    pub(super) fn open(&mut self, scene: &Scene, link: LinkId, encoding: Encoding) {
        let session = self.hub.open(scene.clocks(), Opening::new(encoding));
        self.places.insert(session.index, link);
        self.peers.insert(link, Peer::new(link, session, encoding));
    }

    /// Takes what is there, lets the hub decide, and writes what came of it. The result are letters to other shards.
    pub(super) fn turn(&mut self, scene: &mut Scene) -> Vec<(usize, Letter)> {
        self.read(scene);
        if self.hub.next_deadline().is_some_and(|at| at.as_millis() <= scene.now) {
            self.hub.handle(scene.clocks(), Input::Tick);
        }
        self.lose_patience(scene);
        self.carry_out(scene);
        while self.flush(scene) {
            self.carry_out(scene);
        }
        if self.hub.take_skipped().into_counts().next().is_some() {
            scene.ledger.count("left out");
        }
        std::mem::take(&mut self.posts)
    }

    /// When the shard has something to do next.
    pub(super) fn next_due(&self, scene: &Scene) -> Option<u64> {
        let arrivals = self
            .peers
            .values()
            .filter(|peer| !peer.paused)
            .filter_map(|peer| scene.net.links.get(&peer.link).and_then(|link| link.up.next_arrival()));
        let patience = self.peers.values().filter_map(|peer| peer.patience);
        let others = [
            self.inbox.next_due(),
            self.office.next_due(),
            self.hub.next_deadline().map(|at| at.as_millis()),
        ];
        arrivals.chain(patience).chain(others.into_iter().flatten()).min()
    }

    /// Letters for this shard, its own too, are late.
    pub(crate) fn slow_down(&mut self, until: u64) {
        self.slow_until = self.slow_until.max(until);
    }

    /// The backend is slow to answer this shard.
    pub(crate) fn slow_backend(&mut self, until: u64) {
        self.office.slow_down(until);
    }

    /// What this shard owns refuses everything: its broker, its presence, or both.
    pub(crate) fn go_out(&mut self, scene: &mut Scene, until: u64) {
        self.keeper.go_out(scene, until);
    }

    /// The broker of this shard loses its memory.
    pub(crate) fn forget(&mut self, scene: &Scene) {
        self.keeper.forget(scene);
    }

    pub(super) fn permits_back(&mut self) -> usize {
        std::mem::take(&mut self.permits_back)
    }

    /// The shard that owns a channel.
    pub(super) fn owner(&self, channel: &str) -> usize {
        let hash = channel.bytes().fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        (hash % self.shards as u64) as usize
    }

    /// The shard ends without a word: the system resets its connections.
    pub(super) fn crash(&mut self, scene: &mut Scene) {
        for link in std::mem::take(&mut self.peers).into_keys() {
            if let Some(link) = scene.net.links.get_mut(&link) {
                link.down.cut(scene.now);
            }
            scene.shard_leaves(link);
        }
    }

    pub(super) fn present(&mut self, scene: &Scene, channel: &str) -> BTreeSet<String> {
        self.keeper.present(scene, channel)
    }

    pub(super) fn add_remains(&mut self, scene: &Scene, remains: &mut Remains) {
        self.keeper.expire(scene);
        let (census, usage) = (self.hub.census(), self.keeper.usage());
        remains.census.sessions += census.sessions;
        remains.census.clients += census.clients;
        remains.census.subscriptions += census.subscriptions;
        remains.census.channels += census.channels;
        remains.census.asks += census.asks;
        remains.connections += self.peers.len();
        remains.letters += self.inbox.len();
        remains.channels_kept += usage.channels;
        remains.bytes_kept += usage.history_bytes + usage.idempotency_bytes;
        remains.channels_attended += self.keeper.channels_attended();
    }
}
