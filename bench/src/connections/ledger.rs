//! The proof that a message to each channel reached each subscription once.

use super::part::Part;
use crate::script::NumberFinder;

/// Who has got the one message of each channel.
pub(super) struct Ledger {
    part: Part,
    got: Vec<bool>,
    /// Deliveries so far.
    pub(super) deliveries: usize,
    /// The first breach of the promise.
    pub(super) fault: Option<String>,
    finder: NumberFinder,
}

impl Ledger {
    /// A ledger without connections.
    pub(super) fn new(part: Part) -> Ledger {
        Ledger { part, got: Vec::new(), deliveries: 0, fault: None, finder: NumberFinder::new() }
    }

    /// Adds connections.
    pub(super) fn admit(&mut self, connections: usize) {
        self.got.resize(self.got.len() + connections * self.part.each, false);
    }

    /// Whether all subscriptions have got theirs.
    pub(super) fn is_complete(&self) -> bool {
        self.deliveries == self.got.len()
    }

    /// Enters what a connection heard; returns the number of the message, which is that of its channel.
    pub(super) fn hear(&mut self, connection: usize, line: &[u8]) -> Option<usize> {
        let number = self.finder.find(line).map(|number| number as usize);
        let subscription = number.and_then(|channel| self.part.subscription(connection, channel));
        match subscription.and_then(|index| self.got.get_mut(index)) {
            Some(got) if !*got => {
                *got = true;
                self.deliveries += 1;
                number
            }
            Some(_) => self.fail(connection, "twice", line),
            None => self.fail(connection, "unasked", line),
        }
    }

    fn fail(&mut self, connection: usize, how: &str, line: &[u8]) -> Option<usize> {
        let line = String::from_utf8_lossy(&line[..line.len().min(200)]);
        self.fault.get_or_insert_with(|| format!("connection {connection} got {how}: {line}"));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;

    fn line(channel: u32) -> Vec<u8> {
        script::data(channel, script::DATA_BYTES).into_bytes()
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(Part { connections: 2, channels: 3, each: 2 });
        ledger.admit(2);
        ledger
    }

    #[test]
    fn a_ledger_is_complete_when_each_subscription_has_its_message() {
        let mut ledger = ledger();
        for (connection, channel) in [(0, 0), (1, 2), (0, 1), (1, 0)] {
            assert!(!ledger.is_complete());
            assert_eq!(ledger.hear(connection, &line(channel)), Some(channel as usize));
        }
        assert!(ledger.is_complete());
        assert_eq!(ledger.fault, None);
    }

    #[test]
    fn a_second_copy_and_a_strange_message_are_faults() {
        for (second, how) in
            [(line(0), "twice"), (line(2), "unasked"), (b"{\"push\":{}}".to_vec(), "unasked")]
        {
            let mut ledger = ledger();
            ledger.hear(0, &line(0));
            assert_eq!(ledger.hear(0, &second), None);
            assert!(ledger.fault.unwrap().starts_with(&format!("connection 0 got {how}: ")));
        }
    }
}
