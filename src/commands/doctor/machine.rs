//! This machine: compilers, interpreters, ports, disks and the local cloud.

use super::diagnose::{Found, LIMIT, any, diagnosis, failed, limited, ok, problem, skipped, warning};
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::local;
use crate::manifest::CodeSource;
use crate::report::{Diagnosis, Health};
use crate::stack::Family;
use crate::text::list;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// The version of glibc on Lambda's `provided.al2023`. What is built with a much newer one may need symbols that it lacks:
/// since 2.38, plain C functions have new names.
const GLIBC_OF_LAMBDA: (u32, u32) = (2, 34);
const GLIBC_WITH_NEW_NAMES: (u32, u32) = (2, 38);

/// Bytes that must be free: for a build, and for anything.
const FREE_FOR_A_BUILD: u64 = 2 << 30;
const FREE_FOR_ANYTHING: u64 = 200 << 20;

pub(super) async fn checks(session: &Session, project: Option<&Project>) -> Found {
    let (cargo, glibc, (python, node)) = tokio::join!(
        limited("cargo", cargo(project)),
        limited("glibc", glibc(session)),
        interpreters(session, project),
    );
    let mut found = vec![cargo, glibc, python, node, ports(session, project)];
    found.extend(disks(project));
    found.push(local_cloud());
    found
}

/// The first line that a program prints; `None` if it cannot be started or fails.
async fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

fn named_by(variable: &str, usual: &str) -> String {
    std::env::var(variable).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| usual.to_owned())
}

async fn cargo(project: Option<&Project>) -> Diagnosis {
    const NAME: &str = "cargo";
    let (cargo, rustc) = (named_by("CARGO", "cargo"), named_by("RUSTC", "rustc"));
    let (cargo, rustc) = tokio::join!(first_line(&cargo, &["--version"]), first_line(&rustc, &["--version"]));
    let hint = "install Rust from https://rustup.rs";
    match (cargo, rustc) {
        (Some(cargo), Some(rustc)) => ok(NAME, format!("{cargo}; {rustc}")),
        (cargo, _) => {
            let missing = if cargo.is_none() { "cargo" } else { "rustc" };
            let message = format!("`{missing}` cannot be started; crates cannot be built here");
            let builds_crates = any(project, |function| matches!(function.source, CodeSource::Crate { .. }));
            if builds_crates { problem(NAME, message, hint) } else { warning(NAME, message, hint) }
        }
    }
}

async fn glibc(session: &Session) -> Diagnosis {
    const NAME: &str = "glibc";
    let Some(line) = first_line("getconf", &["GNU_LIBC_VERSION"]).await else {
        return skipped(NAME, "`getconf GNU_LIBC_VERSION` does not report it");
    };
    let version = line.trim_start_matches("glibc ").to_owned();
    judge_glibc(NAME, &version, session.global.local)
}

fn judge_glibc(name: &str, version: &str, local: bool) -> Diagnosis {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    let (Some(Some(major)), Some(Some(minor))) = (numbers.next(), numbers.next()) else {
        return skipped(name, format!("`{version}` is not a version of glibc"));
    };
    let lambda = format!("{}.{}", GLIBC_OF_LAMBDA.0, GLIBC_OF_LAMBDA.1);
    if (major, minor) < GLIBC_WITH_NEW_NAMES || local {
        return ok(name, format!("{version}; Lambda has {lambda}, and every build is compared with it"));
    }
    warning(
        name,
        format!(
            "{version} is much newer than Lambda's {lambda}: what the system's linker links here may not start there"
        ),
        "set `build = { linker = \"zig\" }` or `build = { target = \"x86_64-unknown-linux-musl\" }` in the manifest if a build is refused",
    )
}

/// Python and Node.js: which are installed, and whether functions run here with another version than on Lambda.
async fn interpreters(session: &Session, project: Option<&Project>) -> (Diagnosis, Diagnosis) {
    let asked = tokio::task::spawn_blocking(|| (packaging::pythons_here(), packaging::node_here()));
    let Ok(Ok((pythons, node))) = tokio::time::timeout(LIMIT, asked).await else {
        return (
            skipped("python", "its versions could not be asked"),
            skipped("node", "its version could not be asked"),
        );
    };
    let mut pythons = pythons;
    pythons.sort_unstable();
    pythons.dedup();
    let pythons: Vec<String> = pythons.iter().map(|minor| format!("3.{minor}")).collect();
    let node: Vec<String> = node.iter().map(u32::to_string).collect();
    let local = session.global.local;
    (
        interpreter("python", ("Python", Family::Python), &pythons, project, local),
        interpreter("node", ("Node.js", Family::Node), &node, project, local),
    )
}

fn interpreter(
    name: &str,
    (language, family): (&str, Family),
    installed: &[String],
    project: Option<&Project>,
    local: bool,
) -> Diagnosis {
    let wanted = project.into_iter().flat_map(|project| &project.functions).map(|function| &function.runtime);
    let wanted: Vec<&str> =
        wanted.filter(|runtime| runtime.family() == family).map(|runtime| runtime.version()).collect();
    let here = || list::and(installed);
    if installed.is_empty() {
        let message = format!("{language} is not installed; functions in it cannot run here");
        return match wanted.is_empty() {
            true => skipped(name, format!("{language} is not installed, and no function uses it")),
            false if local => problem(name, message, format!("install {language} {}", wanted[0])),
            false => warning(name, message, format!("install {language} {} to use `--local`", wanted[0])),
        };
    }
    let others: Vec<&str> = wanted.into_iter().filter(|version| !installed.iter().any(|one| one == version)).collect();
    match others.first() {
        None => ok(name, format!("{language} {}", here())),
        Some(version) => warning(
            name,
            format!("{language} {} here, but {version} on Lambda: `--local` runs the app with another version", here()),
            format!("install {language} {version}"),
        ),
    }
}

/// Whether this machine accepts connections to itself, and on the ports that apps ask for.
fn ports(session: &Session, project: Option<&Project>) -> Diagnosis {
    const NAME: &str = "ports";
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    if let Err(error) = is_free(0) {
        let message = format!("cannot listen on 127.0.0.1: {error}; the local cloud cannot start");
        let hint = "allow connections to the loopback interface";
        return if session.global.local { problem(NAME, message, hint) } else { warning(NAME, message, hint) };
    }
    let webs = project.into_iter().flat_map(|project| &project.functions).filter_map(|function| function.web.as_ref());
    let mut taken: Vec<u16> = webs.map(|web| web.port).filter(|port| is_free(*port).is_err()).collect();
    taken.sort_unstable();
    taken.dedup();
    let (own, taken) = of_local_cloud(taken);
    if taken.is_empty() {
        let own =
            if own.is_empty() { String::new() } else { format!(", or the local cloud's own: {}", list::and(&own)) };
        return ok(NAME, format!("127.0.0.1 accepts listeners, and the ports of the manifest are free{own}"));
    }
    warning(
        NAME,
        format!("in use: {}; the local cloud gives an app another port, in `PORT`", list::and(&taken)),
        "stop what listens there if the app does not read `PORT`",
    )
}

/// The ports on which the local cloud or one of its functions listens, and the others.
fn of_local_cloud(ports: Vec<u16>) -> (Vec<u16>, Vec<u16>) {
    let home = crate::commands::local::home().ok();
    let running = home.and_then(|home| Some((home.running().ok()??, home.data)));
    let is_own =
        |port: &u16| running.as_ref().is_some_and(|(running, data)| localcloud::has_port(data, running.pid, *port));
    ports.into_iter().partition(is_own)
}

/// The space for builds, packages and the local cloud, one check for each disk.
fn disks(project: Option<&Project>) -> Found {
    let project = project.map(|project| std::path::absolute(&project.directory).unwrap_or_default());
    let data = crate::commands::local::home().ok().map(|home| home.data);
    let all = [("project", project), ("cache", local::cache()), ("local cloud", data)];
    let all = all.into_iter().filter_map(|(what, directory)| Some((what, directory?)));
    all.map(|(what, directory)| disk(&format!("disk ({what})"), &directory)).collect()
}

fn disk(name: &str, directory: &Path) -> Diagnosis {
    // It is created when it is needed.
    let existing = directory.ancestors().find(|directory| directory.is_dir()).map(PathBuf::from);
    if let Some(existing) = &existing
        && let Err(error) = rustix::fs::access(existing, rustix::fs::Access::WRITE_OK)
    {
        let message = format!("cannot write to `{}`: {error}", existing.display());
        return problem(
            name,
            message,
            "allow it, or choose another directory: docs/cli.md#environment-variables lists how",
        );
    }
    let space = existing.as_ref().and_then(|directory| rustix::fs::statvfs(directory).ok());
    match space {
        Some(space) => judge_space(name, directory, space.f_bavail.saturating_mul(space.f_frsize)),
        None => skipped(name, format!("the disk of `{}` does not report its free space", directory.display())),
    }
}

fn judge_space(name: &str, directory: &Path, free: u64) -> Diagnosis {
    let shown = format!("{:.1} GB free for `{}`", free as f64 / f64::from(1 << 30), directory.display());
    let hint = "delete what is not needed there, such as old `target` directories";
    match free {
        ..FREE_FOR_ANYTHING => problem(name, shown, hint),
        FREE_FOR_ANYTHING..FREE_FOR_A_BUILD => warning(name, format!("only {shown}"), hint),
        _ => ok(name, shown),
    }
}

fn local_cloud() -> Diagnosis {
    const NAME: &str = "local cloud";
    let home = match crate::commands::local::home() {
        Ok(home) => home,
        Err(failure) => return failed(NAME, &failure),
    };
    let data = home.data.display().to_string();
    match home.running() {
        Ok(Some(running)) if running.is_current() => {
            ok(NAME, format!("running at {}, with its data in `{data}`", running.endpoint))
        }
        Ok(Some(running)) => warning(
            NAME,
            format!("another version of lamstream runs at {}, with its data in `{data}`", running.endpoint),
            "run `lamstream local start`, which replaces it and keeps its state",
        ),
        Ok(None) => ok(NAME, format!("not running; `--local` starts it, with its data in `{data}`")),
        Err(error) => Diagnosis {
            hints: vec!["run `lamstream local reset`, which deletes its data".to_owned()],
            ..diagnosis(NAME, Health::Problem, format!("{error:#}"))
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_judged_by_what_a_build_takes() {
        let judged = |free: u64| judge_space("disk", Path::new("/x"), free).result;
        assert_eq!(judged(100 << 20), Health::Problem);
        assert_eq!(judged(1 << 30), Health::Warning);
        assert_eq!(judged(3 << 30), Health::Ok);
    }

    #[test]
    fn a_glibc_whose_symbols_lambda_lacks_is_named() {
        let judged = |version: &str, local| judge_glibc("glibc", version, local).result;
        assert_eq!(judged("2.36", false), Health::Ok);
        assert_eq!(judged("2.38", false), Health::Warning);
        assert_eq!(judged("2.41", true), Health::Ok);
        assert_eq!(judged("musl", false), Health::Skipped);
    }
}
