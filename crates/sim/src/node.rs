//! The node: shards that own channels by their hash, and write letters to each other. In the shape of the server's
//! engine, which decides nothing either.

mod inbox;
mod keeper;
mod letter;
mod office;
mod peer;
mod shard;

use spanwire_hub::broker::Listener;
use spanwire_hub::{Census, Input, Order};
use spanwire_wire::Encoding;

use self::keeper::Keeper;
pub(crate) use self::keeper::payload;
use self::letter::{CALLERS, Letter};
pub(crate) use self::office::LATEST as OFFICE_LATEST;
pub(crate) use self::shard::Shard;
use crate::agenda::Due;
use crate::bug::Bug;
use crate::chance::Chance;
use crate::net::LinkId;
use crate::plot::Plot;
use crate::scene::Scene;

/// How many connections a node takes.
const PERMITS: usize = 64;

/// One life of the node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) shards: Vec<Shard>,
    pub(crate) permits: usize,
    accepting: bool,
    chance: Chance,
}

/// What may be left of a node when everybody has gone: nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Remains {
    pub(crate) census: Census,
    pub(crate) connections: usize,
    pub(crate) permits_taken: isize,
    pub(crate) letters: usize,
    pub(crate) channels_kept: usize,
    pub(crate) bytes_kept: usize,
    pub(crate) channels_attended: usize,
}

impl Node {
    pub(crate) fn new(plot: &Plot, life: u32, scene: &Scene) -> Self {
        let seed = plot.seed;
        // A node that forgets to draw anew begins each life with the epochs of the last.
        let drawn = if scene.saboteur.has(Bug::StaleEpoch) { 0 } else { life };
        let shard = |index: usize| {
            let mut chance = Chance::of(seed, "shard", u64::from(life) << 8 | index as u64);
            let epochs = Chance::of(seed, "epochs", u64::from(drawn) << 8 | index as u64);
            Shard::new(index, plot, chance.seed(), Keeper::new(life, epochs))
        };
        Self {
            shards: (0..plot.shards).map(shard).collect(),
            permits: PERMITS,
            accepting: true,
            chance: Chance::of(seed, "node", life.into()),
        }
    }

    /// A connection comes in, to any shard; `None` if it is refused.
    pub(crate) fn accept(&mut self, scene: &mut Scene, person: usize, encoding: Encoding) -> Option<LinkId> {
        if !self.accepting || self.permits == 0 {
            return None;
        }
        self.permits -= 1;
        let shard = self.chance.index(self.shards.len());
        let link = scene.net.connect(person, shard);
        self.shards[shard].open(scene, link, encoding);
        self.turn(scene, shard);
        Some(link)
    }

    /// A shard looks at what there is; letters go where they are for.
    pub(crate) fn turn(&mut self, scene: &mut Scene, shard: usize) {
        let posts = self.shards[shard].turn(scene);
        self.permits += self.shards[shard].permits_back();
        let from = Listener(shard as u16);
        let mut refused = false;
        for (to, letter) in posts {
            if let Err(letter) = self.shards[to].receive(scene, from, letter) {
                self.shards[shard].returned(letter);
                refused = true;
            }
            self.wake(scene, to);
        }
        self.wake(scene, shard);
        if refused {
            scene.agenda.add(scene.now, Due::Shard(shard));
        }
    }

    fn wake(&mut self, scene: &mut Scene, shard: usize) {
        if let Some(at) = self.shards[shard].next_due(scene) {
            scene.wake_shard(shard, at);
        }
    }

    /// The backend publishes something.
    pub(crate) fn call(&mut self, scene: &mut Scene, channel: &'static str, id: u64) {
        let owner = self.shards[0].owner(channel);
        // Whoever calls is told at once if it cannot be taken; and the backend of these runs does not try again.
        let _ = self.shards[owner].receive(scene, CALLERS, Letter::Call(channel, id));
        self.wake(scene, owner);
    }

    /// The backend orders something of all shards.
    pub(crate) fn order(&mut self, scene: &mut Scene, order: &Order) {
        self.tell_all(scene, |_| Input::Order(order.clone()));
    }

    /// Everybody is to go, and nobody comes in any more.
    pub(crate) fn drain(&mut self, scene: &mut Scene) {
        self.accepting = false;
        self.tell_all(scene, |_| Input::Drain);
    }

    fn tell_all(&mut self, scene: &mut Scene, input: impl Fn(usize) -> Input<'static>) {
        for shard in 0..self.shards.len() {
            let clocks = scene.clocks();
            self.shards[shard].hub.handle(clocks, input(shard));
            self.turn(scene, shard);
        }
    }

    /// The node ends without a word.
    pub(crate) fn crash(&mut self, scene: &mut Scene) {
        for shard in &mut self.shards {
            shard.crash(scene);
        }
    }

    /// What there is. `now` may be long after the last turn, so that what has outlived its time is gone.
    pub(crate) fn remains(&mut self, scene: &mut Scene) -> Remains {
        let mut remains =
            Remains { permits_taken: PERMITS as isize - self.permits as isize, ..Remains::default() };
        for shard in &mut self.shards {
            shard.add_remains(scene, &mut remains);
        }
        remains
    }

    /// Who is present in a channel, as its owner knows.
    pub(crate) fn present(&mut self, scene: &Scene, channel: &str) -> std::collections::BTreeSet<String> {
        let owner = self.shards[0].owner(channel);
        self.shards[owner].present(scene, channel)
    }
}
