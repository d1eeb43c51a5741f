//! Lambda Web Adapter on this machine, from which the local cloud makes the adapter's layers.
//!
//! AWS publishes the executable in layers and images only. The crate `lambda_web_adapter` builds the same one.

use super::cache::cache;
use anyhow::{Context, bail, ensure};
use object::{Architecture, Object};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const CRATE: &str = "lambda_web_adapter";
/// The version that is installed.
pub const VERSION: &str = "1.0.0-rc1";

/// Where the adapter is, or would be installed: `$LAMSTREAM_ADAPTER`, or in the cache.
pub fn program() -> Option<PathBuf> {
    named().or_else(|| Some(root()?.join("bin/lambda-adapter")))
}

/// `$LAMSTREAM_ADAPTER`, as an absolute path.
pub fn named() -> Option<PathBuf> {
    let named = std::env::var_os("LAMSTREAM_ADAPTER").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.map(|path| std::path::absolute(&path).unwrap_or(path))
}

fn root() -> Option<PathBuf> {
    Some(cache()?.join("adapter").join(VERSION))
}

/// Builds the adapter with cargo, unless it is already installed. Returns its path, and whether it was built now. Cargo
/// reports on stderr, or line by line to `piped`.
///
/// # Errors
/// When cargo is missing or fails; when the cache cannot be written.
pub async fn install(piped: Option<&dyn Fn(&str)>) -> anyhow::Result<(PathBuf, bool)> {
    let (root, program) = places()?;
    if program.is_file() {
        return Ok((program, false));
    }
    fs::create_dir_all(&root).with_context(|| format!("cannot write the cache `{}`", root.display()))?;
    let mut command = Command::new("cargo");
    command.args(["install", CRATE, "--version", &format!("={VERSION}"), "--locked", "--root"]).arg(&root);
    // The toolchain and target of the current directory are for its own crate.
    command.current_dir(&root).env_remove("CARGO_BUILD_TARGET").env_remove("CARGO_TARGET_DIR");
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command.stderr(if piped.is_some() { Stdio::piped() } else { Stdio::inherit() });
    let mut child = command.spawn().context("cannot run cargo, which builds Lambda Web Adapter")?;
    if let (Some(stderr), Some(on_line)) = (child.stderr.take(), piped) {
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Some(line) = lines.next_segment().await.context("cannot read cargo's output")? {
            on_line(&String::from_utf8_lossy(&line));
        }
    }
    let status = child.wait().await.context("cannot build Lambda Web Adapter")?;
    if !status.success() || !program.is_file() {
        bail!("cannot build Lambda Web Adapter: cargo failed ({status})");
    }
    Ok((program, true))
}

/// Installs an executable that was built elsewhere.
///
/// # Errors
/// When it is not a Linux executable for this machine, or the cache cannot be written.
pub fn install_from(file: &Path) -> anyhow::Result<PathBuf> {
    let (_, program) = places()?;
    let bytes = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    ensure!(bytes.starts_with(b"\x7fELF"), "`{}` is not a Linux executable", file.display());
    let architecture = object::File::parse(&*bytes).map(|elf| elf.architecture());
    let architecture = architecture.with_context(|| format!("cannot read `{}`", file.display()))?;
    let here = match std::env::consts::ARCH {
        "aarch64" => Architecture::Aarch64,
        _ => Architecture::X86_64,
    };
    ensure!(architecture == here, "`{}` is for {architecture:?}, but this machine is {here:?}", file.display());
    let write = || {
        let directory = program.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)?;
        let draft = program.with_extension("new");
        fs::write(&draft, &bytes)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755))?;
        fs::rename(&draft, &program)
    };
    write().with_context(|| format!("cannot write `{}`", program.display()))?;
    Ok(program)
}

fn places() -> anyhow::Result<(PathBuf, PathBuf)> {
    let root = root().context("cannot find a home directory for the cache: set LAMSTREAM_CACHE_DIR")?;
    let program = root.join("bin/lambda-adapter");
    Ok((root, program))
}
