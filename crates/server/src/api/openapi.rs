//! `/openapi.json`: the server API, described for programs (OpenAPI 3.1).
//!
//! What it says of bodies and results comes from the types by which they are read and written (`call.rs`), and the list
//! of methods is the one that calls are looked up in.

use std::collections::BTreeMap;

use schemars::generate::{Contract, SchemaSettings};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::Method;
use super::call::{Call, Fields as _};
use super::failure::ApiError;

/// Where the named parts of the document are.
const SCHEMAS: &str = "/components/schemas";

/// Collects the parts that have names, those of what callers say apart from those of what they are told: a field that
/// may be left out of the one may always be there in the other.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    results: SchemaGenerator,
}

/// What the callers of a method say, and are told.
pub(super) struct Operation {
    request: Value,
    result: Value,
}

/// The reference to what a method's body is.
pub(super) fn request_of(method: Method) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{}", request_name(method)) })
}

/// The reference to what a method's result is.
pub(super) fn result_of(method: Method) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{}", result_name(method)) })
}

fn request_name(method: Method) -> String {
    format!("{method:?}Request")
}

fn result_name(method: Method) -> String {
    format!("{method:?}Result")
}

impl Schemas {
    fn new() -> Self {
        let generator = |contract| {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = SCHEMAS.into();
            settings.contract = contract;
            settings.into_generator()
        };
        Self { requests: generator(Contract::Deserialize), results: generator(Contract::Serialize) }
    }

    /// What the calls of this type say, and are told.
    pub(super) fn operation<C: Call>(&mut self) -> Operation {
        Operation {
            request: joined(C::Body::schemas(&mut self.requests)),
            result: <C::Result as schemars::JsonSchema>::json_schema(&mut self.results).to_value(),
        }
    }

    /// Every part that has a name.
    fn named(mut self) -> BTreeMap<String, Value> {
        let said = self.requests.take_definitions(true).into_iter();
        let mut all: BTreeMap<_, _> = said.map(|(name, schema)| (name, demanding(schema))).collect();
        for (name, schema) in self.results.take_definitions(true) {
            let other = all.insert(name.clone(), schema.clone());
            debug_assert!(other.is_none_or(|other| other == schema), "there are two of the name {name}");
        }
        all
    }
}

/// The fields of several structures as those of one.
fn joined(parts: Vec<Schema>) -> Value {
    let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
    for part in parts {
        let mut part = part.to_value();
        if let Some(Value::Object(fields)) = part.get_mut("properties").map(Value::take) {
            properties.extend(fields);
        }
        if let Some(Value::Array(names)) = part.get_mut("required").map(Value::take) {
            required.extend(names);
        }
    }
    let mut whole = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        whole["required"] = required.into();
    }
    demanding(whole)
}

/// The same without defaults of fields that must be there, which is what they are read as when they are not.
fn demanding(mut schema: Value) -> Value {
    let required = schema.get("required").cloned().unwrap_or_default();
    for name in required.as_array().into_iter().flatten().filter_map(Value::as_str) {
        if let Some(field) = schema["properties"][name].as_object_mut() {
            field.remove("default");
        }
    }
    schema
}

/// The document.
pub(super) fn document() -> Value {
    let mut schemas = Schemas::new();
    let error = schemas.results.subschema_for::<ApiError>().to_value();
    let (mut paths, mut named) = (BTreeMap::new(), BTreeMap::new());
    for method in Method::ALL {
        let Operation { request, result } = method.operation(&mut schemas);
        named.insert(request_name(method), request);
        named.insert(result_name(method), result);
        paths.insert(format!("/api/{}", method.name()), json!({ "post": post(method, &error) }));
    }
    named.extend(schemas.named());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Spanwire server API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a backend asks of Spanwire. A call that reached its method is answered with status 200, \
                            and with a result or an error in the body; other statuses mean that no method was reached. \
                            With the header X-Centrifugo-Error-Mode: transport, or where the server is configured so, \
                            errors are the body, under statuses that say what happened: 400 (codes 107 and 108), \
                            404 (102 and 104), 416 (112), 429 (111), and 500 for the others.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "header": [] }, { "authorization": [] }, { "query": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "header": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
                "authorization": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "The word `apikey`, a space, and the key.",
                },
                "query": { "type": "apiKey", "in": "query", "name": "api_key" },
            },
            "responses": responses(&error),
            "parameters": {
                "ErrorMode": {
                    "name": "X-Centrifugo-Error-Mode",
                    "in": "header",
                    "description": "How errors travel: in the body under status 200, or, as `transport`, under others.",
                    "schema": { "type": "string", "enum": ["transport"] },
                },
            },
            "schemas": named,
        },
    });
    bound(&mut document);
    document
}

/// Says of each number of so many bits what fits into them, which its format alone says to people only.
fn bound(schema: &mut Value) {
    let range = match schema.get("format").and_then(Value::as_str) {
        Some("uint64") => Some((json!(0), json!(u64::MAX))),
        Some("uint32") => Some((json!(0), json!(u32::MAX))),
        Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
        _ => None,
    };
    if let (Some((least, most)), Some(object)) = (range, schema.as_object_mut()) {
        object.entry("minimum").or_insert(least);
        object.entry("maximum").or_insert(most);
    }
    match schema {
        Value::Object(within) => within.values_mut().for_each(bound),
        Value::Array(within) => within.iter_mut().for_each(bound),
        _ => {}
    }
}

/// How a method is called.
fn post(method: Method, error: &Value) -> Value {
    let body = |schema: Value| json!({ "application/json": { "schema": schema } });
    // The replies of a batch stand at the top, as in Centrifugo.
    let result = match method {
        Method::Batch => result_of(method),
        _ => envelope("result", result_of(method)),
    };
    json!({
        "operationId": method.name(),
        "summary": method.doc(),
        "parameters": [{ "$ref": "#/components/parameters/ErrorMode" }],
        "requestBody": { "required": true, "content": body(request_of(method)) },
        "responses": {
            "200": {
                "description": "What came of it.",
                "content": body(json!({ "oneOf": [result, envelope("error", error.clone())] })),
            },
            "400": { "$ref": "#/components/responses/Malformed" },
            "401": { "$ref": "#/components/responses/Unauthorized" },
            "403": { "$ref": "#/components/responses/Forbidden" },
            "404": { "$ref": "#/components/responses/NotThere" },
            "405": { "$ref": "#/components/responses/NotPost" },
            "413": { "$ref": "#/components/responses/TooLarge" },
            "416": { "$ref": "#/components/responses/NotRecoverable" },
            "429": { "$ref": "#/components/responses/TooSoon" },
            "500": { "$ref": "#/components/responses/Failed" },
            "503": { "$ref": "#/components/responses/Busy" },
        },
    })
}

fn envelope(name: &str, schema: Value) -> Value {
    json!({ "type": "object", "properties": { name: schema }, "required": [name], "additionalProperties": false })
}

/// What is answered where no method was reached, or under a status of its own.
fn responses(error: &Value) -> Value {
    let text = json!({ "schema": { "type": "string" } });
    let either = || json!({ "oneOf": [envelope("error", error.clone()), error] });
    let plain = |description: &str| json!({ "description": description, "content": { "text/plain": text } });
    let itself = |description: &str| json!({ "description": description, "content": { "application/json": { "schema": error } } });
    let later = |description: &str| {
        json!({
            "description": description,
            "headers": {
                "Retry-After": {
                    "description": "Seconds until a call may come again.",
                    "schema": { "type": "integer", "minimum": 1 },
                },
            },
            "content": { "application/json": { "schema": either() } },
        })
    };
    json!({
        "TooSoon": later("The key has asked for more than http_api.rate_limit allows."),
        "Busy": later("More calls are under way than http_api.concurrency_limit allows."),
        "Malformed": {
            "description": "The body is not what the method reads; the text says where. Or error 107 or 108.",
            "content": { "text/plain": text, "application/json": { "schema": error } },
        },
        "Unauthorized": { "description": "There is no key, or it is none of http_api.key and http_api.keys." },
        "Forbidden": plain("The key does not open this method."),
        "NotThere": itself("Error 102 or 104."),
        "NotPost": {
            "description": "The server API is called with POST.",
            "headers": { "Allow": { "description": "POST.", "schema": { "type": "string" } } },
            "content": { "text/plain": text },
        },
        "NotRecoverable": itself("Error 112."),
        "Failed": itself("Error 100 or 106."),
        "TooLarge": plain("The body is larger than http_api.max_request_body_size allows."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_described_with_the_fields_of_all_its_parts() {
        let document = document();
        let publish = &document["components"]["schemas"]["PublishRequest"];
        let fields: Vec<_> = publish["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let expected =
            ["b64data", "channel", "data", "delta", "idempotency_key", "skip_history", "tags", "version"];
        assert_eq!(fields, expected);
        assert_eq!(publish["required"], json!(["channel"]));
    }

    #[test]
    fn every_method_has_a_path_and_every_field_a_sentence() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), Method::ALL.len());
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (field, described) in schema["properties"].as_object().into_iter().flatten() {
                let is_told = described.get("description").is_some() || described.get("$ref").is_some();
                assert!(is_told, "{name}.{field}: {described}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for rest in text.split("\"$ref\":\"#").skip(1) {
            let place = rest.split('"').next().unwrap();
            assert!(document.pointer(place).is_some(), "{place}");
        }
    }
}
