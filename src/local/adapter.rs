//! Lambda Web Adapter on this machine: what the local cloud makes the adapter's layers of.
//!
//! AWS publishes it as layers and images only, and the same program as the crate `lambda_web_adapter`.

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

/// Where the adapter is, or would be: `$LAMSTREAM_ADAPTER`, or in the cache.
pub fn program() -> Option<PathBuf> {
    named().or_else(|| Some(root()?.join("bin/lambda-adapter")))
}

/// `$LAMSTREAM_ADAPTER`, from the root.
pub fn named() -> Option<PathBuf> {
    let named = std::env::var_os("LAMSTREAM_ADAPTER").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.map(|path| std::path::absolute(&path).unwrap_or(path))
}

fn root() -> Option<PathBuf> {
    Some(cache()?.join("adapter").join(VERSION))
}

/// Builds the adapter with cargo, unless it is there. Gives its path, and whether it was made now. Cargo tells how it
/// comes along on stderr, or `piped` gets its lines.
///
/// # Errors
/// When there is no cargo, or it fails; when the cache cannot be written.
pub async fn install(piped: Option<&dyn Fn(&str)>) -> anyhow::Result<(PathBuf, bool)> {
    let (root, program) = places()?;
    if program.is_file() {
        return Ok((program, false));
    }
    fs::create_dir_all(&root).with_context(|| format!("cannot write the cache `{}`", root.display()))?;
    let mut command = Command::new("cargo");
    command.args(["install", CRATE, "--version", &format!("={VERSION}"), "--locked", "--root"]).arg(&root);
    // Neither a toolchain nor a target that some directory asks for is meant here.
    command.current_dir(&root).env_remove("CARGO_BUILD_TARGET").env_remove("CARGO_TARGET_DIR");
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command.stderr(if piped.is_some() { Stdio::piped() } else { Stdio::inherit() });
    let mut child = command.spawn().context("cannot build Lambda Web Adapter without cargo")?;
    if let (Some(stderr), Some(on_line)) = (child.stderr.take(), piped) {
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Some(line) = lines.next_segment().await.context("cannot read what cargo says")? {
            on_line(&String::from_utf8_lossy(&line));
        }
    }
    let status = child.wait().await.context("cannot build Lambda Web Adapter")?;
    if !status.success() || !program.is_file() {
        bail!("cannot build Lambda Web Adapter: cargo ended with {status}");
    }
    Ok((program, true))
}

/// Takes a program that was built elsewhere.
///
/// # Errors
/// When it is no Linux executable for this machine, or the cache cannot be written.
pub fn install_from(file: &Path) -> anyhow::Result<PathBuf> {
    let (_, program) = places()?;
    let bytes = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    ensure!(bytes.starts_with(b"\x7fELF"), "`{}` is no Linux executable", file.display());
    let of = object::File::parse(&*bytes).map(|elf| elf.architecture());
    let of = of.with_context(|| format!("cannot read `{}`", file.display()))?;
    let here = match std::env::consts::ARCH {
        "aarch64" => Architecture::Aarch64,
        _ => Architecture::X86_64,
    };
    ensure!(of == here, "`{}` is for another processor ({of:?}) than this machine ({here:?})", file.display());
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
    let root = root().context("there is no home directory to install it to: name one in LAMSTREAM_CACHE_DIR")?;
    let program = root.join("bin/lambda-adapter");
    Ok((root, program))
}
