//! TLS at the server itself.

mod bulk; //        large messages in odd pieces, and readers that do not read
mod clients; //     `spanwire torture` over a line that is cut
mod endings; //     `close_notify`, and its absence
mod handshakes; //  who may come in, as what, and how long it may take
mod reloading; //   certificates that are replaced while everybody talks
