//! One set of scenes over every transport: whatever carries a session, it is the same session.
//!
//! A scene is written once, against a [`Client`](client::Client). A transport is one row of the table below, and what it
//! takes to speak it: one arm of [`Carrier`](carrier::Carrier).

pub(crate) mod carrier;
pub(crate) mod client;
mod hearing;
mod over_http2;
mod polling;
mod scenes;
mod slow_readers;
mod statuses;
mod streaming;

use carrier::Carrier;

macro_rules! scenes {
    ($carrier:expr => $($scene:ident)*) => { $(
        #[tokio::test]
        async fn $scene() {
            scenes::$scene($carrier).await;
        }
    )* };
}

macro_rules! over {
    ($($row:ident: $carrier:expr;)*) => { $(
        mod $row {
            use super::*;
            scenes! { $carrier =>
                replies_come_in_the_order_of_their_commands
                publications_reach_everybody_whoever_published_them
                what_was_missed_is_recovered_once_and_in_order
                a_gap_is_told
                members_see_each_other_come_and_go
                a_client_that_answers_pings_stays_and_one_that_does_not_is_let_go
                what_is_not_allowed_is_refused_by_its_code
                garbage_ends_the_session
                an_invalid_token_ends_the_session
                a_client_that_does_not_read_is_let_go_and_told_why
                a_backend_may_end_a_session
                a_session_lives_as_long_as_its_token_and_a_fresh_one_prolongs_it
                a_shutdown_is_told
            }
        }
    )* };
}

over! {
    websocket_json: Carrier::WebSocketJson;
    websocket_protobuf: Carrier::WebSocketProtobuf;
    http2_websocket_json: Carrier::Http2WebSocketJson;
    http2_websocket_protobuf: Carrier::Http2WebSocketProtobuf;
    http_stream_json: Carrier::HttpStreamJson;
    http_stream_protobuf: Carrier::HttpStreamProtobuf;
    sse: Carrier::Sse;
    poll: Carrier::Poll;
}
