//! The scenarios: what is wanted, step by step.

use lamstream::build::Package;
use lamstream::manifest;
use lamstream::stack::{Architecture, Names, Stack};

/// One state to reach: the function's part of a manifest and its code, or nothing at all.
pub enum Step {
    Function { code: &'static str, keys: &'static str },
    Nothing,
}

use Step::{Function, Nothing};

const PLAIN: &str = r#"url = { auth = "none" }"#;

pub const SCENARIOS: &[(&str, &[Step])] = &[
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
];

/// Scenarios that moto 5.2.5 cannot play: UpdateFunctionConfiguration ignores EphemeralStorage and LoggingConfig there,
/// so that a deploy rightly finds that what it wrote is not what stands there.
pub const BEYOND_MOTO: &[(&str, &[Step])] = &[(
    "storage and log format",
    &[
        Function { code: "one", keys: "ephemeral_storage = 1024" },
        Function { code: "one", keys: "ephemeral_storage = 2048\nlog = { format = \"json\" }" },
        Function { code: "one", keys: "" },
    ],
)];

pub struct Wanted {
    pub target: Stack,
    pub zip: Vec<u8>,
}

impl Step {
    pub fn wanted(&self, names: &Names) -> Wanted {
        let Function { code, keys } = self else {
            return Wanted { target: Stack::empty(names.clone()), zip: Vec::new() };
        };
        let text = format!("app = \"{}\"\n[functions.{}]\ncrate = \".\"\n{keys}\n", names.app, names.function);
        let manifest =
            manifest::parse(&text, None).unwrap_or_else(|problems| panic!("{}", problems.render("deploy.toml", &text)));
        let package = package(code);
        let target = manifest.functions[0].target(names, Architecture::X86_64, &package.sha256);
        Wanted { target, zip: package.zip.to_vec() }
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
    zip.finish().expect("a zip");
    Package::read(&path, Architecture::X86_64).expect("a package")
}
