//! A Function URL: the address of `live` on the internet.

use super::address::{Address, Auth};
use super::field::Fields;
use super::name::Names;
use super::noun::Noun;
use super::word::words;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUrl {
    pub auth: Auth,
    pub mode: InvokeMode,
    pub cors: Option<Cors>,
}

impl Noun for FunctionUrl {
    const KIND: &'static str = "url";
    const IN_WORDS: &'static str = "URL";

    fn name(&self, names: &Names) -> String {
        names.live()
    }

    fn address(&self, assigned: &str) -> Option<Address> {
        let about = format!("auth {}, {}", self.auth, self.mode);
        Some(Address { what: Self::IN_WORDS, url: assigned.to_owned(), auth: self.auth, about })
    }

    fn compare(&self, to: &FunctionUrl, fields: &mut Fields) {
        fields.shown("auth", &self.auth, &to.auth);
        fields.shown("mode", &self.mode, &to.mode);
        fields.hidden("cors", &self.cors, &to.cors);
    }
}

words! {
    /// Whether each chunk of a response is sent as soon as it is written, or the response only as a whole.
    #[derive(Default)]
    InvokeMode {
        #[default]
        ResponseStream = "response-stream",
        Buffered = "buffered",
    }
}

/// Which pages of other origins may read responses. Header names are lower case and methods are upper case, because
/// they are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    pub allow_credentials: bool,
    pub allow_headers: BTreeSet<String>,
    pub allow_methods: BTreeSet<String>,
    pub allow_origins: BTreeSet<String>,
    pub expose_headers: BTreeSet<String>,
    /// Seconds, 0–86,400.
    pub max_age: Option<u32>,
}

impl Cors {
    /// Converts names to the case in which they are compared.
    pub fn normalised(mut self) -> Cors {
        let lower = |set: BTreeSet<String>| set.iter().map(|name| name.to_lowercase()).collect();
        self.allow_headers = lower(self.allow_headers);
        self.expose_headers = lower(self.expose_headers);
        self.allow_methods = self.allow_methods.iter().map(|name| name.to_uppercase()).collect();
        self
    }
}
