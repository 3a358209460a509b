//! RFC 6455 section 4: the opening handshake, from both sides.

use proptest::prelude::*;
use spanwire_ws::handshake::client::{AnswerError, Handshake, Offer, OfferError, Welcome, retry_after};
use spanwire_ws::handshake::server::{Accept, OriginVerdict, Policy, accept};
use spanwire_ws::handshake::{Refusal, Request, SUBPROTOCOLS_MAX, head};
use spanwire_ws::{Extensions, HeadLimits};

const KEY: (&str, &str) = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");

/// The headers of the RFC's own example (section 1.3), as far as they must be there.
const GOOD: [(&str, &str); 5] = [
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    KEY,
    ("Sec-WebSocket-Version", "13"),
];

type Lines<'a> = &'a [(&'a str, &'a str)];

const SPOKEN: [&str; 2] = ["centrifuge-json", "centrifuge-protobuf"];

/// Welcomes the absence of an origin, and one page.
fn from_home(origin: Option<&str>) -> OriginVerdict {
    match origin {
        None | Some("https://example.com") => OriginVerdict::Allow,
        Some(_) => OriginVerdict::Refuse,
    }
}

fn judge(method: &str, version: (u8, u8), headers: &[(&str, &str)]) -> Result<Accept<'static>, Refusal> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    accept(
        &Request::new(method, version, headers),
        &Policy { subprotocols: &SPOKEN, origin: &from_home, deflate: None },
    )
}

/// The good headers without those of a name, and with others.
fn judge_changed(without: &str, with: &[(&str, &str)]) -> Result<Accept<'static>, Refusal> {
    let mut headers: Vec<_> = GOOD.into_iter().filter(|(name, _)| *name != without).collect();
    headers.extend(with);
    judge("GET", (1, 1), &headers)
}

#[test]
fn section_4_2_2_the_example_is_accepted() {
    let accepted = judge("GET", (1, 1), &GOOD).unwrap();
    let mut answer = Vec::new();
    accepted.encode_into(&mut answer);
    let expected = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    assert_eq!(str::from_utf8(&answer), Ok(expected));
}

#[test]
fn section_4_2_1_each_must_that_is_broken_has_its_refusal() {
    let v = "Sec-WebSocket-Version";
    let p = "Sec-WebSocket-Protocol";
    let broken: [(&str, Lines, Refusal); 24] = [
        ("Host", &[], Refusal::HostNotOnce),
        ("", &[("Host", "other.example.com")], Refusal::HostNotOnce),
        ("Upgrade", &[], Refusal::UpgradeMissing),
        ("Upgrade", &[("Upgrade", "h2c")], Refusal::UpgradeMissing),
        ("Upgrade", &[("Upgrade", "websockets")], Refusal::UpgradeMissing),
        ("Connection", &[], Refusal::ConnectionMissing),
        ("Connection", &[("Connection", "keep-alive")], Refusal::ConnectionMissing),
        ("", &[("Content-Length", "5")], Refusal::BodyAnnounced),
        ("", &[("Content-Length", "0"), ("Content-Length", "5")], Refusal::BodyAnnounced),
        ("", &[("Transfer-Encoding", "chunked")], Refusal::BodyAnnounced),
        (v, &[], Refusal::VersionNotSpoken),
        (v, &[(v, "8")], Refusal::VersionNotSpoken),
        (v, &[(v, "13, 8")], Refusal::VersionNotSpoken),
        ("", &[(v, "13")], Refusal::VersionNotSpoken),
        (KEY.0, &[], Refusal::KeyIllegal),
        (KEY.0, &[(KEY.0, "")], Refusal::KeyIllegal),
        (KEY.0, &[(KEY.0, "c2hvcnQ=")], Refusal::KeyIllegal),
        ("", &[KEY], Refusal::KeyIllegal),
        ("", &[(p, "a b")], Refusal::SubprotocolMalformed),
        ("", &[(p, "fine"), (p, "\"quoted\"")], Refusal::SubprotocolMalformed),
        (
            "",
            &[("Origin", "https://example.com"), ("Origin", "https://example.com")],
            Refusal::OriginMalformed,
        ),
        ("", &[("Origin", "https://example.com.evil.example")], Refusal::OriginRefused),
        ("", &[("Origin", "null")], Refusal::OriginRefused),
        ("", &[("Origin", "")], Refusal::OriginRefused),
    ];
    for (without, with, refusal) in broken {
        assert_eq!(judge_changed(without, with), Err(refusal), "without {without:?}, with {with:?}");
    }
    for method in ["POST", "HEAD", "CONNECT", "get"] {
        assert_eq!(judge(method, (1, 1), &GOOD), Err(Refusal::MethodNotGet), "{method}");
    }
    assert_eq!(judge("GET", (1, 0), &GOOD), Err(Refusal::HttpTooOld));
}

/// An extended CONNECT with these headers beside the version.
fn judge_connect(protocol: Option<&str>, headers: &[(&str, &str)]) -> Result<Accept<'static>, Refusal> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let request = Request::new("CONNECT", (2, 0), headers);
    let request = protocol.into_iter().fold(request, Request::with_protocol);
    accept(&request, &Policy { subprotocols: &SPOKEN, origin: &from_home, deflate: None })
}

#[test]
fn rfc_8441_section_5_a_connect_is_answered_with_200_and_without_a_key() {
    let headers = [
        ("host", "server.example.com"),
        ("sec-websocket-version", "13"),
        ("origin", "https://example.com"),
        ("sec-websocket-protocol", "centrifuge-json"),
    ];
    let accepted = judge_connect(Some("websocket"), &headers).unwrap();
    assert_eq!(accepted.status(), 200);
    let answer: Vec<_> = accepted.headers().collect();
    assert_eq!(answer, [("Sec-WebSocket-Protocol", "centrifuge-json")]);
    assert_eq!(judge("GET", (1, 1), &GOOD).unwrap().status(), 101);
}

#[test]
fn rfc_8441_section_5_each_must_that_is_broken_has_its_refusal() {
    let (host, version) = (("host", "a"), ("sec-websocket-version", "13"));
    let websocket = Some("websocket");
    let table: [(Option<&str>, Lines, Refusal); 7] = [
        (None, &[host, version], Refusal::MethodNotConnect),
        (Some("connect-udp"), &[host, version], Refusal::ProtocolNotSpoken),
        (websocket, &[version], Refusal::HostNotOnce),
        (websocket, &[host], Refusal::VersionNotSpoken),
        (websocket, &[host, ("sec-websocket-version", "8")], Refusal::VersionNotSpoken),
        (websocket, &[host, version, ("origin", "https://evil.test")], Refusal::OriginRefused),
        (websocket, &[host, version, ("sec-websocket-protocol", "a b")], Refusal::SubprotocolMalformed),
    ];
    for (protocol, headers, refusal) in table {
        assert_eq!(judge_connect(protocol, headers), Err(refusal), "{protocol:?} {headers:?}");
    }
    assert_eq!(judge("GET", (2, 0), &GOOD), Err(Refusal::MethodNotConnect), "GET opens nothing over HTTP/2");
}

#[test]
fn section_4_2_1_what_may_vary_is_accepted() {
    let fine: [(&str, Lines); 9] = [
        ("Upgrade", &[("upgrade", "WebSocket")]),
        ("Upgrade", &[("Upgrade", "h2c, websocket")]),
        ("Upgrade", &[("Upgrade", "h2c"), ("Upgrade", " websocket ")]),
        ("Connection", &[("CONNECTION", "keep-alive, Upgrade")]),
        ("Connection", &[("Connection", "keep-alive"), ("Connection", "uPGRADE")]),
        ("Sec-WebSocket-Version", &[("sec-websocket-version", " 13\t")]),
        ("", &[("Content-Length", "0")]),
        ("", &[("Origin", "https://example.com")]),
        ("", &[("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]),
    ];
    for (without, with) in fine {
        let accepted = judge_changed(without, with).unwrap_or_else(|refusal| panic!("{with:?}: {refusal}"));
        assert_eq!(accepted.extensions(), Extensions::None, "offers are declined by silence");
        assert!(accepted.headers().all(|(name, _)| name != "Sec-WebSocket-Extensions"));
    }
}

#[test]
fn section_4_2_2_the_subprotocol_is_the_servers_favourite_among_those_offered() {
    let p = "Sec-WebSocket-Protocol";
    let choices: [(Lines, Option<&str>); 7] = [
        (&[], None),
        (&[(p, "")], None), // Some clients send an empty header where they mean none.
        (&[(p, "mqtt")], None),
        (&[(p, "centrifuge-protobuf")], Some("centrifuge-protobuf")),
        (&[(p, "centrifuge-protobuf, centrifuge-json")], Some("centrifuge-json")),
        (&[(p, "mqtt"), (p, ", centrifuge-protobuf")], Some("centrifuge-protobuf")),
        (&[(p, "Centrifuge-JSON")], None), // Names of subprotocols have case.
    ];
    for (offers, chosen) in choices {
        let headers = [&GOOD, offers].concat();
        let accepted = judge("GET", (1, 1), &headers).unwrap();
        assert_eq!(accepted.subprotocol(), chosen, "{offers:?}");
        let mut answer = Vec::new();
        accepted.encode_into(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let line = chosen.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        assert_eq!(answer.contains(p), chosen.is_some());
        assert!(answer.contains(&line.unwrap_or_default()));
    }
}

#[test]
fn more_subprotocols_than_the_limit_are_refused() {
    let offers = |count| vec!["x"; count].join(",");
    let judge_offers = |offers: &str| {
        judge("GET", (1, 1), &[&GOOD, [("Sec-WebSocket-Protocol", offers)].as_slice()].concat())
    };
    assert!(judge_offers(&offers(SUBPROTOCOLS_MAX)).is_ok());
    assert_eq!(judge_offers(&offers(SUBPROTOCOLS_MAX + 1)), Err(Refusal::TooManySubprotocols));
}

#[test]
fn an_origin_that_is_not_text_is_refused_before_anyone_is_asked() {
    let headers =
        GOOD.iter().map(|(name, value)| (*name, value.as_bytes())).chain([("Origin", b"\xff".as_slice())]);
    let everyone = |_: Option<&str>| OriginVerdict::Allow;
    let policy = Policy { subprotocols: &[], origin: &everyone, deflate: None };
    assert_eq!(accept(&Request::new("GET", (1, 1), headers), &policy), Err(Refusal::OriginMalformed));
}

#[test]
fn every_refusal_is_an_http_answer_with_what_its_status_asks_for() {
    let refusals = [
        (Refusal::HeadMalformed, "400 Bad Request", ""),
        (Refusal::HeadTooLong, "431 Request Header Fields Too Large", ""),
        (Refusal::TooManyHeaders, "431 Request Header Fields Too Large", ""),
        (Refusal::MethodNotGet, "405 Method Not Allowed", "Allow: GET\r\n"),
        (Refusal::MethodNotConnect, "405 Method Not Allowed", "Allow: CONNECT\r\n"),
        (Refusal::ProtocolNotSpoken, "501 Not Implemented", ""),
        (Refusal::HttpTooOld, "505 HTTP Version Not Supported", ""),
        (Refusal::HostNotOnce, "400 Bad Request", ""),
        (Refusal::BodyAnnounced, "400 Bad Request", ""),
        (
            Refusal::UpgradeMissing,
            "426 Upgrade Required",
            "Upgrade: websocket\r\nConnection: close, Upgrade\r\n",
        ),
        (Refusal::ConnectionMissing, "400 Bad Request", ""),
        (Refusal::KeyIllegal, "400 Bad Request", ""),
        (Refusal::VersionNotSpoken, "426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n"),
        (Refusal::SubprotocolMalformed, "400 Bad Request", ""),
        (Refusal::TooManySubprotocols, "400 Bad Request", ""),
        (Refusal::OriginMalformed, "400 Bad Request", ""),
        (Refusal::OriginRefused, "403 Forbidden", ""),
    ];
    let mut names: Vec<_> = refusals.iter().map(|(refusal, ..)| refusal.name()).collect();
    for (refusal, status, header) in refusals {
        let mut answer = Vec::new();
        refusal.encode_into(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}");
        assert!(status.starts_with(&refusal.status().to_string()));
        assert!(format!("{head}\r\n").contains(header), "{head}");
        assert!(head.contains("Connection: close"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        assert_eq!(body.trim_end(), refusal.reason());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), refusals.len(), "names are told apart in metrics");
}

fn raw_request() -> Vec<u8> {
    let lines: String = GOOD.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET /chat?room=1 HTTP/1.1\r\n{lines}\r\n").into_bytes()
}

#[test]
fn a_request_is_read_when_its_last_byte_has_arrived() {
    let request = raw_request();
    for cut in 0..request.len() {
        let parsed = head::parse_request(&request[..cut], &HeadLimits::default());
        assert!(matches!(parsed, Ok(None)), "cut at {cut}");
    }
    let with_more = [request.as_slice(), b"\x81\x85frames"].concat();
    let parsed = head::parse_request(&with_more, &HeadLimits::default()).unwrap().unwrap();
    assert_eq!((parsed.len, parsed.target), (request.len(), "/chat?room=1"));
    assert!(
        accept(&parsed.request, &Policy { subprotocols: &[], origin: &from_home, deflate: None }).is_ok()
    );
}

#[test]
fn a_head_may_be_as_long_as_its_limit_and_no_longer() {
    let request = raw_request();
    let exact = HeadLimits { bytes_max: request.len(), ..HeadLimits::default() };
    assert!(head::parse_request(&request, &exact).unwrap().is_some());
    let short = HeadLimits { bytes_max: request.len() - 1, ..HeadLimits::default() };
    assert_eq!(head::parse_request(&request, &short).unwrap_err(), Refusal::HeadTooLong);
    assert_eq!(head::parse_request(&request[..request.len() - 1], &short).unwrap_err(), Refusal::HeadTooLong);
}

#[test]
fn a_head_may_have_as_many_lines_as_its_limit_and_no_more() {
    let request = raw_request();
    let lines = |headers_max| HeadLimits { headers_max, ..HeadLimits::default() };
    assert!(head::parse_request(&request, &lines(GOOD.len())).unwrap().is_some());
    assert_eq!(head::parse_request(&request, &lines(GOOD.len() - 1)).unwrap_err(), Refusal::TooManyHeaders);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HeadLimits::HEADERS_CAP + 1));
    let asked_for_more = lines(usize::MAX);
    assert_eq!(head::parse_request(many.as_bytes(), &asked_for_more).unwrap_err(), Refusal::TooManyHeaders);
}

#[test]
fn what_is_not_http_is_refused() {
    for garbage in
        ["\x16\x03\x01\x02", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n"]
    {
        let parsed = head::parse_request(garbage.as_bytes(), &HeadLimits::default());
        assert_eq!(parsed.unwrap_err(), Refusal::HeadMalformed, "{garbage:?}");
    }
}

const OFFER: Offer<'static> = Offer {
    host: "server.example.com",
    target: "/chat",
    subprotocols: &SPOKEN,
    headers: &[("Origin", "https://example.com")],
    deflate: None,
};

fn handshake() -> Handshake<'static> {
    Handshake::new(OFFER, *b"the sample nonce").unwrap()
}

#[test]
fn section_4_1_the_request_is_written_as_the_example_shows() {
    let mut request = Vec::new();
    handshake().encode_into(&mut request);
    let expected = "GET /chat HTTP/1.1\r\n\
        Host: server.example.com\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: centrifuge-json, centrifuge-protobuf\r\n\
        Origin: https://example.com\r\n\r\n";
    assert_eq!(str::from_utf8(&request), Ok(expected));
}

#[test]
fn an_offer_cannot_smuggle_in_headers() {
    let wrong = [
        (Offer { host: "", ..OFFER }, OfferError::Host),
        (Offer { host: "a\r\nX: y", ..OFFER }, OfferError::Host),
        (Offer { target: "chat", ..OFFER }, OfferError::Target),
        (Offer { target: "", ..OFFER }, OfferError::Target),
        (Offer { target: "/a HTTP/1.1\r\nX: y", ..OFFER }, OfferError::Target),
        (Offer { target: "/é", ..OFFER }, OfferError::Target),
        (Offer { subprotocols: &["a, b"], ..OFFER }, OfferError::Subprotocol),
        (Offer { headers: &[("X\r\n", "y")], ..OFFER }, OfferError::Header),
        (Offer { headers: &[("X", "y\r\nZ: z")], ..OFFER }, OfferError::Header),
        (Offer { headers: &[("sec-websocket-key", "mine")], ..OFFER }, OfferError::Header),
        (
            Offer { headers: &[("Sec-WebSocket-Extensions", "permessage-deflate")], ..OFFER },
            OfferError::Header,
        ),
    ];
    for (offer, error) in wrong {
        assert_eq!(Handshake::new(offer, [0; 16]).unwrap_err(), error, "{offer:?}");
    }
}

fn answer(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{lines}\r\n").into_bytes()
}

#[test]
fn section_4_1_each_check_of_the_client_has_its_error() {
    const U: (&str, &str) = ("Upgrade", "websocket");
    const C: (&str, &str) = ("Connection", "Upgrade");
    const A: (&str, &str) = ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const P: &str = "Sec-WebSocket-Protocol";
    const SWITCH: &str = "101 Switching Protocols";
    let lower_case = ("sec-websocket-accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let wrong: [(&str, Lines, AnswerError); 11] = [
        ("200 OK", &[U, C, A], AnswerError::Status(200)),
        ("302 Found", &[("Location", "/elsewhere")], AnswerError::Status(302)),
        (SWITCH, &[C, A], AnswerError::UpgradeMissing),
        (SWITCH, &[U, A], AnswerError::ConnectionMissing),
        (SWITCH, &[U, C], AnswerError::AcceptMismatch),
        (SWITCH, &[U, C, A, A], AnswerError::AcceptMismatch),
        (SWITCH, &[U, C, lower_case], AnswerError::AcceptMismatch),
        (SWITCH, &[U, C, A, (P, "mqtt")], AnswerError::SubprotocolNotOffered),
        (SWITCH, &[U, C, A, (P, "")], AnswerError::SubprotocolNotOffered),
        (SWITCH, &[U, C, A, (P, SPOKEN[0]), (P, SPOKEN[0])], AnswerError::SubprotocolNotOffered),
        (SWITCH, &[U, C, A, ("Sec-WebSocket-Extensions", "x")], AnswerError::ExtensionNotOffered),
    ];
    for (status, headers, error) in wrong {
        let verified = handshake().verify(&answer(status, headers), &HeadLimits::default()).unwrap_err();
        assert_eq!(verified, error, "{status} {headers:?}");
    }
    let agreed = answer(SWITCH, &[U, C, A, (P, SPOKEN[1])]);
    let welcome = Welcome { subprotocol: Some(SPOKEN[1]), extensions: Extensions::None, leftover: b"" };
    assert_eq!(handshake().verify(&agreed, &HeadLimits::default()), Ok(Some(welcome)));
}

#[test]
fn an_answer_that_refuses_may_say_when_to_come_back() {
    let said = |lines: Lines| {
        let answer = answer("503 Service Unavailable", lines);
        retry_after(&answer, &HeadLimits::default()).map(<[u8]>::to_vec)
    };
    assert_eq!(said(&[("retry-after", " 5 ")]), Some(b"5".to_vec()));
    assert_eq!(said(&[]), None);
    assert_eq!(said(&[("Retry-After", "5"), ("Retry-After", "9")]), None, "who says two things says nothing");
}

#[test]
fn an_answer_is_read_when_its_last_byte_has_arrived_and_the_rest_is_left() {
    let mut answer = Vec::new();
    judge("GET", (1, 1), &GOOD).unwrap().encode_into(&mut answer);
    for cut in 0..answer.len() {
        assert_eq!(handshake().verify(&answer[..cut], &HeadLimits::default()), Ok(None), "cut at {cut}");
    }
    answer.extend_from_slice(b"\x81\x02hi");
    let welcome = handshake().verify(&answer, &HeadLimits::default()).unwrap().unwrap();
    assert_eq!(welcome.leftover, b"\x81\x02hi");
}

#[test]
fn the_limits_of_a_head_hold_for_answers_too() {
    let long = answer("101 Switching Protocols", &[("X", "y".repeat(100).as_str())]);
    let few_bytes = HeadLimits { bytes_max: 64, ..HeadLimits::default() };
    assert_eq!(handshake().verify(&long, &few_bytes), Err(AnswerError::HeadTooLong));
    let no_lines = HeadLimits { headers_max: 0, ..HeadLimits::default() };
    assert_eq!(handshake().verify(&long, &no_lines), Err(AnswerError::TooManyHeaders));
    assert_eq!(handshake().verify(b"SSH-2.0-x\r\n", &HeadLimits::default()), Err(AnswerError::HeadMalformed));
}

proptest! {
    #[test]
    fn what_a_client_offers_a_server_accepts_and_the_client_welcomes(
        nonce: [u8; 16],
        offered in prop::sample::subsequence(SPOKEN.to_vec(), 0..=SPOKEN.len()),
    ) {
        let handshake = Handshake::new(Offer { subprotocols: &offered, ..OFFER }, nonce).unwrap();
        let (mut request, mut answer) = (Vec::new(), Vec::new());
        handshake.encode_into(&mut request);
        let parsed = head::parse_request(&request, &HeadLimits::default()).unwrap().unwrap();
        let accepted = accept(&parsed.request, &Policy { subprotocols: &SPOKEN, origin: &from_home, deflate: None }).unwrap();
        accepted.encode_into(&mut answer);
        let welcome = handshake.verify(&answer, &HeadLimits::default()).unwrap().unwrap();
        prop_assert_eq!(welcome.subprotocol, offered.first().copied());
        prop_assert_eq!(accepted.subprotocol(), welcome.subprotocol);
    }
}
