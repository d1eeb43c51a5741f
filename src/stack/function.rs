//! The properties of a function as a whole, independent of the release that serves.

use super::field::{Fields, optional};
use super::name::Names;
use super::noun::Noun;
use super::tags::Tags;

/// A Lambda function without its code and configuration, which belong to a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Empty if there is none. Only `$LATEST` has it: each version has its own description.
    pub description: String,
    /// Reserved concurrency. It is also the only limit for a public URL (ten times as many requests per second).
    pub concurrency: Option<u32>,
    pub tags: Tags,
}

impl Noun for Function {
    const KIND: &'static str = "function";
    const TAGS: Option<fn(&Function) -> &Tags> = Some(|function| &function.tags);

    fn name(&self, names: &Names) -> String {
        names.function_name()
    }

    fn compare(&self, to: &Function, fields: &mut Fields) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
        fields.shown("description", &quoted(&self.description), &quoted(&to.description));
        fields.shown("concurrency", &optional(&self.concurrency), &optional(&to.concurrency));
        fields.hidden("tags", &self.tags, &to.tags);
    }
}
