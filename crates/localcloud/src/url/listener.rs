//! Which URL a port belongs to.

/// What listens on one port: the URL of a function, or of one of its aliases.
#[derive(Debug, Clone)]
pub(crate) struct UrlListener {
    pub(crate) region: String,
    pub(crate) function: String,
    /// The alias; empty for the function itself.
    pub(crate) qualifier: String,
    /// The URL's id: a URL that is deleted and created again on the same alias is another one.
    pub(crate) id: String,
}
