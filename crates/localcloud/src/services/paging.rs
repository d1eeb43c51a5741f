//! Lists, one page at a time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// One page of a list that is sorted by its keys: its items, and the marker of the next page. A marker is the key of
/// the last item, so that deletions between two pages do not shift anything. `None` if the marker is not valid.
pub(crate) fn page(
    items: Vec<Value>,
    key: impl Fn(&Value) -> String,
    marker: Option<&str>,
    most: usize,
) -> Option<(Vec<Value>, Option<String>)> {
    let from = match marker {
        None | Some("") => 0,
        Some(marker) => {
            let last = String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok()?;
            let found = items.iter().position(|item| key(item) == last).map(|at| at + 1);
            found.or_else(|| items.iter().position(|item| key(item) > last)).unwrap_or(items.len())
        }
    };
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(from).take(most.max(1)).collect();
    let next = page.last().filter(|_| from + page.len() < total).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    Some((page, next))
}

/// A member of an item, as its key.
pub(crate) fn member(name: &'static str) -> impl Fn(&Value) -> String {
    move |item| item[name].as_str().unwrap_or_default().to_owned()
}
