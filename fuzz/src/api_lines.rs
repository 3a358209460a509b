//! The boundary between the body of `POST /api`, in which each line is a command, and what is done for it.

use serde_json::Value;
use spanwire::api::{COMMANDS_MAX, Failure, Lines};

/// A body.
///
/// What must hold: there is at least one command, and no more than there may be; each has the
/// method that a plain reader finds there, or none, and then it is not understood; what stands before and behind a command
/// changes nothing about it; and what is no list of commands is told in a sentence.
///
/// # Panics
///
/// When one of these does not hold.
pub fn api_lines(input: &[u8]) {
    let commands = match Lines::read(input) {
        Ok(Lines(commands)) => commands,
        Err(Failure::Malformed(trouble)) => return assert!(trouble.starts_with("The body "), "{trouble}"),
        Err(Failure::Refused(code)) => panic!("a body cannot be refused by {code:?}"),
    };
    assert!((1..=COMMANDS_MAX).contains(&commands.len()));
    let plain = serde_json::Deserializer::from_slice(input).into_iter::<Value>();
    for ((method, request), plain) in commands.iter().zip(plain) {
        // A payload may be deeper, and its numbers larger, than a plain reader takes; then there is nothing to compare with.
        let Ok(plain) = plain else { return };
        match method {
            Some(method) => assert_eq!(plain["method"], method.name()),
            None => assert!(request.is_err(), "nobody knows what {plain} is"),
        }
        if let Ok(request) = request {
            assert_eq!(Some(request.method()), *method);
        }
    }
    let twice = [input, b"\n", input].concat();
    if commands.len() * 2 <= COMMANDS_MAX {
        let Ok(Lines(both)) = Lines::read(&twice) else { panic!("commands are read whatever follows") };
        let (one, other) = both.split_at(commands.len());
        assert!(one == commands && other == commands, "what follows changes what a command is");
    }
}
