//! Where the transports are.

use http::Method;

use crate::config::Transports as Settings;

/// A path that speaks with clients over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge) enum Place {
    /// `/connection/http_stream`: replies as a response without an end.
    HttpStream,
    /// `/connection/sse`: the same as server-sent events.
    Sse,
    /// `/connection/poll`: replies by requests that are held.
    Poll,
    /// `/emulation`: commands for the sessions of the others.
    Emulation,
    /// `/connection/uni_sse`: server-sent events for clients that only hear.
    UniSse,
    /// `/connection/uni_http_stream`: the same as lines.
    UniHttpStream,
    /// `/connection/init`: nothing, to open a connection early or to see that the server is there.
    Init,
}

impl Place {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/connection/http_stream" => Some(Self::HttpStream),
            "/connection/sse" => Some(Self::Sse),
            "/connection/poll" => Some(Self::Poll),
            "/emulation" => Some(Self::Emulation),
            "/connection/uni_sse" => Some(Self::UniSse),
            "/connection/uni_http_stream" => Some(Self::UniHttpStream),
            "/connection/init" => Some(Self::Init),
            _ => None,
        }
    }

    pub(super) fn is_open(self, settings: &Settings) -> bool {
        match self {
            Self::HttpStream => settings.http_stream.enabled,
            Self::Sse => settings.sse.enabled,
            Self::Poll => settings.poll.way.enabled,
            Self::Emulation => settings.needs_emulation(),
            Self::UniSse => settings.uni_sse.enabled,
            Self::UniHttpStream => settings.uni_http_stream.enabled,
            Self::Init => settings.init,
        }
    }

    /// The name of it in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::HttpStream => "http_stream",
            Self::Sse => "sse",
            Self::Poll => "poll",
            Self::Emulation => "emulation",
            Self::UniSse => "uni_sse",
            Self::UniHttpStream => "uni_http_stream",
            Self::Init => "init",
        }
    }

    /// The methods that are taken there, as a header lists them.
    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::HttpStream | Self::UniHttpStream | Self::Poll | Self::Emulation => "POST, OPTIONS",
            Self::Sse | Self::UniSse => "GET, POST, OPTIONS",
            Self::Init => "GET, OPTIONS",
        }
    }

    pub(super) fn takes(self, method: &Method) -> bool {
        self.methods().split(", ").any(|taken| taken == method.as_str())
    }
}
