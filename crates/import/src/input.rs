//! What a caller hands in: files, what it knows beside them, and lamstream's rules.

/// A file's name and text.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// What is known beside the files.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The app's name if `samconfig.toml` does not name the stack.
    pub app: &'a str,
    /// Precedes the region in `samconfig.toml`.
    pub region: Option<&'a str>,
    /// The path from the manifest's directory to the template's; empty if they are the same.
    pub template_directory: &'a str,
    pub rules: &'a dyn Rules,
}

/// The rules of the manifest's reader.
pub trait Rules {
    /// Everything that is wrong with a manifest; empty for a valid one.
    fn problems(&self, manifest: &str) -> Vec<Problem>;

    /// Whether a function may have an environment variable of this name.
    fn accepts_variable(&self, name: &str) -> bool;

    /// The text on one line, with escapes for what a terminal or a CI system would act upon. Printable text is returned
    /// as it is.
    fn printable(&self, text: &str) -> String;
}

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    /// The byte of the manifest at which it begins; `None` for something that is missing.
    pub at: Option<usize>,
}
