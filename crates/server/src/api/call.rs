//! What a method is, in types: the fields of its body, what it makes of them, and the fields of its result.
//!
//! Bodies are read, results are written, and the OpenAPI document is made from these types and from nothing else, so
//! that none of the three can say what the others do not.

use std::future::Future;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::World;
use super::failure::Failure;

/// A call of one method, which has been understood and not done yet.
pub(super) trait Call: Sized {
    /// What the body is read as.
    type Body: Fields;
    /// What it is answered with.
    type Result: Serialize + JsonSchema;

    /// Makes a call of a body whose fields are of the right kinds. It asks nobody: whether there is such a channel is
    /// found out later.
    ///
    /// # Errors
    /// The body asks for what nobody can have.
    fn understand(body: Self::Body) -> Result<Self, Failure>;

    /// Does what was asked for.
    fn answer(self, world: World<'_>) -> impl Future<Output = Result<Self::Result, Failure>> + Send;
}

/// The fields of a body: several structures, each of which reads its own and skips the others.
///
/// One structure that is flattened into another would do the same, but serde copies what it flattens, and a payload
/// must stay as it stands.
pub(super) trait Fields: Sized {
    /// Reads them from a JSON object.
    fn read(body: &[u8]) -> Result<Self, Failure>;

    /// The schema of each structure.
    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema>;
}

/// Reads the body of a call.
pub(super) fn read<C: Call>(body: &[u8]) -> Result<C, Failure> {
    C::understand(C::Body::read(body)?)
}

/// What has no fields is not even looked at.
impl Fields for () {
    fn read(_: &[u8]) -> Result<Self, Failure> {
        Ok(())
    }

    fn schemas(_: &mut SchemaGenerator) -> Vec<Schema> {
        Vec::new()
    }
}

impl<A: DeserializeOwned + JsonSchema> Fields for (A,) {
    fn read(body: &[u8]) -> Result<Self, Failure> {
        Ok((parse(text(body)?)?,))
    }

    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
        vec![A::json_schema(generator)]
    }
}

impl<A, B> Fields for (A, B)
where
    A: DeserializeOwned + JsonSchema,
    B: DeserializeOwned + JsonSchema,
{
    fn read(body: &[u8]) -> Result<Self, Failure> {
        let text = text(body)?;
        Ok((parse(text)?, parse(text)?))
    }

    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
        vec![A::json_schema(generator), B::json_schema(generator)]
    }
}

impl<A, B, C> Fields for (A, B, C)
where
    A: DeserializeOwned + JsonSchema,
    B: DeserializeOwned + JsonSchema,
    C: DeserializeOwned + JsonSchema,
{
    fn read(body: &[u8]) -> Result<Self, Failure> {
        let text = text(body)?;
        Ok((parse(text)?, parse(text)?, parse(text)?))
    }

    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
        vec![A::json_schema(generator), B::json_schema(generator), C::json_schema(generator)]
    }
}

/// The text of a body that begins as an object does.
fn text(body: &[u8]) -> Result<&str, Failure> {
    // The derived readers would take an array of the fields' values as well.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Failure::Malformed("The body must be a JSON object.".to_owned()));
    }
    // A reader would skip what it does not look at without a look at its bytes (RFC 8259 section 8.1).
    std::str::from_utf8(body).map_err(|error| Failure::Malformed(format!("The body is not UTF-8: {error}.")))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Malformed(format!("The body is not understood: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Body {
        channel: String,
    }

    #[test]
    fn a_body_is_an_object_and_garbage_is_told_with_its_place() {
        assert_eq!(<(Body,)>::read(b" {}"), Ok((Body::default(),)));
        for body in
            [b"".as_slice(), b"hello", b"[]", b"null", b"{\"channel\":", b"{}{}", b"{\"later\":\"\xff\"}"]
        {
            assert!(matches!(<(Body,)>::read(body), Err(Failure::Malformed(_))));
        }
        let later = <(Body,)>::read(br#"{"channel":"a","later":[]}"#);
        assert_eq!(later, Ok((Body { channel: "a".to_owned() },)));
        let Err(Failure::Malformed(trouble)) = <(Body,)>::read(b"{\"channel\": 5}") else { panic!() };
        assert!(trouble.contains("line 1 column"), "{trouble}");
    }
}
