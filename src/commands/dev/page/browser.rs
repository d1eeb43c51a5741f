//! The user's browser, where there is one.

use std::env;

/// Variables of a session with a screen.
const SCREENS: [&str; 3] = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];

/// Opens an address if this session has a screen. A browser that cannot be opened is not an error: the address was
/// printed.
pub(super) fn open_address(address: &str) {
    let address = address.to_owned();
    if has_screen() {
        // The browser outlives this process, but it takes a moment to see that it has started.
        tokio::task::spawn_blocking(move || drop(open::that_detached(address)));
    }
}

fn has_screen() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    // On macOS, a session over SSH has the screen of another user.
    let is_here = cfg!(target_os = "macos") && !is_set("SSH_CONNECTION");
    !is_set("CI") && (is_here || SCREENS.into_iter().any(is_set))
}
