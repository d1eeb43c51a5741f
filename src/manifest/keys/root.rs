//! The keys outside functions.

use super::Absent::{Means, Required};
use super::Value::{Named, Stages, Table, Text};
use super::function::FUNCTION;
use super::{Group, Keys, key};

/// The manifest's top-level keys.
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
            Means("a bucket of lamstream's own"),
            "an S3 bucket in the same region, for [packages over 50 MB](#large-packages)",
        ),
        key("local", Table(LOCAL), Means("nothing"), "[what functions get on this machine](#local)"),
        key("functions", Named(FUNCTION), Required, "a function, at least one; names must differ by more than case"),
        key(
            "expires",
            Text,
            Means("never"),
            "in a [stage](#stages) only: how long it is needed after the last deploy that changed something, in hours (`12h`) or days (`7d`). \
             `stages --expired` lists stages that are not needed any more, and `destroy --expired` removes them",
        ),
        key("stages", Stages, Means("none"), "[a stage](#stages)"),
    ],
}];

const LOCAL: Keys = &[Group {
    heading: "## `local`",
    prefix: "",
    keys: &[key(
        "credentials",
        Text,
        Means("none that are valid"),
        "the AWS profile whose credentials functions get with `--local`; `--with-credentials` overrides it",
    )],
}];
