//! An independent implementation over a real socket: what we both believe is more likely to be the RFC.

mod common;

use common::Heard;
use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use spanwire_ws::handshake::client::{Handshake, Offer};
use spanwire_ws::handshake::server::{OriginVerdict, Policy, accept};
use spanwire_ws::handshake::{Refusal, head};
use spanwire_ws::{
    CloseCode, CloseFrame, Connection, Ending, Event, HeadLimits, Input, Limits, Opcode, Role, State, frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const URL: &str = "ws://localhost/echo";

/// Both ends of a connection over loopback.
async fn sockets() -> Outcome<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr()?), listener.accept());
    Ok((theirs?, ours?.0))
}

fn block_on<T>(future: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Our server: shakes hands, echoes, answers pings and closes. Returns how it ended.
async fn serve_echo(mut socket: TcpStream) -> Outcome<State> {
    let (mut bytes, mut out) = (Vec::new(), Vec::new());
    let len = loop {
        if let Some(head) = head::parse_request(&bytes, &HeadLimits::default())? {
            let anyone = |_: Option<&str>| OriginVerdict::Allow;
            let policy = Policy { subprotocols: &["echo"], origin: &anyone, deflate: None };
            match accept(&head.request, &policy) {
                Ok(accepted) => accepted.encode_into(&mut out),
                Err(refusal) => {
                    refusal.encode_into(&mut out);
                    socket.write_all(&out).await?;
                    return Err(refusal.into());
                }
            }
            break head.len;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err("the client left in the handshake".into());
        }
    };
    let mut connection = Connection::new(Role::Server);
    let mut scratch = bytes.split_off(len);
    loop {
        echo(&mut connection, &mut scratch, &mut out);
        socket.write_all(&out).await?;
        out.clear();
        if let State::Closed(_) = connection.state() {
            // To drop a socket with bytes unread resets it, and may take our last frame back from the peer.
            socket.shutdown().await?;
            tokio::io::copy(&mut socket, &mut tokio::io::sink()).await?;
            return Ok(connection.state());
        }
        scratch.clear();
        if socket.read_buf(&mut scratch).await? == 0 {
            return Ok(connection.state());
        }
    }
}

fn echo(connection: &mut Connection, scratch: &mut [u8], out: &mut Vec<u8>) {
    let limits = Limits { frame_bytes_max: 1 << 20, message_bytes_max: 1 << 20, ..Limits::default() };
    let mut input = Input::new(scratch);
    while let Ok(Some(event)) = connection.next(&mut input, &limits) {
        match event {
            Event::Text(text) => frame::server_frame_into(out, Opcode::Text, text.as_bytes()),
            Event::Binary(bytes) => frame::server_frame_into(out, Opcode::Binary, bytes),
            Event::Ping(payload) => frame::server_frame_into(out, Opcode::Pong, payload),
            Event::Pong(_) | Event::Close(_) => {}
        }
    }
    if let Some(answer) = connection.answer() {
        answer.encode_into(out, None);
    }
}

/// Runs their client against our server. Returns what the client did, and how our server ended.
async fn with_their_client<T>(
    client: impl AsyncFnOnce(&mut WebSocketStream<TcpStream>) -> Outcome<T>,
) -> Outcome<(T, State)> {
    let (theirs, ours) = sockets().await?;
    let talk = async {
        let mut request = URL.into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", "mqtt, echo".parse()?);
        let (mut stream, response) = client_async(request, theirs).await?;
        assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "echo");
        client(&mut stream).await
    };
    tokio::try_join!(talk, serve_echo(ours))
}

/// Reads until the peer closes; the code and the reason it gave.
async fn their_close(stream: &mut WebSocketStream<TcpStream>) -> Outcome<(u16, String)> {
    while let Some(message) = stream.next().await {
        if let Message::Close(Some(frame)) = message? {
            return Ok((frame.code.into(), frame.reason.to_string()));
        }
    }
    Err("the connection ended without a close frame".into())
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        any::<String>().prop_map(Message::text),
        prop::collection::vec(any::<u8>(), 0..2000).prop_map(Message::binary),
        prop::collection::vec(any::<u8>(), 0x1_0000..0x1_0100).prop_map(Message::binary),
    ]
}

/// A few messages for one connection, and a few connections.
fn for_some_messages(test: impl Fn(Vec<Message>) -> Outcome<()>) {
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, ..ProptestConfig::default() });
    let messages = prop::collection::vec(message(), 1..12);
    let outcome = runner
        .run(&messages, |messages| test(messages).map_err(|error| TestCaseError::fail(error.to_string())));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn their_client_gets_back_from_our_server_what_it_sent() {
    for_some_messages(|messages| {
        let (_, state) = block_on(with_their_client(async |stream| {
            for message in &messages {
                stream.send(message.clone()).await?;
                assert_eq!(&stream.next().await.ok_or("no echo")??, message);
            }
            stream.close(None).await?;
            Ok(())
        }))?;
        assert_eq!(state, State::Closed(Ending::Agreed(None)));
        Ok(())
    });
}

#[test]
fn their_fragments_and_pings_become_one_message_and_pongs() -> Outcome<()> {
    let (_, state) = block_on(with_their_client(async |stream| {
        let part =
            |text: &'static str, kind, fin| Message::Frame(Frame::message(text, OpCode::Data(kind), fin));
        stream.feed(part("one ", Data::Text, false)).await?;
        stream.feed(Message::Ping("between".into())).await?;
        stream.feed(part("mess", Data::Continue, false)).await?;
        stream.feed(part("age", Data::Continue, true)).await?;
        stream.flush().await?;
        assert_eq!(stream.next().await.ok_or("no pong")??, Message::Pong("between".into()));
        assert_eq!(stream.next().await.ok_or("no echo")??, Message::text("one message"));
        let farewell = tungstenite::protocol::CloseFrame { code: 4321.into(), reason: "done".into() };
        stream.close(Some(farewell)).await?;
        assert_eq!(their_close(stream).await?.0, 4321);
        Ok(())
    }))?;
    assert_eq!(state, State::Closed(Ending::Agreed(CloseCode::new(4321))));
    Ok(())
}

#[test]
fn their_client_reads_why_our_server_closed() -> Outcome<()> {
    let sins: [(Message, u16, &str); 4] = [
        (raw(Data::Text, b"\xff", true), 1007, "text is not UTF-8"),
        (raw(Data::Continue, b"", true), 1002, "continuation of no message"),
        (raw(Data::Reserved(3), b"", true), 1002, "unknown opcode"),
        (Message::binary(vec![0; (1 << 20) + 1]), 1009, "frame longer than allowed here"),
    ];
    for (sin, code, reason) in sins {
        let (told, state) = block_on(with_their_client(async |stream| {
            stream.send(sin).await?;
            their_close(stream).await
        }))?;
        assert_eq!(told, (code, reason.to_owned()));
        assert!(matches!(state, State::Closed(Ending::Failed(_))), "{state:?}");
    }
    Ok(())
}

fn raw(kind: Data, payload: &'static [u8], fin: bool) -> Message {
    Message::Frame(Frame::message(payload, OpCode::Data(kind), fin))
}

#[test]
fn their_client_reads_why_our_server_refused() -> Outcome<()> {
    block_on(async {
        let (theirs, ours) = sockets().await?;
        let mut request = URL.into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Version", "8".parse()?);
        let (refused, served) = tokio::join!(client_async(request, theirs), serve_echo(ours));
        let Err(tungstenite::Error::Http(response)) = refused else { return Err("not refused".into()) };
        assert_eq!(response.status().as_u16(), 426);
        assert_eq!(response.headers()["Sec-WebSocket-Version"], "13");
        assert_eq!(served.unwrap_err().downcast_ref(), Some(&Refusal::VersionNotSpoken));
        Ok(())
    })
}

/// Their server: echoes until the client closes.
async fn their_echo(socket: TcpStream) -> Outcome<()> {
    let mut stream = accept_async(socket).await?;
    while let Some(message) = stream.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            stream.send(message).await?;
        }
    }
    Ok(())
}

/// Our client: sends messages one by one, closes, and returns what it heard and how it ended.
async fn our_client(mut socket: TcpStream, messages: &[Message]) -> Outcome<(Vec<Heard>, State)> {
    let offer = Offer { host: "localhost", target: "/echo", subprotocols: &[], headers: &[], deflate: None };
    let handshake = Handshake::new(offer, *b"sixteen bytes ok")?;
    let (mut bytes, mut out, mut heard) = (Vec::new(), Vec::new(), Vec::new());
    handshake.encode_into(&mut out);
    socket.write_all(&out).await?;
    let mut scratch = loop {
        if let Some(welcome) = handshake.verify(&bytes, &HeadLimits::default())? {
            break welcome.leftover.to_vec();
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err("the server left in the handshake".into());
        }
    };
    let mut connection = Connection::new(Role::Client);
    let limits = Limits { frame_bytes_max: 1 << 20, message_bytes_max: 1 << 20, ..Limits::default() };
    let mut unsent = messages.iter();
    loop {
        let heard_before = heard.len();
        common::feed(&mut connection, &scratch, &limits, &mut heard);
        if let State::Closed(_) = connection.state() {
            return Ok((heard, connection.state()));
        }
        out.clear();
        let key = [heard.len() as u8, 0x5a, 0xa5, 0xff];
        if heard.is_empty() && unsent.len() == messages.len() || heard.len() > heard_before {
            match unsent.next() {
                Some(Message::Text(text)) => {
                    frame::client_frame_into(&mut out, Opcode::Text, text.as_bytes(), key)
                }
                Some(message) => {
                    frame::client_frame_into(&mut out, Opcode::Binary, &message.clone().into_data(), key)
                }
                None => {
                    let farewell = connection.close(CloseFrame::new(CloseCode::NORMAL, "enough"));
                    farewell.ok_or("closed twice")?.encode_into(&mut out, Some(key));
                }
            }
        }
        socket.write_all(&out).await?;
        scratch.clear();
        if socket.read_buf(&mut scratch).await? == 0 {
            return Err("the server left without a close frame".into());
        }
    }
}

#[test]
fn our_client_gets_back_from_their_server_what_it_sent() {
    for_some_messages(|messages| {
        let ((mut heard, state), ()) = block_on(async {
            let (ours, theirs) = sockets().await?;
            tokio::try_join!(our_client(ours, &messages), their_echo(theirs))
        })?;
        assert_eq!(state, State::Closed(Ending::Agreed(Some(CloseCode::NORMAL))));
        assert!(matches!(heard.pop(), Some(Heard::Close(Some(1000), _))));
        let sent: Vec<_> = messages
            .into_iter()
            .map(|message| match message {
                Message::Text(text) => Heard::Text(text.to_string()),
                message => Heard::Binary(message.into_data().to_vec()),
            })
            .collect();
        assert_eq!(heard, sent);
        Ok(())
    });
}
