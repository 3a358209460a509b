//! What was really published in a channel, as the broker did it.

use std::collections::{BTreeMap, BTreeSet};

use spanwire_hub::channel::Position;

use crate::channels::key_of;

/// The truth about one channel.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    epochs: BTreeMap<String, Epoch>,
    /// The epoch that the stream is in, or was in when the broker still lived.
    current: Option<String>,
    /// What was published without a position, in order.
    passing: Vec<u64>,
    /// The same, by lives of the broker. With its memory it loses the keys by which it knows repeats, so what is
    /// repeated then is published once more.
    passed: BTreeSet<(u32, u64)>,
    /// What people publish, or want to: it has no tags.
    of_people: BTreeSet<u64>,
}

/// One life of a stream.
#[derive(Debug, Default)]
struct Epoch {
    /// The life of the broker that it belongs to.
    life: u32,
    /// What was published: the first has the offset 1.
    published: Vec<u64>,
    placed: BTreeSet<u64>,
}

impl Stream {
    /// Something was published, or has been published before under the same key.
    pub(super) fn published(
        &mut self,
        life: u32,
        id: u64,
        position: Option<&Position>,
    ) -> Result<(), String> {
        let Some(position) = position else {
            if self.passed.insert((life, id)) {
                self.passing.push(id);
            }
            return Ok(());
        };
        let epoch = self.epoch(life, position.epoch.as_str())?;
        let (index, next) = ((position.offset as usize).wrapping_sub(1), epoch.published.len());
        if index < next {
            return match epoch.published[index] {
                placed if placed == id => Ok(()),
                placed => Err(format!("{placed} and {id} are both at offset {}", position.offset)),
            };
        }
        if index > next {
            return Err(format!("{id} is at offset {} behind {next}", position.offset));
        }
        epoch.published.push(id);
        if epoch.placed.insert(id) { Ok(()) } else { Err(format!("{id} is published twice")) }
    }

    /// The stream stands somewhere.
    pub(super) fn stands(&mut self, life: u32, position: &Position) -> Result<(), String> {
        let top = self.epoch(life, position.epoch.as_str())?.published.len() as u64;
        if top == position.offset {
            Ok(())
        } else {
            Err(format!("the top is said to be {}, and is {top}", position.offset))
        }
    }

    fn epoch(&mut self, life: u32, name: &str) -> Result<&mut Epoch, String> {
        self.current = Some(name.to_owned());
        let epoch = self.epochs.entry(name.to_owned()).or_insert(Epoch { life, ..Epoch::default() });
        if epoch.life == life {
            Ok(epoch)
        } else {
            Err(format!("the epoch {name} is that of an earlier life of the broker"))
        }
    }

    /// What is at this place.
    pub(super) fn at(&self, epoch: &str, offset: u64) -> Option<u64> {
        self.epochs.get(epoch)?.published.get((offset as usize).checked_sub(1)?).copied()
    }

    /// The key of what is at this place; all that has no tags has one together.
    pub(super) fn key_at(&self, epoch: &str, offset: u64) -> Option<Option<u64>> {
        let id = self.at(epoch, offset)?;
        Some((!self.of_people.contains(&id)).then(|| key_of(id)))
    }

    /// A person publishes something here.
    pub(super) fn published_by_person(&mut self, id: u64) {
        self.of_people.insert(id);
    }

    /// The top offset of an epoch; `None` if there is no such epoch.
    pub(super) fn top(&self, epoch: &str) -> Option<u64> {
        self.epochs.get(epoch).map(|epoch| epoch.published.len() as u64)
    }

    /// Which life of the broker an epoch belongs to.
    pub(super) fn life_of(&self, epoch: &str) -> Option<u32> {
        self.epochs.get(epoch).map(|epoch| epoch.life)
    }

    /// The epoch that the stream is in.
    pub(super) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// The next place that something has, behind this one, among those without positions. There is more than one only
    /// if a broker lost its memory, and with it the key by which it would have known a repeat.
    pub(super) fn place_behind(&self, latest: Option<usize>, id: u64) -> Option<usize> {
        let first = latest.map_or(0, |latest| latest + 1);
        let place = self.passing.iter().skip(first).position(|passing| *passing == id)?;
        Some(first + place)
    }

    /// Whether something was published, wherever.
    pub(super) fn has(&self, id: u64) -> bool {
        self.passing.contains(&id) || self.epochs.values().any(|epoch| epoch.placed.contains(&id))
    }
}
