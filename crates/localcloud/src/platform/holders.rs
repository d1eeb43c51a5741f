//! Which of the processes that have one socket open is to be named: a process gets the files of the one that started it, a
//! server's workers keep them, and every new process has them until it runs its program.

use rustix::process::Pid;

/// The process whose end ends the others' use of the socket: the earliest of `holders`, the latest first, that did not get
/// it from another one of them.
pub(super) fn first(holders: &[Pid], parent: impl Fn(Pid) -> Option<Pid>) -> Option<Pid> {
    let got_it = |pid: Pid| parent(pid).is_some_and(|parent| holders.contains(&parent));
    holders.iter().copied().rev().find(|pid| !got_it(*pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_and_not_its_workers() {
        let pid = |number| Pid::from_raw(number).expect("a number of a process");
        // 30 and 40 were started by 50, whose number is higher, 60 by 40; 20 is a stranger's, and 10 of a starter without it.
        let parent = |of: Pid| match of.as_raw_nonzero().get() {
            30 | 40 => Some(pid(50)),
            60 => Some(pid(40)),
            50 => Some(pid(10)),
            _ => None,
        };
        assert_eq!(first(&[60, 50, 40, 30].map(pid), parent), Some(pid(50)));
        assert_eq!(first(&[60, 30].map(pid), parent), Some(pid(30)), "their starter has ended");
        assert_eq!(first(&[50, 20].map(pid), parent), Some(pid(20)));
        assert_eq!(first(&[], parent), None);
    }
}
