//! `spanwire plan`: what so many connections need, from what fewer were measured to need.

mod model;

use clap::Args;

use super::{Failure, exit};
use model::{Cost, MEASURED, Need};

/// What is asked.
#[derive(Debug, Args)]
pub(super) struct PlanOptions {
    /// Connections, all of them together.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    connections: u64,
    /// Channels that each connection is subscribed to.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    channels_per_connection: u64,
    /// Subscribers of each channel; with few, the channels themselves take memory.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    subscribers_per_channel: u64,
    /// Messages that each connection receives per second, such as 0.1.
    #[arg(long, default_value_t = 0.1, value_parser = rate)]
    messages_per_second: f64,
    /// Bytes of a message's data.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(0..=16_777_216))]
    payload: u64,
    /// Cores of a node.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=4096))]
    node_cores: u64,
    /// Memory of a node, in GiB.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    node_memory: u64,
    /// Bandwidth of a node, in Gbit/s.
    #[arg(long, default_value_t = 10.0, value_parser = rate)]
    node_network: f64,
}

/// Prints the plan.
pub(super) fn run(options: &PlanOptions) -> Result<(), Failure> {
    exit::print(&plan(options))
}

fn plan(options: &PlanOptions) -> String {
    let need = Need {
        connections: options.connections as f64,
        subscriptions: options.channels_per_connection as f64,
        subscribers: options.subscribers_per_channel as f64,
        messages: options.messages_per_second,
        payload: options.payload as f64,
    };
    let cost = need.cost();
    let memory = options.node_memory as f64 * (1u64 << 30) as f64;
    let nodes = cost.nodes(options.node_cores as f64, memory, options.node_network);
    let mut out = format!(
        "{} connections, each in {} channels of {} subscribers, {} messages of {} B a second to each\n\n",
        count(need.connections),
        options.channels_per_connection,
        count(need.subscribers),
        options.messages_per_second,
        options.payload
    );
    out += &lines(&cost);
    out += &format!(
        "  nodes          {:>12}   of {} cores, {} GiB and {} Gbit/s, each at most {:.0} % busy; bound by {}\n",
        count(nodes.count),
        options.node_cores,
        options.node_memory,
        options.node_network,
        model::BUSY_MAX * 100.0,
        nodes.bound_by
    );
    out + &honesty(&need)
}

fn lines(cost: &Cost) -> String {
    let gb = |bytes: f64| format!("{:.2} GB", bytes / 1e9);
    format!(
        "  server memory  {:>12}   {:.0} B for each connection\n  \
           kernel memory  {:>12}   {:.0} B for each socket, with empty buffers\n  \
           cores          {:>12}   {:.2} for heartbeats every 25 s, {:.2} to {:.2} for messages\n  \
           network        {:>12}   outgoing, with headers\n",
        gb(cost.user_bytes),
        cost.user_each,
        gb(cost.kernel_bytes),
        model::KERNEL_BYTES,
        format!("{:.2}", cost.idle_cores + cost.message_cores_max),
        cost.idle_cores,
        cost.message_cores_min,
        cost.message_cores_max,
        format!("{:.2} Gbit/s", cost.gigabits),
    )
}

/// What of this was measured, and what was not.
fn honesty(need: &Need) -> String {
    let beyond = need.connections / MEASURED.connections;
    let reach = if beyond <= 1.0 {
        "so many connections were open at once in the measurement".to_owned()
    } else {
        format!("this is {beyond:.0} times as many connections as were measured: an extrapolation")
    };
    format!(
        "\nFitted to {} connections in {} processes over loopback on {} ({}).\n\
         Memory of the server: the fit misses a measurement by {:.0} % at most. {}.\n\
         Messages: the lower figure is many subscribers at full speed, the upper one message at a time to few.\n\
         Not in it: TLS, compression, presence, history, traffic between nodes, a real network's interrupts, \
         buffers of slow readers.",
        count(MEASURED.connections),
        MEASURED.processes,
        MEASURED.machine,
        MEASURED.date,
        MEASURED.worst * 100.0,
        capitalised(&reach),
    )
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// A whole number with groups of thousands.
fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rate that arithmetic can bear.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.0..=1e9).contains(&rate) => Ok(rate),
        _ => Err("a number from 0 to 1,000,000,000, such as 0.1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: PlanOptions,
    }

    fn said(words: &str) -> String {
        let line = Line::try_parse_from(["plan"].into_iter().chain(words.split(' ')));
        plan(&line.unwrap_or_else(|error| panic!("{error}")).options)
    }

    #[test]
    fn a_plan_beyond_the_measurement_says_how_far() {
        assert!(
            said("--connections 1000000").contains("This is 5 times as many connections as were measured")
        );
        assert!(!said("--connections 100000").contains("extrapolation"));
    }

    #[test]
    fn more_of_anything_never_needs_fewer_nodes() {
        let nodes = |words: &str| {
            let text = said(words);
            let line =
                text.lines().find(|line| line.contains("nodes  ")).expect("a line of nodes").to_owned();
            line.split_whitespace().nth(1).unwrap().replace(',', "").parse::<f64>().unwrap()
        };
        let few = nodes("--connections 10000000");
        assert!(few >= 1.0);
        for more in ["--messages-per-second 100", "--channels-per-connection 1000", "--payload 1000000"] {
            assert!(nodes(&format!("--connections 10000000 {more}")) > few, "{more}");
        }
    }

    #[test]
    fn what_arithmetic_cannot_bear_is_refused() {
        for words in [
            "--connections 0",
            "--connections 1 --messages-per-second NaN",
            "--connections 1 --node-network -1",
        ] {
            let line = Line::try_parse_from(["plan"].into_iter().chain(words.split(' ')));
            assert!(line.is_err(), "{words}");
        }
    }

    #[test]
    fn a_network_of_no_speed_needs_no_infinite_number_in_print() {
        assert!(!said("--connections 1000 --node-network 0").contains("NaN"));
    }

    #[test]
    fn counts_have_groups_of_thousands() {
        for (value, text) in [(0.0, "0"), (999.0, "999"), (1_000.0, "1,000"), (1e7, "10,000,000")] {
            assert_eq!(count(value), text);
        }
    }
}
