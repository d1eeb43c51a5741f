//! The log group that stores a function's output.

use super::field::{Fields, optional};
use super::name::Names;
use super::noun::Noun;
use super::owner::Owner;
use super::tags::Tags;

/// A CloudWatch Logs group, named `/aws/lambda/FUNCTION_NAME` unless the manifest says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// `None` keeps logs forever.
    pub retention_days: Option<u32>,
    pub tags: Tags,
}

impl Noun for LogGroup {
    const KIND: &'static str = "log_group";
    const IN_WORDS: &'static str = "log group";
    const TAGS: Option<fn(&LogGroup) -> &Tags> = Some(|group| &group.tags);

    fn name(&self, names: &Names) -> String {
        names.log_group()
    }

    fn owner(&self, names: &Names) -> Option<Owner> {
        let Some(shared) = names.shared_tags() else { return Some(self.tags.owner(names)) };
        let is_ours = shared.missing_in(&self.tags).is_empty() && self.tags.get("lamstream:function").is_none();
        Some(if is_ours { Owner::Us } else { Owner::Foreign })
    }

    fn compare(&self, to: &LogGroup, fields: &mut Fields) {
        fields.shown("retention_days", &optional(&self.retention_days), &optional(&to.retention_days));
        fields.hidden("tags", &self.tags, &to.tags);
    }
}
