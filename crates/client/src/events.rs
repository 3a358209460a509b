//! The events of the client as a whole.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::event::ClientEvent;

/// Most events that wait for a listener; after that the oldest are dropped, and counted.
const UNREAD_MAX: usize = 1024;

/// What happens to a client as a whole: a [`Stream`], which ends when the client is closed.
#[derive(Debug)]
pub struct Events {
    queue: Arc<Mutex<Queue>>,
}

/// Where the client's task puts the events for one listener.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// A listener who has gone is found out by this.
    queue: Weak<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<ClientEvent>,
    dropped: u64,
    is_over: bool,
    reader: Option<Waker>,
}

impl Events {
    pub(crate) fn new() -> (Self, Inbox) {
        let queue = Arc::new(Mutex::new(Queue::default()));
        let inbox = Inbox { queue: Arc::downgrade(&queue) };
        (Self { queue }, inbox)
    }

    /// The next event; `None` when the client is closed. Nothing is lost when this is dropped while it waits.
    pub async fn next(&mut self) -> Option<ClientEvent> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    fn poll_event(&self, context: &mut Context<'_>) -> Poll<Option<ClientEvent>> {
        let mut queue = locked(&self.queue);
        if queue.dropped > 0 {
            return Poll::Ready(Some(ClientEvent::Dropped(std::mem::take(&mut queue.dropped))));
        }
        match queue.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if queue.is_over => Poll::Ready(None),
            None => {
                queue.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Stream for Events {
    type Item = ClientEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ClientEvent>> {
        self.poll_event(context)
    }
}

impl Inbox {
    /// Adds an event; `false` if nobody listens any more.
    pub(crate) fn push(&self, event: ClientEvent) -> bool {
        let Some(queue) = self.queue.upgrade() else { return false };
        let mut queue = locked(&queue);
        if queue.events.len() >= UNREAD_MAX {
            queue.events.pop_front();
            queue.dropped += 1;
        }
        queue.events.push_back(event);
        queue.wake();
        true
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.upgrade() {
            let mut queue = locked(&queue);
            queue.is_over = true;
            queue.wake();
        }
    }
}

impl Queue {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

fn locked(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    // Nothing that is done under this lock can leave it half done.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
