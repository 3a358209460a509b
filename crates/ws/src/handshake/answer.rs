//! What a server's answer to a handshake says (RFC 6455 section 4.1).

use super::client::{AnswerError, Offer};
use super::extension;
use super::field::{self, Field};
use super::key::Key;
use crate::Extensions;
use crate::deflate::{Agreement, Parameters, Said, WINDOW_BITS_MIN};

/// The parts of an answer that matter.
#[derive(Default)]
pub(super) struct Answer<'b> {
    upgrades_to_websocket: bool,
    connection_upgrades: bool,
    accept: Field<'b>,
    subprotocol: Field<'b>,
    extension: Chosen,
}

/// What the server says about extensions.
#[derive(Default)]
enum Chosen {
    #[default]
    Nothing,
    Deflate(Parameters),
    /// Compression twice, or with parameters that there are not.
    Nonsense,
    SomethingElse,
}

impl<'b> Answer<'b> {
    pub(super) fn add(&mut self, name: &str, value: &'b [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("upgrade") {
            self.upgrades_to_websocket |= field::names(value, "websocket");
        } else if is("connection") {
            self.connection_upgrades |= field::names(value, "upgrade");
        } else if is("sec-websocket-accept") {
            self.accept.add(value);
        } else if is("sec-websocket-protocol") {
            self.subprotocol.add(value);
        } else if is("sec-websocket-extensions") {
            extension::elements(value).for_each(|element| self.extension.add(Parameters::read(element)));
        }
    }

    /// What both sides will do, if the server agreed to it as it was offered.
    fn extensions(&self, offer: Option<Parameters>) -> Result<Extensions, AnswerError> {
        match (&self.extension, offer) {
            (Chosen::Nothing, _) => Ok(Extensions::None),
            (Chosen::SomethingElse, _) | (_, None) => Err(AnswerError::ExtensionNotOffered),
            (Chosen::Nonsense, Some(_)) => Err(AnswerError::CompressionMismatch),
            (Chosen::Deflate(answer), Some(offer)) => {
                let can_be_kept = |agreed: &Agreement| agreed.client.window_bits >= WINDOW_BITS_MIN;
                let agreement = Agreement::of_answer(&offer, answer).filter(can_be_kept);
                agreement.map(Extensions::Deflate).ok_or(AnswerError::CompressionMismatch)
            }
        }
    }

    /// The client's six checks in the order of section 4.1; the chosen subprotocol and the extensions if all hold.
    pub(super) fn check<'a>(
        &self,
        offer: &Offer<'a>,
        key: &Key,
    ) -> Result<(Option<&'a str>, Extensions), AnswerError> {
        if !self.upgrades_to_websocket {
            return Err(AnswerError::UpgradeMissing);
        }
        if !self.connection_upgrades {
            return Err(AnswerError::ConnectionMissing);
        }
        if self.accept != Field::Once(key.accept().as_str().as_bytes()) {
            return Err(AnswerError::AcceptMismatch);
        }
        let extensions = self.extensions(offer.deflate)?;
        let chosen = match self.subprotocol {
            Field::Absent => return Ok((None, extensions)),
            Field::Once(chosen) => chosen,
            Field::Repeated => return Err(AnswerError::SubprotocolNotOffered),
        };
        let offered = offer.subprotocols.iter().copied().find(|name| name.as_bytes() == chosen);
        offered.map(|name| (Some(name), extensions)).ok_or(AnswerError::SubprotocolNotOffered)
    }
}

impl Chosen {
    fn add(&mut self, said: Said) {
        *self = match (&self, said) {
            (Self::SomethingElse, _) | (_, Said::SomethingElse) => Self::SomethingElse,
            (Self::Nothing, Said::Deflate(parameters)) => Self::Deflate(parameters),
            _ => Self::Nonsense,
        };
    }
}
