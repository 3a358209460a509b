//! New options of namespaces, while clients are in their channels.
//!
//! What a client does next is judged by the new ones. A subscription that is live keeps what it was granted, with one
//! exception: where a channel begins to keep history, or stops, positions that were given would mean nothing any more.

use std::sync::Arc;

use super::Hub;
use crate::namespace::Namespaces;

impl Hub {
    pub(super) fn regulate(&mut self, namespaces: Namespaces) {
        self.config.namespaces = namespaces;
        for id in self.audiences.ids() {
            let Some(audience) = self.audiences.get_mut(id) else { continue };
            // Of a namespace that is gone nothing new begins; who hears its channels goes on as it is.
            let Ok(namespace) = self.config.namespaces.of(audience.channel.as_str()) else { continue };
            let before = std::mem::replace(&mut audience.namespace, Arc::clone(namespace));
            if before.history.is_some() != namespace.history.is_some() {
                audience.heard = None;
                // Told that its state is insufficient, a client comes back, and finds out what holds now.
                self.lose_outdated(id, None);
            }
        }
    }
}
