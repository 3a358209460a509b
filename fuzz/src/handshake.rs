//! The boundary between a socket and HTTP, for both sides of the handshake.

use std::fmt::Debug;

use spanwire_ws::HeadLimits;
use spanwire_ws::deflate::{Parameters, Terms, Window};
use spanwire_ws::handshake::client::{Handshake, Offer};
use spanwire_ws::handshake::head::{RequestHead, parse_request};
use spanwire_ws::handshake::server::{OriginVerdict, Policy, accept};

/// Lower than the default, so that small inputs reach them.
const LIMITS: HeadLimits = HeadLimits { bytes_max: 1024, headers_max: 16 };

/// The compression that our client offers.
const OFFER: Parameters = Parameters {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: Window::Bits(12),
    client_max_window_bits: Window::Any,
};

/// The bytes of a request, and of an answer.
///
/// What must hold: a head is complete, or wrong, from one byte on and not before, whatever follows; the answer
/// to a request is well-formed HTTP that a stranger cannot add lines to.
///
/// # Panics
///
/// When one of these does not hold.
pub fn handshake(input: &[u8]) {
    never_changes_its_mind(input, |bytes| {
        parse_request(bytes, &LIMITS).map(|head| head.map(|head| head.len)).map_err(|refusal| refusal.name())
    });
    if let Some(head) = parse_request(input, &LIMITS).ok().flatten() {
        check_answer(&head);
    }
    let offer = Offer {
        host: "localhost",
        target: "/",
        subprotocols: &["a", "b"],
        headers: &[("Origin", "null")],
        deflate: Some(OFFER),
    };
    let Ok(handshake) = Handshake::new(offer, *b"the sample nonce") else { panic!("the offer is legal") };
    never_changes_its_mind(input, |bytes| {
        let welcome = handshake.verify(bytes, &LIMITS)?;
        Ok::<_, spanwire_ws::handshake::client::AnswerError>(
            welcome.map(|welcome| (bytes.len() - welcome.leftover.len(), welcome.subprotocol)),
        )
    });
}

/// A parser of growing input says "more" until it decides, and then stays with it.
fn never_changes_its_mind<T: Debug + PartialEq, E: Debug + PartialEq>(
    input: &[u8],
    parse: impl Fn(&[u8]) -> Result<Option<T>, E>,
) {
    let mut decided = None;
    for len in 0..=input.len() {
        let said = parse(&input[..len]);
        match &decided {
            Some(before) => assert_eq!(before, &said, "at {len} bytes"),
            None if said == Ok(None) => assert!(len < LIMITS.bytes_max, "a head may not grow for ever"),
            None => decided = Some(said),
        }
        if len > 2 * LIMITS.bytes_max {
            return; // Far beyond any decision: more of the same would only take time.
        }
    }
}

/// An answer has as many lines as it has headers, and ends.
fn check_answer(head: &RequestHead<'_>) {
    let anyone = |_: Option<&str>| OriginVerdict::Allow;
    let policy =
        Policy { subprotocols: &["a", "b"], origin: &anyone, deflate: Some(Terms { takeover: true }) };
    let mut answer = Vec::new();
    match accept(&head.request, &policy) {
        Ok(accepted) => {
            accepted.encode_into(&mut answer);
            let lines = 2 + accepted.headers().count();
            assert_eq!(answer.windows(2).filter(|pair| pair == b"\r\n").count(), lines);
            assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\n"));
        }
        Err(refusal) => {
            refusal.encode_into(&mut answer);
            assert!(answer.starts_with(format!("HTTP/1.1 {} ", refusal.status()).as_bytes()));
            assert!((400..600).contains(&refusal.status()));
        }
    }
}
