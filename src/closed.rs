//! Whether stdout was closed when the program started.
//!
//! Before `main`, the standard library opens `/dev/null` in place of a closed stdout. Then nothing tells it apart from a
//! stdout that the user sent there. So a function looks before the standard library does.

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether stdout was closed.
pub(crate) fn is_stdout_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// Functions in this section are called before `main`, and before the standard library prepares it.
#[expect(unsafe_code, reason = "the loader calls what is in this section, which must be a list of such functions")]
#[used]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static BEFORE_MAIN: extern "C" fn() = look;

/// It only makes a system call, because the standard library is not ready.
extern "C" fn look() {
    let flags = rustix::io::fcntl_getfd(rustix::stdio::stdout());
    CLOSED.store(flags == Err(rustix::io::Errno::BADF), Ordering::Relaxed);
}
