//! Deltas of one subscription: what it was told last, to which the next patch applies.

use bytes::Bytes;
use spanwire_wire::message::Publication;
use spanwire_wire::{Encoding, delta};

/// What a subscription that asks for deltas remembers.
#[derive(Debug)]
pub(crate) struct Deltas {
    encoding: Encoding,
    /// Longest payload that a patch may make.
    payload_bytes_max: usize,
    /// The server tells publications so now.
    agreed: bool,
    /// The payload told last.
    base: Option<Bytes>,
}

/// A patch does not fit to what was told last, or is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit;

impl Deltas {
    pub(crate) fn new(encoding: Encoding, payload_bytes_max: usize) -> Self {
        Self { encoding, payload_bytes_max, agreed: false, base: None }
    }

    /// The server has answered the subscribe. Who was brought back to where it was has what it was told last.
    pub(crate) fn begin(&mut self, agreed: bool, recovered: bool) {
        self.agreed = agreed;
        self.base.take_if(|_| !recovered);
    }

    /// Puts the payload into a publication in place of what it was told by.
    pub(crate) fn resolve(&mut self, publication: &mut Publication) -> Result<(), Misfit> {
        if !self.agreed {
            return Ok(());
        }
        let told = match self.encoding {
            Encoding::Json => delta::from_json(&publication.data).ok_or(Misfit)?,
            Encoding::Protobuf => publication.data.clone(),
        };
        publication.data = match publication.delta {
            true => {
                let base = self.base.as_ref().ok_or(Misfit)?;
                delta::apply(base, &told, self.payload_bytes_max).map_err(|_| Misfit)?.into()
            }
            false => told,
        };
        publication.delta = false;
        self.base = Some(publication.data.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(data: impl Into<Bytes>, delta: bool) -> Publication {
        Publication { data: data.into(), delta, ..Publication::default() }
    }

    #[test]
    fn what_is_told_becomes_the_payload_in_both_encodings() {
        let (first, second) =
            (r#"{"text":"a text that stays","n":1}"#, r#"{"text":"a text that stays","n":2}"#);
        for encoding in Encoding::ALL {
            let mut deltas = Deltas::new(encoding, 64);
            deltas.begin(true, false);
            let patch = delta::patch(encoding, first.as_bytes(), second.as_bytes()).unwrap();
            for (mut said, is_patch, expected) in [(first.as_bytes(), false, first), (&patch, true, second)] {
                let json = delta::to_json(said).unwrap();
                if encoding == Encoding::Json {
                    said = &json;
                }
                let mut publication = told(said.to_vec(), is_patch);
                deltas.resolve(&mut publication).unwrap();
                assert_eq!(publication, told(expected, false));
            }
        }
    }

    #[test]
    fn a_patch_without_its_base_is_a_misfit_and_so_is_what_is_no_string() {
        let mut deltas = Deltas::new(Encoding::Json, 64);
        deltas.begin(true, false);
        assert_eq!(deltas.resolve(&mut told(r#""4\n4@0,lCJ8o;""#, true)), Err(Misfit));
        assert_eq!(deltas.resolve(&mut told("{}", false)), Err(Misfit));
        deltas.resolve(&mut told(r#""0123""#, false)).unwrap();
        deltas.begin(true, true);
        let mut again = told(r#""4\n4@0,lCJ8o;""#, true);
        assert_eq!((deltas.resolve(&mut again), &again.data[..]), (Ok(()), &b"0123"[..]));
        deltas.begin(true, false);
        assert_eq!(deltas.resolve(&mut told(r#""4\n4@0,lCJ8o;""#, true)), Err(Misfit));
    }
}
