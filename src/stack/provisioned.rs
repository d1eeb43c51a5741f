//! Instances that are kept warm.

use super::field::Fields;
use super::name::Names;
use super::noun::Noun;

/// The number of instances that are kept warm for `live`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provisioned(pub u32);

impl Noun for Provisioned {
    const KIND: &'static str = "provisioned_concurrency";
    const IN_WORDS: &'static str = "provisioned concurrency";

    fn name(&self, names: &Names) -> String {
        names.live()
    }

    fn compare(&self, to: &Provisioned, fields: &mut Fields) {
        fields.shown("provisioned_concurrency", &self.0, &to.0);
    }
}
