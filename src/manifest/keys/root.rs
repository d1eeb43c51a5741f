//! The keys outside of functions.

use super::Absent::{Means, Required};
use super::Value::{Named, Stages, Text};
use super::function::FUNCTION;
use super::{Group, Keys, key};

/// The keys of the manifest itself.
pub const ROOT: Keys = &[Group {
    heading: "## Top-level keys",
    prefix: "",
    keys: &[
        key(
            "app",
            Text,
            Required,
            "letters, digits, `-`, `_`. Everything on AWS is named `APP[-STAGE]-FUNCTION`, at most 64 characters",
        ),
        key(
            "account",
            Text,
            Means("any"),
            "twelve digits in quotes; with any other account, lamstream stops before the first write",
        ),
        key(
            "region",
            Text,
            Means("–"),
            "e.g. `\"eu-central-1\"`; `--region` and `AWS_REGION` override it, and it overrides the profile's region",
        ),
        key(
            "artifact_bucket",
            Text,
            Means("a temporary bucket"),
            "an S3 bucket in the same region, for [packages over 50 MB](#large-packages)",
        ),
        key("functions", Named(FUNCTION), Required, "a function, at least one; names must differ by more than case"),
        key("stages", Stages, Means("none"), "[a stage](#stages)"),
    ],
}];
