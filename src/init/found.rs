//! What init found: an app, and the keys of the manifest that deploy it.

use super::route::CheckFound;

/// An app that lamstream can deploy.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its directory, relative to the one that was searched; empty if they are the same.
    pub directory: String,
    /// What it is, such as "a FastAPI app, `main:app`".
    pub what: String,
    pub function: Function,
    /// What has to be done before it can be deployed, or what to know.
    pub notes: Vec<String>,
}

/// The keys of a function.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// Its name in the manifest.
    pub name: String,
    /// Whether it is a crate; otherwise a web app.
    pub is_crate: bool,
    /// Whether a crate is a web server; otherwise it asks Lambda for requests.
    pub is_server: bool,
    pub bin: Option<String>,
    pub runtime: Option<String>,
    pub run: Option<String>,
    pub port: Port,
    pub dependencies: Option<String>,
    /// The directory that is packaged, relative to the app's; empty if they are the same.
    pub packaged: String,
    /// A command that runs in the app's directory.
    pub build: Option<String>,
    /// Features of a crate.
    pub features: Vec<String>,
    pub without_default_features: bool,
    pub environment: Vec<(&'static str, String)>,
    pub memory: Option<u32>,
    pub is_buffered: bool,
    /// Files that a crate needs beside its binary.
    pub include: Vec<String>,
    pub exclude: Vec<&'static str>,
    pub check: CheckFound,
}

/// The port that an app listens on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Port {
    /// It reads `PORT`, or has none.
    #[default]
    FromVariable,
    Fixed(u32),
    /// The source does not say it.
    Unknown,
}

/// All that was found.
#[derive(Clone, Debug)]
pub enum Survey {
    /// The apps, the most likely one first. Those after the first are as likely, or the first would be alone.
    Apps(Vec<Found>),
    /// Another tool's configuration, with lamstream's command that imports it.
    Import {
        file: String,
        what: &'static str,
        command: String,
    },
    Nothing,
}
