//! A function's URL, and who may use it.

use super::http::{is_origin, is_token};
use super::section::{Entry, Section};
use crate::stack::{Auth, Cors, FunctionUrl, Word};
use std::collections::BTreeSet;

const METHODS: [&str; 7] = ["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"];
/// AWS's limits for the lists of `cors`.
const METHOD_LIMIT: usize = 6;
const LIST_LIMIT: usize = 100;
const HEADER_LIMIT: usize = 1024;

pub(super) fn read(keys: &Section<'_>) -> Option<FunctionUrl> {
    let url = keys.section("url")?;
    let why = "`none` (everyone may call) or `aws-iam` (only signed requests): it has to be chosen, so that no URL is \
               public by accident";
    let auth = url.required("auth", why).and_then(|entry| entry.word()).and_then(Auth::parse);
    let cors = url.section("cors").map(read_cors);
    Some(FunctionUrl {
        // If the key is missing, only the problem is returned.
        auth: auth.unwrap_or(Auth::AwsIam),
        mode: url.word("mode"),
        cors,
    })
}

fn read_cors(cors: Section<'_>) -> Cors {
    let set = |key, limit, expected: &str, is_one: &dyn Fn(&str) -> bool| {
        cors.entry(key).map(|entry| read_set(&entry, limit, expected, is_one)).unwrap_or_default()
    };
    let origins = "origins such as `https://example.com`, or `*`";
    let methods = "one of `GET`, `PUT`, `HEAD`, `POST`, `PATCH`, `DELETE`, `*` (AWS itself answers `OPTIONS`)";
    let read = Cors {
        allow_origins: set("allow_origins", LIST_LIMIT, origins, &|text| text == "*" || is_origin(text)),
        allow_methods: set("allow_methods", METHOD_LIMIT, methods, &|text| METHODS.contains(&&*text.to_uppercase())),
        allow_headers: set("allow_headers", LIST_LIMIT, "names of headers, or `*`", &is_header),
        expose_headers: set("expose_headers", LIST_LIMIT, "names of headers, or `*`", &is_header),
        allow_credentials: false,
        max_age: cors.written_number("max_age").map(|age| age.into_inner()),
    };
    let credentials = cors.entry("allow_credentials");
    let allow_credentials = credentials.as_ref().and_then(Entry::boolean).is_some_and(|allowed| allowed.into_inner());
    if let Some(entry) = credentials.filter(|_| allow_credentials && read.allow_origins.contains("*")) {
        entry.problem_with_name(
            "`allow_credentials` and `allow_origins = [\"*\"]` cannot be used together, expected the origins by name",
        );
    }
    Cors { allow_credentials, ..read }.normalised()
}

fn read_set(entry: &Entry<'_>, limit: usize, expected: &str, is_one: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let items = entry.strings(expected);
    let name = entry.name;
    if items.len() > limit {
        entry.problem(format!("`{name}` contains {} values, expected at most {limit}", items.len()));
    }
    for item in items.iter().filter(|item| !is_one(item.get_ref())) {
        entry.problem_at(item.span(), format!("`{name}` contains `{}`, expected {expected}", item.get_ref()));
    }
    items.into_iter().map(|item| item.into_inner().to_owned()).collect()
}

fn is_header(text: &str) -> bool {
    text == "*" || (text.len() <= HEADER_LIMIT && is_token(text))
}
