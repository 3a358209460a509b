//! The table of all audiences of a shard.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::audience::{Audience, AudienceId};
use crate::channel::Channel;
use crate::namespace::Namespace;

/// All audiences of a shard, by channel.
#[derive(Debug, Default)]
pub(crate) struct Audiences {
    /// Channel names are chosen by strangers: the default hasher is seeded by chance, and nothing depends on its order.
    by_channel: HashMap<Channel, AudienceId, foldhash::quality::RandomState>,
    places: Vec<Option<Audience>>,
    free: Vec<AudienceId>,
}

impl Audiences {
    pub(crate) fn find(&self, channel: &str) -> Option<AudienceId> {
        self.by_channel.get(channel).copied()
    }

    pub(crate) fn get_mut(&mut self, id: AudienceId) -> Option<&mut Audience> {
        self.places.get_mut(id as usize)?.as_mut()
    }

    pub(crate) fn get(&self, id: AudienceId) -> Option<&Audience> {
        self.places.get(id as usize)?.as_ref()
    }

    /// The audience of a channel, made if there is none.
    pub(crate) fn find_or_insert(&mut self, channel: &str, namespace: &Arc<Namespace>) -> AudienceId {
        if let Some(id) = self.find(channel) {
            return id;
        }
        let channel = Channel::new(channel);
        let audience = Audience::new(channel.clone(), Arc::clone(namespace));
        let id = match self.free.pop() {
            Some(id) => {
                self.places[id as usize] = Some(audience);
                id
            }
            None => {
                self.places.push(Some(audience));
                (self.places.len() - 1) as AudienceId
            }
        };
        self.by_channel.insert(channel, id);
        id
    }

    /// Forgets an audience that has nobody left.
    pub(crate) fn remove(&mut self, id: AudienceId) {
        if let Some(audience) = self.places[id as usize].take() {
            self.by_channel.remove(&audience.channel);
            self.free.push(id);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Audience> {
        self.places.iter().flatten()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = AudienceId> + use<> {
        (0..self.places.len()).map(|place| place as AudienceId)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_channel.len()
    }
}
