//! RFC 7692 sections 5 and 7.1: what is offered, what is agreed to, and what is declined.

use spanwire_ws::deflate::{Agreement, Parameters, Side, Terms, Window};
use spanwire_ws::handshake::client::{AnswerError, Handshake, Offer, OfferError};
use spanwire_ws::handshake::server::{Accept, OriginVerdict, Policy, accept};
use spanwire_ws::handshake::{Request, head};
use spanwire_ws::{Extensions, HeadLimits};

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";
const NO_TAKEOVER: Terms = Terms { takeover: false };
const TAKEOVER: Terms = Terms { takeover: true };

fn anyone(_: Option<&str>) -> OriginVerdict {
    OriginVerdict::Allow
}

/// What a server says to these lines of a request.
fn accepted(lines: &[&str], deflate: Option<Terms>) -> Accept<'static> {
    let fixed = [
        ("Host", "localhost"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    let headers = fixed.into_iter().chain(lines.iter().map(|line| (EXTENSIONS, *line)));
    let request = Request::new("GET", (1, 1), headers.map(|(name, value)| (name, value.as_bytes())));
    accept(&request, &Policy { subprotocols: &[], origin: &anyone, deflate }).unwrap()
}

/// The answer's header and what was agreed to.
fn answer(lines: &[&str], terms: Terms) -> Option<(String, Agreement)> {
    let accept = accepted(lines, Some(terms));
    let line = accept.headers().find(|(name, _)| *name == EXTENSIONS).map(|(_, value)| value.to_owned());
    match (line, accept.extensions()) {
        (Some(line), Extensions::Deflate(agreement)) => Some((line, agreement)),
        (None, Extensions::None) => None,
        (line, extensions) => panic!("says {line:?} and means {extensions:?}"),
    }
}

fn both(server: (u8, bool), client: (u8, bool)) -> Agreement {
    let side = |(window_bits, takeover)| Side { window_bits, takeover };
    Agreement { server: side(server), client: side(client) }
}

#[test]
fn section_7_1_each_parameter_of_an_offer_is_answered_as_it_must_be() {
    let (server, client) = ("server_no_context_takeover", "client_no_context_takeover");
    let table = [
        // What browsers send.
        ("permessage-deflate; client_max_window_bits", "", both((15, true), (15, true))),
        ("permessage-deflate", "", both((15, true), (15, true))),
        ("Permessage-Deflate", "", both((15, true), (15, true))),
        (&format!("permessage-deflate; {server}"), &format!("; {server}"), both((15, false), (15, true))),
        (&format!("permessage-deflate; {client}"), &format!("; {client}"), both((15, true), (15, false))),
        (
            "permessage-deflate; server_max_window_bits=10",
            "; server_max_window_bits=10",
            both((10, true), (15, true)),
        ),
        (
            "permessage-deflate ; server_max_window_bits = \"9\"",
            "; server_max_window_bits=9",
            both((9, true), (15, true)),
        ),
        // The client keeps to the window that it offered; we read any.
        ("permessage-deflate; client_max_window_bits=8", "", both((15, true), (8, true))),
        (
            &format!(
                "permessage-deflate; client_max_window_bits; {client}; server_max_window_bits=15; {server}"
            ),
            &format!("; {server}; {client}; server_max_window_bits=15"),
            both((15, false), (15, false)),
        ),
    ];
    for (offer, expected, agreement) in table {
        let expected = format!("permessage-deflate{expected}");
        assert_eq!(answer(&[offer], TAKEOVER), Some((expected, agreement)), "{offer}");
    }
}

#[test]
fn section_7_1_1_a_server_that_keeps_no_windows_says_so_for_both_sides() {
    let expected = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let agreement = both((15, false), (15, false));
    let offer = "permessage-deflate; client_max_window_bits";
    assert_eq!(answer(&[offer], NO_TAKEOVER), Some((expected.to_owned(), agreement)));
}

#[test]
fn section_7_1_what_makes_no_sense_is_declined() {
    for parameters in [
        "window_bits=10",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=010",
        "server_max_window_bits=+10",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits=7",
        "client_max_window_bits=x",
        "client_max_window_bits; client_max_window_bits=10",
        "server_no_context_takeover; server_no_context_takeover",
        "server_no_context_takeover=1",
        "client_no_context_takeover=true",
        "client_no_context_takeover; client_no_context_takeover",
        "Server_No_Context_Takeover",
        "server_max_window_bits=\"10",
        "=10",
        "",
    ] {
        let offer = format!("permessage-deflate; {parameters}");
        assert_eq!(answer(&[&offer], TAKEOVER), None, "{offer}");
    }
    assert_eq!(answer(&["x-webkit-deflate-frame", "permessage-deflate2"], TAKEOVER), None);
}

#[test]
fn section_7_1_2_1_a_window_of_8_bits_is_declined_because_zlib_would_use_9() {
    assert_eq!(answer(&["permessage-deflate; server_max_window_bits=8"], TAKEOVER), None);
}

#[test]
fn section_5_1_the_first_offer_that_can_be_met_is_accepted() {
    let table: [&[&str]; 4] = [
        &["permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=12"],
        &[
            "permessage-deflate; nonsense",
            "permessage-deflate; server_max_window_bits=12, permessage-deflate",
        ],
        &["foo; x=\"permessage-deflate, \\\"\", , permessage-deflate; server_max_window_bits=12"],
        &["a", "b;c=d", "permessage-deflate; server_max_window_bits=12", "permessage-deflate"],
    ];
    for lines in table {
        let expected = "permessage-deflate; server_max_window_bits=12".to_owned();
        assert_eq!(answer(lines, TAKEOVER), Some((expected, both((12, true), (15, true)))), "{lines:?}");
    }
}

#[test]
fn a_server_without_terms_declines_by_silence() {
    let accept = accepted(&["permessage-deflate"], None);
    assert_eq!(accept.extensions(), Extensions::None);
    assert!(accept.headers().all(|(name, _)| name != EXTENSIONS));
}

const OFFER: Offer<'static> =
    Offer { host: "localhost", target: "/", subprotocols: &[], headers: &[], deflate: None };

/// What a client that offered this makes of an answer.
fn verified(deflate: Option<Parameters>, said: &str) -> Result<Extensions, AnswerError> {
    let handshake = Handshake::new(Offer { deflate, ..OFFER }, *b"the sample nonce").unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{EXTENSIONS}: {said}\r\n\r\n"
    );
    let welcome = handshake.verify(answer.as_bytes(), &HeadLimits::default())?;
    Ok(welcome.unwrap().extensions)
}

#[test]
fn section_7_1_a_client_agrees_to_what_it_offered() {
    let plain = Parameters::default();
    let any = Parameters { client_max_window_bits: Window::Any, ..plain };
    let twelve = Parameters {
        client_max_window_bits: Window::Bits(12),
        server_max_window_bits: Window::Bits(12),
        ..plain
    };
    let hint = Parameters { client_no_context_takeover: true, ..plain };
    let table = [
        (plain, "", both((15, true), (15, true))),
        (plain, "; server_no_context_takeover", both((15, false), (15, true))),
        (plain, "; client_no_context_takeover", both((15, true), (15, false))),
        (plain, "; server_max_window_bits=8", both((8, true), (15, true))),
        (any, "; client_max_window_bits=9", both((15, true), (9, true))),
        (any, "", both((15, true), (15, true))),
        (twelve, "; server_max_window_bits=10", both((10, true), (12, true))),
        (twelve, "; server_max_window_bits=12; client_max_window_bits=11", both((12, true), (11, true))),
        (hint, "", both((15, true), (15, false))),
    ];
    for (offer, said, expected) in table {
        let said = format!("permessage-deflate{said}");
        assert_eq!(verified(Some(offer), &said), Ok(Extensions::Deflate(expected)), "{offer}: {said}");
    }
    assert_eq!(verified(Some(plain), ""), Ok(Extensions::None));
}

#[test]
fn section_7_1_a_client_leaves_when_the_answer_is_none_to_its_offer() {
    let plain = Parameters::default();
    let any = Parameters { client_max_window_bits: Window::Any, ..plain };
    let ten = Parameters { server_max_window_bits: Window::Bits(10), ..plain };
    let fresh = Parameters { server_no_context_takeover: true, ..plain };
    for (offer, said) in [
        (plain, "permessage-deflate; client_max_window_bits=12"),
        (any, "permessage-deflate; client_max_window_bits"),
        (any, "permessage-deflate; client_max_window_bits=8"),
        (ten, "permessage-deflate"),
        (ten, "permessage-deflate; server_max_window_bits=11"),
        (fresh, "permessage-deflate"),
        (plain, "permessage-deflate; unknown"),
        (plain, "permessage-deflate, permessage-deflate"),
        (plain, "permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
    ] {
        assert_eq!(verified(Some(offer), said), Err(AnswerError::CompressionMismatch), "{offer}: {said}");
    }
    assert_eq!(verified(None, "permessage-deflate"), Err(AnswerError::ExtensionNotOffered));
    assert_eq!(verified(Some(plain), "permessage-deflate, x"), Err(AnswerError::ExtensionNotOffered));
}

#[test]
fn a_client_does_not_offer_what_it_cannot_keep() {
    let window = |client, server| Parameters {
        client_max_window_bits: client,
        server_max_window_bits: server,
        ..Parameters::default()
    };
    for parameters in [
        window(Window::Bits(8), Window::Unsaid),
        window(Window::Bits(16), Window::Unsaid),
        window(Window::Unsaid, Window::Any),
        window(Window::Unsaid, Window::Bits(8)),
    ] {
        let offer = Offer { deflate: Some(parameters), ..OFFER };
        assert_eq!(Handshake::new(offer, [0; 16]).unwrap_err(), OfferError::Window, "{parameters}");
    }
}

/// Every offer that a client of ours can make, to a server of ours: both must mean the same by what is said.
#[test]
fn both_sides_make_the_same_of_every_offer() {
    let windows = || (9..=15).map(Window::Bits).chain([Window::Unsaid]);
    for (server, client) in
        windows().flat_map(|server| windows().chain([Window::Any]).map(move |client| (server, client)))
    {
        for (flags, terms) in (0..4).flat_map(|flags| [(flags, TAKEOVER), (flags, NO_TAKEOVER)]) {
            let parameters = Parameters {
                server_no_context_takeover: flags & 1 != 0,
                client_no_context_takeover: flags & 2 != 0,
                server_max_window_bits: server,
                client_max_window_bits: client,
            };
            let offer = Offer { deflate: Some(parameters), ..OFFER };
            let handshake = Handshake::new(offer, *b"the sample nonce").unwrap();
            let (mut request, mut answer) = (Vec::new(), Vec::new());
            handshake.encode_into(&mut request);
            let request = head::parse_request(&request, &HeadLimits::default()).unwrap().unwrap().request;
            let policy = Policy { subprotocols: &[], origin: &anyone, deflate: Some(terms) };
            let accepted = accept(&request, &policy).unwrap();
            accepted.encode_into(&mut answer);
            let welcome = handshake.verify(&answer, &HeadLimits::default()).unwrap().unwrap();
            let (Extensions::Deflate(ours), Extensions::Deflate(theirs)) =
                (accepted.extensions(), welcome.extensions)
            else {
                panic!("{parameters} was declined")
            };
            assert_eq!((ours.server, ours.client.takeover), (theirs.server, theirs.client.takeover));
            assert!(theirs.client.window_bits <= ours.client.window_bits, "what is sent can be read");
        }
    }
}
