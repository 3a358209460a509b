//! What clients are told, from the hub into their pipes; and the ends of connections.

use spanwire_hub::{Input, SessionId};
use spanwire_wire::{DisconnectCode, DisconnectReason};
use spanwire_ws::{CloseCode, CloseFrame};

use super::{OUTBOX_BYTES_MAX, Shard};
use crate::bug::Bug;
use crate::net::LinkId;
use crate::node::peer::Peer;
use crate::scene::Scene;

/// How long we wait for the other side's part of an end, in milliseconds.
const CLOSE_PATIENCE: u64 = 5_000;

impl Shard {
    /// Writes to everybody who has something to hear, as far as the pipes go. Whether that gave the hub something to do.
    pub(super) fn flush(&mut self, scene: &mut Scene) -> bool {
        let mut drained = Vec::new();
        while let Some(id) = self.hub.poll_dirty() {
            if let Some(outbox) = self.hub.outbox_mut(id)
                && outbox.bytes() > OUTBOX_BYTES_MAX
                && outbox.len() > 1
            {
                scene.ledger.blame(|| "an outbox holds more than it may".to_owned());
            }
            if scene.saboteur.strikes(Bug::LostWakeUp) {
                continue;
            }
            if let Some(link) = self.peer_of(id).map(|peer| peer.link) {
                self.unwritten.insert(link);
            }
        }
        for id in std::mem::take(&mut self.unwritten) {
            let (Some(peer), Some(link)) = (self.peers.get_mut(&id), scene.net.links.get_mut(&id)) else {
                continue;
            };
            if !peer.write(scene.now, &mut link.down, self.hub.outbox_mut(peer.session)) {
                self.unwritten.insert(id);
            }
            drained.push(peer.session);
            if let Some(at) = link.down.next_arrival() {
                let person = link.person;
                scene.wake_person(person, at);
            }
        }
        drained.retain(|id| self.hub.may_catch_up(*id) && !scene.saboteur.has(Bug::LostDrain));
        for id in &drained {
            self.hub.handle(scene.clocks(), Input::Drained(*id));
        }
        !drained.is_empty()
    }

    pub(super) fn let_go(&mut self, scene: &mut Scene, id: SessionId, reason: &DisconnectReason) {
        if scene.saboteur.strikes(Bug::LostClose) {
            return;
        }
        let until = scene.now + CLOSE_PATIENCE;
        let slow = reason.code() == DisconnectCode::Slow.code();
        let code =
            u16::try_from(reason.code()).ok().and_then(CloseCode::new).unwrap_or(CloseCode::GOING_AWAY);
        let Some(link) = self.places.get(&id.index).copied() else { return };
        let Some(peer) = self.peers.get_mut(&link).filter(|peer| peer.session == id) else { return };
        scene.trace.say(scene.now, || format!("      shard {} lets link {link} go: {reason}", self.index));
        peer.say_farewell(&CloseFrame::new(code, reason.text()), until, self.hub.outbox_mut(id), slow);
        peer.paused = false;
        self.unwritten.insert(link);
    }

    pub(super) fn peer_of(&mut self, id: SessionId) -> Option<&mut Peer> {
        let link = self.places.get(&id.index)?;
        self.peers.get_mut(link).filter(|peer| peer.session == id)
    }

    /// The connection is over.
    pub(super) fn remove(&mut self, scene: &mut Scene, link: LinkId) {
        let Some(peer) = self.peers.remove(&link) else { return };
        self.unwritten.remove(&link);
        self.places.remove(&peer.session.index);
        self.permits_back += if scene.saboteur.strikes(Bug::DoublePermit) { 2 } else { 1 };
        scene.shard_leaves(link);
        if !scene.saboteur.strikes(Bug::LostGone) {
            self.hub.handle(scene.clocks(), Input::Gone(peer.session));
        }
    }
}
