//! One channel, as its reader has it.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc;

use crate::buffer::Buffer;
use crate::event::Event;
use crate::order::Order;
use crate::payload::FromPayload;

/// A channel's events, in order: a [`Stream`], which ends behind an [`Event::Ended`].
///
/// Dropping it leaves the channel. It does not keep the client: when that is closed or its last handle is dropped, the
/// subscription ends.
#[derive(Debug)]
#[must_use = "dropping a subscription leaves the channel"]
pub struct Subscription<T> {
    channel: String,
    buffer: Buffer,
    orders: mpsc::WeakUnboundedSender<Order>,
    payload: PhantomData<fn() -> T>,
}

impl<T: FromPayload> Subscription<T> {
    pub(crate) fn new(channel: String, buffer: Buffer, orders: mpsc::WeakUnboundedSender<Order>) -> Self {
        Self { channel, buffer, orders, payload: PhantomData }
    }

    /// The channel's name.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The next event; `None` behind the last one. Nothing is lost when this is dropped while it waits.
    pub async fn next(&mut self) -> Option<Event<T>> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    fn poll_event(&self, context: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        self.buffer.poll_take(context).map(|taken| {
            let taken = taken?;
            if taken.may_resume {
                self.order(Order::Resume { channel: self.channel.clone(), buffer: self.buffer.clone() });
            }
            Some(taken.event.read())
        })
    }
}

impl<T> Subscription<T> {
    /// A client that is gone has ended this subscription already, so nobody needs to be told.
    fn order(&self, order: Order) {
        if let Some(orders) = self.orders.upgrade() {
            let _ = orders.send(order);
        }
    }
}

impl<T: FromPayload> Stream for Subscription<T> {
    type Item = Event<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        self.poll_event(context)
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        self.order(Order::Unsubscribe { channel: self.channel.clone(), buffer: self.buffer.clone() });
    }
}
