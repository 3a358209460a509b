//! One event, and its JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use super::kind::Kind;

/// What an event says, but for its place in the sequence.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Words<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<&'a str>,
    /// The client id under which the stay began that this client goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<&'a str>,
    /// Subscribers of the channel on this node, behind this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subscribers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(flatten)]
    pub(super) conn_info: ConnInfo<'a>,
    #[serde(flatten)]
    pub(super) chan_info: ChanInfo<'a>,
}

/// `conn_info` as JSON, or base64 if it is none.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ConnInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    conn_info: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64conn_info: Option<String>,
}

/// `chan_info` likewise.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ChanInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    chan_info: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64chan_info: Option<String>,
}

impl<'a> ConnInfo<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        let (conn_info, b64conn_info) = either(payload);
        Self { conn_info, b64conn_info }
    }
}

impl<'a> ChanInfo<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        let (chan_info, b64chan_info) = either(payload);
        Self { chan_info, b64chan_info }
    }
}

/// A payload as JSON, or else as base64; an empty one is nothing.
fn either(payload: &[u8]) -> (Option<&RawValue>, Option<String>) {
    if payload.is_empty() {
        return (None, None);
    }
    match serde_json::from_slice(payload) {
        Ok(json) => (Some(json), None),
        Err(_) => (None, Some(STANDARD.encode(payload))),
    }
}

/// An event that waits for its turn: all of its JSON object but what begins it, which is its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    /// When it happened, in milliseconds since 1970.
    pub(super) unix_ms: u64,
    /// The members of its JSON object behind the common ones: empty, or beginning with a comma.
    rest: Box<str>,
}

impl Event {
    pub(super) fn new(kind: Kind, unix_ms: u64, words: &Words<'_>) -> Self {
        // Texts, numbers and raw JSON: nothing that could fail to be written.
        let object = serde_json::to_string(words).unwrap_or_else(|_| "{}".to_owned());
        let members = &object[1..object.len() - 1];
        let rest = if members.is_empty() { String::new() } else { format!(",{members}") };
        Self { kind, unix_ms, rest: rest.into() }
    }

    /// About how many bytes it takes, here and in a request.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.rest.len()
    }

    /// Appends its JSON object.
    pub(super) fn write(&self, epoch: &str, seq: u64, body: &mut String) {
        write_object(self.kind, self.unix_ms, epoch, seq, &self.rest, body);
    }
}

/// Appends the JSON object of a gap: this event stands for the last so many, which were dropped.
pub(super) fn write_gap(unix_ms: u64, epoch: &str, seq: u64, dropped: u64, body: &mut String) {
    write_object(Kind::Gap, unix_ms, epoch, seq, &format!(",\"dropped\":{dropped}"), body);
}

fn write_object(kind: Kind, unix_ms: u64, epoch: &str, seq: u64, rest: &str, body: &mut String) {
    let name = kind.name();
    body.push_str(&format!(
        "{{\"seq\":{seq},\"id\":\"{epoch}-{seq}\",\"time\":{unix_ms},\"type\":\"{name}\"{rest}}}"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &Event) -> String {
        let mut body = String::new();
        event.write("e1", 7, &mut body);
        body
    }

    #[test]
    fn an_event_says_what_it_has_to_and_nothing_else() {
        let words = Words {
            user: Some("4\"2"),
            client: Some("c1"),
            channel: Some("room:a"),
            subscribers: Some(3),
            conn_info: ConnInfo::new(br#"{"name":"Ann"}"#),
            chan_info: ChanInfo::new(&[0xff, 0]),
            ..Words::default()
        };
        let expected = r#"{"seq":7,"id":"e1-7","time":9,"type":"subscribed","user":"4\"2","client":"c1","channel":"room:a","subscribers":3,"conn_info":{"name":"Ann"},"b64chan_info":"/wA="}"#;
        assert_eq!(written(&Event::new(Kind::Subscribed, 9, &words)), expected);
        let bare = Event::new(Kind::Started, 9, &Words::default());
        assert_eq!(written(&bare), r#"{"seq":7,"id":"e1-7","time":9,"type":"started"}"#);
    }

    #[test]
    fn a_gap_says_how_many_are_missing() {
        let mut body = String::new();
        write_gap(9, "e1", 12, 5, &mut body);
        assert_eq!(body, r#"{"seq":12,"id":"e1-12","time":9,"type":"gap","dropped":5}"#);
    }
}
