//! `build`: how the binary is built.

use super::Package;
use super::settings::{Setting, Settings};
use super::writer::Writer;

/// Keys that lamstream decides itself, that choose what to build, or that cargo reads from its own configuration.
const NOT_NEEDED: [&str; 32] = [
    "output_format",
    "lambda_dir",
    "flatten",
    "skip_target_check",
    "manifest_path",
    "packages",
    "workspace",
    "exclude",
    "lib",
    "bin",
    "bins",
    "test",
    "tests",
    "bench",
    "benches",
    "all_targets",
    "release",
    "quiet",
    "verbose",
    "color",
    "message_format",
    "timings",
    "unit_graph",
    "jobs",
    "keep_going",
    "target_dir",
    "offline",
    "ignore_rust_version",
    "unstable_flags",
    "disable_optimizations",
    "override",
    "internal",
];

pub(crate) fn read(writer: &mut Writer<'_>, settings: &mut Settings, package: &Package, missing: &[String]) {
    let target = architecture(writer, settings);
    include(writer, settings, package);
    for key in ["example", "examples"] {
        if let Some(setting) = settings.take("build", key) {
            let advice = "move the example to `src/bin`";
            writer.left(setting.left("lamstream deploys binaries, and no examples", advice, true));
        }
    }
    let mut build = writer.within("build");
    if let Some(target) = target {
        build.key("target", target);
    }
    compiler(&mut build, settings.take("build", "compiler"));
    features(&mut build, settings, package, missing);
    if let Some(profile) = settings.take("build", "profile").filter(|one| one.text().as_deref() != Some("release")) {
        build.text_key("profile", Some(profile));
    }
    let is_on = |setting: Option<Setting>| setting.is_some_and(|setting| setting.is_true());
    let (locked, frozen) = (is_on(settings.take("build", "locked")), is_on(settings.take("build", "frozen")));
    if locked || frozen {
        build.key("locked", true);
    }
    if let Some(setting) = settings.take("build", "config") {
        let what = "lamstream passes no `--config` to cargo";
        build.left(setting.left(what, "put it into `.cargo/config.toml`, which cargo reads", true));
    }
    for key in ["env_var", "env_file"] {
        if let Some(setting) = settings.take("build", key) {
            let what = "cargo gets the variables of the shell in which lamstream runs";
            build.left(setting.left(what, "set them there, or in the `[env]` of `.cargo/config.toml`", true));
        }
    }
}

pub(crate) fn not_needed(settings: &mut Settings) -> Vec<String> {
    NOT_NEEDED.iter().filter_map(|key| settings.take("build", key)).map(|setting| setting.path).collect()
}

/// Writes the architecture, and returns the target if it has to be chosen.
fn architecture(writer: &mut Writer<'_>, settings: &mut Settings) -> Option<String> {
    let mut is_on = |key: &str| settings.take("build", key).is_some_and(|setting| setting.is_true());
    let (arm, x86) = (is_on("arm64"), is_on("x86_64"));
    let target = settings.take("build", "target");
    let triple = target.as_ref().and_then(Setting::texts).and_then(|texts| texts.first().cloned());
    let Some((setting, triple)) = target.zip(triple) else {
        match (arm, x86) {
            (true, _) => writer.key("architecture", "arm64"),
            (false, true) => {}
            (false, false) => writer.comment(
                "cargo lambda builds for the processor of the machine that it runs on, lamstream for `architecture`: \
                 x86_64, unless you set another.",
            ),
        }
        return None;
    };
    // A version of glibc may follow the triple. lamstream chooses a linker that keeps to Lambda's version.
    let plain: String = ["gnu", "musl"]
        .iter()
        .find_map(|libc| triple.find(libc).map(|at| triple[..at + libc.len()].to_owned()))
        .unwrap_or_else(|| triple.clone());
    match plain.as_str() {
        "x86_64-unknown-linux-gnu" => None,
        "aarch64-unknown-linux-gnu" => {
            writer.key("architecture", "arm64");
            None
        }
        "x86_64-unknown-linux-musl" => Some(plain),
        "aarch64-unknown-linux-musl" => {
            writer.key("architecture", "arm64");
            Some(plain)
        }
        _ => {
            let what = format!("`{triple}` is not a target that lamstream builds for");
            writer.left(setting.left(what, "set `architecture`, or `build.target`", true));
            None
        }
    }
}

/// Files beside the binary, for `cargo lambda build` and `deploy`. They are relative to the workspace.
fn include(writer: &mut Writer<'_>, settings: &mut Settings, package: &Package) {
    let mut files: Vec<String> = Vec::new();
    for section in ["build", "deploy"] {
        let Some(setting) = settings.take(section, "include") else { continue };
        let Some(texts) = setting.texts() else {
            writer.unexpected(&setting, "a list of files");
            continue;
        };
        for text in texts {
            let path = text.trim_start_matches("./").trim_end_matches('/').to_owned();
            // In the package it has its path in the workspace. `NAME:PATH` gives it another name.
            if package.directory.is_empty() && !text.contains(':') && !path.starts_with("..") {
                files.push(path);
            } else {
                let what = format!("`{text}` would have another path in the package");
                let advice = "add it with `include`, relative to the crate, and check the path that the code opens";
                writer.left(setting.left(what, advice, true));
            }
        }
    }
    files.sort();
    files.dedup();
    if !files.is_empty() {
        writer.key("include", files);
    }
}

fn compiler(writer: &mut Writer<'_>, setting: Option<Setting>) {
    let Some(setting) = setting else { return };
    let kind = match &setting.value {
        toml::Value::Table(table) => table.get("type").and_then(toml::Value::as_str).map(str::to_owned),
        _ => setting.text(),
    };
    let extra = |key: &str| setting.value.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    match kind.unwrap_or_default().to_lowercase().as_str() {
        "cargo" => {
            let (subcommand, arguments) = (extra("subcommand"), extra("extra_args"));
            // lamstream always builds a release.
            let arguments = arguments.iter().filter(|one| !matches!(one.as_str(), Some("--release" | "-r"))).count();
            if !subcommand.is_empty() || arguments > 0 {
                let what = "lamstream runs `cargo build`, without a subcommand or arguments of your own";
                writer.left(setting.left(what, "check that it builds the same binary", true));
            }
        }
        "cargo_zigbuild" | "cargo-zigbuild" => writer.key("linker", "zig"),
        "cross" => {
            let what = "lamstream builds without containers";
            writer.left(setting.left(what, "docs/building.md says what it needs to build for the target", false));
        }
        _ => writer.unexpected(&setting, "`cargo`, `cargo_zigbuild` or `cross`"),
    }
}

fn features(writer: &mut Writer<'_>, settings: &mut Settings, package: &Package, missing: &[String]) {
    let mut chosen: Vec<String> = Vec::new();
    if let Some(setting) = settings.take("build", "features") {
        match setting.texts() {
            // Cargo takes several in one string, too.
            Some(texts) => chosen.extend(
                texts.iter().flat_map(|text| text.split([',', ' '])).filter(|one| !one.is_empty()).map(str::to_owned),
            ),
            None => writer.unexpected(&setting, "a list of features"),
        }
    }
    if settings.take("build", "all_features").is_some_and(|setting| setting.is_true()) {
        chosen.extend(package.features.iter().filter(|feature| *feature != "default").cloned());
    }
    if settings.take("build", "no_default_features").is_some_and(|setting| setting.is_true()) {
        writer.key("default_features", false);
    }
    chosen.extend(missing.iter().cloned());
    chosen.sort();
    chosen.dedup();
    if !chosen.is_empty() {
        writer.key("features", chosen);
    }
}
