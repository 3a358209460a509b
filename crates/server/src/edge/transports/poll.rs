//! `POST /connection/poll`: replies by one request after the other, for networks in which no response gets through
//! before it is complete. The wire is described in `docs/transports.md`.

mod desk;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use spanwire_hub::{Opening, Upstream};
use spanwire_wire::{Encoding, PollRequest};

pub(super) use desk::Desk;

use self::desk::{Answer, Patience};
use super::{Transports, emulation, keep_nowhere, read};
use crate::edge::conversation::Conversation;
use crate::edge::door::TurnedAway;
use crate::edge::plain;
use crate::engine::{Transport, Visitor};

/// Answers a poll, or opens the session of a client that has none.
pub(super) async fn answer(caller: &Conversation, request: Request<Body>) -> Result<Response, Response> {
    let Transports { settings, sessions } = &caller.edge.transports;
    let (head, body) = request.into_parts();
    let body = read(caller, body, settings.poll.way).await?;
    let request = PollRequest::read(&body)
        .map_err(|error| plain(StatusCode::BAD_REQUEST, format!("The body is malformed: {error}.")))?;
    let patience = Patience { hold: settings.poll.hold, grace: settings.poll.grace };
    let (ack, desk) = match request {
        PollRequest::Open { data } => (
            0,
            open(caller, caller.let_in(&head.headers).map_err(TurnedAway::answer)?, data, patience).await?,
        ),
        PollRequest::Next { session, node, ack, data } => {
            if !sessions.is_here(&node) {
                return Err(emulation::elsewhere());
            }
            let entrance = sessions.find(&session).ok_or_else(over)?;
            if !data.is_empty() {
                emulation::bring(&entrance.inlet, data).await?;
            }
            (ack, entrance.desk.ok_or_else(over)?)
        }
    };
    match desk.ask(ack).await {
        Answer::Batch(batch) => Ok(batch_of(batch)),
        Answer::Over => Err(over()),
        Answer::Disordered { last } => Err(plain(
            StatusCode::BAD_REQUEST,
            format!("The last batch was {last}, which acknowledges {ack} in no way."),
        )),
    }
}

async fn open(
    caller: &Conversation,
    visitor: Visitor,
    first: Bytes,
    patience: Patience,
) -> Result<Arc<Desk>, Response> {
    let sessions = &caller.edge.transports.sessions;
    let (secret, reach) = sessions.draw();
    let upstream = Upstream::Requests(Box::new(reach));
    let opening = Opening { upstream, ..Opening::new(Encoding::Json) };
    let pipe = super::open(caller, visitor, Transport::Poll, opening, first).await?;
    let registration = sessions.register(secret, pipe.inlet().clone());
    Ok(Desk::open(pipe, registration, patience))
}

fn batch_of(batch: Bytes) -> Response {
    let mut response = Response::new(Body::from(batch));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    keep_nowhere(response.headers_mut());
    response
}

fn over() -> Response {
    plain(StatusCode::NOT_FOUND, "The session has ended. Connect anew, and recover.")
}
