//! `spanwire disconnect`: closes the connections of a user.

use clap::Args;
use serde_json::json;

use super::{Caller, Shown};
use crate::cli::Failure;
use crate::cli::exit::print;

#[derive(Debug, Args)]
pub(in crate::cli) struct DisconnectOptions {
    /// The user; '' is everybody anonymous.
    #[arg(required_unless_present_any = ["client", "session"])]
    user: Option<String>,
    /// Only the connection with this client id.
    #[arg(long)]
    client: Option<String>,
    /// Only the connection with this session id.
    #[arg(long)]
    session: Option<String>,
    /// A client id whose connection stays; may be repeated.
    #[arg(long = "keep", value_name = "CLIENT")]
    kept: Vec<String>,
    /// The code that the clients are told; after 3500 to 3999 and 4500 to 4999 they do not come back.
    #[arg(long, default_value_t = 3503, value_parser = clap::value_parser!(u32).range(3000..5000))]
    code: u32,
    /// The words beside the code.
    #[arg(long, default_value = "force disconnect")]
    reason: String,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    caller: Caller,
}

impl DisconnectOptions {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let mut request = json!({
            "whitelist": self.kept,
            "disconnect": { "code": self.code, "reason": self.reason },
        });
        for (field, said) in [("user", &self.user), ("client", &self.client), ("session", &self.session)] {
            if let Some(said) = said {
                request[field] = said.as_str().into();
            }
        }
        let result = self.caller.call("disconnect", &request.to_string())?;
        match self.shown.json {
            true => print(result.get()),
            false => {
                self.shown.talk(&format!("whoever is connected is told {}: {}", self.code, self.reason));
                Ok(())
            }
        }
    }
}
