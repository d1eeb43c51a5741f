//! A mount namespace for one process and its children: as on AWS, the function's code is read-only and in the same place
//! for every version, and `/opt`, which is its layers, is read-only, too.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, StatVfsMountFlags, open, statvfs};
use rustix::mount::{MountFlags, MountPropagationFlags, mount_bind, mount_change, mount_remount};
use rustix::process::chdir;
use rustix::thread::UnshareFlags;

/// What has to be mounted. Everything is prepared before the fork, because nothing may be allocated after it.
pub(crate) struct MountNamespace {
    code: ReadOnly,
    /// Where the code is seen.
    task: CString,
    layers: Option<ReadOnly>,
    /// Our user and group, for a user namespace; `None` for root, which needs none.
    users: Option<(Vec<u8>, Vec<u8>)>,
}

/// A directory to be mounted read-only.
struct ReadOnly {
    directory: CString,
    /// The flags of the mount that the directory is on, and read-only.
    flags: MountFlags,
}

impl ReadOnly {
    fn new(directory: &Path) -> io::Result<Self> {
        let flags = kept(statvfs(directory)?.f_flag) | MountFlags::BIND | MountFlags::RDONLY;
        Ok(Self { directory: CString::new(directory.as_os_str().as_bytes())?, flags })
    }

    fn mount(&self, target: &CStr) -> io::Result<()> {
        mount_bind(self.directory.as_c_str(), target)?;
        Ok(mount_remount(target, self.flags, c"")?)
    }
}

impl MountNamespace {
    /// # Errors
    /// If a path contains a NUL byte or does not exist.
    pub(crate) fn new(code: &Path, task: &Path, layers: Option<&Path>) -> io::Result<Self> {
        let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let same = |id: u32| format!("{id} {id} 1").into_bytes();
        let users = (user != 0).then(|| (same(user), same(group)));
        let task = CString::new(task.as_os_str().as_bytes())?;
        Ok(Self { code: ReadOnly::new(code)?, task, layers: layers.map(ReadOnly::new).transpose()?, users })
    }

    /// Enters the namespace, and the directory of the code. This is called before a new process runs its program: it
    /// makes system calls and allocates nothing.
    #[expect(
        unsafe_code,
        reason = "namespaces change what other code of the process sees; this process is only about to exec"
    )]
    pub(crate) fn enter(&self) -> io::Result<()> {
        let flags = match self.users {
            Some(_) => UnshareFlags::NEWNS | UnshareFlags::NEWUSER,
            None => UnshareFlags::NEWNS,
        };
        // SAFETY: this is the only thread of a new process, which shares no descriptors.
        unsafe { rustix::thread::unshare_unsafe(flags)? };
        if let Some((users, groups)) = &self.users {
            write(c"/proc/self/setgroups", b"deny")?;
            write(c"/proc/self/uid_map", users)?;
            write(c"/proc/self/gid_map", groups)?;
        }
        // The mounts must not be visible elsewhere.
        mount_change(c"/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
        self.code.mount(&self.task)?;
        if let Some(layers) = &self.layers {
            layers.mount(c"/opt")?;
        }
        // The current directory is still below the mount.
        Ok(chdir(&*self.task)?)
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
pub(crate) fn refusal() -> Option<&'static str> {
    static REFUSAL: OnceLock<Option<String>> = OnceLock::new();
    REFUSAL.get_or_init(|| attempt().err().map(|error| error.to_string())).as_deref()
}

/// Why layers cannot be mounted at `/opt`, if so.
pub(crate) fn refusal_of_layers() -> Option<&'static str> {
    let missing = || (!Path::new("/opt").is_dir()).then_some("the directory /opt does not exist");
    refusal().or_else(missing)
}

#[expect(unsafe_code, reason = "the namespace is entered between fork and exec")]
fn attempt() -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let namespace = MountNamespace::new(directory.path(), directory.path(), None)?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exit 0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: as in `MountNamespace::enter`.
    unsafe { command.pre_exec(move || namespace.enter()) };
    command.status().map(|_| ())
}
