//! A mount namespace in which `/opt` is a function's layers, read-only as on AWS, for one process and its children.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, StatVfsMountFlags, open, statvfs};
use rustix::mount::{MountFlags, MountPropagationFlags, mount_bind, mount_change, mount_remount};
use rustix::thread::UnshareFlags;

/// What has to be mounted. Everything is prepared before the fork, because nothing may be allocated after it.
pub(super) struct MountNamespace {
    opt: CString,
    /// The flags of the mount that `opt` is on, and read-only.
    flags: MountFlags,
    /// Our user and group, for a user namespace; `None` for root, which needs none.
    users: Option<(Vec<u8>, Vec<u8>)>,
}

impl MountNamespace {
    /// # Errors
    /// If the path contains a NUL byte or does not exist.
    pub(super) fn new(opt: &Path) -> io::Result<Self> {
        let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let same = |id: u32| format!("{id} {id} 1").into_bytes();
        let users = (user != 0).then(|| (same(user), same(group)));
        let flags = kept(statvfs(opt)?.f_flag) | MountFlags::BIND | MountFlags::RDONLY;
        Ok(Self { opt: CString::new(opt.as_os_str().as_bytes())?, flags, users })
    }

    /// Enters the namespace. This is called between fork and exec: it makes system calls and allocates nothing.
    #[expect(
        unsafe_code,
        reason = "namespaces change what other code of the process sees; this process is only about to exec"
    )]
    pub(super) fn enter(&self) -> io::Result<()> {
        let flags = match self.users {
            Some(_) => UnshareFlags::NEWNS | UnshareFlags::NEWUSER,
            None => UnshareFlags::NEWNS,
        };
        // SAFETY: this is the only thread of a process that has just been forked; it shares no descriptors or memory.
        unsafe { rustix::thread::unshare_unsafe(flags)? };
        if let Some((users, groups)) = &self.users {
            write(c"/proc/self/setgroups", b"deny")?;
            write(c"/proc/self/uid_map", users)?;
            write(c"/proc/self/gid_map", groups)?;
        }
        // The mount must not be visible elsewhere.
        mount_change(c"/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
        mount_bind(self.opt.as_c_str(), c"/opt")?;
        mount_remount(c"/opt", self.flags, c"")?;
        Ok(())
    }
}

/// The flags that a user namespace may not take off a mount. Source: mount_namespaces(7).
fn kept(flags: StatVfsMountFlags) -> MountFlags {
    let pairs = [
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    pairs.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, flag)| flag).collect()
}

fn write(path: &std::ffi::CStr, bytes: &[u8]) -> io::Result<()> {
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, bytes)?;
    Ok(())
}

/// Why this machine does not support it, if so; tried once.
pub(super) fn refusal() -> Option<&'static str> {
    static REFUSAL: OnceLock<Option<String>> = OnceLock::new();
    REFUSAL.get_or_init(|| attempt().err().map(|error| error.to_string())).as_deref()
}

#[expect(unsafe_code, reason = "the namespace is entered between fork and exec")]
fn attempt() -> io::Result<()> {
    if !Path::new("/opt").is_dir() {
        return Err(io::Error::other("there is no directory /opt to mount them on"));
    }
    let namespace = MountNamespace::new(&std::env::temp_dir())?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exit 0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: as in `MountNamespace::enter`.
    unsafe { command.pre_exec(move || namespace.enter()) };
    command.status().map(|_| ())
}
