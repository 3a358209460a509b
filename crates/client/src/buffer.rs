//! What a channel has for its reader and the reader has not taken yet; bounded in number and bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use spanwire_client_core::Position;

use crate::event::{Event, Gap};
use crate::payload::Raw;

/// What happens to a reader who is slower than the channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The client leaves the channel, and comes back to where the reader is when half of the buffer has been read. With
    /// recovery nothing is lost as long as the channel's history reaches that far; otherwise an [`Event::Gap`] says so.
    #[default]
    Pause,
    /// The oldest events are dropped, and an [`Event::Gap`] stands in their place: for what the next one makes worthless,
    /// as prices and cursors.
    DropOldest,
    /// The subscription ends with [`Ended::OVERFLOW`](crate::Ended::OVERFLOW), behind what is in the buffer.
    End,
}

/// How much a reader may leave unread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// Between the client's task, which fills it, and the reader of one channel.
#[derive(Clone, Debug)]
pub(crate) struct Buffer {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event<Raw>>,
    bytes: usize,
    room: Room,
    /// What was dropped in front of the first event.
    lost: Option<Gap>,
    /// Where the reader is, or was dropped to.
    front: Place,
    /// Where what is kept ends.
    back: Place,
    /// The client has left the channel until there is room.
    is_paused: bool,
    is_over: bool,
    reader: Option<Waker>,
}

/// A place in the stream, as the events tell it.
#[derive(Clone, Debug, Default)]
struct Place(Option<Position>);

/// There is no room for this one.
#[derive(Debug)]
pub(crate) struct Full;

/// What a reader finds.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) event: Event<Raw>,
    /// The client may come back to the channel now. This is said once for each pause.
    pub(crate) may_resume: bool,
}

impl Buffer {
    pub(crate) fn new(room: Room, since: Option<Position>) -> Self {
        let state = State {
            events: VecDeque::new(),
            bytes: 0,
            room,
            lost: None,
            front: Place(since.clone()),
            back: Place(since),
            is_paused: false,
            is_over: false,
            reader: None,
        };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Whether both are the same buffer.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Adds an event.
    ///
    /// # Errors
    /// There is no room for it, and it was not added.
    pub(crate) fn push(&self, event: Event<Raw>) -> Result<(), Full> {
        let mut state = self.state();
        state.supersede(&event);
        if !state.has_room_for(&event) {
            return Err(Full);
        }
        state.add(event);
        Ok(())
    }

    /// Adds an event, and drops as many of the oldest as it takes.
    pub(crate) fn force(&self, event: Event<Raw>) {
        let mut state = self.state();
        state.supersede(&event);
        while !state.has_room_for(&event) {
            state.drop_oldest();
        }
        state.add(event);
    }

    /// Adds the last event, whether there is room or not.
    pub(crate) fn end(&self, event: Event<Raw>) {
        let mut state = self.state();
        state.add(event);
        state.is_over = true;
    }

    /// Notes that the client leaves the channel until the reader has made room.
    pub(crate) fn pause(&self) {
        self.state().is_paused = true;
    }

    /// Where what is kept ends; `None` in a channel without positions.
    pub(crate) fn place(&self) -> Option<Position> {
        self.state().back.0.clone()
    }

    /// Takes the next event; `None` behind the last one.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<Taken>> {
        let mut state = self.state();
        if let Some(event) = state.take() {
            let may_resume = state.is_paused && state.is_half_empty();
            state.is_paused &= !may_resume;
            return Poll::Ready(Some(Taken { event, may_resume }));
        }
        if state.is_over {
            return Poll::Ready(None);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under this lock can leave it half done.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// An event that is larger than the room by itself is taken when nothing else is there.
    fn has_room_for(&self, event: &Event<Raw>) -> bool {
        let fits = self.bytes + event.weight() <= self.room.bytes && self.events.len() < self.room.events;
        fits || self.events.is_empty()
    }

    /// Takes out the list of members that a newer one makes worthless. Of a crowd that comes, unread ones would take half of
    /// the buffer.
    fn supersede(&mut self, event: &Event<Raw>) {
        let is_list = |event: &Event<Raw>| matches!(event, Event::Presence(_));
        if is_list(event)
            && let Some(unread) = self.events.iter().rposition(is_list)
        {
            // Lists weigh nothing, so the bytes stay what they are.
            self.events.remove(unread);
        }
    }

    fn is_half_empty(&self) -> bool {
        self.events.len() <= self.room.events / 2 && self.bytes <= self.room.bytes / 2
    }

    fn add(&mut self, event: Event<Raw>) {
        self.bytes += event.weight();
        self.back.pass(&event);
        self.events.push_back(event);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn take(&mut self) -> Option<Event<Raw>> {
        if let Some(gap) = self.lost.take() {
            return Some(Event::Gap(gap));
        }
        self.pop()
    }

    fn pop(&mut self) -> Option<Event<Raw>> {
        let event = self.events.pop_front()?;
        self.bytes -= event.weight();
        self.front.pass(&event);
        Some(event)
    }

    fn drop_oldest(&mut self) {
        let from = self.lost.take().map_or_else(|| self.front.0.clone(), |gap| gap.from);
        self.pop();
        self.lost = Some(Gap { from, to: self.front.0.clone() });
    }
}

impl Place {
    /// Moves behind this event.
    fn pass(&mut self, event: &Event<Raw>) {
        match event {
            Event::Publication(publication) => {
                if let Some(place) = self.0.as_mut().filter(|_| publication.offset != 0) {
                    place.offset = publication.offset;
                }
            }
            Event::Subscribed(subscribed) => self.0.clone_from(&subscribed.position),
            Event::Gap(gap) => self.0.clone_from(&gap.to),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use spanwire_wire::message::ClientInfo;

    use super::*;
    use crate::event::{Publication, Subscribed};

    fn publication(offset: u64) -> Event<Raw> {
        let data = Raw(Bytes::from_static(b"1234"));
        Event::Publication(Publication { data, offset, info: None, tags: BTreeMap::new(), recovered: false })
    }

    fn at(offset: u64) -> Option<Position> {
        Some(Position { offset, epoch: "e".to_owned() })
    }

    /// A buffer for three events, of a reader who has heard that it is subscribed at this place.
    fn buffer(position: Option<Position>) -> Buffer {
        let buffer = Buffer::new(Room { events: 3, bytes: 1000 }, None);
        let data = Raw::default();
        let subscribed = Subscribed { recovered: false, was_recovering: false, position, data };
        buffer.push(Event::Subscribed(subscribed)).unwrap();
        assert!(matches!(take(&buffer).unwrap().event, Event::Subscribed(_)));
        buffer
    }

    /// What can be read without waiting.
    fn take(buffer: &Buffer) -> Option<Taken> {
        match buffer.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(taken) => taken,
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_is_dropped_is_told_as_one_gap_in_its_place() {
        for (position, from, to) in [(at(5), at(5), at(7)), (None, None, None)] {
            let buffer = buffer(position);
            (6..=10).for_each(|offset| buffer.force(publication(offset)));
            let Some(Taken { event: Event::Gap(gap), .. }) = take(&buffer) else { panic!("a gap is told") };
            assert_eq!(gap, Gap { from, to });
            for expected in 8..=10 {
                let event = take(&buffer).unwrap().event;
                assert!(matches!(event, Event::Publication(it) if it.offset == expected));
            }
            assert!(take(&buffer).is_none());
        }
    }

    #[test]
    fn a_pause_begins_behind_what_is_kept_and_ends_once_half_is_read() {
        let buffer = buffer(at(5));
        (6..=8).for_each(|offset| buffer.push(publication(offset)).unwrap());
        assert!(buffer.push(publication(9)).is_err());
        buffer.pause();
        assert_eq!(buffer.place(), at(8));
        let resumes = |_| take(&buffer).unwrap().may_resume;
        assert_eq!([0; 3].map(resumes), [false, true, false]);
    }

    #[test]
    fn bytes_count_too_but_what_is_too_large_by_itself_comes_alone() {
        let buffer = Buffer::new(Room { events: 100, bytes: 9 }, None);
        buffer.push(publication(1)).unwrap();
        buffer.push(publication(2)).unwrap();
        assert!(buffer.push(publication(3)).is_err());
        let buffer = Buffer::new(Room { events: 100, bytes: 3 }, None);
        buffer.push(publication(1)).unwrap();
        assert!(buffer.push(publication(2)).is_err());
    }

    #[test]
    fn of_the_lists_that_nobody_has_read_the_latest_is_kept_and_leaves_room_for_the_rest() {
        let member = |id: usize| (id.to_string(), ClientInfo::default());
        let list =
            |members: usize| Event::Presence((0..members).map(member).collect::<BTreeMap<_, _>>().into());
        type Add = fn(&Buffer, Event<Raw>);
        let ways: [Add; 2] = [|buffer, event| buffer.push(event).unwrap(), Buffer::force];
        for add in ways {
            let buffer = Buffer::new(Room { events: 200, bytes: 100 }, at(5));
            for members in 1..=100 {
                add(&buffer, Event::Join(ClientInfo::default()));
                add(&buffer, list(members));
            }
            add(&buffer, publication(6));
            for _ in 0..100 {
                assert!(matches!(take(&buffer).unwrap().event, Event::Join(_)));
            }
            assert!(matches!(take(&buffer).unwrap().event, Event::Presence(it) if it.len() == 100));
            assert!(matches!(take(&buffer).unwrap().event, Event::Publication(_)));
            assert!(take(&buffer).is_none());
            assert_eq!(buffer.state().bytes, 0);
        }
    }

    #[test]
    fn the_last_event_comes_even_when_there_is_no_room() {
        let buffer = Buffer::new(Room { events: 1, bytes: 1000 }, None);
        buffer.push(publication(1)).unwrap();
        buffer.end(Event::Ended(crate::Ended::gone()));
        assert!(matches!(take(&buffer).unwrap().event, Event::Publication(_)));
        assert!(matches!(take(&buffer).unwrap().event, Event::Ended(_)));
        let over = buffer.poll_take(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(over, Poll::Ready(None)));
    }
}
