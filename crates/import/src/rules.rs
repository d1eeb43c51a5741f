//! What lamstream decides about a manifest, and this crate only asks.

/// The rules of the manifest's reader.
pub trait Rules {
    /// Everything that is wrong with a manifest; empty for a valid one.
    fn problems(&self, manifest: &str) -> Vec<Problem>;

    /// Whether a function may have an environment variable of this name.
    fn accepts_variable(&self, name: &str) -> bool;

    /// The text on one line, with escapes for what a terminal or a CI system would act upon. Printable text stays as it is.
    fn printable(&self, text: &str) -> String;
}

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    /// The byte of the manifest at which it begins; `None` for something that is missing.
    pub at: Option<usize>,
}
