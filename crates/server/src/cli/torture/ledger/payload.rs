//! What is published: a number, and filling.

use serde::Deserialize;

use super::Number;

#[derive(Deserialize)]
struct Payload {
    n: Number,
}

/// The number in a payload, if it is one of ours.
pub(super) fn number(payload: &[u8]) -> Option<Number> {
    serde_json::from_slice::<Payload>(payload).ok().map(|payload| payload.n)
}

/// What is published under a number: at least `bytes` long, if it is not longer anyway.
pub(in crate::cli::torture) fn payload(number: Number, bytes: usize) -> String {
    let bare = format!("{{\"n\":{number}}}");
    let room = bytes.saturating_sub(bare.len() + r#","pad":"""#.len());
    if room == 0 { bare } else { format!("{{\"n\":{number},\"pad\":\"{}\"}}", "x".repeat(room)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_as_long_as_was_asked_and_says_its_number() {
        for (bytes, length) in [(0, 8), (8, 8), (19, 19), (100, 100)] {
            let text = payload(17, bytes);
            assert_eq!(text.len(), length, "{text}");
            assert_eq!(number(text.as_bytes()), Some(17));
        }
    }
}
