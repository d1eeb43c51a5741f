//! The settings of a release that are one value each.

use super::field::Fields;

/// The manifest's keys of these names, and what a version has. The default is AWS's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// MB, 128–10,240.
    pub memory: u32,
    /// Seconds, 1–1,800.
    pub timeout: u32,
    /// MB of `/tmp`, 512–10,240.
    pub ephemeral_storage: u32,
    /// Whether instances of a published version start from a snapshot of an initialised one.
    pub snap_start: bool,
}

impl Settings {
    pub(super) fn compare(&self, to: &Settings, fields: &mut Fields) {
        // All fields are named, so that forgetting a new field here is a compile error.
        let Settings { memory, timeout, ephemeral_storage, snap_start } = self;
        fields.shown("memory", memory, &to.memory);
        fields.shown("timeout", timeout, &to.timeout);
        fields.shown("ephemeral_storage", ephemeral_storage, &to.ephemeral_storage);
        fields.shown("snap_start", snap_start, &to.snap_start);
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { memory: 128, timeout: 3, ephemeral_storage: 512, snap_start: false }
    }
}
