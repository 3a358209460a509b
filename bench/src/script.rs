//! What the load says: the commands that it uses, and the data of its publications.

use spanwire_wire::message::{ConnectRequest, PublishRequest, SubscribeRequest};
use spanwire_wire::{Command, Request};

/// The channel of fan-outs. Its namespace keeps no history.
pub(crate) const CHANNEL: &str = "bench:1";
/// Path at which the protocol is spoken.
pub(crate) const PATH: &str = "/connection/websocket";

/// Bytes of a publication's data in every fan-out.
pub(crate) const DATA_BYTES: usize = 128;
/// How a publication's data begins; its number follows.
pub(crate) const DATA_HEAD: &str = r#"{"n":""#;
/// Digits of a publication's number.
const NUMBER_DIGITS: usize = 10;

/// A channel of connections that hold one recoverable subscription.
pub(crate) fn recoverable(index: usize) -> String {
    format!("rec:{index}")
}

/// The command that opens a session.
pub(crate) fn connect(id: u32) -> Command {
    Command { id, request: Request::Connect(ConnectRequest::default()) }
}

/// The command that subscribes to `channel`.
pub(crate) fn subscribe(id: u32, channel: &str) -> Command {
    let channel = channel.to_owned();
    Command { id, request: Request::Subscribe(SubscribeRequest { channel, ..SubscribeRequest::default() }) }
}

/// The command that subscribes to `channel` and asks for what came after `offset` of `epoch`.
pub(crate) fn recover(id: u32, channel: &str, epoch: &str, offset: u64) -> Command {
    let (channel, epoch) = (channel.to_owned(), epoch.to_owned());
    let request = SubscribeRequest { channel, recover: true, epoch, offset, ..SubscribeRequest::default() };
    Command { id, request: Request::Subscribe(request) }
}

/// The command that publishes `data`, which is JSON, to `channel`.
pub(crate) fn publish(id: u32, channel: &str, data: &str) -> Command {
    let (channel, data) = (channel.to_owned(), data.to_owned().into());
    Command { id, request: Request::Publish(PublishRequest { channel, data, ..PublishRequest::default() }) }
}

/// The data of the publication with this number: JSON of exactly `bytes`, of which the number needs 25.
pub(crate) fn data(number: u32, bytes: usize) -> String {
    let head = format!(r#"{DATA_HEAD}{number:0NUMBER_DIGITS$}","x":""#);
    format!(r#"{head}{}"}}"#, "x".repeat(bytes.saturating_sub(head.len() + 2)))
}

/// What publications say besides their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// One letter, over and over: for loads that only weigh.
    Filler,
    /// Records as applications send them, no two alike: for loads that compress.
    Records,
}

impl Talk {
    /// The data of the publication with this number: JSON of `bytes`, or with records up to a record more.
    pub(crate) fn data(self, number: u32, bytes: usize) -> String {
        match self {
            Talk::Filler => data(number, bytes),
            Talk::Records => records(number, bytes),
        }
    }
}

/// Prices of things, with enough of chance in them that no message can be guessed from another.
fn records(number: u32, bytes: usize) -> String {
    const NAMES: [&str; 8] = ["anchor", "barley", "copper", "dates", "ebony", "flax", "garnet", "hemp"];
    let mut state = number.wrapping_mul(2_654_435_761) | 1;
    let mut chance = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let mut data = format!(r#"{DATA_HEAD}{number:0NUMBER_DIGITS$}","quotes":["#);
    while data.len() + 2 < bytes {
        let comma = if data.ends_with('[') { "" } else { "," };
        let (name, price, cents) = (NAMES[chance(8) as usize], chance(5_000), chance(100));
        data.push_str(&format!(
            r#"{comma}{{"name":"{name}","price":{price}.{cents:02},"volume":{}}}"#,
            chance(90_000)
        ));
    }
    data.push_str("]}");
    data
}

/// Finds publication numbers in deliveries. Remembers where in the line it found the last one, since the
/// next is nearly always there too.
pub(crate) struct NumberFinder {
    at: usize,
}

impl NumberFinder {
    /// A finder that has seen nothing yet.
    pub(crate) fn new() -> NumberFinder {
        NumberFinder { at: 0 }
    }

    /// The number in `line`; none if it is not a delivery of ours.
    pub(crate) fn find(&mut self, line: &[u8]) -> Option<u32> {
        if !line.get(self.at..)?.starts_with(DATA_HEAD.as_bytes()) {
            self.at = memchr::memmem::find(line, DATA_HEAD.as_bytes())?;
        }
        let start = self.at + DATA_HEAD.len();
        let digits = line.get(start..start + NUMBER_DIGITS)?;
        digits.iter().try_fold(0u32, |number, digit| {
            let digit = u32::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
            number.checked_mul(10)?.checked_add(digit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_every_publication_is_json_of_the_same_size() {
        for (number, bytes) in [(0, DATA_BYTES), (9, 25), (123_456, 65_536), (u32::MAX, DATA_BYTES)] {
            let data = data(number, bytes);
            assert_eq!(data.len(), bytes);
            serde_json::from_str::<serde_json::Value>(&data).expect("the data is JSON");
        }
    }

    #[test]
    fn records_are_json_of_about_the_size_and_differ() {
        for bytes in [100, 1_000, 10_000] {
            let (one, other) = (Talk::Records.data(1, bytes), Talk::Records.data(2, bytes));
            assert!((bytes..bytes + 64).contains(&one.len()), "{} bytes", one.len());
            serde_json::from_str::<serde_json::Value>(&one).expect("the data is JSON");
            assert_ne!(one[25..], other[25..]);
        }
    }

    #[test]
    fn a_number_is_found_wherever_the_data_stands() {
        let mut finder = NumberFinder::new();
        for (before, number) in [("", 0), (r#"{"push":"#, 41), (r#"{"push":"#, 42), ("", u32::MAX)] {
            let line = format!("{before}{}", data(number, DATA_BYTES));
            assert_eq!(finder.find(line.as_bytes()), Some(number));
        }
    }

    #[test]
    fn a_line_without_our_data_has_no_number() {
        let mut finder = NumberFinder::new();
        let long = br#"{"n":"99999999999999"}"#;
        for line in [&b""[..], b"{}", br#"{"n":""#, br#"{"n":"12x4567890"}"#, long] {
            assert_eq!(finder.find(line), None, "{}", String::from_utf8_lossy(line));
        }
    }
}
