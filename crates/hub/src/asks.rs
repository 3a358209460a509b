//! Questions that are not answered yet, and who asked them.

use crate::AskId;

/// A table of askers, each named by an [`AskId`] that is never given twice.
#[derive(Debug)]
pub(crate) struct Asks<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    asker: Option<T>,
}

impl<T> Asks<T> {
    pub(crate) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// Notes who asks; the id goes out with the question.
    pub(crate) fn insert(&mut self, asker: T) -> AskId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, asker: None });
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        place.asker = Some(asker);
        AskId(u64::from(place.generation) << 32 | u64::from(index))
    }

    /// Who asked; `None` if the question was answered before.
    pub(crate) fn take(&mut self, id: AskId) -> Option<T> {
        let (generation, index) = ((id.0 >> 32) as u32, id.0 as u32);
        let place = self.places.get_mut(index as usize).filter(|place| place.generation == generation)?;
        let asker = place.asker.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(index);
        Some(asker)
    }

    /// How many questions are open.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_asker_once() {
        let mut asks = Asks::new();
        let (ann, bob) = (asks.insert("ann"), asks.insert("bob"));
        assert_eq!(asks.take(bob), Some("bob"));
        assert_eq!(asks.take(bob), None);
        assert_eq!(asks.take(ann), Some("ann"));
        assert_eq!(asks.len(), 0);
    }

    #[test]
    fn an_id_of_an_earlier_question_does_not_name_a_later_one() {
        let mut asks = Asks::new();
        let first = asks.insert("ann");
        asks.take(first);
        let second = asks.insert("bob");
        assert_ne!(first, second);
        assert_eq!(asks.take(first), None);
        assert_eq!(asks.take(second), Some("bob"));
    }
}
