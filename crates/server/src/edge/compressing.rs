//! What handshakes may agree on about compression.

use spanwire_ws::deflate::Terms;

use crate::config::Settings;
use crate::engine::{Permit, Permits};

/// Compression is on.
#[derive(Debug)]
pub(super) struct Compressing {
    /// How many connections may have messages that refer to those before them.
    contexts: Permits,
}

impl Compressing {
    /// `None` if it is off.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let compression = settings.websocket.compression.as_ref()?;
        Some(Self { contexts: Permits::new(compression.contexts_max) })
    }

    /// What the next handshake may agree on, and the right to it. Whoever comes when all rights are out gets compression
    /// without context takeover, which costs nothing between messages.
    pub(super) fn terms(&self) -> (Terms, Option<Permit>) {
        let context = self.contexts.acquire();
        (Terms { takeover: context.is_some() }, context)
    }
}
