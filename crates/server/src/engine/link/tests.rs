use std::io::{IoSlice, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::{Link, Received, TlsLink};
use crate::engine::limits::{READ_BYTES, TLS_UNSENT_BYTES_MAX};
use crate::tls::provider;
use crate::tls::testing::issue;

/// A client and a link that have shaken hands, and the sockets between them.
struct Scene {
    client: ClientConnection,
    socket: UnixStream,
    link: Link,
    scratch: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let (mut client, mut server) = endpoints();
        let mut bytes = Vec::new();
        while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut &*bytes).unwrap();
            server.process_new_packets().unwrap();
            bytes.clear();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut &*bytes).unwrap();
            client.process_new_packets().unwrap();
            bytes.clear();
        }
        let (ours, socket) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let link = Link::Tls(Box::new(TlsLink::new(ours.into(), server).0));
        Self { client, socket, link, scratch: vec![0; READ_BYTES] }
    }

    /// What the client would send to say this.
    fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let (mut sealed, mut rest) = (Vec::new(), plain);
        while !rest.is_empty() {
            let taken = self.client.writer().write(rest).unwrap();
            rest = &rest[taken..];
            while self.client.wants_write() {
                self.client.write_tls(&mut sealed).unwrap();
            }
        }
        sealed
    }

    /// Reads until nothing is there; and whether that was the end.
    fn receive(&mut self) -> (Vec<u8>, bool) {
        let mut plain = Vec::new();
        loop {
            match self.link.receive(&mut self.scratch) {
                Received::Bytes { count, .. } => plain.extend_from_slice(&self.scratch[..count]),
                Received::Nothing => return (plain, false),
                Received::End => return (plain, true),
                Received::Forged => panic!("nobody has forged anything"),
            }
        }
    }
}

fn endpoints() -> (ClientConnection, ServerConnection) {
    let pair = issue(&["a.test"]);
    let (certificate, key) = (pair.cert.der().clone(), pair.signing_key.into());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let server =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let name = ServerName::try_from("a.test").unwrap();
    (ClientConnection::new(Arc::new(client), name).unwrap(), ServerConnection::new(Arc::new(server)).unwrap())
}

/// Bytes that are not alike, so that none can take another's place.
fn words(length: usize) -> Vec<u8> {
    (0..length as u32).flat_map(u32::to_le_bytes).take(length).collect()
}

#[test]
fn whatever_the_cuts_all_plain_text_comes_out_and_none_stays_behind() {
    for piece in [1, 5, 16_383, 16_406, 49_152, 60_000, 100_000] {
        let mut scene = Scene::new();
        let plain = words(if piece < 10 { 20_000 } else { 500_000 });
        let sealed = scene.seal(&plain);
        let mut received = Vec::new();
        for piece in sealed.chunks(piece) {
            scene.socket.write_all(piece).unwrap();
            received.extend(scene.receive().0);
        }
        assert!(received == plain, "in pieces of {piece}");
    }
}

#[test]
fn what_is_said_before_close_notify_is_heard_and_then_comes_the_end() {
    let mut scene = Scene::new();
    let mut sealed = scene.seal(b"the last word");
    scene.client.send_close_notify();
    scene.client.write_tls(&mut sealed).unwrap();
    scene.socket.write_all(&sealed).unwrap();
    assert_eq!(scene.receive(), (b"the last word".to_vec(), true));
}

#[test]
fn a_socket_that_is_full_takes_no_more_than_a_bounded_part_of_what_is_sent() {
    let mut scene = Scene::new();
    let plain = words(4 << 20);
    let first = scene.link.send(&plain).unwrap();
    assert!(first.blocked && first.moved && scene.link.has_unsent());
    let second = scene.link.send(&plain[first.taken..]).unwrap();
    assert_eq!((second.taken, second.moved, second.blocked), (0, false, true));
    let (mut taken, mut heard) = (first.taken, Vec::new());
    let mut on_the_way = vec![0; 2 * first.taken];
    let count = scene.socket.read(&mut on_the_way).unwrap();
    assert!(
        first.taken <= count + TLS_UNSENT_BYTES_MAX,
        "{} were taken, {count} are on their way",
        first.taken
    );
    let mut sealed = &on_the_way[..count];
    loop {
        while !sealed.is_empty() {
            scene.client.read_tls(&mut sealed).unwrap();
            scene.client.process_new_packets().unwrap();
            // Nothing more to read is no error of anybody's.
            let _ = scene.client.reader().read_to_end(&mut heard);
        }
        if heard.len() == plain.len() {
            break;
        }
        taken += scene.link.send_gathered(&mut [IoSlice::new(&plain[taken..])]).unwrap().taken;
        let count = scene.socket.read(&mut on_the_way).unwrap();
        sealed = &on_the_way[..count];
    }
    assert!(heard == plain && !scene.link.has_unsent());
}

#[test]
fn who_forges_a_record_is_found_out() {
    let mut scene = Scene::new();
    let mut sealed = scene.seal(b"mine");
    if let Some(last) = sealed.last_mut() {
        *last ^= 1;
    }
    scene.socket.write_all(&sealed).unwrap();
    assert_eq!(scene.link.receive(&mut scene.scratch), Received::Forged);
}
