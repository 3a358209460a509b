//! `spanwire pub`: publishes by the server API.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Exit, Failure, PubOptions, exit};

pub(super) fn run(options: &PubOptions) -> Result<(), Failure> {
    // It goes on as it was typed, to the last space.
    let data: &RawValue = serde_json::from_str(&options.data).map_err(|error| {
        let quoted = Value::from(options.data.as_str());
        Failure::new(Exit::Usage, format!("the data is not JSON: {error}"))
            .fix(format!("for a text, write: spanwire pub {} '{quoted}'", options.channel))
    })?;
    let channel = Value::from(options.channel.as_str());
    let body = format!("{{\"channel\":{channel},\"data\":{data}}}");
    exit::print(options.caller.call("publish", &body)?.get())
}
