//! Everybody comes back at once, and is owed what was published meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::crowd::{Crowd, Guests};
use crate::subject::Server;
use crate::tongue::Tongue;
use crate::{sample, script};

/// Most handshakes under way at once: all that a server with a listen queue of 4,096 can keep.
const PENDING: usize = 4_000;
/// Longest that what was published may take to be accepted or to arrive.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);

/// A storm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storm {
    /// Clients, evenly in the channels.
    pub(crate) clients: usize,
    /// Channels with recovery.
    pub(crate) channels: usize,
    /// Messages of each channel while nobody is there.
    pub(crate) owed: u32,
}

/// How a storm was weathered.
#[derive(Debug)]
pub(crate) struct Weathered {
    /// From the first connect until the last client had all that it was owed.
    pub(crate) elapsed: Duration,
    /// Processor time of the server.
    pub(crate) server_cpu: Duration,
    /// Messages that were recovered, each once.
    pub(crate) recovered: u64,
    /// When each client had all that it was owed, in nanoseconds after the first connect; sorted.
    pub(crate) complete: Vec<u64>,
}

/// Where a subscriber stands: what a reply to subscribing says.
#[derive(Debug, Default, Deserialize)]
struct Position {
    #[serde(default)]
    epoch: String,
    #[serde(default)]
    offset: u64,
    #[serde(default)]
    recovered: bool,
    #[serde(default)]
    publications: Vec<Publication>,
}

#[derive(Debug, Deserialize)]
struct Publication {
    offset: u64,
}

#[derive(Debug, Deserialize)]
struct Reply {
    subscribe: Option<Position>,
}

impl Storm {
    /// Runs the storm. Fails unless every client gets all that it is owed, once and in order, and afterwards a
    /// live message of its channel.
    pub(crate) fn run(&self, server: &Server) -> Result<Weathered> {
        let epochs = self.first_visit(server)?;
        let mut publisher = Publisher::open(server)?;
        for number in 0..self.owed {
            publisher.say(self.channels, number)?;
        }
        let mut crowd = Crowd::new()?;
        let (begun, server_cpu) = (Instant::now(), server.process.cpu_time()?);
        let (recovered, mut complete) = self.come_back(server, &mut crowd, &epochs, begun)?;
        let (elapsed, server_cpu) = (begun.elapsed(), server.process.cpu_time()? - server_cpu);
        publisher.say(self.channels, self.owed)?;
        self.hear_live(&mut crowd)?;
        complete.sort_unstable();
        Ok(Weathered { elapsed, server_cpu, recovered, complete })
    }

    /// Everybody subscribes once and leaves; returns the epoch of each channel.
    fn first_visit(&self, server: &Server) -> Result<Vec<String>> {
        let (mut crowd, mut epochs) = (Crowd::new()?, vec![String::new(); self.channels]);
        let hello = |number: usize| {
            let subscribe = Tongue::Json.subscribe(2, &script::recoverable(number % self.channels));
            vec![Tongue::Json.connect(1), subscribe]
        };
        let guests = Guests::new(server.address, Tongue::Json, self.clients, &hello);
        crowd.seat_and_hear(&guests, &mut |number, line| {
            if let Some(position) = position(line) {
                epochs[number % self.channels] = position.epoch;
            }
        })?;
        ensure!(epochs.iter().all(|epoch| !epoch.is_empty()), "a channel without an epoch");
        Ok(epochs)
    }

    /// Everybody asks for what comes after offset 0; returns how much that was, and when each had it.
    fn come_back(
        &self,
        server: &Server,
        crowd: &mut Crowd,
        epochs: &[String],
        begun: Instant,
    ) -> Result<(u64, Vec<u64>)> {
        let hello = |number: usize| {
            let channel = number % self.channels;
            let recover = Tongue::Json.recover(2, &script::recoverable(channel), &epochs[channel], 0);
            vec![Tongue::Json.connect(1), recover]
        };
        let guests = Guests::new(server.address, Tongue::Json, self.clients, &hello);
        let (mut recovered, mut complete, mut fault) = (0, Vec::with_capacity(self.clients), None);
        crowd.seat_and_hear(
            &Guests { pending: PENDING, ..guests },
            &mut |number, line| match position(line) {
                Some(position) if self.is_whole(&position) => {
                    recovered += position.publications.len() as u64;
                    complete.push(begun.elapsed().as_nanos() as u64);
                }
                None if line.starts_with(br#"{"id":1,"#) => {}
                _ => drop(fault.get_or_insert_with(|| {
                    format!(
                        "client {number} got {}",
                        String::from_utf8_lossy(&line[line.len().saturating_sub(200)..])
                    )
                })),
            },
        )?;
        ensure!(fault.is_none(), "{}", fault.unwrap_or_default());
        let owed = self.clients as u64 * u64::from(self.owed);
        ensure!(recovered == owed, "{recovered} of {owed} messages were recovered");
        Ok((recovered, complete))
    }

    /// Whether this is all that is owed, once and in order. The reply of a recovery repeats the offset that was
    /// asked for, 0, which JSON leaves out: the client gets on by the offsets of the publications.
    fn is_whole(&self, position: &Position) -> bool {
        let owed = u64::from(self.owed);
        let offsets = position.publications.iter().map(|publication| publication.offset);
        position.recovered && position.offset == 0 && offsets.eq(1..=owed)
    }

    fn hear_live(&self, crowd: &mut Crowd) -> Result<()> {
        let mut heard = vec![0; self.clients];
        let deadline = Instant::now() + ARRIVAL_MAX;
        let mut finder = script::NumberFinder::new();
        let mut missing = self.clients;
        while missing > 0 {
            crowd.turn(deadline, &mut |client, line| {
                let live = finder.find(line) == Some(self.owed);
                heard[client] += 1;
                missing -= usize::from(live && heard[client] == 1);
            })?;
            ensure!(Instant::now() < deadline, "{missing} clients hear nothing after they are back");
        }
        ensure!(heard.iter().all(|&count| count == 1), "a client heard something that it was not owed");
        Ok(())
    }
}

/// The position in a reply to subscribing; none of other lines.
fn position(line: &[u8]) -> Option<Position> {
    serde_json::from_slice::<Reply>(line).ok()?.subscribe
}

/// Somebody who stays while the others are away.
struct Publisher {
    crowd: Crowd,
    id: u32,
}

impl Publisher {
    fn open(server: &Server) -> Result<Publisher> {
        let mut crowd = Crowd::new()?;
        let hello = |_| vec![Tongue::Json.connect(1)];
        crowd.seat(&Guests::new(server.address, Tongue::Json, 1, &hello))?;
        Ok(Publisher { crowd, id: 1 })
    }

    /// Publishes a message with this number to each channel and waits until all are acknowledged.
    fn say(&mut self, channels: usize, number: u32) -> Result<()> {
        let data = script::data(number, script::DATA_BYTES);
        for channel in 0..channels {
            self.id += 1;
            let frame = Tongue::Json.publish(self.id, &script::recoverable(channel), &data);
            self.crowd.send(0, &frame)?;
        }
        let (mut replies, deadline) = (0, Instant::now() + ARRIVAL_MAX);
        while replies < channels {
            self.crowd.turn(deadline, &mut |_, _| replies += 1)?;
            ensure!(Instant::now() < deadline, "{replies} of {channels} messages were acknowledged");
        }
        Ok(())
    }
}

impl Weathered {
    /// When this share of all clients was complete, in milliseconds after the first connect.
    pub(crate) fn complete_ms(&self, share: f64) -> f64 {
        sample::percentile(&self.complete, share).map_or(f64::NAN, |nanoseconds| nanoseconds as f64 / 1e6)
    }

    /// Processor time of the server for each client that came back, in microseconds. The clients are not known
    /// here, but what they recovered is.
    pub(crate) fn us_per_client(&self, owed: u32) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 * f64::from(owed) / self.recovered as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORM: Storm = Storm { clients: 4, channels: 2, owed: 2 };

    fn reply(rest: &str) -> Position {
        position(format!(r#"{{"id":2,"subscribe":{{"epoch":"e",{rest}}}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn only_all_that_is_owed_once_and_in_order_is_whole() {
        let table = [
            (r#""recovered":true,"publications":[{"offset":1},{"offset":2}]"#, true),
            (r#""publications":[{"offset":1},{"offset":2}]"#, false),
            (r#""recovered":true,"publications":[{"offset":2}]"#, false),
            (r#""recovered":true,"publications":[{"offset":2},{"offset":1}]"#, false),
            (r#""recovered":true,"publications":[{"offset":1},{"offset":1},{"offset":2}]"#, false),
            (r#""recovered":true,"offset":1,"publications":[{"offset":1},{"offset":2}]"#, false),
        ];
        for (rest, whole) in table {
            assert_eq!(STORM.is_whole(&reply(rest)), whole, "{rest}");
        }
    }

    #[test]
    fn other_replies_have_no_position() {
        assert!(position(br#"{"id":1,"connect":{}}"#).is_none());
        assert!(position(b"{}").is_none());
    }

    #[test]
    fn processor_time_is_shared_by_the_clients() {
        let weathered = Weathered {
            elapsed: Duration::ZERO,
            server_cpu: Duration::from_millis(8),
            recovered: 80,
            complete: Vec::new(),
        };
        assert_eq!(weathered.us_per_client(10), 1000.0);
    }
}
