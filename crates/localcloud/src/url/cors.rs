//! CORS: what pages of other origins may do.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::wire::error::{Body, full};
use crate::world::url::Cors;

fn allows(list: Option<&Vec<String>>, value: &str) -> bool {
    list.is_some_and(|list| list.iter().any(|item| item == "*" || item.eq_ignore_ascii_case(value)))
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The answer to a preflight request, which never reaches the function.
pub(super) fn preflight<B>(cors: &Cors, request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers();
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| request.method() == Method::OPTIONS)?;
    headers.get(header::ORIGIN)?;
    let mut answer = Response::new(full(""));
    *answer.status_mut() = StatusCode::OK;
    let told = answer.headers_mut();
    if allows(cors.allow_methods.as_ref(), wanted.to_str().unwrap_or_default()) {
        told.insert(header::ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
    }
    if let Some(names) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|names| names.to_str().ok()) {
        let names: Vec<&str> =
            names.split(',').map(str::trim).filter(|name| allows(cors.allow_headers.as_ref(), name)).collect();
        if !names.is_empty() {
            set(told, header::ACCESS_CONTROL_ALLOW_HEADERS, &names.join(","));
        }
    }
    if let Some(age) = cors.max_age {
        set(told, header::ACCESS_CONTROL_MAX_AGE, &age.to_string());
    }
    Some(answer)
}

/// Sets the headers of an answer to a request with an origin; they replace the function's own.
pub(super) fn apply(cors: &Cors, origin: &HeaderValue, headers: &mut HeaderMap) {
    if !allows(cors.allow_origins.as_ref(), origin.to_str().unwrap_or_default()) {
        return;
    }
    let any = cors.allow_origins.as_ref().is_some_and(|origins| origins.iter().any(|item| item == "*"));
    let credentials = cors.allow_credentials == Some(true);
    // Browsers refuse `*` with credentials.
    let told = if any && !credentials { HeaderValue::from_static("*") } else { origin.clone() };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, told);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    if let Some(names) = cors.expose_headers.as_ref().filter(|names| !names.is_empty()) {
        set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &names.join(","));
    }
}
