//! How JSON carries payloads and patches to those who take deltas: as strings, because a patch is not JSON.

use bytes::Bytes;

/// A payload, or a patch, as a JSON string; `None` if it is not UTF-8.
pub fn to_json(bytes: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::to_vec(text).ok().map(Bytes::from)
}

/// What a JSON string holds; `None` if it is not one.
pub fn from_json(json: &[u8]) -> Option<Bytes> {
    serde_json::from_slice::<String>(json).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_as_a_string_comes_back_as_it_was() {
        for payload in ["", "{\"a\":\n\"é😀\\u0000\"}", "8\n8@0,1;", "\u{0}\u{1f}\u{2028}"] {
            let json = to_json(payload.as_bytes()).expect("it is UTF-8");
            assert!(json.iter().all(|byte| *byte >= b' '), "{json:?} would end a line");
            assert_eq!(from_json(&json).as_deref(), Some(payload.as_bytes()));
        }
        assert_eq!(to_json(b"\xff"), None);
        for json in ["", "{}", "1", "null", "\"a"] {
            assert_eq!(from_json(json.as_bytes()), None, "{json}");
        }
    }
}
