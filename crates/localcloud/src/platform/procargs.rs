//! What macOS returns for `KERN_PROCARGS2`: the number of arguments, the program's path, arguments and environment.

/// The variables of a process, as `NAME=value`. macOS leaves out those of its own programs.
pub(super) fn variables(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (count, rest) =
        bytes.split_first_chunk().map_or((0, &[][..]), |(count, rest)| (i32::from_ne_bytes(*count), rest));
    // Zeros fill the space between the path and the first argument.
    let path = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let begin = rest[path..].iter().position(|byte| *byte != 0).map_or(rest.len(), |zeros| path + zeros);
    let texts = rest[begin..].split(|byte| *byte == 0);
    texts.skip(usize::try_from(count).unwrap_or_default()).take_while(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::variables;

    fn of(count: i32, rest: &[u8]) -> Vec<String> {
        let bytes = [&count.to_ne_bytes(), rest].concat();
        variables(&bytes).map(|variable| String::from_utf8(variable.to_vec()).expect("text")).collect()
    }

    #[test]
    fn arguments_are_no_variables() {
        assert_eq!(of(2, b"/bin/app\0\0\0\0app\0A=argument\0A=1\0B=\0\0ptr_munge=\0"), ["A=1", "B="]);
        // An argument may be empty.
        assert_eq!(of(3, b"/bin/app\0app\0\0-v\0A=1\0"), ["A=1"]);
    }

    #[test]
    fn what_is_missing_or_damaged_has_no_variables() {
        assert_eq!(of(1, b"/bin/app\0app\0"), [""; 0]);
        assert_eq!(of(-1, b""), [""; 0]);
        assert_eq!(of(i32::MAX, b"/bin/app\0app\0A=1\0"), [""; 0]);
        assert_eq!(variables(b"\x01").count(), 0);
    }
}
