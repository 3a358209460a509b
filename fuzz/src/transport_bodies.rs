//! The boundary between bodies of requests and the sessions that they bring commands to.

use bytes::Bytes;
use spanwire_wire::{Encoding, PollRequest, bare_pushes, decode_connect, decode_emulation, encode_emulation};

/// A body, read as each of the requests that have one besides commands.
///
/// What must hold: a request to `/emulation` that is understood means the same when it is said again by us, unless its
/// data is no text where JSON needs one; a poll never goes on with a session without naming it; and what
/// unidirectional clients hear of a frame has as many lines as the frame.
///
/// # Panics
///
/// When one of these does not hold.
pub fn transport_bodies(input: &[u8]) {
    for encoding in Encoding::ALL {
        if let Ok(request) = decode_emulation(encoding, input) {
            let again = decode_emulation(encoding, &encode_emulation(encoding, &request));
            assert_eq!(again.expect("we understand ourselves"), request);
        }
    }
    if let Ok(PollRequest::Next { .. }) = PollRequest::read(input) {
        let text = std::str::from_utf8(input).expect("JSON is UTF-8");
        let named = serde_json::from_str::<serde_json::Value>(text).expect("it was read before");
        assert!(named["session"].is_string() && named["node"].is_string() && named["ack"].is_u64());
    }
    // Understood or not: it ends, and takes no more than a command would.
    let _ = decode_connect(input);
    let bare = bare_pushes(&Bytes::copy_from_slice(input));
    assert!(bare.len() <= input.len());
}
