//! What is for pages of this server alone.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::{HOST, ORIGIN};

use super::plain;
use crate::auth::OriginPolicy;

/// Lets requests through that a page of this server made, or a program; another page is refused with 403.
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    let allowed = {
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        OriginPolicy::default().check(text(ORIGIN), text(HOST)).is_ok()
    };
    if allowed {
        next.run(request).await
    } else {
        plain(StatusCode::FORBIDDEN, "Only pages of this server may ask for this.")
    }
}
