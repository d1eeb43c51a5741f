//! The data directory: who owns it, what is in it, and how files are written and deleted.

pub(crate) mod contents;
pub(crate) mod directory;
pub(crate) mod files;
pub(crate) mod key_pair;
pub(crate) mod log_file;
pub(crate) mod log_store;
pub(crate) mod ownership;
pub(crate) mod state;
pub(crate) mod unpack;
pub(crate) mod uses;
