//! `POST /emulation`: commands for a session that hears on another connection.

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use spanwire_wire::decode_emulation;
use tokio::time::timeout;

use super::encoding_of;
use crate::edge::conversation::Conversation;
use crate::edge::limits::INLET_TIMEOUT;
use crate::edge::{body, plain};
use crate::engine::pipe::Inlet;

/// Brings a frame to its session. The answer comes when the session has taken it in; a session that has ended takes
/// it in its own way, because its client will hear of the end on its stream and needs no second bad news.
pub(super) async fn take(caller: &Conversation, request: Request<Body>) -> Result<Response, Response> {
    let transports = &caller.edge.transports;
    let encoding = encoding_of(request.headers());
    let bytes_max = transports.settings.emulation_body_bytes_max;
    let body = body::read(request.into_body(), bytes_max, caller.edge.timeouts.body).await?;
    let request = decode_emulation(encoding, &body)
        .map_err(|error| plain(StatusCode::BAD_REQUEST, format!("The body is malformed: {error}.")))?;
    if !transports.sessions.is_here(&request.node) {
        return Err(elsewhere());
    }
    if let Some(entrance) = transports.sessions.find(&request.session) {
        bring(&entrance.inlet, request.data).await?;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Waits for room, but not for ever.
pub(super) async fn bring(inlet: &Inlet, frame: bytes::Bytes) -> Result<(), Response> {
    match timeout(INLET_TIMEOUT, inlet.send(frame)).await {
        // That the session has ended, the client hears where it listens.
        Ok(Ok(()) | Err(_)) => Ok(()),
        Err(_) => Err(plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "The session is still busy with earlier commands, and took none of these.",
        )),
    }
}

pub(super) fn elsewhere() -> Response {
    plain(StatusCode::NOT_FOUND, "There is no such node here. Connect anew.")
}
