//! Those who listen: each a client with one subscription, all of them on the one thread of this command.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use spanwire_client::{Client, Event, Subscription};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::url::Server;
use super::super::{Failure, session, subscription};
use super::Options;
use super::message::{Mark, Run};
use super::tally::{Ear, Tally};

/// How many connect at once.
const ARRIVING_MAX: usize = 64;
/// How long a subscriber may hear nothing of this run before what it lacks counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// The subscribers.
pub(super) struct Crowd {
    clients: Vec<Client>,
    listening: JoinSet<()>,
}

impl Crowd {
    /// Connects and subscribes all of them.
    pub(super) async fn seat(
        options: &Options,
        server: &Server,
        run: Run,
        tally: &Arc<Mutex<Tally>>,
    ) -> Result<Self, Failure> {
        let seats = stream::iter(0..options.subscribers)
            .map(|_| seat(options, server))
            .buffer_unordered(ARRIVING_MAX)
            .try_collect::<Vec<_>>()
            .await?;
        let mut crowd = Self { clients: Vec::with_capacity(seats.len()), listening: JoinSet::new() };
        for (client, channel) in seats {
            crowd.clients.push(client);
            crowd.listening.spawn(listen(channel, run, options.messages, tally.clone()));
        }
        Ok(crowd)
    }

    /// Waits until everybody has everything, or has heard nothing for too long.
    pub(super) async fn finish(&mut self) {
        while self.listening.join_next().await.is_some() {}
    }

    /// Everybody goes.
    pub(super) async fn leave(self) {
        stream::iter(&self.clients).for_each_concurrent(ARRIVING_MAX, Client::close).await;
    }
}

async fn seat(options: &Options, server: &Server) -> Result<(Client, Subscription<Mark>), Failure> {
    let client = options.client(server)?;
    let mut life = client.events();
    let channel = client.channel::<Mark>(&options.channel).recover(false).subscribe();
    let channel = tokio::select! {
        over = session::over(&client, &mut life) => return Err(session::failure(&over, server)),
        heard = channel => heard.map_err(|ended| subscription::refused(&options.channel, &ended))?,
    };
    Ok((client, channel))
}

/// Hears one channel until it has everything, or nothing more of this run for too long. That counts from now on, so the
/// publisher must be there. What others publish to the channel breaks no silence.
async fn listen(channel: impl Stream<Item = Event<Mark>>, run: Run, messages: u32, tally: Arc<Mutex<Tally>>) {
    let mut channel = pin!(channel);
    let mut ear = Ear::default();
    let mut silent_at = Instant::now() + SILENCE_MAX;
    loop {
        let event = tokio::time::timeout_at(silent_at, channel.next()).await;
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(Some(Event::Publication(publication))) => {
                let (mark, now) = (publication.data, Instant::now());
                let Some(late) = run.lateness(&mark, now) else { continue };
                silent_at = now + SILENCE_MAX;
                if ear.hear(mark.number, late, now, messages, &mut tally) {
                    return;
                }
            }
            Ok(Some(Event::Interrupted(_))) => tally.interrupted += 1,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use spanwire_client::Publication;

    use super::*;
    use crate::chance::Chance;

    /// Ten messages, one in six seconds, as a subscriber hears them.
    fn spoken(run: Run) -> impl Stream<Item = Event<Mark>> {
        stream::iter(0..10).then(move |number| async move {
            tokio::time::sleep(Duration::from_secs(6)).await;
            let data = run.message(number, Instant::now(), 0).mark;
            let tags = BTreeMap::new();
            Event::Publication(Publication { data, offset: 0, info: None, tags, recovered: false })
        })
    }

    #[tokio::test(start_paused = true)]
    async fn only_messages_of_this_run_break_the_silence() {
        let mut chance = Chance::from_system().unwrap();
        let (ours, other) = (Run::new(&mut chance), Run::new(&mut chance));
        for (speaker, seconds, delivered) in [(ours, 60, 10), (other, 10, 0)] {
            let (began, tally) = (Instant::now(), Arc::<Mutex<Tally>>::default());
            listen(spoken(speaker), ours, 10, tally.clone()).await;
            assert_eq!(began.elapsed().as_secs(), seconds);
            assert_eq!(tally.lock().unwrap().delivered, delivered);
        }
    }
}
