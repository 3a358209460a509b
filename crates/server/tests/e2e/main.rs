//! Spanwire as its users meet it: the binary, real sockets, and peers that share no line with it.
//!
//! Each scene starts servers of its own on free ports, so that all of them may run at once. What the machine lacks
//! is skipped with a note; `SPANWIRE_REQUIRE=all` turns each skip into a failure (see `support/require.rs`).

mod support;

// The job: people and programs talk through it.
mod authentication_docs; // the programs of docs/authentication.md
mod backends; //        the application beside it decides, and a crowd waits for it
mod chat_in_chromium; // two browsers, one of them cut off for two seconds
mod compression; //     permessage-deflate by stock clients, a browser, and a stranger with a bomb
mod embedding; //       an axum application with a hub in it, and its examples
mod events; //          the application beside it keeps account of who comes and goes
mod gallery; //         each page of the gallery, looked at and cut by its own buttons
mod javascript; //      our own browser client: its unit tests and its types
mod javascript_in_chromium; // tabs that share a connection, sleep and wake, and are away for long
mod ladder_in_chromium; // a page whose network turns bad
mod permissions; //     who may do what in a channel, and what the log says of those who may not
mod personal_channels; // those that users have of their own
mod rates; //           how often somebody may ask, and what a client at its limit is told
mod readme; //          its pages, as they stand there
mod revocation; //      tokens and users that are good no more
mod rust_client; //   our own client for Rust programs
mod shards; //          one channel over several shards: one order, and recovery anywhere
mod stock_sdks; //      the `centrifuge` package for Node, and `centrifuge-python`
mod tokens; //          who a connection is, and until when
mod transports; //      the same over everything that carries a session

// The edges: what a peer can do wrong, and what becomes of it.
#[cfg(feature = "acme")]
mod acme; //            certificates that the server orders itself
mod door; //            how many come in, how fast, and whose address that is
mod echo; //            `/echo`, for conformance suites and people with a terminal
mod excess; //          too much, too deep, too many: refused by a limit that has a name
mod faults; //          what can befall the process: crashes, freezes, full disks, stampedes
mod handshakes; //      raw bytes in, an HTTP status out
mod http2; //           many WebSockets over one connection
mod http2_in_chromium; // a page and its WebSockets over one connection
mod misbehaviour; //    broken protocol, and the code that each sin earns
mod proxies; //         nginx and HAProxy, configured as the documentation says
mod silence; //         peers that say nothing, read nothing, or die without a word
mod slowness; //        peers that are slow on purpose
mod smuggling; //       requests that could be read in two ways
mod tls; //             certificates, their renewal, and what a network can do to ciphertext

// The operator: what runs it, watches it and ends it.
mod command_line; //    `spanwire pub`, `spanwire sub`, and refusals to start
mod dev_profile; //     `spanwire` alone: this machine and nobody else
mod dev_proxy; //       a bad network to practise with
mod documented; //      pages of `docs/`, done as they stand there
mod operations; //      `/health`, `/metrics`
mod reloading; //       SIGHUP: a configuration that becomes another
mod server_api; //      `/api/…`
mod shutdown; //        SIGTERM
