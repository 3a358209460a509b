#[allow(dead_code, unreachable_pub, reason = "it is shared with the examples of the documentation")]
pub mod server;
pub mod story;
