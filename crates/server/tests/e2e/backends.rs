//! The backend decides: who connects, subscribes, publishes and calls.

mod admission; // a crowd, and a backend that is slow, or away
mod decisions; // what is asked, and what each answer does
mod secure; //    over TLS, with an authority of its own
