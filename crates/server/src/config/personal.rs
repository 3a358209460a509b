//! The channels that users have of their own.

use spanwire_hub::namespace::PersonalChannels;

use super::reader::Reader;

/// Reads them; `is_namespace` says whether there is one of a name.
pub(super) fn read(reader: &mut Reader<'_>, is_namespace: impl Fn(&str) -> bool) -> Option<PersonalChannels> {
    reader.table("client.subscribe_to_user_personal_channel", |reader| {
        let enabled = reader.flag(
            "enabled",
            "whether each connection of a user is subscribed to the channel #USER by the server",
            false,
        );
        let namespace = reader.text(
            "personal_channel_namespace",
            "the namespace that these channels are in; without it they are in none",
            "",
        );
        let single_connection = reader.flag(
            "single_connection",
            "whether a new connection of a user ends the older ones, with code 3504",
            false,
        );
        if !namespace.is_empty() && !is_namespace(&namespace) {
            reader.conflict("personal_channel_namespace", "must be one of channel.namespaces");
        }
        enabled.then_some(PersonalChannels { namespace, single_connection })
    })
}
