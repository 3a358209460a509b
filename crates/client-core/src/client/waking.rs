//! The machine has slept, or the network is another one: what to make of a connection, or of waiting for one.

use spanwire_wire::Request;
use spanwire_wire::message::UnsubscribeRequest;

use super::{Client, Pending};
use crate::link::Link;
use crate::time::Instant;

/// A channel that nobody is in. A client cannot ping in this protocol: leaving a channel that it never joined is the
/// cheapest command that is answered.
const PROBE: &str = "spanwire-probe";

impl Client {
    pub(super) fn wake(&mut self, now: Instant) {
        match &mut self.link {
            // A server that told us when to come back has reasons which no change of network alters.
            Link::Waiting { told: false, .. } => {
                self.ladder.top();
                self.begin(now);
            }
            Link::Live(live) => {
                live.probe(now + self.config.limits.probe_within);
                let request = UnsubscribeRequest { channel: PROBE.to_owned() };
                self.command(Request::Unsubscribe(request), Pending::Probe);
            }
            _ => {}
        }
    }
}
