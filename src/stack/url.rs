//! A Function URL: the address under which the world reaches `live`.

use super::word::words;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUrl {
    pub auth: Auth,
    pub mode: InvokeMode,
    pub cors: Option<Cors>,
}

words! {
    /// Who may call.
    Auth {
        /// Everyone.
        None = "none",
        /// Callers that sign the request with AWS credentials that are allowed to.
        AwsIam = "aws-iam",
    }
}

words! {
    /// Whether each chunk of an answer is passed on as it is made, or the answer only as a whole.
    #[derive(Default)]
    InvokeMode {
        #[default]
        ResponseStream = "response-stream",
        Buffered = "buffered",
    }
}

/// Which pages of other origins may read answers. Header names are lower-case and methods upper-case,
/// because case does not distinguish them.
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
    /// With names in the case in which they are compared.
    pub fn normalised(mut self) -> Cors {
        let lower = |set: BTreeSet<String>| set.iter().map(|name| name.to_lowercase()).collect();
        self.allow_headers = lower(self.allow_headers);
        self.expose_headers = lower(self.expose_headers);
        self.allow_methods = self.allow_methods.iter().map(|name| name.to_uppercase()).collect();
        self
    }
}
