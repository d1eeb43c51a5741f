//! A Function URL: the address under which the world reaches `live`.

use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUrl {
    pub auth: Auth,
    pub mode: InvokeMode,
    pub cors: Option<Cors>,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Everyone.
    None,
    /// Whoever signs the request with AWS credentials that may.
    AwsIam,
}

impl Auth {
    /// As the manifest and our JSON spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Auth::None => "none",
            Auth::AwsIam => "aws-iam",
        }
    }
}

/// Whether an answer is handed on as it is made, or only when it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvokeMode {
    ResponseStream,
    Buffered,
}

impl InvokeMode {
    /// As the manifest and our JSON spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            InvokeMode::ResponseStream => "response-stream",
            InvokeMode::Buffered => "buffered",
        }
    }
}

/// Which pages of other origins may read answers. Header names are lower-case, methods upper-case: neither is told
/// apart by case.
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
