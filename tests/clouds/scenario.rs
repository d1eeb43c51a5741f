//! The scenarios: what is wanted, step by step.

use bytes::Bytes;
use lamstream::manifest;
use lamstream::stack::{Architecture, Names, Platform, Stack};
use packaging::Package;

/// One state to reach: the function's part of a manifest and its code, or nothing at all.
pub(crate) enum Step {
    Function { code: &'static str, keys: &'static str },
    Nothing,
}

use Step::{Function, Nothing};

const PLAIN: &str = r#"url = { auth = "none" }"#;

pub(crate) const SCENARIOS: &[(&str, &[Step])] = &[
    ("first deploy and destroy", &[Function { code: "one", keys: PLAIN }, Nothing]),
    (
        "code alone and back",
        &[
            Function { code: "one", keys: PLAIN },
            Function { code: "two", keys: PLAIN },
            Function { code: "one", keys: PLAIN },
        ],
    ),
    (
        "configuration alone",
        &[
            Function { code: "one", keys: PLAIN },
            Function {
                code: "one",
                keys: "url = { auth = \"none\" }\nmemory = 256\ntimeout = 30\n\
                       environment = { KEY = \"value\", OTHER = \"1\" }",
            },
            Function { code: "one", keys: "url = { auth = \"none\" }\nenvironment = { KEY = \"changed\" }" },
            Function { code: "one", keys: PLAIN },
        ],
    ),
    (
        "code and configuration",
        &[
            Function { code: "one", keys: PLAIN },
            Function { code: "two", keys: "url = { auth = \"none\" }\nmemory = 512\ndescription = \"a chat\"" },
        ],
    ),
    (
        "url public signed and public",
        &[
            Function { code: "one", keys: PLAIN },
            Function { code: "one", keys: r#"url = { auth = "aws-iam" }"# },
            Function { code: "one", keys: PLAIN },
        ],
    ),
    (
        "url mode and cors",
        &[
            Function { code: "one", keys: PLAIN },
            Function {
                code: "one",
                keys: "url = { auth = \"none\", mode = \"buffered\", cors = { allow_origins = [\"https://a.example\"], \
                       allow_methods = [\"POST\"], max_age = 60 } }",
            },
            Function { code: "one", keys: PLAIN },
        ],
    ),
    (
        "url taken away and given",
        &[
            Function { code: "one", keys: "memory = 128" },
            Function { code: "one", keys: PLAIN },
            Function { code: "one", keys: "" },
        ],
    ),
    (
        "role and policies",
        &[
            Function {
                code: "one",
                keys: "role = { statements = [{ actions = [\"s3:GetObject\"], resources = [\"arn:aws:s3:::a/*\"] }], \
                       managed_policies = [\"arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess\"] }",
            },
            Function {
                code: "two",
                keys: "role = { statements = [{ actions = [\"s3:PutObject\"], resources = [\"arn:aws:s3:::b/*\"] }] }",
            },
            Function { code: "two", keys: "" },
            Nothing,
        ],
    ),
    (
        "logs tags and concurrency",
        &[
            Function { code: "one", keys: "log = { retention_days = 7 }\ntags = { team = \"web\" }\nconcurrency = 5" },
            Function {
                code: "one",
                keys: "log = { retention_days = \"never\" }\ntags = { team = \"api\", cost = \"1\" }\nconcurrency = 2",
            },
            Function { code: "one", keys: "" },
            Nothing,
        ],
    ),
    (
        "too large to be sent itself",
        &[
            Function { code: "large one", keys: PLAIN },
            Function { code: "large two", keys: PLAIN },
            Function { code: "one", keys: PLAIN },
            Function { code: "large two", keys: PLAIN },
            Nothing,
        ],
    ),
];

/// Scenarios that moto 5.2.5 cannot play: UpdateFunctionConfiguration ignores EphemeralStorage, LoggingConfig and others
/// there, so that a deploy rightly finds that what it wrote is not what is there; and it has no provisioned concurrency.
pub(crate) const BEYOND_MOTO: &[(&str, &[Step])] = &[
    (
        "storage and log format",
        &[
            Function { code: "one", keys: "ephemeral_storage = 1024" },
            Function { code: "one", keys: "ephemeral_storage = 2048\nlog = { format = \"json\" }" },
            Function { code: "one", keys: "log = { format = \"json\", level = \"error\", system_level = \"warn\" }" },
            Function { code: "one", keys: "" },
        ],
    ),
    (
        "other services",
        &[
            Function { code: "one", keys: "" },
            Function { code: "one", keys: ATTACHED },
            Function {
                code: "two",
                keys: "tracing = \"active\"\nkms_key = \"arn:aws:kms:eu-central-1:000000000000:key/2\"",
            },
            Function { code: "two", keys: "" },
            Function { code: "one", keys: ATTACHED },
            Nothing,
        ],
    ),
    (
        "instances kept warm",
        &[
            Function { code: "one", keys: "provisioned_concurrency = 2" },
            Function { code: "two", keys: "provisioned_concurrency = 2" },
            Function { code: "one", keys: "provisioned_concurrency = 3\nconcurrency = 5\nurl = { auth = \"none\" }" },
            Function { code: "two", keys: "concurrency = 5" },
            Function { code: "two", keys: "provisioned_concurrency = 1" },
            Nothing,
        ],
    ),
];

const ATTACHED: &str = "tracing = \"active\"\ndead_letter = \"arn:aws:sqs:eu-central-1:000000000000:failed\"\n\
    kms_key = \"arn:aws:kms:eu-central-1:000000000000:key/1\"\n\
    vpc = { subnets = [\"subnet-0b\", \"subnet-0a\"], security_groups = [\"sg-01\"], ipv6 = true }\n\
    file_systems = [{ arn = \"arn:aws:elasticfilesystem:eu-central-1:000000000000:access-point/fsap-01\", \
    path = \"/mnt/data\" }]";

pub(crate) struct Wanted {
    pub target: Stack,
    pub zip: Bytes,
}

impl Step {
    pub(crate) fn wanted(&self, names: &Names) -> Wanted {
        let Function { code, keys } = self else {
            return Wanted { target: Stack::empty(names.clone()), zip: Bytes::new() };
        };
        let text = format!("app = \"{}\"\n[functions.{}]\ncrate = \".\"\n{keys}\n", names.app, names.function);
        let manifest =
            manifest::parse(&text, None).unwrap_or_else(|problems| panic!("{}", problems.render("deploy.toml", &text)));
        let package = package(code);
        let platform = Platform::on_lambda(manifest.functions[0].runtime.clone(), Architecture::X86_64);
        let target = manifest.functions[0].target(names, &platform, Some(&package.sha256));
        Wanted { target, zip: package.zip }
    }
}

/// A package whose bootstrap is a script: nothing is run here.
fn package(code: &str) -> Package {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("package.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    let options =
        zip::write::SimpleFileOptions::default().unix_permissions(0o755).last_modified_time(zip::DateTime::default());
    zip.start_file("bootstrap", options).expect("an entry");
    std::io::Write::write_all(&mut zip, format!("#!/bin/sh\n# {code}\n").as_bytes()).expect("its text");
    if code.starts_with("large") {
        // What does not compress, as long as Lambda takes in a call.
        let mut state = code.len() as u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let bytes: Vec<u8> = (0..52_428_800).map(|_| next()).collect();
        zip.start_file("model", options.compression_method(zip::CompressionMethod::Stored)).expect("an entry");
        std::io::Write::write_all(&mut zip, &bytes).expect("its bytes");
    }
    zip.finish().expect("a zip");
    Package::read(&path, Architecture::X86_64, Some("bootstrap")).expect("a package")
}
