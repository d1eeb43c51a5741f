//! The keys of a function.

use super::Absent::{Default, Means, Required};
use super::Value::{
    Conditions, Number, NumberOrText, Numbers, Pairs, Switch, Table, TableOrTables, Tables, Text, Texts, Values, Word,
};
use super::check::CHECK;
use super::outside::OUTSIDE;
use super::{Group, Key, Keys, key};
use crate::stack::{Auth, InvokeMode, LogFormat, LogLevel, SystemLogLevel, Tracing};

/// The keys of `[functions.NAME]`.
pub(super) const FUNCTION: Keys = &[
    Group { heading: "## `[functions.NAME]`", prefix: "", keys: OWN },
    Group { heading: "### Web apps", prefix: "", keys: WEB },
];

const OWN: &[Key] = &[
    key(
        "crate",
        Text,
        Means("exactly one of `crate`, `web` and `package` is required"),
        "directory of the Rust crate, relative to the manifest",
    ),
    key("bin", Text, Means("the only one"), "the binary to deploy"),
    key("web", Text, Means("–"), "directory of [a web app](#web-apps)"),
    key("package", Text, Means("–"), "[a zip or a directory](#packages-built-elsewhere) built elsewhere"),
    key(
        "runtime",
        Text,
        Means("`\"provided.al2023\"`; required with `web`"),
        "with `web` and `package`: `\"python3.13\"`, `\"nodejs22.x\"`, … or `\"provided.al2023\"`; AWS decides which \
         versions exist, and lamstream says if it no longer supports one",
    ),
    key("handler", Text, Means("`\"bootstrap\"`"), "with `package`: what the runtime calls, e.g. `\"main.handler\"`"),
    key("architecture", Word(&["x86_64", "arm64"]), Default("x86_64"), "{}; `--local` builds for this machine"),
    key("build", Table(BUILD), Means("what is installed"), "[how to build it](#build)"),
    key("memory", Number(128..=10_240, "MB"), Default("128"), "{}"),
    // AWS's own default of 3 seconds would cut off nearly every stream.
    key("timeout", Number(1..=1800, "seconds"), Default("60"), "{}; a stream must end within this time"),
    key("ephemeral_storage", Number(512..=10_240, "MB"), Default("512"), "{} of `/tmp`"),
    key(
        "concurrency",
        Number(0..=i32::MAX as u32, ""),
        Means("none reserved"),
        "reserved concurrency: the maximum number of concurrent invocations; 0 stops the function",
    ),
    key(
        "provisioned_concurrency",
        Number(1..=i32::MAX as u32, ""),
        Means("none"),
        "instances kept warm for `live`, and billed; at most as many as are reserved; cannot be used with `rollout` or \
         `deploy --shift`",
    ),
    key(
        "snap_start",
        Switch,
        Default("false"),
        "[start instances from a snapshot](#snapstart) of an initialised one; Python 3.12, Java 11, .NET 8 or later",
    ),
    key("tracing", Word(Tracing::WORDS), Default("pass-through"), "{}: whether X-Ray sees every request"),
    key("vpc", Table(VPC), Means("AWS's network"), "[your VPC](#other-aws-services)"),
    key("file_systems", Tables(FILE_SYSTEM), Means("none"), "[an EFS file system](#other-aws-services)"),
    key("dead_letter", Text, Means("none"), "ARN of an SQS queue or an SNS topic for failed asynchronous events"),
    key("kms_key", Text, Means("AWS's own"), "ARN of the KMS key that encrypts the environment"),
    key(
        "keep_releases",
        Number(1..=1000, "versions"),
        Default("5"),
        "how many releases to keep: {}. Versions that an alias uses and the previous release are always kept; \
         versions that failed their check do not count",
    ),
    key("description", Text, Means("empty"), "at most 256 characters"),
    key(
        "layers",
        Texts,
        Means("none"),
        "at most 5 ARNs of layer versions, one version per layer; 4 if a web app uses the adapter",
    ),
    key(
        "environment",
        Values(OUTSIDE),
        Means("none"),
        "names to [values](#values-from-outside), at most 4096 bytes of JSON in total; names reserved by Lambda are \
         refused",
    ),
    key(
        "env_file",
        Text,
        Means("none"),
        "a file of variables, such as `\".env\"`, relative to the manifest: [`NAME=value` lines](#values-from-outside). \
         `environment` overrides it",
    ),
    key("url", Table(URL), Means("no URL"), "[the Function URL](#url)"),
    key("check", TableOrTables(CHECK), Means("`GET /` below 500"), "[what a version and the URL must answer](#check)"),
    key("rollout", Table(ROLLOUT), Means("all at once"), "[how a new release gets the traffic](#rollout)"),
    key("log", Table(LOG), Means(""), "[logs](#log)"),
    key("role", Table(ROLE), Means("write its logs"), "[what the function may do](#role)"),
    key(
        "tags",
        Pairs,
        Means("none"),
        "names to strings, on function, role and log group; at most 47, or 46 with a stage; none starting with `aws:` \
         or `lamstream:`",
    ),
];

const WEB: &[Key] = &[
    key(
        "run",
        Text,
        Means("required with `web`"),
        "a script in the directory, such as `\"run.sh\"`, or a command line of several words. lamstream turns a \
         command line into a script, with `exec` unless it uses more of the shell",
    ),
    key(
        "port",
        Number(1..=65_535, ""),
        Default("8080"),
        "the port that the app listens on, {}; the app finds it in `PORT`",
    ),
    key("readiness_path", Text, Default("/"), "the path that the adapter polls until the status is below 500"),
    key(
        "before_snapshot",
        Text,
        Means("none"),
        "with `snap_start`: a path to which the adapter sends an empty `POST` before the snapshot is made",
    ),
    key(
        "after_restore",
        Text,
        Means("none"),
        "with `snap_start`: the same, after an instance has started from the snapshot",
    ),
    key(
        "adapter_layer",
        NumberOrText(1..=9_999),
        Means("30, Lambda Web Adapter 1.1.0"),
        "a version of AWS's layer, or the ARN of your own layer",
    ),
    key(
        "dependencies",
        Text,
        Default("auto"),
        "`\"auto\"`, `\"none\"`, or a file that lists them, relative to the manifest",
    ),
    key("slim", Switch, Default("false"), "leave out the tests of Python packages that nothing imports"),
    key("exclude", Texts, Means("none"), "patterns of files to leave out"),
    key(
        "include",
        Texts,
        Means("none"),
        "patterns of files to package although they would be left out; with `crate`, of files to package beside the \
         [binary](#files-beside-a-binary)",
    ),
];

const BUILD: Keys = &[Group {
    heading: "### `build`",
    prefix: "",
    keys: &[
        key(
            "target",
            Text,
            Means("`build.target` of cargo's configuration if it is for the architecture; this machine's own; `-gnu`"),
            "`ARCH-unknown-linux-gnu` or `ARCH-unknown-linux-musl`; `ARCH` is `aarch64` for `\"arm64\"`",
        ),
        key(
            "linker",
            Text,
            Default("auto"),
            "`\"auto\"`, `\"gcc\"`, `\"zig\"` (for glibc 2.34), `\"rust-lld\"` (musl only), or a path; cargo's own \
         settings take precedence",
        ),
        key(
            "rustc",
            Text,
            Means("cargo's own, otherwise one in `PATH` that has it"),
            "path of a compiler that has the target's standard library; `RUSTC` takes precedence",
        ),
        key("features", Texts, Means("none"), "features of the crate to enable, in addition to the default ones"),
        key("default_features", Switch, Default("true"), "enable the crate's default features"),
        key(
            "profile",
            Text,
            Means("`lambda` if the crate defines it, otherwise `release`, made for Lambda"),
            "[a profile of cargo](building.md#which-profile-is-used), used as it is",
        ),
        key(
            "locked",
            Switch,
            Means("`true` if `CI` is set and `Cargo.lock` is in Git, otherwise `false`"),
            "fail if `Cargo.lock` does not fit, instead of changing it",
        ),
        key(
            "command",
            Text,
            Means("none"),
            "[a command line for `sh`](building.md#a-command-of-your-own) that makes what is packaged; it runs first, in \
             the app's directory",
        ),
        key("directory", Text, Means("the app's directory"), "where `command` runs, relative to the manifest"),
    ],
}];

const VPC: Keys = &[Group {
    heading: "### Other AWS services",
    prefix: "vpc.",
    keys: &[
        key("subnets", Texts, Required, "1 to 16 ids"),
        key("security_groups", Texts, Required, "1 to 5 ids"),
        key("ipv6", Switch, Default("false"), "allow IPv6 in subnets that have it"),
    ],
}];

const FILE_SYSTEM: Keys = &[Group {
    heading: "### Other AWS services",
    prefix: "file_systems.",
    keys: &[
        key("arn", Text, Required, "ARN of an access point in the same VPC; at most one"),
        key("path", Text, Required, "`/mnt/NAME`"),
    ],
}];

const URL: Keys = &[Group {
    heading: "### `url`",
    prefix: "",
    keys: &[
        key(
            "auth",
            Word(Auth::WORDS),
            Required,
            "{}: everyone may call, or only signed requests (has to be chosen, so that no URL is public by accident)",
        ),
        key("mode", Word(InvokeMode::WORDS), Default("response-stream"), "{}"),
        key(
            "cors",
            Table(CORS),
            Means("no other origins"),
            "which pages of other origins may read responses; AWS answers preflight requests itself",
        ),
    ],
}];

const CORS: Keys = &[Group {
    heading: "### `url`",
    prefix: "cors.",
    keys: &[
        key("allow_origins", Texts, Means("none"), "origins (`https://example.com`) or `\"*\"`"),
        key("allow_methods", Texts, Means("none"), "`GET`, `PUT`, `HEAD`, `POST`, `PATCH`, `DELETE`, `\"*\"`"),
        key("allow_headers", Texts, Means("none"), "header names or `\"*\"`"),
        key("expose_headers", Texts, Means("none"), "header names or `\"*\"`"),
        key("allow_credentials", Switch, Default("false"), "cannot be used with the origin `\"*\"`"),
        key("max_age", Number(0..=86_400, "seconds"), Means("AWS's"), "{}"),
    ],
}];

const ROLLOUT: Keys = &[Group {
    heading: "### `rollout`",
    prefix: "",
    keys: &[
        key(
            "steps",
            Numbers(1..=99, "percent"),
            Required,
            "shares of the traffic, rising: one to ten of {}, such as `[10, 50]`",
        ),
        key("for", Text, Required, "how long each share is held: a time such as `\"10m\"`, at most a day"),
        key(
            "max_errors",
            Text,
            Default("1%"),
            "the largest share of requests that may fail, from `\"0%\"` to `\"100%\"`",
        ),
        key(
            "max_first_byte",
            Text,
            Means("any"),
            "a time such as `\"2s\"`: the latest first byte of 95 of 100 requests, and of each check",
        ),
    ],
}];

const LOG: Keys = &[Group {
    heading: "### `log`",
    prefix: "",
    keys: &[
        key(
            "group",
            Text,
            Means("`/aws/lambda/APP[-STAGE]-FUNCTION`"),
            "name of the log group; several functions may share one",
        ),
        key(
            "retention_days",
            NumberOrText(1..=3653),
            Default("30"),
            "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 or \
         `\"never\"`",
        ),
        key("format", Word(LogFormat::WORDS), Default("text"), "format of Lambda's own lines: {}"),
        key(
            "level",
            Word(LogLevel::WORDS),
            Default("info"),
            "{}: the function's lines below this level are dropped; only with `format = \"json\"`",
        ),
        key(
            "system_level",
            Word(SystemLogLevel::WORDS),
            Default("info"),
            "{}: the same for Lambda's own lines; only with `format = \"json\"`",
        ),
    ],
}];

const ROLE: Keys = &[Group {
    heading: "### `role`",
    prefix: "",
    keys: &[
        key("arn", Text, Means("–"), "ARN of your own role; cannot be used with the other keys"),
        key("managed_policies", Texts, Means("none"), "ARNs of policies"),
        key("permissions_boundary", Text, Means("none"), "ARN of a policy"),
        key("statements", Tables(STATEMENT), Means("none"), "an array of tables"),
    ],
}];

const STATEMENT: Keys = &[Group {
    heading: "### `role`",
    prefix: "statements.",
    keys: &[
        key("effect", Word(&["allow", "deny"]), Default("allow"), "{}"),
        key("actions", Texts, Required, "actions such as `\"s3:GetObject\"`, `\"*\"`"),
        key("resources", Texts, Required, "ARNs, `\"*\"`"),
        key("condition", Conditions, Means("none"), "`{ OPERATOR = { KEY = VALUES } }`, as in IAM"),
    ],
}];
