//! The wire, seen from outside.

mod cases; // one message of each kind
mod codes; // the numbers by which the protocol says why
mod deltas; // patches, kept in testdata/
mod frames; // where messages begin and end, and the limits
mod golden; // what each message looks like, kept in testdata/
mod payloads; // raw JSON, carried and not looked into
mod proto; // reads client.proto
mod roundtrip; // properties: any message of the schema, any bytes at all
mod schema; // client.proto says what the structs say
mod shapes; // what decoders of JSON forgive, and what they do not
mod usual; // the short way to what is heard most
