//! The input of an import: files, additional information, and lamstream's rules.

/// A file's name and text.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// Information that is not in the files.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The app's name if `samconfig.toml` does not name the stack.
    pub app: &'a str,
    /// Takes precedence over the region in `samconfig.toml`.
    pub region: Option<&'a str>,
    /// The path from the manifest's directory to the template's; empty if they are the same.
    pub template_directory: &'a str,
    pub rules: &'a dyn Rules,
    /// Twelve digits: the value of `AWS::AccountId`.
    pub account: Option<&'a str>,
    /// The files next to the template.
    pub files: &'a dyn Files,
}

/// The files that a template refers to: a Dockerfile, the list of an app's dependencies. A path is relative to the
/// template's directory.
pub trait Files {
    /// The text of a file; `None` if it does not exist or is not text.
    fn text(&self, path: &str) -> Option<String>;

    /// Whether there is such a directory.
    fn is_directory(&self, path: &str) -> bool;
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

/// A problem with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    /// The byte of the manifest at which it begins; `None` for something that is missing.
    pub at: Option<usize>,
}
