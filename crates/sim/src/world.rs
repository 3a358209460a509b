//! One run, from the first connection to the last: everybody acts when their time comes, and in the calm behind the
//! storm accounts are settled.

use std::collections::BTreeMap;

use spanwire_client_core::Call;
use spanwire_hub::channel::Channel;
use spanwire_hub::{Order, Whom};
use spanwire_wire::{DisconnectCode, UnsubscribeCode};

use crate::agenda::{Agenda, Alarm, Due};
use crate::bug::{Bug, Saboteur};
use crate::chance::Chance;
use crate::channels::{CHANNELS, history, is_social};
use crate::ledger::Ledger;
use crate::net::Net;
use crate::node::{Node, OFFICE_LATEST, Remains};
use crate::person::Person;
use crate::plot::{Act, CALM_AT, Doing, FLOOD, Plot};
use crate::scene::Scene;
use crate::trace::Trace;

/// How long it may take until everybody has noticed everything, waited, and come back, in milliseconds: a client notices
/// silence after 35 s and waits at most 20 s for its next try, and a publish waits 60 s for its acknowledgement.
const CALM: u64 = 140_000;

/// How long a publication may take in the calm, in milliseconds; less than the pings are apart, which would wake whoever
/// sleeps.
const PROBE: u64 = 3_000;

/// How long everybody may take to leave, in milliseconds.
const LEAVING: u64 = 60_000;

/// By then everything has outlived its time, in milliseconds.
const FOREVER: u64 = 24 * 3_600_000;

/// How long those who may be excused for being silent take to be found out, in milliseconds.
const SILENCE: u64 = 60_000;

/// How long a node waits for its clients to go, in milliseconds.
const GRACE: u64 = 6_000;

/// Most things that may be due at a time; more would be an agenda that grows by itself.
const AGENDA_MAX: usize = 20_000;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The promise that was broken first, if any was.
    pub violation: Option<String>,
    /// The same for each run of the same plot.
    pub hash: u64,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// How much there was to do.
    pub sizes: Sizes,
    /// What happened, if somebody wants to read it.
    pub lines: Vec<String>,
}

/// How much there was to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Things that were due, one after the other.
    pub steps: u64,
    /// Most things that were due at a time.
    pub agenda_max: usize,
}

/// Plays a plot, with a bug if one is to be planted, and keeps the conversation if it is to be read.
pub fn run(plot: &Plot, bug: Option<Bug>, verbose: bool) -> Outcome {
    let mut world = World::new(plot, bug, verbose);
    world.play(CALM_AT + CALM);
    world.settle();
    world.leave();
    let (hash, lines) = world.scene.trace.end();
    let ledger = world.scene.ledger;
    Outcome {
        violation: ledger.violation().map(str::to_owned),
        hash,
        counts: ledger.counts().clone(),
        sizes: world.sizes,
        lines,
    }
}

#[derive(Debug)]
struct World<'a> {
    plot: &'a Plot,
    scene: Scene,
    people: Vec<Person>,
    /// `None` while it is down.
    node: Option<Node>,
    life: u32,
    /// How long the node stays down.
    down_for: u64,
    publications: u64,
    sizes: Sizes,
}

impl<'a> World<'a> {
    fn new(plot: &'a Plot, bug: Option<Bug>, verbose: bool) -> Self {
        let mut scene = Scene {
            now: 0,
            wall_offset: 0,
            agenda: Agenda::new(plot.seed),
            net: Net::new(plot.seed, plot.delay_max),
            ledger: Ledger::new(plot.people),
            trace: Trace::new(verbose),
            saboteur: Saboteur::new(bug, plot.seed),
            chance: Chance::of(plot.seed, "world", 0),
            shard_alarms: vec![Alarm::default(); plot.shards],
            person_alarms: vec![Alarm::default(); plot.people],
        };
        for (index, act) in plot.acts.iter().enumerate() {
            scene.agenda.add(act.at, Due::Act(index));
        }
        if plot.narrow {
            scene.ledger.excuse_holes();
        }
        let node = Node::new(plot, 1, &scene);
        Self {
            people: (0..plot.people).map(|index| Person::new(plot.seed, index)).collect(),
            plot,
            scene,
            node: Some(node),
            life: 1,
            down_for: 0,
            publications: 0,
            sizes: Sizes::default(),
        }
    }

    /// Everything that is due until then; less if a promise is broken.
    fn play(&mut self, until: u64) {
        while self.scene.ledger.violation().is_none()
            && let Some((at, due)) = self.scene.agenda.pop(until)
        {
            self.scene.now = at.max(self.scene.now);
            self.sizes.steps += 1;
            self.sizes.agenda_max = self.sizes.agenda_max.max(self.scene.agenda.len());
            if self.scene.agenda.len() > AGENDA_MAX {
                self.scene.ledger.blame(|| "the world never rests".to_owned());
            }
            self.step(due);
        }
        self.scene.now = self.scene.now.max(until);
    }

    fn step(&mut self, due: Due) {
        let Self { scene, people, node, .. } = self;
        match due {
            Due::Act(index) => {
                let Act { doing, .. } = self.plot.acts[index];
                scene.say(|| format!("** {doing}"));
                self.act(doing);
            }
            Due::Shard(shard) => {
                scene.shard_alarms[shard].ring(scene.now);
                if let Some(node) = node {
                    node.turn(scene, shard);
                }
            }
            Due::Person(person) => {
                scene.person_alarms[person].ring(scene.now);
                people[person].turn(scene);
            }
            Due::Dial(person, connection) if people[person].dials(connection) => {
                let encoding = people[person].encoding;
                let link = node.as_mut().and_then(|node| node.accept(scene, person, encoding));
                people[person].dialed(scene, connection, link);
            }
            Due::Dial(..) => {}
            Due::Token(person, what) => people[person].token(scene, what),
            Due::Call(channel, id) => {
                if let Some(node) = node {
                    node.call(scene, CHANNELS[channel], id);
                }
            }
            Due::Down => self.go_down(),
            Due::Up => self.come_up(),
        }
    }

    fn act(&mut self, doing: Doing) {
        match doing {
            Doing::BackendPublish(channel, times) => {
                if times >= FLOOD {
                    // More than may wait for a subscriber to be.
                    self.scene.ledger.excuse_holes();
                }
                for _ in 0..times {
                    let id = self.next_publication();
                    self.scene.soon(20, Due::Call(channel, id));
                }
            }
            Doing::BackendUnsubscribe(person, channel, back) => {
                let code = if back { UnsubscribeCode::Insufficient } else { UnsubscribeCode::Server };
                let channel = Some(Channel::new(CHANNELS[channel]));
                self.scene.ledger.ordered_off(person);
                self.order(Order::Unsubscribe { whom: whom(person), channel, code });
            }
            Doing::BackendDisconnect(person, back) => {
                let code =
                    if back { DisconnectCode::ForceReconnect } else { DisconnectCode::ForceNoReconnect };
                if !back {
                    self.scene.ledger.ordered_out(person);
                }
                self.order(Order::Disconnect {
                    whom: whom(person),
                    spared: Vec::new(),
                    disconnect: code.into(),
                });
            }
            Doing::Cut(_) | Doing::Vanish(_) | Doing::StopReading(..) => self.break_connection(doing),
            Doing::Slow(..)
            | Doing::SlowBackend(..)
            | Doing::Outage(..)
            | Doing::Forget(_)
            | Doing::Crash(_)
            | Doing::Drain(_) => self.trouble_node(doing),
            Doing::WallJump(seconds) => self.scene.wall_offset += seconds * 1000,
            _ => self.act_as_person(doing),
        }
    }

    fn act_as_person(&mut self, doing: Doing) {
        let Some(person) = doing.person() else { return };
        let mut publications = self.publications;
        let (scene, person) = (&mut self.scene, &mut self.people[person]);
        match doing {
            Doing::Subscribe(_, channel) => person.subscribe(scene, CHANNELS[channel]),
            Doing::Unsubscribe(_, channel) => person.unsubscribe(scene, CHANNELS[channel]),
            Doing::Rejoin(_, channel) => {
                person.unsubscribe(scene, CHANNELS[channel]);
                person.subscribe(scene, CHANNELS[channel]);
            }
            Doing::Publish(_, channel, times) => {
                for _ in 0..times {
                    publications += 1;
                    person.publish(scene, CHANNELS[channel], publications);
                }
            }
            Doing::AskPresence(_, channel) if is_social(CHANNELS[channel]) => {
                person.ask(scene, Call::Presence { channel: CHANNELS[channel].to_owned() });
            }
            Doing::AskHistory(_, channel) if history(CHANNELS[channel]).is_some() => {
                let channel = CHANNELS[channel].to_owned();
                person.ask(scene, Call::History { channel, limit: Some(5), since: None, reverse: true });
            }
            Doing::LogOff(_) => person.connect(scene, false),
            Doing::LogOn(_) => person.connect(scene, true),
            _ => {}
        }
        self.publications = publications;
    }

    fn break_connection(&mut self, doing: Doing) {
        let Some(person) = doing.person() else { return };
        let Some(id) = self.people[person].link() else { return };
        let (now, scene) = (self.scene.now, &mut self.scene);
        match doing {
            Doing::StopReading(_, ms) => {
                self.people[person].stop_reading(now + ms);
                scene.ledger.excuse_silence(person, now + ms + SILENCE);
            }
            Doing::Vanish(_) => {
                scene.ledger.excuse_silence(person, now + SILENCE);
                if let Some(link) = scene.net.links.get_mut(&id) {
                    link.up.vanish();
                    link.down.vanish();
                }
            }
            _ => {
                if let Some(link) = scene.net.links.get_mut(&id) {
                    link.up.cut(now);
                    link.down.cut(now);
                    let (person, shard) = (link.person, link.shard);
                    scene.wake_person(person, now);
                    scene.wake_shard(shard, now);
                }
            }
        }
    }

    fn trouble_node(&mut self, doing: Doing) {
        let now = self.scene.now;
        let Some(node) = &mut self.node else { return };
        match doing {
            Doing::Slow(shard, ms) => {
                node.shards[shard].slow_down(now + ms);
                for person in 0..self.people.len() {
                    self.scene.ledger.excuse_slowness(person, now + ms + SILENCE / 2);
                }
            }
            Doing::SlowBackend(shard, ms) => {
                node.shards[shard].slow_backend(now + ms);
                for person in 0..self.people.len() {
                    self.scene.ledger.excuse_slowness(person, now + ms + OFFICE_LATEST + SILENCE / 2);
                }
            }
            Doing::Outage(shard, ms) => {
                node.shards[shard].go_out(&mut self.scene, now + ms);
                for person in 0..self.people.len() {
                    self.scene.ledger.excuse_lateness(person, now + ms + SILENCE / 2);
                }
            }
            Doing::Forget(shard) => {
                node.shards[shard].forget(&self.scene);
                self.scene.ledger.excuse_holes();
            }
            Doing::Drain(ms) => {
                self.down_for = ms;
                node.drain(&mut self.scene);
                self.scene.agenda.add(now + GRACE, Due::Down);
            }
            Doing::Crash(ms) => {
                self.down_for = ms;
                self.go_down();
            }
            _ => {}
        }
    }

    fn go_down(&mut self) {
        let Some(mut node) = self.node.take() else { return };
        node.crash(&mut self.scene);
        self.scene.agenda.add(self.scene.now + self.down_for, Due::Up);
    }

    fn come_up(&mut self) {
        if self.node.is_none() {
            self.life += 1;
            self.node = Some(Node::new(self.plot, self.life, &self.scene));
        }
    }

    fn order(&mut self, order: Order) {
        if let Some(node) = &mut self.node {
            node.order(&mut self.scene, &order);
        }
    }

    fn next_publication(&mut self) -> u64 {
        self.publications += 1;
        self.publications
    }

    /// All is calm. Everybody has what is owed before anything happens that could wake somebody who sleeps; and what
    /// happens then is heard.
    fn settle(&mut self) {
        self.scene.ledger.settle();
        self.scene.ledger.all_answered();
        // A broker that lost its memory shows it by what it publishes next, and that may cost somebody a connection on
        // which nothing but what is live is heard of the other channels: they have their turn later.
        self.probe(|channel| history(channel).is_some());
        self.probe(|channel| history(channel).is_none());
        let Some(node) = &mut self.node else {
            return self.scene.ledger.blame(|| "the node is down in the calm".to_owned());
        };
        for channel in CHANNELS.into_iter().filter(|channel| is_social(channel)) {
            let present = node.present(&self.scene, channel);
            self.scene.ledger.present(channel, &present);
        }
    }

    /// Publishes to these channels, and asks whether it has arrived.
    fn probe(&mut self, wanted: impl Fn(&str) -> bool) {
        let channels = (0..CHANNELS.len()).filter(|channel| wanted(CHANNELS[*channel]));
        let probes: Vec<_> = channels.map(|channel| (channel, self.next_publication())).collect();
        for (channel, id) in &probes {
            self.step(Due::Call(*channel, *id));
        }
        self.play(self.scene.now + PROBE);
        for (channel, id) in probes {
            self.scene.ledger.has_arrived(CHANNELS[channel], id);
        }
    }

    /// Everybody leaves, and nothing may be left.
    fn leave(&mut self) {
        for person in &mut self.people {
            person.connect(&mut self.scene, false);
        }
        self.play(self.scene.now + LEAVING);
        self.scene.ledger.all_answered();
        self.scene.now += FOREVER;
        let Some(node) = &mut self.node else { return };
        let remains = node.remains(&mut self.scene);
        if remains != Remains::default() {
            self.scene.ledger.blame(|| format!("everybody has left, and there remain {remains:?}"));
        }
        let links = self.scene.net.links.len();
        if links > 0 {
            self.scene.ledger.blame(|| format!("everybody has left, and {links} links remain"));
        }
        for person in &self.people {
            let load = person.client.load();
            if load.calls + load.pending + load.call_bytes > 0 {
                self.scene.ledger.blame(|| format!("a client that has left keeps {load:?}"));
            }
        }
    }
}

fn whom(person: usize) -> Whom {
    Whom { user: Plot::name(person).to_owned(), ..Whom::default() }
}
