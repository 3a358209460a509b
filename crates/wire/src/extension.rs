//! What this server can do beyond the common protocol, for clients that ask.
//!
//! A client asks by the emulated header [`HEADER`] with the value [`VERSION`] in its connect command; the
//! server then lists what it grants in [`ConnectResult::sw_ext`](crate::message::ConnectResult::sw_ext).
//! Other clients never see a field of an extension. Extension fields have JSON names that begin with `sw_`
//! and Protobuf numbers from 1000.
//!
//! One extension comes before there is anything to grant: a client that is sent away from its connect command by a
//! temporary error finds in [`Error::sw_retry_after`](crate::message::Error::sw_retry_after) when it may come back.

use crate::message::ConnectRequest;

/// Key in [`ConnectRequest::headers`] by which a client asks for extensions.
pub const HEADER: &str = "spanwire";

/// Value of [`HEADER`] for the extensions described here.
pub const VERSION: &str = "1";

/// Name of the extension by which a publish command may carry a key that makes it safe to repeat, and its
/// result tells the position given to the publication.
pub const IDEMPOTENT_PUBLISH: &str = "idempotent_publish";

/// Whether the client asks for extensions.
pub fn is_wanted(request: &ConnectRequest) -> bool {
    request.headers.get(HEADER).is_some_and(|version| version == VERSION)
}
