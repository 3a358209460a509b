//! What clients say, from their pipes into the hub.

use spanwire_hub::Input;
use spanwire_ws::{self as ws, Event};

use super::Shard;
use crate::net::LinkId;
use crate::node::peer::Peer;
use crate::scene::Scene;

impl Shard {
    pub(super) fn read(&mut self, scene: &mut Scene) {
        let links: Vec<_> = self.peers.values().filter(|peer| !peer.paused).map(|peer| peer.link).collect();
        for link in links {
            let Some(pipe) = scene.net.links.get_mut(&link).map(|link| &mut link.up) else { continue };
            let was_full = !pipe.has_room();
            let (mut bytes, end) = pipe.read(scene.now);
            if was_full && let Some(person) = scene.net.links.get(&link).map(|link| link.person) {
                scene.wake_person(person, scene.now);
            }
            let closed = !bytes.is_empty() && self.digest(scene, link, &mut bytes);
            if end || closed {
                self.remove(scene, link);
            }
        }
    }

    /// Hands what arrived to the hub. Whether the other side has said its last word.
    fn digest(&mut self, scene: &mut Scene, link: LinkId, bytes: &mut [u8]) -> bool {
        let clocks = scene.clocks();
        let Some(peer) = self.peers.get_mut(&link) else { return false };
        let (mut input, limits) = (ws::Input::new(bytes), ws::Limits::default());
        let closed = loop {
            let payload = match peer.ws.next(&mut input, &limits) {
                Ok(Some(Event::Text(text))) => text.as_bytes(),
                Ok(Some(Event::Binary(bytes))) => bytes,
                Ok(Some(Event::Ping(_) | Event::Pong(_))) => continue,
                Ok(Some(Event::Close(_))) => break true,
                Ok(None) => break false,
                Err(sin) => {
                    scene.ledger.blame(|| format!("the client breaks RFC 6455: {sin}"));
                    break true;
                }
            };
            if peer.patience.is_none() {
                self.hub.handle(clocks, Input::Frame(peer.session, payload));
            }
        };
        peer.paused = self.hub.is_busy(peer.session);
        closed
    }

    pub(super) fn lose_patience(&mut self, scene: &mut Scene) {
        let over = |peer: &&Peer| peer.patience.is_some_and(|until| until <= scene.now);
        let over: Vec<_> = self.peers.values().filter(over).map(|peer| peer.link).collect();
        for link in over {
            self.remove(scene, link);
        }
    }
}
