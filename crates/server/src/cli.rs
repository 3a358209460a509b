//! The command line. Results go to stdout, talk goes to stderr, and each way to fail has its exit code.

mod api;
mod banner;
mod bench;
mod check_config;
mod completions;
mod config_reference;
mod connect;
mod dev;
mod dev_cert;
mod exit;
mod http;
mod init;
mod key_file;
mod load;
mod misspelt;
mod plan;
mod publish;
mod serve;
mod session;
mod sources;
mod subscribe;
mod subscription;
mod tail;
mod token;
pub mod torture;
mod trust;
mod url;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};

use self::sources::Overrides;
pub use exit::{Exit, Failure};

/// Real-time messaging over WebSockets: channels, presence, history, recovery.
///
/// Without a command: the dev profile. It listens on loopback only, lets anybody in, and shows the demos, or the
/// pages of a directory of yours.
#[derive(Debug, Parser)]
#[command(name = "spanwire", version, args_conflicts_with_subcommands = true, after_long_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dev: DevOptions,
}

/// How commands end, for whoever writes scripts.
const EXIT_CODES: &str = "\
Exit codes:
    0  it worked
    1  it did not work, for a reason that has no code of its own
    2  the command line makes no sense
   65  what was given to be sent makes no sense
   66  a file or directory is not there
   69  the server is not there, or went away
   75  the server has too much to do; try again
   77  the server, or the system, does not allow it
   78  the configuration makes no sense
  124  the server took too long
  130  it was interrupted";

/// How the dev profile may be changed; everything else is for a configuration file.
#[derive(Debug, Args)]
struct DevOptions {
    /// A directory with pages of yours, to be served at /; the demos are at /demos/ then.
    directory: Option<PathBuf>,
    /// Where to listen; 0 takes a free port.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// A loopback address to listen at, instead of both 127.0.0.1 and ::1.
    #[arg(long)]
    address: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves with a configuration file: nobody is let in unless it says so.
    Serve(ServeOptions),
    /// Publishes to a channel: by the server API, or as a client.
    Pub(PubOptions),
    /// Shows what is published to channels, until it is interrupted.
    Sub(SubOptions),
    /// Shows what a channel has kept.
    History(api::HistoryOptions),
    /// Shows who is in a channel.
    Presence(api::PresenceOptions),
    /// Shows which channels have subscribers.
    Channels(api::ChannelsOptions),
    /// Closes the connections of a user.
    Disconnect(api::DisconnectOptions),
    /// Calls a function that was added to the server.
    Rpc(api::RpcOptions),
    /// Shows which nodes there are, and how much there is on each.
    Info(api::InfoOptions),
    /// Publishes to many subscribers, and says what came when and what it cost them.
    Bench(bench::Options),
    /// Tries to make a server break its promise, with many clients and every accident, and keeps accounts.
    Torture(torture::Options),
    /// Says what so many connections need: memory, cores, nodes, network.
    Plan(plan::PlanOptions),
    /// Makes a connection token, to try things; or checks one, step by step.
    Token(token::TokenOptions),
    /// Makes a subscription token, to try things.
    SubToken(token::SubTokenOptions),
    /// Writes a first configuration file, with fresh keys.
    Init(init::InitOptions),
    /// Says what a server would make of its configuration, and where each option comes from.
    CheckConfig(check_config::CheckOptions),
    /// Prints every option there is, with its default.
    ConfigReference(config_reference::ReferenceOptions),
    /// Makes a certificate for this machine, to try https and wss with.
    DevCert(dev_cert::Options),
    /// Prints what a shell needs to complete our commands.
    Completions(completions::CompletionsOptions),
    /// Writes the manual pages.
    Man(completions::ManOptions),
    /// Prints the version.
    Version,
}

#[derive(Clone, Debug, Args)]
struct ServeOptions {
    /// The configuration: a .toml or .json file.
    #[arg(short, long)]
    config: PathBuf,
    /// Where to listen, instead of http_server.port.
    #[arg(long)]
    port: Option<u16>,
    /// Where to listen, instead of http_server.address.
    #[arg(long)]
    address: Option<String>,
}

#[derive(Debug, Args)]
struct PubOptions {
    /// The channel.
    channel: String,
    /// What to publish: JSON, such as '{"text":"hello"}'.
    data: String,
    #[command(flatten)]
    caller: api::Caller,
    /// Publishes over a connection, with the rights of a client, instead of by the server API; without a token (here or in
    /// SPANWIRE_TOKEN) as an anonymous one.
    #[arg(long)]
    as_client: bool,
    /// The connection token of a client to publish as; implies --as-client.
    #[arg(long)]
    token: Option<String>,
}

#[derive(Debug, Args)]
struct SubOptions {
    /// The channels.
    #[arg(required = true)]
    channels: Vec<String>,
    /// Ends after so many publications.
    #[arg(long)]
    count: Option<u64>,
    /// Prints one JSON object per publication, and nothing else.
    #[arg(long)]
    json: bool,
    /// The server.
    #[arg(long, env = "SPANWIRE_URL", default_value = "http://localhost:8000")]
    url: String,
    /// A connection token; without it the connection is anonymous.
    #[arg(long, env = "SPANWIRE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Certificates of the authorities that may vouch for an https or wss server, in PEM, instead of the system's.
    #[arg(long, env = "SPANWIRE_CA_FILE")]
    ca_file: Option<PathBuf>,
}

/// Does what the command line says. `started` is when the process began.
pub fn run(started: Instant) -> ExitCode {
    let outcome = Overrides::take(std::env::args_os()).and_then(|(arguments, overrides)| {
        misspelt::check(arguments.get(1))?;
        carry_out(&Cli::parse_from(arguments), &overrides, started)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn carry_out(cli: &Cli, overrides: &Overrides, started: Instant) -> Result<(), Failure> {
    if !matches!(cli.command, None | Some(Command::Serve(_) | Command::CheckConfig(_))) {
        overrides.refuse()?;
    }
    match &cli.command {
        None => dev::run(&cli.dev, overrides, started),
        Some(Command::Serve(options)) => serve::run(options, overrides, started),
        Some(Command::Pub(options)) => publish::run(options),
        Some(Command::Sub(options)) => subscribe::run(options),
        Some(Command::History(options)) => options.run(),
        Some(Command::Presence(options)) => options.run(),
        Some(Command::Channels(options)) => options.run(),
        Some(Command::Disconnect(options)) => options.run(),
        Some(Command::Rpc(options)) => options.run(),
        Some(Command::Info(options)) => options.run(),
        Some(Command::Bench(options)) => bench::run(options),
        Some(Command::Torture(options)) => torture::run(options),
        Some(Command::Plan(options)) => plan::run(options),
        Some(Command::Token(options)) => token::run(options),
        Some(Command::SubToken(options)) => token::run_subscription(options),
        Some(Command::Init(options)) => init::run(options),
        Some(Command::CheckConfig(options)) => check_config::run(options, overrides),
        Some(Command::ConfigReference(options)) => config_reference::run(options),
        Some(Command::DevCert(options)) => dev_cert::run(options),
        Some(Command::Completions(options)) => options.run(),
        Some(Command::Man(options)) => options.run(),
        Some(Command::Version) => exit::print(&format!("spanwire {}", env!("CARGO_PKG_VERSION"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_dev_profile_has_no_options_of_other_commands() {
        assert!(Cli::try_parse_from(["spanwire", "--port", "0"]).is_ok());
        assert!(Cli::try_parse_from(["spanwire", "--port", "0", "serve", "-c", "a.toml"]).is_err());
        assert!(Cli::try_parse_from(["spanwire", "serve"]).is_err());
        assert!(Cli::try_parse_from(["spanwire", "sub"]).is_err());
    }
}
