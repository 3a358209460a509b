//! From a session to a stream.

use bytes::Bytes;
use h2::{Reason, SendStream};
use spanwire_wire::{DisconnectCode, DisconnectReason};
use spanwire_ws::{CloseCode, CloseFrame, Header, Opcode, frame};
use tokio::time::{sleep, timeout};

use super::pinging::Pinging;
use super::talk::{Farewell, Talk};
use super::{End, Terms};
use crate::edge::http2::flow::{self, Stopped};
use crate::engine::Beat;
use crate::engine::limits::{CLOSE_PATIENCE, GATHER_BYTES_MAX};
use crate::engine::pipe::{Inlet, Parcel, Pipe};

/// The half that speaks.
pub(super) struct Mouth<'t> {
    stream: SendStream<Bytes>,
    opcode: Opcode,
    talk: &'t Talk,
    terms: &'t Terms,
}

impl<'t> Mouth<'t> {
    /// Says the session's messages as this kind of frames.
    pub(super) fn new(stream: SendStream<Bytes>, opcode: Opcode, talk: &'t Talk, terms: &'t Terms) -> Self {
        Self { stream, opcode, talk, terms }
    }

    /// Says what there is to say until it is the end.
    pub(super) async fn speak(&mut self, pipe: &mut Pipe, heartbeat: bool) -> End {
        match self.speak_on(pipe, heartbeat).await {
            Ok(end) | Err(end) => end,
        }
    }

    async fn speak_on(&mut self, pipe: &mut Pipe, heartbeat: bool) -> Result<End, End> {
        let inlet = pipe.inlet().clone();
        let mut pinging = Pinging::begin(heartbeat.then_some(self.terms.rhythm));
        loop {
            tokio::select! {
                biased;
                () = self.talk.news() => {
                    if let Some(end) = self.answer(&inlet).await? {
                        return Ok(end);
                    }
                }
                parcel = pipe.recv() => match parcel {
                    Some(Parcel::Messages(messages)) => self.say_all(&messages, &inlet).await?,
                    Some(Parcel::Close(reason)) => return self.close(&reason, &inlet).await,
                    // Nobody has said why, so nobody can be told.
                    None => return Ok(End::Gone),
                },
                beat = pinging.beat(self.talk) => match beat {
                    Beat::Nothing => {}
                    Beat::Ping => self.say_control(Opcode::Ping, &[], &inlet).await?,
                    Beat::Missed => {
                        self.close(&DisconnectCode::NoPong.into(), &inlet).await?;
                        return Ok(End::Silent);
                    }
                }
            }
        }
    }

    /// Says what the client has called for. The end, if it has called for that.
    async fn answer(&mut self, inlet: &Inlet) -> Result<Option<End>, End> {
        match self.talk.take_farewell() {
            Some(Farewell::Over) => return Ok(Some(End::Said)),
            Some(Farewell::Answer(frame, sin)) => {
                self.say(frame.into(), inlet).await?;
                return Ok(Some(sin.map_or(End::Said, End::Failed)));
            }
            None => {}
        }
        if let Some(payload) = self.talk.take_pong() {
            self.say_control(Opcode::Pong, &payload, inlet).await?;
        }
        Ok(None)
    }

    /// Ends it from our side, and waits for the client's part.
    async fn close(&mut self, reason: &DisconnectReason, inlet: &Inlet) -> Result<End, End> {
        let code = u16::try_from(reason.code()).ok().and_then(CloseCode::new);
        let frame = CloseFrame::new(code.unwrap_or(CloseCode::GOING_AWAY), reason.text());
        let Some(frame) = self.talk.close(frame) else { return Ok(End::Said) };
        self.say(frame.into(), inlet).await?;
        let farewell = async {
            loop {
                self.talk.news().await;
                if self.talk.take_farewell().is_some() {
                    return;
                }
            }
        };
        // A client that has not answered by then has had its time.
        let _ = timeout(CLOSE_PATIENCE, farewell).await;
        Ok(End::Said)
    }

    /// Says messages, short ones together and long ones from where they are.
    async fn say_all(&mut self, messages: &[Bytes], inlet: &Inlet) -> Result<(), End> {
        let mut gathered = Vec::new();
        for message in messages {
            if message.len() < GATHER_BYTES_MAX {
                frame::server_frame_into(&mut gathered, self.opcode, message);
            } else {
                let (header, size) = Header::new(self.opcode, message.len() as u64).encode();
                gathered.extend_from_slice(&header[..size]);
                self.say(std::mem::take(&mut gathered).into(), inlet).await?;
                self.say(message.clone(), inlet).await?;
            }
        }
        self.say(gathered.into(), inlet).await
    }

    async fn say_control(&mut self, opcode: Opcode, payload: &[u8], inlet: &Inlet) -> Result<(), End> {
        let mut bytes = Vec::new();
        frame::server_frame_into(&mut bytes, opcode, payload);
        self.say(bytes.into(), inlet).await
    }

    /// Says these bytes. Once the session has ended, a client that leaves them lying has only the patience of the end.
    async fn say(&mut self, bytes: Bytes, inlet: &Inlet) -> Result<(), End> {
        let over = async {
            inlet.ended().await;
            sleep(CLOSE_PATIENCE).await;
        };
        tokio::select! {
            biased;
            sent = flow::send(&mut self.stream, bytes, self.terms.write_timeout) => match sent {
                Ok(()) => Ok(()),
                Err(Stopped::Gone) => Err(End::Gone),
                Err(Stopped::Blocked) => Err(End::Blocked),
            },
            () = over => Err(End::Blocked),
        }
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self) {
        // Whoever is gone needs no end.
        let _ = self.stream.send_data(Bytes::new(), true);
    }

    /// Nothing follows, and what was under way does not matter.
    pub(super) fn reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }
}
