//! Credentials of AWS that a function gets instead of the invalid ones, if its owner hands them over. They are in memory
//! alone: no file and no log has them, and a cloud that is started again has none.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::limits::concurrency::FunctionKey;
use crate::sync::lock;

/// One set. It has no `Debug`, so that no log can show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    /// Only temporary ones have it.
    pub(crate) session_token: Option<String>,
}

/// By function.
#[derive(Default)]
pub(crate) struct HandedOver(Mutex<HashMap<FunctionKey, Credentials>>);

impl HandedOver {
    /// Hands over credentials, or takes them back; returns whether that changes anything.
    pub(crate) fn set(&self, function: FunctionKey, credentials: Option<Credentials>) -> bool {
        let mut all = lock(&self.0);
        let before = match credentials.clone() {
            Some(credentials) => all.insert(function, credentials),
            None => all.remove(&function),
        };
        before != credentials
    }

    pub(super) fn of(&self, function: &FunctionKey) -> Option<Credentials> {
        lock(&self.0).get(function).cloned()
    }
}

impl Credentials {
    /// They look like a role's credentials, but are valid nowhere.
    pub(super) fn invalid() -> Self {
        Self {
            access_key_id: "ASIALOCALFUNCTION".to_owned(),
            secret_access_key: "local-function".to_owned(),
            session_token: Some("local-function".to_owned()),
        }
    }

    /// As a function's processes get them.
    pub(super) fn variables(self) -> impl Iterator<Item = (String, String)> {
        [
            ("AWS_ACCESS_KEY_ID", Some(self.access_key_id)),
            ("AWS_SECRET_ACCESS_KEY", Some(self.secret_access_key)),
            ("AWS_SESSION_TOKEN", self.session_token),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_set_is_a_change() {
        let (all, function) = (HandedOver::default(), ("eu-central-1".to_owned(), "shop-chat".to_owned()));
        let mine = |secret: &str| Credentials { secret_access_key: secret.to_owned(), ..Credentials::invalid() };
        assert!(!all.set(function.clone(), None));
        assert!(all.set(function.clone(), Some(mine("a"))));
        assert!(!all.set(function.clone(), Some(mine("a"))));
        assert!(all.set(function.clone(), Some(mine("b"))));
        assert!(all.of(&("us-east-1".to_owned(), function.1.clone())).is_none());
        assert!(all.set(function.clone(), None) && all.of(&function).is_none());
    }
}
