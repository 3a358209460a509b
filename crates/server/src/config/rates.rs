//! How often clients may ask.

use std::time::Duration;

use spanwire_hub::limits::ClientRates;
use spanwire_hub::rate::Rate;

use super::reader::Reader;

/// Highest rate that can be asked for, in a second.
const RATE_MAX: usize = 1_000_000_000;
/// Bytes of commands that a client may send in a second: a tenth of a network of one gigabit.
const BYTES: usize = 16 << 20;
/// How much time's worth of a rate may be used at once.
const WINDOW: Duration = Duration::from_secs(5);
const WINDOW_MAX: Duration = Duration::from_secs(3600);

/// Reads the rates of one client. All the channels that it may have may be subscribed to at once: whoever comes back
/// does that.
pub(super) fn of_clients(reader: &mut Reader<'_>, channels_per_client_max: usize) -> ClientRates {
    let window = window(reader);
    let commands = rate(
        reader,
        "client.command_rate_limit",
        "how many commands a client may send in a second; 0 is any number",
        1000,
    );
    let bytes = rate(
        reader,
        "client.byte_rate_limit",
        "how many bytes of commands a client may send in a second; 0 is any number",
        BYTES,
    );
    let subscribes = rate(
        reader,
        "client.subscribe_rate_limit",
        "how many subscribe commands a client may send in a second; 0 is any number",
        100,
    );
    let for_all_channels = |rate: u32| {
        let seconds = channels_per_client_max.div_ceil(rate.max(1) as usize) as u64;
        Rate::new(rate, window.max(Duration::from_secs(seconds)))
    };
    ClientRates {
        commands: for_all_channels(commands),
        bytes: Rate::new(bytes, window),
        subscribes: for_all_channels(subscribes),
    }
}

/// Reads how many bad tokens of one address are looked at.
pub(super) fn of_auth_failures(reader: &mut Reader<'_>) -> Rate {
    let per_second = rate(
        reader,
        "client.ip_auth_failure_rate_limit",
        "how many invalid tokens of one public IP address are looked at in a second; 0 is any number",
        10,
    );
    Rate::new(per_second, WINDOW)
}

/// Reads the rate of publications in a namespace's channels.
pub(super) fn of_publications(reader: &mut Reader<'_>) -> Rate {
    let per_second = rate(
        reader,
        "publish_rate_limit",
        "how often clients may publish in a channel in a second, all of them together; 0 is any number",
        1000,
    );
    Rate::new(per_second, WINDOW)
}

fn window(reader: &mut Reader<'_>) -> Duration {
    reader.duration(
        "client.rate_limit_window",
        "how much time's worth of its rates a client may use at once",
        WINDOW,
        Duration::from_secs(1)..=WINDOW_MAX,
    )
}

fn rate(reader: &mut Reader<'_>, key: &'static str, doc: &'static str, default: usize) -> u32 {
    // The range fits, so that the cast loses nothing.
    reader.count(key, doc, default, 0..=RATE_MAX) as u32
}
