//! How `spanwire sub` shows publications: for people, or one JSON object a line.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;
use spanwire_wire::message::{ClientInfo, Publication};

/// Shows publications until there have been enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    is_json: bool,
    /// How many are still wanted; `None` is no end of them.
    left: Option<u64>,
}

/// A publication as one line of JSON. The names are those of the wire.
#[derive(Serialize)]
struct Line<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64data: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: &'a BTreeMap<String, String>,
}

fn is_zero(offset: &u64) -> bool {
    *offset == 0
}

impl Tail {
    pub(super) fn new(is_json: bool, count: Option<u64>) -> Self {
        Self { is_json, left: count }
    }

    /// Whether no more are wanted.
    pub(super) fn is_done(self) -> bool {
        self.left == Some(0)
    }

    /// The line for one publication, which counts.
    pub(super) fn show(&mut self, channel: &str, publication: &Publication) -> String {
        self.left = self.left.map(|left| left.saturating_sub(1));
        let data: Option<&RawValue> = serde_json::from_slice(&publication.data).ok();
        if self.is_json {
            return as_json(channel, publication, data);
        }
        let data = data.map_or_else(|| STANDARD.encode(&publication.data), |data| printable(data.get()));
        let who = publication.info.as_ref().map(|info| format!("  {}", name(info))).unwrap_or_default();
        match publication.offset {
            0 => format!("{}{who}  {data}", printable(channel)),
            offset => format!("{} #{offset}{who}  {data}", printable(channel)),
        }
    }
}

fn as_json(channel: &str, publication: &Publication, data: Option<&RawValue>) -> String {
    let line = Line {
        channel,
        data,
        b64data: data.is_none().then(|| STANDARD.encode(&publication.data)),
        offset: publication.offset,
        user: publication.info.as_ref().map(|info| info.user.as_str()).filter(|user| !user.is_empty()),
        tags: &publication.tags,
    };
    // Texts, a number and raw JSON: nothing in it that could fail.
    serde_json::to_string(&line).unwrap_or_default()
}

/// What to call a client: its user id, or else its client id.
pub(super) fn name(info: &ClientInfo) -> String {
    printable(if info.user.is_empty() { &info.client } else { &info.user })
}

/// The text without control characters: what others publish must not steer our terminal.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn publication(data: &'static [u8], offset: u64, user: Option<&str>) -> Publication {
        let info = user.map(|user| ClientInfo { user: user.to_owned(), ..ClientInfo::default() });
        Publication { data: Bytes::from_static(data), offset, info, ..Publication::default() }
    }

    #[test]
    fn a_publication_is_one_line_for_people_and_for_programs() {
        let table = [
            (
                publication(b"{\"a\": 1}", 7, Some("ann")),
                "news #7  ann  {\"a\": 1}",
                r#"{"channel":"news","data":{"a": 1},"offset":7,"user":"ann"}"#,
            ),
            (publication(b"1", 0, None), "news  1", r#"{"channel":"news","data":1}"#),
            (publication(&[0, 1], 0, None), "news  AAE=", r#"{"channel":"news","b64data":"AAE="}"#),
        ];
        for (publication, people, programs) in table {
            assert_eq!(Tail::new(false, None).show("news", &publication), people);
            assert_eq!(Tail::new(true, None).show("news", &publication), programs);
        }
    }

    #[test]
    fn it_is_done_after_as_many_as_were_wanted() {
        let (mut two, mut endless) = (Tail::new(true, Some(2)), Tail::new(true, None));
        for expected in [false, true] {
            two.show("news", &publication(b"1", 0, None));
            endless.show("news", &publication(b"1", 0, None));
            assert_eq!((two.is_done(), endless.is_done()), (expected, false));
        }
        assert!(Tail::new(true, Some(0)).is_done());
    }

    #[test]
    fn nobody_steers_a_terminal_by_what_they_publish() {
        let line =
            Tail::new(false, None).show("a\u{1b}[2J", &publication("\"\u{9b}2J\"".as_bytes(), 0, None));
        assert_eq!(line, "a\\u{1b}[2J  \"\\u{9b}2J\"");
    }
}
