//! One publisher, many subscribers of one channel.

use std::net::SocketAddr;
use std::ops::Range;
use std::process;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Outcome;
use crate::crowd::{Crowd, Guests};
use crate::procfs;
use crate::script::{self, NumberFinder, Talk};
use crate::subject::Server;
use crate::tongue::Tongue;

/// Longest that the last published messages may take to arrive everywhere.
const ARRIVAL_MAX: Duration = Duration::from_secs(10);

/// When messages are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// So many at once, at these intervals, whatever the server does.
    Every { interval: Duration, burst: u32 },
    /// So many at once, as soon as everybody has all before them.
    FlatOut { in_flight: u32 },
}

impl Pace {
    fn burst(self) -> u32 {
        match self {
            Pace::Every { burst, .. } => burst,
            Pace::FlatOut { in_flight } => in_flight,
        }
    }
}

/// A fan-out load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fanout {
    /// Subscribers.
    pub(crate) subscribers: usize,
    /// When messages are published.
    pub(crate) pace: Pace,
    /// Messages that are counted, a multiple of the burst.
    pub(crate) messages: u32,
    /// Messages before them, for warming up, likewise.
    pub(crate) warm_up: u32,
    /// Bytes of a message's data.
    pub(crate) bytes: usize,
    /// What is in it.
    pub(crate) talk: Talk,
    /// How everybody speaks.
    pub(crate) tongue: Tongue,
    /// Whether subscribers offer compression.
    pub(crate) compressed: bool,
}

impl Fanout {
    /// A fan-out of 128 bytes in JSON.
    pub(crate) const fn new(subscribers: usize, pace: Pace, messages: u32, warm_up: u32) -> Fanout {
        Fanout {
            subscribers,
            pace,
            messages,
            warm_up,
            bytes: script::DATA_BYTES,
            talk: Talk::Filler,
            tongue: Tongue::Json,
            compressed: false,
        }
    }

    /// Runs the load once. Fails unless every subscriber gets every message once and in order.
    pub(crate) fn run(&self, server: &Server) -> Result<Outcome> {
        let mut room = self.open(server.address)?;
        room.warm_up()?;
        let (server_cpu, load_cpu) = (server.process.cpu_time()?, procfs::cpu_time(process::id())?);
        let (begun, bytes_read) = (Instant::now(), room.crowd.bytes_read);
        room.talk()?;
        Ok(Outcome {
            deliveries: u64::from(self.messages) * self.subscribers as u64,
            elapsed: begun.elapsed(),
            server_cpu: server.process.cpu_time()? - server_cpu,
            bytes_read: room.crowd.bytes_read - bytes_read,
            // In a soak, another load of this process may have ended meanwhile, and taken its time with it.
            load_cpu: procfs::cpu_time(process::id())?.saturating_sub(load_cpu),
            latencies: room.latencies,
        })
    }

    /// Seats everybody.
    pub(crate) fn open(&self, address: SocketAddr) -> Result<Room> {
        let mut crowd = Crowd::new()?;
        let Fanout { subscribers, tongue, compressed, .. } = *self;
        let join = |_| vec![tongue.connect(1), tongue.subscribe(2, script::CHANNEL)];
        crowd.seat(&Guests { compressed, ..Guests::new(address, tongue, subscribers, &join) })?;
        let enter = |_| vec![tongue.connect(1)];
        crowd.seat(&Guests::new(address, tongue, 1, &enter))?;
        Ok(Room { load: *self, crowd, ledger: Ledger::new(subscribers), latencies: Vec::new() })
    }
}

/// The subscribers, the publisher, and who got what.
pub(crate) struct Room {
    load: Fanout,
    crowd: Crowd,
    ledger: Ledger,
    latencies: Vec<u64>,
}

impl Room {
    /// The messages that are not counted.
    pub(crate) fn warm_up(&mut self) -> Result<()> {
        self.stretch(0..self.load.warm_up)?;
        self.latencies.clear();
        Ok(())
    }

    /// Those that are. Fails unless every subscriber gets every message once and in order.
    pub(crate) fn talk(&mut self) -> Result<()> {
        self.stretch(self.load.warm_up..self.load.warm_up + self.load.messages)
    }

    /// Publishes the messages with these numbers and waits until all have arrived everywhere.
    fn stretch(&mut self, numbers: Range<u32>) -> Result<()> {
        let pace = self.load.pace;
        let begun = Instant::now();
        let (mut next, mut published) = (numbers.start, begun);
        loop {
            while next < numbers.end && self.is_due(begun, next - numbers.start, next, pace) {
                self.publish(next..next + pace.burst())?;
                next += pace.burst();
                published = Instant::now();
            }
            if next == numbers.end && self.ledger.complete(next) {
                return Ok(());
            }
            let until = match pace {
                Pace::Every { .. } if next < numbers.end => due(begun, next - numbers.start, pace),
                _ => published + ARRIVAL_MAX,
            };
            self.listen(begun, numbers.start, pace, until)?;
            if published.elapsed() > ARRIVAL_MAX {
                bail!("not all has arrived after {ARRIVAL_MAX:?}: {}", self.ledger.debts(next));
            }
        }
    }

    fn is_due(&self, begun: Instant, index: u32, number: u32, pace: Pace) -> bool {
        match pace {
            Pace::Every { .. } => due(begun, index, pace) <= Instant::now(),
            Pace::FlatOut { .. } => self.ledger.complete(number),
        }
    }

    fn publish(&mut self, numbers: Range<u32>) -> Result<()> {
        let Fanout { bytes, talk, tongue, .. } = self.load;
        let mut frames = Vec::with_capacity((128 + bytes) * numbers.len());
        for number in numbers {
            // Ids 1 and 2 were connect and subscribe.
            let data = talk.data(number, bytes);
            frames.extend_from_slice(&tongue.publish(number + 3, script::CHANNEL, &data));
        }
        self.crowd.send(self.ledger.subscribers(), &frames)
    }

    fn listen(&mut self, begun: Instant, first: u32, pace: Pace, until: Instant) -> Result<()> {
        let Room { crowd, ledger, latencies, .. } = self;
        crowd.turn(until, &mut |client, line| {
            let Some(number) = ledger.hear(client, line) else { return };
            if let Pace::Every { .. } = pace {
                let late = Instant::now().saturating_duration_since(due(begun, number - first, pace));
                latencies.push(late.as_nanos() as u64);
            }
        })?;
        match &ledger.fault {
            Some(fault) => bail!("{fault}"),
            None => Ok(()),
        }
    }
}

/// When the message with this index is due. Latency counts from here, not from when it was sent: a load
/// that is held up by a slow server must not excuse it.
fn due(begun: Instant, index: u32, pace: Pace) -> Instant {
    match pace {
        Pace::Every { interval, burst } => begun + interval * (index / burst),
        Pace::FlatOut { .. } => begun,
    }
}

/// Who got what. Clients are numbered as they were seated: subscribers first, then the publisher.
struct Ledger {
    /// The number that each subscriber has to get next.
    next: Vec<u32>,
    replies: u32,
    /// Lines that counted, of whatever kind.
    heard: u64,
    /// The first breach of the promise.
    fault: Option<String>,
    finder: NumberFinder,
}

impl Ledger {
    fn new(subscribers: usize) -> Ledger {
        Ledger { next: vec![0; subscribers], replies: 0, heard: 0, fault: None, finder: NumberFinder::new() }
    }

    fn subscribers(&self) -> usize {
        self.next.len()
    }

    /// Enters a line that a client got; returns the number of the message that it delivered, if any.
    fn hear(&mut self, client: usize, line: &[u8]) -> Option<u32> {
        self.heard += 1;
        let Some(next) = self.next.get_mut(client) else {
            self.replies += 1;
            return None;
        };
        let number = self.finder.find(line);
        if number != Some(*next) {
            let line = String::from_utf8_lossy(&line[..line.len().min(200)]);
            let fault = || format!("subscriber {client} was owed message {next} and got {line}");
            self.fault.get_or_insert_with(fault);
            return None;
        }
        *next += 1;
        number
    }

    /// Whether everybody has all messages before `number`, and the publisher all replies to them.
    fn complete(&self, number: u32) -> bool {
        let owed = u64::from(number) * (self.next.len() as u64 + 1);
        self.heard == owed && self.replies == number && self.next.iter().all(|&next| next == number)
    }

    fn debts(&self, number: u32) -> String {
        let behind = self.next.iter().filter(|&&next| next < number).count();
        let example = self.next.iter().position(|&next| next < number);
        let example = example.map_or(String::new(), |client| {
            format!("; subscriber {client} has {} of {number}", self.next[client])
        });
        format!(
            "{behind} of {} subscribers lack messages{example}; {} of {number} publishes were answered",
            self.next.len(),
            self.replies
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32) -> Vec<u8> {
        script::data(number, script::DATA_BYTES).into_bytes()
    }

    #[test]
    fn a_ledger_is_complete_when_all_have_all_and_not_before() {
        let mut ledger = Ledger::new(2);
        assert!(ledger.complete(0));
        assert_eq!(ledger.hear(0, &line(0)), Some(0));
        assert_eq!(ledger.hear(1, &line(0)), Some(0));
        assert!(!ledger.complete(1), "the publisher has no reply yet");
        assert_eq!(ledger.hear(2, br#"{"id":3,"publish":{}}"#), None);
        assert!(ledger.complete(1));
        assert_eq!(ledger.fault, None);
    }

    #[test]
    fn a_lost_a_doubled_and_a_foreign_message_are_each_a_fault() {
        for (first, second) in [(line(0), line(2)), (line(0), line(0)), (line(0), b"{\"push\":{}}".to_vec())]
        {
            let mut ledger = Ledger::new(1);
            assert_eq!(ledger.hear(0, &first), Some(0));
            assert_eq!(ledger.hear(0, &second), None);
            assert!(ledger.fault.unwrap().starts_with("subscriber 0 was owed message 1 and got "));
        }
    }

    #[test]
    fn debts_name_the_first_subscriber_that_lacks_something() {
        let mut ledger = Ledger::new(3);
        ledger.hear(0, &line(0));
        let debts = ledger.debts(1);
        assert!(debts.starts_with("2 of 3 subscribers lack messages; subscriber 1 has 0 of 1"), "{debts}");
    }

    #[test]
    fn a_message_is_due_by_the_schedule_whatever_happened_before() {
        let begun = Instant::now();
        let pace = Pace::Every { interval: Duration::from_millis(20), burst: 8 };
        for (index, due_ms) in [(0, 0), (7, 0), (8, 20), (80, 200)] {
            assert_eq!(due(begun, index, pace) - begun, Duration::from_millis(due_ms), "{index}");
        }
    }
}
