//! `spanwire rpc`: calls a function that was added to the server.

use clap::Args;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Caller, json as typed};
use crate::cli::Failure;
use crate::cli::exit::print;

#[derive(Debug, Args)]
pub(in crate::cli) struct RpcOptions {
    /// The name of the function.
    method: String,
    /// What it is told: JSON, such as '{"n":1}'.
    #[arg(default_value = "null")]
    params: String,
    #[command(flatten)]
    caller: Caller,
}

#[derive(Deserialize)]
struct Returned {
    data: Box<RawValue>,
}

impl RpcOptions {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let params = typed("the parameter", &self.params)?;
        let Returned { data } =
            self.caller.ask("rpc", &json!({ "method": self.method, "params": params }))?;
        print(data.get())
    }
}
