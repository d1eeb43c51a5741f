//! Starts a program in a new process, at a cost that does not grow with this one.
//!
//! `fork` copies the mappings and the descriptors of a process, and a cloud with a thousand instances has thousands of
//! both. Here the new process shares memory and descriptors with the cloud until it runs its program, as those of
//! `posix_spawn` do; in between it makes the system calls that an instance needs.

use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{DupFlags, dup3, fcntl_dupfd_cloexec};
use rustix::process::{Pid, PidfdFlags, WaitOptions, chdir, pidfd_open, setpgid, waitpid};
use rustix::thread::UnshareFlags;

use crate::platform::{Prepare, forked};

/// The bytes of stack that a new process has until it runs its program.
const STACK: usize = 256 * 1024;

/// A program with everything that `execve` needs: nothing may be allocated in the new process.
struct ExecArguments {
    path: CString,
    directory: CString,
    /// Arguments and variables, and pointers to them that end with a null pointer.
    _texts: Vec<CString>,
    arguments: Vec<*const c_char>,
    variables: Vec<*const c_char>,
}

impl ExecArguments {
    /// Reads program, arguments, directory and variables of a command. It must have a directory, and no other variables
    /// than its own.
    fn new(command: &Command) -> io::Result<Self> {
        let text = |text: &OsStr| CString::new(text.as_bytes());
        let arguments = std::iter::once(command.get_program()).chain(command.get_args()).map(text);
        let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        let variables = command
            .get_envs()
            .filter_map(|(name, value)| Some(CString::new([name.as_bytes(), b"=", value?.as_bytes()].concat())));
        let variables = variables.collect::<Result<Vec<_>, _>>()?;
        let pointers =
            |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>();
        let directory = command.get_current_dir().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self {
            path: text(command.get_program())?,
            directory: text(directory.as_os_str())?,
            arguments: pointers(&arguments),
            variables: pointers(&variables),
            _texts: arguments.into_iter().chain(variables).collect(),
        })
    }
}

/// Starts programs, one at a time.
pub(crate) struct Starter {
    stack: Vec<u128>,
    /// `/dev/null`.
    null: OwnedFd,
    /// Refers to the output of the process that is started, else to `/dev/null`. Its number is small, because a new process
    /// copies the descriptors up to it.
    output: OwnedFd,
    /// Whether a new process may share memory.
    may_share: bool,
}

/// What a new process needs to know.
struct NewProcess<'a> {
    program: &'a ExecArguments,
    null: BorrowedFd<'a>,
    output: BorrowedFd<'a>,
    prepare: &'a Prepare,
    /// Why it cannot run its program; 0 as long as nothing has failed.
    error: AtomicI32,
}

impl Starter {
    /// # Errors
    /// If `/dev/null` cannot be opened.
    pub(crate) fn new() -> io::Result<Self> {
        let null = open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
        let output = fcntl_dupfd_cloexec(&null, 3)?;
        Ok(Self { stack: vec![0; STACK / size_of::<u128>()], null, output, may_share: !is_in_valgrind() })
    }

    /// Starts a program in a process group of its own, and returns when it runs. Its stdin is empty, and it gets no other
    /// descriptors than these three. `prepare` runs in the new process: it must make system calls alone.
    ///
    /// # Errors
    /// Those of `prepare` and of the system calls that start a program.
    #[expect(unsafe_code, reason = "no library starts a process that shares memory and enters namespaces")]
    pub(crate) fn start(&mut self, command: &Command, output: &OwnedFd, prepare: &Prepare) -> io::Result<Pid> {
        if !self.may_share {
            return forked::start(command, output, prepare);
        }
        let program = ExecArguments::new(command)?;
        dup3(output, &mut self.output, DupFlags::CLOEXEC)?;
        let new = NewProcess {
            program: &program,
            null: self.null.as_fd(),
            output: self.output.as_fd(),
            prepare,
            error: AtomicI32::new(0),
        };
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::SIGCHLD;
        // SAFETY: `CLONE_VFORK` suspends this thread until the new process has its own memory or has ended, so that stack
        // and `new` outlive their use, and no two threads use the same stack. Signals are blocked, so that no handler of
        // the cloud runs in the new process.
        let pid = unsafe {
            let all = signals_blocked();
            let top = self.stack.as_mut_ptr_range().end.cast::<c_void>();
            let pid = libc::clone(enter, top, flags, (&raw const new).cast_mut().cast());
            let failed = io::Error::last_os_error();
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
            if pid < 0 { Err(failed) } else { Ok(pid) }
        };
        let error = new.error.load(Ordering::Relaxed);
        // Otherwise the pipe of the process would stay open.
        dup3(&self.null, &mut self.output, DupFlags::CLOEXEC)?;
        let pid = Pid::from_raw(pid?).ok_or(io::ErrorKind::Other)?;
        if error != 0 {
            waitpid(Some(pid), WaitOptions::empty())?;
            return Err(io::Error::from_raw_os_error(error));
        }
        Ok(pid)
    }
}

/// Whether valgrind runs this process. It supports `clone` only as the C library uses it.
fn is_in_valgrind() -> bool {
    std::env::var_os("LD_PRELOAD").is_some_and(|loaded| loaded.to_string_lossy().contains("/vgpreload_"))
}

/// A descriptor that becomes readable when a child ends. Some sandboxes have none.
pub(crate) fn end_of(child: Pid) -> Option<OwnedFd> {
    pidfd_open(child, PidfdFlags::empty()).ok()
}

/// Blocks all signals, and returns the mask before.
#[expect(unsafe_code, reason = "the mask of a thread is set by the C library")]
fn signals_blocked() -> libc::sigset_t {
    // SAFETY: both sets are initialised by the functions that write them.
    unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    }
}

/// The new process: it returns only if it cannot run its program, and ends then.
#[expect(unsafe_code, reason = "its argument comes through the C library")]
extern "C" fn enter(new: *mut c_void) -> c_int {
    // SAFETY: `Starter::start` passes this, and is suspended.
    let new = unsafe { &*new.cast::<NewProcess>() };
    let failed = new.run();
    new.error.store(failed.raw_os_error().unwrap_or(libc::EINVAL), Ordering::Relaxed);
    127
}

impl NewProcess<'_> {
    fn run(&self) -> io::Error {
        match self.prepare() {
            Ok(()) => self.execute(),
            Err(error) => error,
        }
    }

    fn prepare(&self) -> io::Result<()> {
        own_descriptors(self.null.as_raw_fd().max(self.output.as_raw_fd()))?;
        setpgid(None, None)?;
        chdir(self.program.directory.as_c_str())?;
        (self.prepare)()?;
        for (from, to) in [(self.null, 0), (self.output, 1), (self.output, 2)] {
            duplicate(from, to)?;
        }
        close_from(3);
        reset_signals();
        Ok(())
    }

    #[expect(unsafe_code, reason = "this ends the process as it was")]
    fn execute(&self) -> io::Error {
        let ExecArguments { path, arguments, variables, .. } = self.program;
        // SAFETY: both lists end with a null pointer, and their texts live as long as the program.
        unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), variables.as_ptr()) };
        io::Error::last_os_error()
    }
}

/// Gives this process its own table of descriptors: a copy up to `last`, which leaves the cloud's many others out.
#[expect(unsafe_code, reason = "descriptors are closed by number")]
fn own_descriptors(last: c_int) -> io::Result<()> {
    // SAFETY: this process has just begun and uses no descriptor beyond.
    let copied = unsafe { libc::syscall(libc::SYS_close_range, last + 1, c_int::MAX, libc::CLOSE_RANGE_UNSHARE) };
    if copied == 0 {
        return Ok(());
    }
    // Before Linux 5.9, all of them are copied.
    // SAFETY: this process has a single thread, and no descriptor is closed.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FILES)? };
    Ok(())
}

/// Makes `to` refer to the same file; the program that is about to run gets it.
#[expect(unsafe_code, reason = "stdin, stdout and stderr are descriptors by number")]
fn duplicate(from: BorrowedFd<'_>, to: c_int) -> io::Result<()> {
    // SAFETY: no value of this process owns the first three descriptors.
    match unsafe { libc::dup2(from.as_raw_fd(), to) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Closes a descriptor and all after it, also those that the cloud got from its own parent. Before Linux 5.9, `execve`
/// closes all but these.
#[expect(unsafe_code, reason = "descriptors are closed by number")]
fn close_from(first: c_int) {
    // SAFETY: this process uses none of them any more.
    unsafe { libc::syscall(libc::SYS_close_range, first, c_int::MAX, 0) };
}

/// Resets what the cloud handles, and SIGPIPE, which Rust ignores; what its parent ignores stays ignored. No signal is
/// blocked afterwards.
#[expect(unsafe_code, reason = "only the C library changes what a signal does")]
fn reset_signals() {
    // SAFETY: `action` and `none` are initialised by the functions that write them; all handlers become the default.
    unsafe {
        for number in 1..=libc::SIGRTMAX() {
            let mut action: libc::sigaction = std::mem::zeroed();
            let is_known = libc::sigaction(number, std::ptr::null(), &raw mut action) == 0;
            let is_ignored = action.sa_sigaction == libc::SIG_IGN && number != libc::SIGPIPE;
            if is_known && !is_ignored && action.sa_sigaction != libc::SIG_DFL {
                action.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(number, &raw const action, std::ptr::null_mut());
            }
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::sync::Arc;

    use super::*;

    /// Runs a script, and returns what it prints.
    fn output(script: &str, prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> io::Result<String> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).current_dir("/usr").env_clear().env("ONE", "1").env("TWO", "a b");
        let (mut reader, writer) = io::pipe()?;
        let writer = OwnedFd::from(writer);
        let mut starter = Starter::new()?;
        let turn = crate::sync::turn();
        let pid = starter.start(&command, &writer, &(Arc::new(prepare) as Prepare))?;
        drop(turn);
        drop(writer);
        let mut text = String::new();
        // This ends only if the starter keeps no end of the pipe.
        reader.read_to_string(&mut text)?;
        let ended = waitpid(Some(pid), WaitOptions::empty())?;
        assert!(ended.is_some_and(|(_, status)| status.exit_status() == Some(0)), "{text}");
        Ok(text)
    }

    #[test]
    fn a_program_gets_its_directory_variables_and_group_and_nothing_else() {
        // Not closed by `execve`, as if the parent of the cloud had left it open.
        let stray = fcntl_dupfd_cloexec(std::io::stderr(), 3).expect("a descriptor");
        rustix::io::fcntl_setfd(&stray, rustix::io::FdFlags::empty()).expect("it is open");
        let script = "pwd; echo $ONE $TWO; env | wc -l; ls /proc/$$/fd; read -r line; echo $? >&2; \
                      [ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && grep SigBlk /proc/self/status";
        let text = output(script, || Ok(())).expect("a shell");
        let lines: Vec<&str> = text.lines().collect();
        // The third variable is the shell's own.
        assert_eq!(lines[..2], ["/usr", "1 a b"]);
        assert_eq!(lines[3..6], ["0", "1", "2"]);
        assert_eq!(lines[6..], ["1", "SigBlk:\t0000000000000000"]);
        drop(stray);
    }

    #[test]
    fn what_the_cloud_ignores_for_itself_does_what_it_does_by_default() {
        let ignored = output("grep SigIgn /proc/self/status", || Ok(())).expect("a shell");
        let mask = ignored.split_whitespace().last().and_then(|mask| u64::from_str_radix(mask, 16).ok());
        assert_eq!(mask.expect("a mask") & (1 << (libc::SIGPIPE - 1)), 0);
    }

    #[test]
    fn what_fails_before_the_program_runs_is_the_error() {
        let refused = output("true", || Err(io::Error::from_raw_os_error(libc::EPERM)));
        assert_eq!(refused.expect_err("it is refused").kind(), ErrorKind::PermissionDenied);
        let _turn = crate::sync::turn();
        let (_, writer) = io::pipe().expect("a pipe");
        let start = |command: &Command| {
            let nothing: Prepare = Arc::new(|| Ok(()));
            Starter::new().and_then(|mut starter| starter.start(command, &writer.try_clone()?.into(), &nothing))
        };
        for (program, directory, kind) in [
            ("/nowhere/program", "/", ErrorKind::NotFound),
            ("/bin/sh", "/nowhere", ErrorKind::NotFound),
            ("/etc/passwd", "/", ErrorKind::PermissionDenied),
        ] {
            let error = start(Command::new(program).current_dir(directory)).expect_err("it cannot start");
            assert_eq!(error.kind(), kind, "{program} in {directory}");
        }
        let error = start(&Command::new("/bin/sh")).expect_err("it has no directory");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
